"""How a cluster on this machine is: its parts, the ring as its members see it, the shards."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.errors import DatabaseUnusable
from temporal_dsql_deploy.persistence import shards
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.platforms import ring, temporal_api, web
from temporal_dsql_deploy.platforms.cluster import layout, opensearch, postgresql
from temporal_dsql_deploy.platforms.cluster.layout import DATABASE, OPENSEARCH, UI
from temporal_dsql_deploy.platforms.cluster.run import Run
from temporal_dsql_deploy.platforms.protocol import Component, State, Status
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

_STARTING = timedelta(seconds=15)
"""History says SERVING about 5 s after its start (measured with temporal-server 1.32.2)."""
_STORES_STARTING = {
    DATABASE: timedelta(seconds=postgresql.READY_SECONDS),
    OPENSEARCH: timedelta(seconds=opensearch.READY_SECONDS),
}
_BECOMING = re.compile(
    r"the database system is (starting up|in recovery mode|not (yet )?accepting connections)"
)
"""SQLSTATE 57P03, which libpq does not tell; its others are those of a server that shuts down. The
tool's PostgreSQL speaks English: its locale is C."""
_FULL = re.compile(r"too many clients already|connection slots are reserved")
"""SQLSTATE 53300."""
_SECONDS = 2.0
"""How long a member may take to say what it sees."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out at one moment."""

    states: dict[str, State]
    """Of every process, by its name."""
    views: dict[str, list[ring.Seen]]
    """Of the members that answered, by their names."""
    notes: dict[str, str]
    """What else a process said, by its name."""
    owners: dict[int, str] | None
    """host:port of gRPC by shard; None where the database does not say."""
    version: str
    namespaces: list[str]


def look(
    environment: str, runs: Sequence[Run], database: Database | None, facts: dict[str, str]
) -> Status:
    """The status of a cluster of these, the running ones and others."""
    seen = interrupts.run(_look(runs, database))
    components = [_component(run, seen) for run in runs]
    healthy = {State.SERVING, State.STARTING}
    alive = [run for run in runs if run.alive()]
    return Status(
        environment=environment,
        platform="cluster",
        running=bool(alive),
        healthy=bool(alive) and all(one.state in healthy for one in components),
        components=components,
        namespaces=seen.namespaces,
        since=min((_started(run) for run in alive), default=None),
        facts={**_facts(runs, seen), **facts},
    )


def never(environment: str, facts: dict[str, str]) -> Status:
    """The status of a cluster that has not been started yet."""
    everybody = layout.names(dict.fromkeys(topology.load().roles, 1), opensearch=False)
    return Status(
        environment=environment,
        platform="cluster",
        running=False,
        healthy=False,
        components=[Component(name=one, state=State.STOPPED) for _, one, _ in everybody],
        facts={**facts, "why": "it has not been started yet"},
    )


async def _look(runs: Sequence[Run], database: Database | None) -> Seen:
    alive = [run for run in runs if run.alive()]
    roles = [run for run in alive if run.settings["component"] in topology.load().roles]
    states, views, owners, (version, namespaces) = await asyncio.gather(
        asyncio.gather(*(_state(run, database) for run in alive)),
        asyncio.gather(*(asyncio.to_thread(_view, run) for run in roles)),
        asyncio.to_thread(_owners, database),
        _of_frontend(roles),
    )
    told = zip((run.component for run in roles), views, strict=True)
    return Seen(
        states={run.component: state for run, (state, _) in zip(alive, states, strict=True)},
        notes={run.component: note for run, (_, note) in zip(alive, states, strict=True)},
        views={name: view for name, view in told if view is not None},
        owners=owners,
        version=version,
        namespaces=namespaces,
    )


async def _state(run: Run, database: Database | None) -> tuple[State, str]:
    if run.settings["component"] == DATABASE:
        return await asyncio.to_thread(_database_state, database)
    return await _answer(run), ""


async def _answer(run: Run) -> State:
    component = run.settings["component"]
    if component == OPENSEARCH:
        usable = await asyncio.to_thread(opensearch.is_usable, url(run))
        return State.SERVING if usable else State.UNREACHABLE
    if component == UI:
        answers = await asyncio.to_thread(web.answers, url(run))
        return State.SERVING if answers else State.UNREACHABLE
    service = topology.load().roles[component].health_service
    return await temporal_api.health(grpc(run), service)


