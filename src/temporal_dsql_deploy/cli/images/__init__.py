"""`dsql-deploy images …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.images import build, list_images, push

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Container images of a cluster: build, push, list.",
    epilog=f"Example: {build.EXAMPLE}",
)
app.command("build", epilog=f"Example: {build.EXAMPLE}")(build.build)
app.command("push", epilog=f"Example: {push.EXAMPLE}")(push.push)
app.command("list", epilog=f"Example: {list_images.EXAMPLE}")(list_images.list_images)
