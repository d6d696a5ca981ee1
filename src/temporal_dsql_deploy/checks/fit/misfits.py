"""Judge one scenario on every group of instances, and say what is short and what would do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from temporal_dsql_deploy.capacity import instances as types
from temporal_dsql_deploy.capacity.pool import Group, TaskKind, holds
from temporal_dsql_deploy.capacity.scenarios import (
    AT_REST,
    ORDERS,
    Deployment,
    Fit,
    Loss,
    Scenario,
    enough_instances,
    enough_type,
    judge,
    possible,
)
from temporal_dsql_deploy.capacity.scenarios import pools as separate
from temporal_dsql_deploy.checks.fit.deployment import deployment_of
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.fit.services import Placings, placings
from temporal_dsql_deploy.checks.model import Finding, Unjudged
from temporal_dsql_deploy.checks.subject import Subject, once

TRUNKING = (
    "ECS has awsvpcTrunking off unless an account setting switches it on, and the plan has none"
)
TRUNKING_FIX = (
    "switch awsvpcTrunking on before the instances start "
    '(aws_ecs_account_setting_default, name = "awsvpcTrunking", value = "enabled"); '
    "where the account has it on, say so with --trunking"
)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Services and groups of instances that share room with nobody else."""

    found: Placings
    kinds: tuple[TaskKind, ...]
    groups: tuple[Group, ...]
    """With trunking where the plan switches it on, otherwise without."""
    trunked: tuple[Group, ...] | None
    """With trunking, where the plan says nothing of it; None where it does."""

    def count(self) -> int:
        """Tasks at rest."""
        return sum(kind.count for kind in self.kinds)

    def zones(self) -> list[str]:
        """All zones of its instances."""
        return sorted({zone for group in self.groups for zone in group.zones})

    def of(self, kind: TaskKind) -> Instances:
        """The first of the groups that may carry a kind."""
        name = next(group.name for group in self.groups if group.name in kind.groups)
        return self.found.named(name)

    def deployment(self, kind: TaskKind) -> Deployment | None:
        """How a deployment of a kind goes; None where it is not known."""
        service = self.found.placing(kind).task.service
        return deployment_of(service, kind.count) if service else None

    def scenarios(self) -> list[Scenario]:
        """All that must fit."""
        surges = [
            Scenario(surge=kind.name)
            for kind in self.kinds
            if kind.count and (moves := self.deployment(kind)) and moves.needs_room
        ]
        lost = [Scenario(loss=Loss.INSTANCE)]
        if len(self.zones()) > 1:
            lost.append(Scenario(loss=Loss.ZONE))
        return [AT_REST, *surges, *lost]

    def describe(self) -> str:
        """`3 to 6 m7g.large`, of each group."""
        said = []
        for group in self.groups:
            size = (
                f"{group.count}"
                if group.count == group.limit
                else (f"{group.count} to {group.limit}")
            )
            said.append(f"{size} {self.found.named(group.name).type_name}")
        return " and ".join(said)


@once
def judged(subject: Subject) -> tuple[Pool, ...]:
    """Every pool of a plan that runs tasks at rest, with what fits on an empty instance."""
    found = placings(subject)
    groups = found.groups(trunking=bool(found.trunking))
    trunked = {group.name: group for group in found.groups(trunking=True)}
    kinds = [
        kind
        for kind in found.kinds()
        if any(group.name in kind.groups and holds(group.room, kind) for group in groups)
    ]
    made = []
    for inside, there in separate(kinds, groups):
        with_trunk = tuple(trunked[group.name] for group in there)
        pool = Pool(
            found, tuple(inside), tuple(there), with_trunk if found.trunking is None else None
        )
        if pool.count():
            made.append(pool)
    return tuple(made)


def unknown(subject: Subject) -> list[Unjudged]:
    """What cannot be placed since the plan does not tell enough of it; alike reasons are one."""
    alike: dict[str, list[str]] = {}
    for each in _unknown(subject):
        alike.setdefault(each.reason, []).append(each.resource)
    return [
        Unjudged(where[0], f"{reason} (so of {len(where)})" if len(where) > 1 else reason)
        for reason, where in alike.items()
    ]


def elsewhere(subject: Subject) -> Iterator[Unjudged]:
    """The same, where another rule has said it."""
    if unknown(subject):
        yield Unjudged("", "not all tasks can be placed here: fit-at-rest says which, and why")


def _unknown(subject: Subject) -> Iterator[Unjudged]:
    found = placings(subject)
    for one in found.instances:
        if one.type is None or one.sizes is None or one.managed is None:
            yield Unjudged(one.group.address, why_unknown(one))
    known = {group.name: group for group in found.groups(trunking=bool(found.trunking))}
    for service in found.services:
        address = service.task.service.address if service.task.service else ""
        kind = service.kind
        if service.impossible:
            continue
        if kind is None:
            yield Unjudged(address, service.reason)
        elif not any(name in known for name in kind.groups):
            yield Unjudged(address, "its instances are not known")
        elif not any(name in known and holds(known[name].room, kind) for name in kind.groups):
            yield Unjudged(address, "it fits on no empty instance: see fit-task-size")