def _database_state(database: Database | None) -> tuple[State, str]:
    if database is None:
        return State.UNREACHABLE, ""
    try:
        with connect(database):
            return State.SERVING, ""
    except DatabaseUnusable as error:
        said = error.cause.rpartition("FATAL:")[2].strip()
        if _BECOMING.search(said):
            return State.STARTING, said
        # Whoever has a connection is served.
        if _FULL.search(said):
            return State.SERVING, said
        return State.UNREACHABLE, said


def _view(run: Run) -> list[ring.Seen] | None:
    ports = run.settings["ports"]
    try:
        return ring.view(run.settings["address"], ports["membership"], seconds=_SECONDS)
    except ring.NoView:
        return None


def _owners(database: Database | None) -> dict[int, str] | None:
    if database is None:
        return None
    try:
        with connect(database) as connection:
            return shards.owners(connection)
    except DatabaseUnusable:
        return None


async def _of_frontend(roles: Sequence[Run]) -> tuple[str, list[str]]:
    """What the first frontend that answers says: the server's version and the namespaces."""
    for run in roles:
        if run.settings["component"] == "frontend":
            client = await temporal_api.connect(grpc(run))
            try:
                version = await temporal_api.server_version(client)
                return version, sorted(await temporal_api.namespaces(client))
            except CallFailed:
                continue
    return "", []


def _component(run: Run, seen: Seen) -> Component:
    name, component = run.component, run.settings["component"]
    alive = run.alive()
    state = seen.states.get(name, State.STOPPED)
    young = datetime.now(UTC) - _started(run) < _STORES_STARTING.get(component, _STARTING)
    if alive and state is not State.SERVING and young:
        state = State.STARTING
    made = Component(
        name=component,
        state=state,
        address=where(run),
        pid=run.pid if alive else None,
        instance="" if name == component else name,
        note=seen.notes.get(name, "") if alive else run.ended(),
    )
    if component not in topology.load().roles or not alive:
        return made
    return replace(
        made,
        version=seen.version,
        in_ring=_in_ring(run, seen),
        shards=_shards(run, seen) if component == "history" else None,
    )


def _in_ring(run: Run, seen: Seen) -> bool | None:
    if not seen.views:
        return None
    member = grpc(run)
    return all(
        any(other.grpc == member and other.reachable for other in view)
        for view in seen.views.values()
    )


def _shards(run: Run, seen: Seen) -> int | None:
    if seen.owners is None:
        return None
    return Counter(seen.owners.values())[grpc(run)]


def _facts(runs: Sequence[Run], seen: Seen) -> dict[str, str]:
    facts = {}
    if seen.views:
        facts["ring"] = ring_in_words(seen.views)
    if seen.owners:
        facts["shards"] = shards_in_words(
            seen.owners,
            {grpc(run): run.component for run in runs if "grpc" in run.settings["ports"]},
        )
    return facts


def ring_in_words(views: dict[str, list[ring.Seen]]) -> str:
    """Members by role, or who sees what where they do not see the same."""
    said: dict[str, list[str]] = {}
    for name, view in views.items():
        roles = Counter(member.role for member in view if member.reachable and member.role)
        words = ", ".join(f"{role} {roles[role]}" for role in topology.load().roles)
        said.setdefault(words, []).append(name)
    if len(said) == 1:
        return next(iter(said))
    return "; ".join(f"{', '.join(names)} see {words}" for words, names in said.items())


def shards_in_words(owners: dict[int, str], names: dict[str, str]) -> str:
    """How many there are, and who took how many last."""
    counted = Counter(
        names.get(owner, f"{owner or 'nobody'}, which is gone") for owner in owners.values()
    )
    return f"{len(owners)}: " + ", ".join(f"{name} {counted[name]}" for name in sorted(counted))


def grpc(run: Run) -> str:
    """host:port of a role's gRPC."""
    return f"{run.settings['address']}:{run.settings['ports']['grpc']}"


def url(run: Run) -> str:
    """URL of the UI or of OpenSearch."""
    return f"http://{run.settings['address']}:{run.settings['ports']['http']}"


def where(run: Run) -> str:
    """host:port, or the URL; empty for a container that does not run."""
    if not run.settings["address"]:
        return ""
    component = run.settings["component"]
    if component in {UI, OPENSEARCH}:
        return url(run)
    if component == DATABASE:
        return f"{run.settings['address']}:{run.settings['ports']['postgresql']}"
    return grpc(run)


def _started(run: Run) -> datetime:
    return datetime.fromisoformat(run.started_at)
