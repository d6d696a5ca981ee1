"""`dsql-deploy schema …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.schema import setup, status, upgrade

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Temporal's tables in Aurora DSQL or PostgreSQL: set up, compare, upgrade.",
    epilog=f"Example: {setup.EXAMPLE}",
)
app.command("setup", epilog=f"Example: {setup.EXAMPLE}")(setup.setup)
app.command("status", epilog=f"Example: {status.EXAMPLE}")(status.status)
app.command("upgrade", epilog=f"Example: {upgrade.EXAMPLE}")(upgrade.upgrade)
