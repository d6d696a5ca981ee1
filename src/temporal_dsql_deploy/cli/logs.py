"""`dsql-deploy logs ENV`."""

from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.platforms.protocol import LogLine

EXAMPLE = "dsql-deploy logs local --component history --level warn --follow"
_COLOURS = {"WARN": "yellow", "ERROR": "red"}


def logs(
    environment: options.EnvironmentName = "local",
    component: Annotated[
        str | None,
        typer.Option(
            "--component",
            "-c",
            help="Only this: a role, server, database; one of several as history-2; on "
            "ECS a service: loki, ui, grafana too.",
        ),
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Only this level and above: debug, info, warn, error.")
    ] = None,
    tail: Annotated[
        int, typer.Option("--tail", "-n", min=0, help="How many of the last lines to begin with.")
    ] = 100,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with new lines, until Ctrl-C.")
    ] = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Print the log, of a stopped cluster too. With --json, one document a line."""
    from temporal_dsql_deploy.platforms.protocol import LEVELS, LogQuery

    _, platform = options.choose(environment, file, data_dir, direct=False)
    if component:
        options.one_of("component", component, platform.log_components())
    if level:
        level = options.one_of("level", level.lower(), LEVELS)
    for line in platform.logs(LogQuery(component=component, level=level, tail=tail, follow=follow)):
        if as_json:
            terminal.line(line)
        else:
            _show(line)


def _show(line: "LogLine") -> None:
    from rich.text import Text

    time = line.time.astimezone().strftime("%H:%M:%S.%f")[:-3] if line.time else ""
    fields = " ".join(f"{name}={value}" for name, value in line.fields.items())
    text = Text(f"{time:<12} ", style="dim")
    text.append(f"{line.level:<5} ", style=_COLOURS.get(line.level, ""))
    text.append(f"{line.component:<9} ", style="cyan")
    text.append(line.message)
    text.append(f" {fields}" if fields else "", style="dim")
    terminal.stdout().print(text, soft_wrap=True)
