"""`dsql-deploy visibility …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.visibility import repair, setup, status

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="The index in OpenSearch that lists of workflows come from: set up, compare, mend.",
    epilog=f"Example: {setup.EXAMPLE}",
)
app.command("setup", epilog=f"Example: {setup.EXAMPLE}")(setup.setup)
app.command("status", epilog=f"Example: {status.EXAMPLE}")(status.status)
app.command("repair", epilog=f"Example: {repair.EXAMPLE}")(repair.repair)