def why_unknown(one: Instances) -> str:
    """What of a group of instances is not known."""
    if one.type_name is None:
        return "its instance type is not known, or it mixes several"
    if one.type is None:
        families = sorted({each.family for each in types.instance_types().values()})
        return f"type {one.type_name} is not in the table; known are {', '.join(families)}"
    return "its sizes, or whether ECS scales it, are not known"


def misfit(pool: Pool, scenario: Scenario, *, sure: bool = True) -> Finding | Unjudged | None:
    """What does not fit in a scenario; None where all fits.

    With `sure` false, what rests on a trunk of which the plan says nothing is not judged.
    """
    fit = _fits(pool)[scenario]
    if fit.fits or fit.failed is None:
        return None
    if scenario != AT_REST and not _fits(pool)[AT_REST].fits:
        return Unjudged(pool.of(fit.failed.kind).group.address, "it does not fit at rest")
    helps = _helps(pool, scenario)
    one = pool.of(fit.failed.kind)
    if helps and not sure:
        return Unjudged(one.group.address, f"{_evidence(pool, fit)}; with it all fits: {TRUNKING}")
    return Finding(
        one.group.address,
        "max_size" if one.managed else "desired_capacity",
        _evidence(pool, fit)
        + (f"; with awsvpcTrunking all would fit: {TRUNKING}" if helps else _bound(pool, scenario)),
        symptom=_symptom(fit),
        fix=_fix(pool, one, helps=helps),
    )


@lru_cache(maxsize=32)
def _fits(pool: Pool) -> Mapping[Scenario, Fit]:
    return judge(pool.kinds, pool.groups, pool.scenarios())


@lru_cache(maxsize=32)
def _helps(pool: Pool, scenario: Scenario) -> bool:
    """Whether all would fit with a trunk, of which the plan says nothing."""
    if pool.trunked is None:
        return False
    return judge(pool.kinds, pool.trunked, [scenario])[scenario].fits


def size(kind: TaskKind) -> str:
    """`512 CPU units, 1,024 MiB, 1 network interface`."""
    interfaces = f", {kind.interfaces} network interface" if kind.interfaces else ""
    return f"{kind.cpu:,} CPU units, {kind.memory_mib:,} MiB{interfaces}"


def _evidence(pool: Pool, fit: Fit) -> str:
    failed = fit.failed
    assert failed is not None  # noqa: S101 - the caller has looked
    one = pool.of(failed.kind)
    group = next(each for each in pool.groups if each.name == one.name)
    lost = f" with {fit.lost} lost" if fit.lost else ""
    trunk = "with" if pool.found.trunking else "without"
    others = ", ".join(f"{kind.count} {kind.name}" for kind in pool.kinds if kind.count)
    return (
        f"{failed.kind.name} ({size(failed.kind)}) finds no room{lost} on {failed.instances} "
        f"{one.type_name} ({group.room.cpu:,} CPU units, {group.room.memory_mib:,} MiB and "
        f"{group.room.interfaces} tasks each {trunk} awsvpcTrunking) among {others}; "
        f"short is {_short(fit)}, in order {fit.orders:,} of {ORDERS:,}"
    )


def _short(fit: Fit) -> str:
    names = fit.failed.short if fit.failed else ()
    return " and ".join(f"RESOURCE:{name}" for name in names) or "any instance that it may run on"


def _bound(pool: Pool, scenario: Scenario) -> str:
    """What the optimal packer says of the same tasks on the same instances."""
    kinds = [_more(kind) if kind.name == scenario.surge else kind for kind in pool.kinds]
    if scenario.loss != Loss.NOTHING:
        return ""
    some = possible(kinds, pool.groups)
    if some is None:
        return ""
    if some:
        return "; some placement of all exists, but ECS's own does not find it in that order"
    return "; no placement of all exists"


def _more(kind: TaskKind) -> TaskKind:
    return replace(kind, count=kind.count + 1)


def _symptom(fit: Fit) -> str:
    names = fit.failed.short if fit.failed else ()
    return (
        "Tasks stay in PROVISIONING for ever, with the service event: unable to place a task "
        "because no container instance met all of its requirements"
        + (f" ({', '.join(f'RESOURCE:{name}' for name in names)})." if names else ".")
    )


def _fix(pool: Pool, one: Instances, *, helps: bool) -> str:
    wanted = pool.scenarios()
    ways = [TRUNKING_FIX] if helps else []
    number = enough_instances(pool.kinds, pool.groups, one.name, wanted)
    attribute = "max_size" if one.managed else "desired_capacity"
    if number:
        ways.append(f"set {attribute} to {number}, which suffices whatever the order")
    if one.type:
        rooms = {
            each.name: each.room(trunking=bool(pool.found.trunking))
            for each in types.larger(one.type.name)
        }
        name = enough_type(pool.kinds, pool.groups, one.name, wanted, rooms)
        if name:
            ways.append(f"take {name} instead of {one.type_name}")
    said = "; or ".join(ways) or "give the tasks less CPU or memory, or take larger instances"
    return f"{said[0].upper()}{said[1:]}."


def described(pools: Sequence[Pool]) -> str:
    """`7 tasks on 3 to 6 m7g.large`, of all pools."""
    return "; ".join(f"{pool.count()} tasks on {pool.describe()}" for pool in pools)
