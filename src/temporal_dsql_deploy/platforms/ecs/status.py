"""The status of a cluster on ECS: its services and tasks, the room on its instances, its ring."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.persistence import shards
from temporal_dsql_deploy.persistence.connection_count import ConnectionCount
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.persistence.schema import versions
from temporal_dsql_deploy.platforms import ring, temporal_api
from temporal_dsql_deploy.platforms.cluster.status import ring_in_words, shards_in_words
from temporal_dsql_deploy.platforms.ecs import capacity, evidence
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.seen import Place, Seen
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.protocol import Component, Member, State, Status

_SECONDS = 2.0
"""How long a member may take to say what it sees."""
_LOOK_BACK = timedelta(minutes=15)
"""CloudWatch has a minute's count some minutes later."""
_FINE = (State.SERVING, State.STARTING)


@dataclass(frozen=True, slots=True)
class Inside:
    """What only the cluster itself can say, asked from where it can be dialled."""

    states: Mapping[str, State] = field(default_factory=dict)
    """Of each role's task, by gRPC health, by name."""
    views: dict[str, list[ring.Seen]] = field(default_factory=dict)
    """By name, of the members that answered."""
    owners: dict[int, str] | None = None
    """host:port of gRPC by shard; None where the database does not say."""
    schema: str = ""


def status(environment: str, seen: Seen, inside: Inside, facts: Mapping[str, str]) -> Status:
    """As the protocol has it."""
    components = [_component(one, seen, inside) for one in seen.places]
    running = any(one.running for one in seen.places)
    started = [one.task.started for one in seen.places if one.task and one.task.started]
    return Status(
        environment=environment,
        platform="ecs",
        running=running,
        healthy=running and all(one.state in _FINE for one in components),
        components=components,
        since=min(started, default=None),
        facts={**_rollouts(seen.services.values()), **_of_inside(seen, inside), **facts},
    )


def _component(place: Place, seen: Seen, inside: Inside) -> Component:
    task = place.task
    grpc = _grpc(place)
    count = len(seen.of(place.component))
    instance = next(one for one in seen.instances() if one.name == place.name)
    made = Component(
        name=place.component,
        state=inside.states.get(place.name, place.state),
        address=grpc or (task.address if task else ""),
        instance=place.name if count > 1 else "",
        note=instance.note or _where(place),
    )
    if not grpc or not inside.views:
        return made
    in_ring = all(
        any(one.grpc == grpc and one.reachable for one in view) for view in inside.views.values()
    )
    owned = None if inside.owners is None else Counter(inside.owners.values())[grpc]
    return replace(made, in_ring=in_ring, shards=owned if place.component == "history" else None)


def _where(place: Place) -> str:
    task = place.task
    if task is None:
        return ""
    return f"task {task.id[:8]}, revision {task.revision}, {task.availability_zone}"


def _grpc(place: Place) -> str:
    """host:port of a role's task that runs."""
    roles = topology.load().roles
    if place.task is None or not place.task.address or place.component not in roles:
        return ""
    return f"{place.task.address}:{roles[place.component].ports['grpc']}"


def _rollouts(services: Iterable[Service]) -> dict[str, str]:
    """The services that are not as they are wanted."""
    said = []
    for one in services:
        primary = one.primary
        rollout = primary.rollout if primary else "no deployment"
        if (one.running, one.pending) != (one.desired, 0) or rollout != "COMPLETED":
            reason = f" ({primary.reason})" if primary and rollout == "FAILED" else ""
            said.append(f"{one.component} {one.running} of {one.desired}, {rollout}{reason}")
    return {"deployments": "; ".join(said) or "each is complete"}


def _of_inside(seen: Seen, inside: Inside) -> dict[str, str]:
    facts: dict[str, str] = {}
    if inside.views:
        facts["ring"] = ring_in_words(inside.views)
    if inside.owners:
        names = {_grpc(one): one.name for one in seen.places if _grpc(one)}
        facts["shards"] = shards_in_words(inside.owners, names)
    if inside.schema:
        facts["schema"] = inside.schema
    return facts


def outside_facts(deployed: Deployed, clients: Clients) -> dict[str, str]:
    """What AWS says of instances and of the database; what it refuses is said in its place."""
    facts: dict[str, str] = {}
    try:
        rooms = capacity.in_words(capacity.look(deployed.cluster, clients))
        facts |= {f"room {name}": said for name, said in rooms.items()}
    except DeployError as error:
        facts["room"] = f"not known: {error.message}"
    arn = deployed.outputs.get("dsql_cluster_arn")
    if arn:
        facts["connections"] = _connections(str(arn), deployed.region)
    return facts


def troubles(seen: Seen, clients: Clients) -> dict[str, str]:
    """Why components do not serve, by `why COMPONENT`; nothing of those that do."""
    ill = {one.component for one in seen.places if one.state not in _FINE}
    ill |= {name for name, one in seen.services.items() if _is_stuck(one)}
    since = datetime.now(UTC) - _LOOK_BACK
    found = {
        name: evidence.why(evidence.gather(service, clients, since))
        for name, service in seen.services.items()
        if name in ill and service.desired
    }
    return {f"why {name}": said for name, said in found.items() if said}


def _is_stuck(service: Service) -> bool:
    primary = service.primary
    # The tasks of the deployment before it may serve all the while.
    fails = primary is not None and primary.failed > 0 and primary.rollout != "COMPLETED"
    return fails or service.running < service.desired


def _connections(arn: str, region: str) -> str:
    now = datetime.now(UTC)
    try:
        found = ConnectionCount.of(arn, region).read(now - _LOOK_BACK, now)
    except DeployError as error:
        return f"not known: {error.message}"
    if not found:
        return "CloudWatch has no count of the last 15 minutes"
    newest = max(found)
    return f"{found[newest]} open at {newest:%H:%M} UTC (CloudWatch)"


def ask_inside(members: Sequence[Member], database: Database) -> Inside:
    """Dial every member, side by side, and the database; what does not answer is not there."""
    return interrupts.run(_asked(members, database))


async def _asked(members: Sequence[Member], database: Database) -> Inside:
    (owners, schema), views, states = await asyncio.gather(
        asyncio.to_thread(_stored, database),
        asyncio.gather(*(asyncio.to_thread(_view, one) for one in members)),
        asyncio.gather(*(_health(one) for one in members)),
    )
    names = [one.name for one in members]
    seen = zip(names, views, strict=True)
    return Inside(
        states=dict(zip(names, states, strict=True)),
        views={name: view for name, view in seen if view is not None},
        owners=owners,
        schema=schema,
    )


def _view(member: Member) -> list[ring.Seen] | None:
    try:
        return ring.view(member.address, member.membership_port, seconds=_SECONDS)
    except ring.NoView:
        return None


async def _health(member: Member) -> State:
    service = topology.load().roles[member.role].health_service
    return await temporal_api.health(f"{member.address}:{member.grpc_port}", service)


def _stored(database: Database) -> tuple[dict[int, str] | None, str]:
    """Who took each shard last, and the version of the schema."""
    owners, schema = None, ""
    with suppress(DeployError), connect(database) as connection:
        version = versions.stored(connection, database.name)
        schema = "none" if version is None else str(version)
        owners = shards.owners(connection)
    return owners, schema
