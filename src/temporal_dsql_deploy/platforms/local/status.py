"""How an embedded server is: each of its roles is asked, on the port that it really listens on."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.platforms import temporal_api, web
from temporal_dsql_deploy.platforms.local import server
from temporal_dsql_deploy.platforms.local.server import ServerSettings
from temporal_dsql_deploy.platforms.processes import logs
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import Component, State, Status
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

_STARTING = timedelta(seconds=15)
"""History says SERVING about 5 s after its start (measured with temporal-server 1.32.2)."""


def stopped(environment: str, cause: str, facts: dict[str, str]) -> Status:
    """The status of an environment whose server does not run."""
    names = [*topology.load().roles, "ui", "metrics"]
    return Status(
        environment=environment,
        platform="local",
        running=False,
        healthy=False,
        components=[Component(name=name, state=State.STOPPED) for name in names],
        facts={**facts, "why": cause},
    )


def running(environment: str, run: Record, pages: dict[str, str], facts: dict[str, str]) -> Status:
    """The status of a running server, from its own gRPC health and pages."""
    since = datetime.fromisoformat(run.started_at)
    components, namespaces, binary = interrupts.run(_look(run, pages))
    if datetime.now(UTC) - since < _STARTING:
        components = [_forgive(component) for component in components]
    healthy = {State.SERVING, State.STARTING}
    return Status(
        environment=environment,
        platform="local",
        running=True,
        healthy=all(component.state in healthy for component in components),
        components=components,
        namespaces=namespaces,
        since=since,
        facts={**facts, "binary": binary},
    )


def _forgive(component: Component) -> Component:
    if component.state is State.SERVING:
        return component
    return replace(component, state=State.STARTING)


async def _look(run: Record, pages: dict[str, str]) -> tuple[list[Component], list[str], str]:
    """All components, the namespaces, and which binary runs."""
    roles, (version, namespaces), ui, metrics, binary = await asyncio.gather(
        _roles(run),
        _frontend(f"{server.ADDRESS}:{run.settings['ports']['frontend']}"),
        asyncio.to_thread(_ui, pages["ui"]),
        asyncio.to_thread(_page, pages["metrics"]),
        asyncio.to_thread(_binary, run),
    )
    pid = run.process.pid
    components = [
        Component(
            name=name,
            state=roles[name][0],
            address=roles[name][1],
            pid=pid,
            version=version,
        )
        for name in topology.load().roles
    ]
    components += [
        Component(name="ui", state=ui[0], address=pages["ui"], pid=pid, version=ui[1]),
        Component(name="metrics", state=metrics, address=pages["metrics"], pid=pid),
    ]
    return components, namespaces, binary


def _binary(run: Record) -> str:
    """Path and version: the version that the server itself has logged, not that of the file now."""
    said = re.search(r"^Temporal CLI \S+", logs.since(Path(run.log), run.log_start), re.MULTILINE)
    return f"{run.settings['binary']} ({said[0]})" if said else str(run.settings["binary"])


async def _frontend(address: str) -> tuple[str, list[str]]:
    client = await temporal_api.connect(address)
    try:
        version = await temporal_api.server_version(client)
        return version, sorted(await temporal_api.namespaces(client))
    except CallFailed:
        return "", []


async def _roles(run: Record) -> dict[str, tuple[State, str]]:
    """State and address of each role. Only the frontend's port is chosen; the others are found.

    The embedded server gives the other roles a random port each, so every port that the process
    listens on is asked for every role.
    """
    ports = ServerSettings.from_record(run.settings).ports
    roles = topology.load().roles
    candidates = await asyncio.to_thread(_other_ports, run.process.pid, set(ports.values()))
    questions = [(name, port) for name in roles if name != "frontend" for port in candidates]
    questions.append(("frontend", ports["frontend"]))
    answers = await asyncio.gather(
        *(
            temporal_api.health(f"{server.ADDRESS}:{port}", roles[name].health_service)
            for name, port in questions
        )
    )
    states = dict.fromkeys(roles, (State.UNREACHABLE, ""))
    for (name, port), state in zip(questions, answers, strict=True):
        if state is not State.UNREACHABLE or name == "frontend":
            states[name] = (state, f"{server.ADDRESS}:{port}")
    return states


def _other_ports(pid: int, known: set[int]) -> list[int]:
    import psutil

    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return []
    listening = {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return sorted(listening - known)


def _ui(url: str) -> tuple[State, str]:
    try:
        version = str(json.loads(web.fetch(f"{url}/api/v1/settings"))["Version"])
    except (OSError, ValueError, KeyError):
        version = ""
    return _page(url), version


def _page(url: str) -> State:
    return State.SERVING if web.answers(url) else State.UNREACHABLE
