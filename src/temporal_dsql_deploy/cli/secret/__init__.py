"""`dsql-deploy secret …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.secret import rotate, setup, show

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Grafana's administrator in AWS Secrets Manager: set up, show, rotate.",
    epilog=f"Example: {setup.EXAMPLE}",
)
app.command("setup", epilog=f"Example: {setup.EXAMPLE}")(setup.setup)
app.command("show", epilog=f"Example: {show.EXAMPLE}")(show.show)
app.command("rotate", epilog=f"Example: {rotate.EXAMPLE}")(rotate.rotate)
