"""`dsql-deploy doctor ENV`."""

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

EXAMPLE = "dsql-deploy doctor local"


def doctor(
    environment: options.EnvironmentName = "local",
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Say what this machine has and lacks for each thing that the tool can do.

    Exit code 3: the environment itself cannot be run here.
    """
    from temporal_dsql_deploy.operations import doctor as operation

    _, platform = options.choose(environment, file, data_dir)
    result = operation.doctor(platform, environment)
    if as_json:
        terminal.result(result)
    else:
        for capability in result.capabilities:
            used = ", ".join(capability.verbs)
            terminal.text(f"{'can' if capability.ok else 'cannot'} {capability.name} ({used})")
            rows = [
                ("OK" if part.ok else "MISSING", part.name, part.found)
                for part in capability.requirements
            ]
            terminal.render(table(["", "", ""], rows))
            for part in capability.requirements:
                if part.remedy:
                    terminal.text(f"fix: {part.name}: {part.remedy}")
            terminal.text("")
    if not result.ok:
        raise typer.Exit(3)
