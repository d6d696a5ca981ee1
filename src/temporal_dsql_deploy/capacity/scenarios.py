"""Whether all tasks find room: at rest, during a deployment, and with something lost.

What is asked of a group of instances:

* **At rest** all tasks run, in whatever order they were started.
* **During a deployment** of a service whose `minimumHealthyPercent` lets none of its tasks stop
  first, one more of it finds room, wherever the others are. One is enough: as it becomes healthy
  an old one stops. A deployment of all services at once, which is what an apply with a new image
  is, needs no more: who finds no room waits, and each task that is replaced leaves room behind;
  the last to wait are again one service alone, among tasks that stand anywhere.
* **With one instance lost** its tasks find room on the others, and the lost one still counts: an
  instance whose agent is gone keeps its place in the Auto Scaling group as long as EC2 calls it
  healthy.
* **With one zone lost** its tasks find room in the others, where Auto Scaling starts as many
  instances as were lost (EC2 Auto Scaling user guide, as-add-availability-zone).

Where ECS scales the group, a task that finds no room waits in PROVISIONING for a new instance, so
that `max_size` is the limit, and not how many run now (ECS developer guide,
managed-scaling-behavior). Elsewhere it is `desired_capacity`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, floor
from random import Random

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.capacity.packing import always_fits, packs
from temporal_dsql_deploy.capacity.placement import Cluster, NoRoom
from temporal_dsql_deploy.capacity.pool import Group, TaskKind

ORDERS = 1000
_STEPS = 20_000_000
"""Looks at one instance for one task: some seconds."""
_FEWEST_ORDERS = 25
_MOST_PACKED = 500
"""Tasks that the packer looks for room for, each a step deeper."""
SEED = 20_261_121
MOST_INSTANCES = 64
"""Above that nothing is recommended: another type is."""


class Loss(StrEnum):
    """What is lost."""

    NOTHING = ""
    INSTANCE = "one instance"
    ZONE = "one zone"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What tasks have to find room in."""

    surge: str = ""
    """Name of the kind of which one more is started; empty for none."""
    loss: Loss = Loss.NOTHING


