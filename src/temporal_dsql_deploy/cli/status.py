"""`dsql-deploy status ENV`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import table, terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from temporal_dsql_deploy.platforms.protocol import Platform, Status

_ALWAYS = {"component", "state", "address", "version"}
_NAME = 12
"""Characters of the name of a fact, at the least."""
_RING = {None: "", True: "in", False: "NOT IN"}
EXAMPLE = "dsql-deploy status local --watch"


def status(
    environment: options.EnvironmentName = "local",
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again.")] = False,
    interval: Annotated[
        float, typer.Option(min=0.1, metavar="SECONDS", help="Time between two looks.")
    ] = 2,
    direct: options.Direct = False,
    file: options.File = None,
    data_dir: options.DataDir = None,
    as_json: options.Json = False,
) -> None:
    """Show what runs, and how it is. Exit code 1: not everything serves."""
    _, platform = options.choose(environment, file, data_dir, direct=direct)
    if watch:
        _watch(platform, interval, as_json=as_json)
    now = platform.status()
    if as_json:
        terminal.result(now)
    else:
        terminal.render(screen(now))
    if not now.healthy:
        raise typer.Exit(1)


def _watch(platform: "Platform", interval: float, *, as_json: bool) -> None:
    """Until Ctrl-C: redrawn in place on a terminal, else one after the other."""
    from rich.live import Live

    console = terminal.stdout()
    if as_json or not console.is_terminal or console.is_dumb_terminal:
        while True:
            now = platform.status()
            if as_json:
                terminal.line(now)
            else:
                terminal.render(screen(now))
            time.sleep(interval)
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(screen(platform.status()), refresh=True)
            time.sleep(interval)


def screen(status: "Status") -> "RenderableType":
    """The whole status, as one screen."""
    from rich.console import Group
    from rich.text import Text

    since = status.since.astimezone().strftime(" since %Y-%m-%d %H:%M:%S") if status.since else ""
    state = "running" if status.running else "stopped"
    facts = {"namespaces": ", ".join(status.namespaces)} if status.namespaces else {}
    facts |= status.facts
    width = max([_NAME, *(len(name) + 2 for name in facts)])
    lines = "\n".join(f"{name:<{width}}{value}" for name, value in facts.items())
    head = Text(f"{status.environment} ({status.platform}): {state}{since}\n", style="bold")
    return Group(head, components(status), Text(f"\n{lines}", no_wrap=True, overflow="ignore"))


def components(status: "Status") -> "RenderableType":
    """The table of components; columns that say nothing of any of them are left out."""
    columns: dict[str, list[object]] = {
        "component": [part.instance or part.name for part in status.components],
        "state": [part.state for part in status.components],
        "address": [part.address for part in status.components],
        "pid": [part.pid or "" for part in status.components],
        "version": [part.version for part in status.components],
        "ring": [_RING[part.in_ring] for part in status.components],
        "shards": ["" if part.shards is None else part.shards for part in status.components],
        "": [part.note for part in status.components],
    }
    told = {
        name: cells
        for name, cells in columns.items()
        if name in _ALWAYS or any(cell != "" for cell in cells)
    }
    return table(list(told), list(zip(*told.values(), strict=True)))
