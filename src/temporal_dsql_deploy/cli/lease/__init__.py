"""`dsql-deploy lease …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.lease import reset, show

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The counter of connection leases, which leaks: show it, correct it.",
    epilog=f"Example: {show.EXAMPLE}",
)
app.command("show", epilog=f"Example: {show.EXAMPLE}")(show.show)
app.command("reset", epilog=f"Example: {reset.EXAMPLE}")(reset.reset)
