"""`dsql-deploy lock …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.lock import release, show

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Who changes an environment on ECS now: its lock, beside the Terraform state.",
    epilog=f"Example: {show.EXAMPLE}",
)
app.command("show", epilog=f"Example: {show.EXAMPLE}")(show.show)
app.command("release", epilog=f"Example: {release.EXAMPLE}")(release.release)