AT_REST = Scenario()


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether all tasks found room in every order tried."""

    fits: bool
    orders: int
    """How many were tried; 0 where no order can spoil it."""
    failed: NoRoom | None = None
    lost: str = ""
    """What was lost when it failed: `zone eu-west-1a`."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """How many tasks of a service run during a rolling deployment."""

    least: int
    """ECS keeps as many: desired x minimumHealthyPercent, rounded up."""
    most: int
    """ECS runs no more: desired x maximumPercent, rounded down."""
    desired: int

    @property
    def moves(self) -> bool:
        """Whether it can go on at all: start a new one, or stop an old one."""
        return self.most > self.least

    @property
    def needs_room(self) -> bool:
        """Whether a new task has to start before an old one may stop."""
        return self.moves and self.least >= self.desired


def deployment(desired: int, minimum_percent: int, maximum_percent: int) -> Deployment:
    """Of a service: ECS API, DeploymentConfiguration."""
    return Deployment(
        least=ceil(desired * minimum_percent / 100),
        most=floor(desired * maximum_percent / 100),
        desired=desired,
    )


def judge(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    scenarios: Iterable[Scenario] = (AT_REST,),
    *,
    orders: int = ORDERS,
    seed: int = SEED,
) -> dict[Scenario, Fit]:
    """Whether every task finds room in every one of these seeded orders, for each scenario.

    Where not all find room at rest, nothing else fits either, and fails as that does.
    """
    found: dict[Scenario, Fit] = {}
    open_: list[Scenario] = []
    for scenario in scenarios:
        if _no_order_spoils(kinds, groups, scenario):
            found[scenario] = Fit(fits=True, orders=0)
        else:
            open_.append(scenario)
    orders = min(orders, _affordable(kinds, groups))
    for number in range(orders):
        if not open_:
            break
        for scenario, fit in _try(kinds, groups, open_, Random(seed + number)).items():  # noqa: S311
            found[scenario] = replace(fit, orders=number + 1)
            open_.remove(scenario)
    return {**found, **{scenario: Fit(fits=True, orders=orders) for scenario in open_}}


def _affordable(kinds: Sequence[TaskKind], groups: Sequence[Group]) -> int:
    """Orders that are tried in some seconds: fewer than wanted only of very many tasks."""
    steps = sum(kind.count for kind in kinds) * sum(group.limit for group in groups)
    return max(_FEWEST_ORDERS, _STEPS // max(1, steps))


def possible(kinds: Sequence[TaskKind], groups: Sequence[Group]) -> bool | None:
    """Whether some placement at rest exists, though ECS may not find it; None where not known."""
    if sum(kind.count for kind in kinds) > _MOST_PACKED:
        return None
    return packs(kinds, groups)


def pools(
    kinds: Sequence[TaskKind], groups: Sequence[Group]
) -> list[tuple[list[TaskKind], list[Group]]]:
    """Kinds and groups that have nothing to do with each other, each by itself."""
    found: list[tuple[list[TaskKind], list[Group]]] = []
    for group in groups:
        inside = [kind for kind in kinds if group.name in kind.groups]
        shared = [pool for pool in found if any(kind in pool[0] for kind in inside)]
        mine = [*dict.fromkeys([*(kind for pool in shared for kind in pool[0]), *inside])]
        theirs = [each for pool in shared for each in pool[1]]
        found = [pool for pool in found if pool not in shared]
        found.append((mine, [*theirs, group]))
    return [pool for pool in found if pool[0]]


def enough_instances(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    name: str,
    scenarios: Iterable[Scenario],
) -> int | None:
    """The fewest instances of the same type with which no order fails; None where 64 are too few.

    It is proven and not tried, so that in some orders fewer would do.
    """
    wanted = list(scenarios)
    group = next(each for each in groups if each.name == name)

    def proven(limit: int) -> bool:
        count = limit if group.count == group.limit else group.count
        return _proven(kinds, groups, replace(group, limit=limit, count=count), wanted)

    # More instances never block more, so that the fewest is found by halving.
    limits = range(group.limit + 1, MOST_INSTANCES + 1)
    found = bisect_left(limits, True, key=proven)
    return limits[found] if found < len(limits) else None


def enough_type(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    name: str,
    scenarios: Iterable[Scenario],
    rooms: Mapping[str, Room],
) -> str | None:
    """The first of these types, each with its room, of which as many instances never fail."""
    wanted = list(scenarios)
    group = next(each for each in groups if each.name == name)
    for each, room in rooms.items():
        if _proven(kinds, groups, replace(group, room=room), wanted):
            return each
    return None


def _proven(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    changed: Group,
    scenarios: Iterable[Scenario],
) -> bool:
    there = [changed if group.name == changed.name else group for group in groups]
    return all(_no_order_spoils(kinds, there, one, counted=False) for one in scenarios)


def _no_order_spoils(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    scenario: Scenario,
    *,
    counted: bool = True,
) -> bool:
    wanted = [
        replace(kind, count=kind.count + 1) if kind.name == scenario.surge else kind
        for kind in kinds
    ]
    left = _left(groups, scenario.loss)
    return all(always_fits(wanted, there, counted=counted) for there in left)


def _left(groups: Sequence[Group], loss: Loss) -> Iterator[list[Group]]:
    """Groups as they are after each loss."""
    if loss == Loss.INSTANCE:
        for lost in groups:
            smaller = replace(lost, count=max(lost.count - 1, 0), limit=max(lost.limit - 1, 0))
            yield [smaller if each is lost else each for each in groups]
    elif loss == Loss.ZONE:
        for zone in sorted({zone for group in groups for zone in group.zones}):
            yield [
                replace(group, zones=tuple(each for each in group.zones if each != zone))
                for group in groups
                if group.zones != (zone,)
            ]
    else:
        yield list(groups)


def _try(
    kinds: Sequence[TaskKind],
    groups: Sequence[Group],
    scenarios: Sequence[Scenario],
    random: Random,
) -> dict[Scenario, Fit]:
    """One order: the scenarios that fail in it, and how."""
    cluster = Cluster(kinds, groups, random)
    order = [index for index, kind in enumerate(kinds) for _ in range(kind.count)]
    random.shuffle(order)
    failed = cluster.start_all(order)
    if failed:
        return dict.fromkeys(scenarios, Fit(fits=False, orders=0, failed=failed))
    found = {}
    for scenario in scenarios:
        failed, lost = _after(cluster.copy(), scenario)
        if failed:
            found[scenario] = Fit(fits=False, orders=0, failed=failed, lost=lost)
    return found


def _after(cluster: Cluster, scenario: Scenario) -> tuple[NoRoom | None, str]:
    """What happens to tasks at rest: the task that found no room, and what had been lost."""
    if scenario.surge:
        names = [kind.name for kind in cluster.kinds]
        return cluster.start(names.index(scenario.surge)), ""
    if scenario.loss == Loss.NOTHING or not cluster.instances:
        return None, ""
    if scenario.loss == Loss.INSTANCE:
        instance = cluster.random.choice(cluster.instances)
        lost, again = f"an instance of {instance.group}", cluster.lose_instance(instance)
    else:
        zone = cluster.random.choice(
            sorted({zone for group in cluster.groups for zone in group.zones})
        )
        lost, again = f"zone {zone}", cluster.lose_zone(zone)
    cluster.random.shuffle(again)
    return cluster.start_all(again), lost
