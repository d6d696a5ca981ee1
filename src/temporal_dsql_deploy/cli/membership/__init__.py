"""`dsql-deploy membership …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.membership import clean, doctor, show

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Who is in the ring, what is wrong with it, and which rows may go.",
    epilog=f"Example: {doctor.EXAMPLE}",
)
app.command("show", epilog=f"Example: {show.EXAMPLE}")(show.show)
app.command("doctor", epilog=f"Example: {doctor.EXAMPLE}")(doctor.doctor)
app.command("clean", epilog=f"Example: {clean.EXAMPLE}")(clean.clean)
