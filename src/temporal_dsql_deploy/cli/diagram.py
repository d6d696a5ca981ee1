"""`dsql-deploy diagram ENV`."""

from pathlib import Path
from typing import Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.cli.progress import watching
from temporal_dsql_deploy.errors import UsageError

EXAMPLE = "dsql-deploy diagram dev --out dev.svg"
_STDOUT = Path("-")


def diagram(
    environment: options.EnvironmentOnEcs,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write the SVG [ENV.svg]; - for stdout.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="JSON",
            help="Draw this plan or state, of `terraform show -json`; - for stdin.",
        ),
    ] = None,
    var_file: options.VarFiles = None,
    terraform: options.TerraformBinary = None,
    provider_mirror: options.ProviderMirror = None,
    file: options.File = None,
    as_json: options.Json = False,
) -> None:
    """Draw what an environment is made of and who talks to whom, by its firewall rules.

    No AWS account is asked: without --plan it is what an apply to an empty one would make.
    """
    from temporal_dsql_deploy.operations import diagram as operation
    from temporal_dsql_deploy.operations.plan.run import How

    target = out or (None if as_json else Path(f"{environment}.svg"))
    if as_json and out == _STDOUT:
        raise UsageError(
            "--json and --out - do not go together",
            cause="both would be written to stdout",
            fix="leave one of them out",
        )
    written = None if target is None or target == _STDOUT else target.expanduser()
    options.check_name(environment)
    options.check_out(written)
    if source is not None:
        if var_file:
            raise UsageError(
                "--plan and --var-file do not go together",
                cause="it draws a plan that was made already",
                fix="leave one of them out",
            )
        result, svg = operation.diagram_of_file(environment, source, written)
    else:
        from temporal_dsql_deploy.environments.find import find

        options.address(environment, file=file)
        with watching() as on_event:
            how = How(
                offline=True,
                var_files=var_file or [],
                terraform=terraform,
                provider_mirror=provider_mirror,
                on_event=on_event,
            )
            result, svg = operation.diagram(find(environment, file=file), how, written)
    if written is not None:
        options.write_out(written, svg)
    for note in result.notes:
        terminal.warning(note)
    if as_json:
        terminal.result(result)
    elif written is None:
        terminal.content(svg.encode())
    else:
        terminal.text(f"{environment}: drawn in {written}")
