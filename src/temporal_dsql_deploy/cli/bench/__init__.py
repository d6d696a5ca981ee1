"""`dsql-deploy bench …`: one file per verb."""

import typer

from temporal_dsql_deploy.cli.bench import compare, results, run

app = typer.Typer(
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Measure a cluster under load, honestly.",
    epilog=f"Example: {run.EXAMPLE}",
)
app.command("run", epilog=f"Example: {run.EXAMPLE}")(run.run)
app.command("results", epilog=f"Example: {results.EXAMPLE}")(results.results)
app.command("compare", epilog=f"Example: {compare.EXAMPLE}")(compare.compare)
