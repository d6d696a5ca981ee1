"""Which instance carries a task, and how many more instances there have to be.

The order of ECS's own choice stands in `capacity.placement`; here are the instances that there are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.capacity.placement import Cluster, Placed
from temporal_dsql_deploy.capacity.pool import Group, Strategy, TaskKind

_EQUAL = re.compile(r"\s*attribute:([\w.-]+)\s*(==|!=|=~|exists|!exists)\s*(\S*)\s*")
_IN = re.compile(r"\s*attribute:([\w.-]+)\s+(not_)?in\s+\[([^\]]*)\]\s*")
_PLACE = "*"
"""The group of every instance: which may carry a task is said before."""


@dataclass(frozen=True, slots=True)
class Host:
    """A container instance with what is left on it."""

    arn: str
    group: str
    """Its Auto Scaling group; empty where it belongs to none."""
    zone: str
    left: Room
    attributes: Sequence[tuple[str, str]] = ()
    same: int = 0
    """Tasks of the same service on it."""

    @property
    def id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a task asks for."""

    room: Room
    groups: frozenset[str] | None = None
    """Auto Scaling groups of its capacity providers; None for any instance."""
    zones: frozenset[str] | None = None
    """Zones of its subnets; None for any."""
    strategies: Sequence[Strategy] = ()
    constraints: Sequence[tuple[str, str]] = ()
    """Type and expression of ECS's placement constraints."""

    @property
    def distinct(self) -> bool:
        """Whether two of it never share an instance."""
        return any(kind == "distinctInstance" for kind, _ in self.constraints)


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why no instance carries a task."""

    closest: str
    """Id of the instance that lacks least; empty where there is no instance at all."""
    short: str
    """CPU, MEMORY, ENI, ATTRIBUTE; empty where there is no instance at all."""


def place(wish: Wish, hosts: Sequence[Host], chance: Random) -> Host | Misfit:
    """The instance that carries the task, or what is short on the closest one."""
    there = [host for host in hosts if wish.groups is None or host.group in wish.groups]
    if not there:
        return Misfit("", "")
    fit = [host for host in there if allows(wish, host)]
    if not fit:
        return Misfit(there[0].id, "ATTRIBUTE")
    instances = [_placed(host) for host in fit]
    cluster = Cluster([_kind(wish)], (), chance, instances=instances)
    refused = cluster.start(0)
    if refused is None:
        return next(
            host
            for host, instance in zip(fit, instances, strict=True)
            if instance.running[0] > host.same
        )
    closest = min(fit, key=lambda host: _lacks(wish, host))
    return Misfit(closest.id, _first_short(wish, closest))


def allows(wish: Wish, host: Host) -> bool:
    """Whether the task may run there at all, room aside."""
    if wish.zones is not None and host.zone not in wish.zones:
        return False
    attributes = {**dict(host.attributes), "ecs.availability-zone": host.zone}
    return all(
        _holds(expression, attributes)
        for kind, expression in wish.constraints
        if kind != "distinctInstance"
    )


def missing(
    wishes: Sequence[Wish], hosts: Sequence[Host], groups: Sequence[Group], chance: Random
) -> dict[str, int]:
    """Instances that each Auto Scaling group lacks for all these tasks, by its name.

    `groups` have the instances that may still be added: `count` is 0, `limit` what is left of the
    group's largest size.
    """
    added: dict[str, int] = {}
    free = list(hosts)
    for wish in wishes:
        found = place(wish, free, chance)
        if isinstance(found, Misfit):
            found_new = _grown(wish, groups, added)
            if found_new is None:
                continue
            free.append(found_new)
            found = found_new
        free[free.index(found)] = _with(found, wish)
    return added


def _grown(wish: Wish, groups: Sequence[Group], added: dict[str, int]) -> Host | None:
    """One more instance for the task, counted in `added`; None where none may be added."""
    for group in groups:
        number = added.get(group.name, 0)
        zone = group.zones[number % len(group.zones)] if group.zones else ""
        host = Host(f"/new-{group.name}-{number}", group.name, zone, group.room)
        may = wish.groups is None or group.name in wish.groups
        if may and number < group.limit and not _short(wish, host):
            added[group.name] = number + 1
            # Which attributes and zone it will have, its group says; here it suits.
            return replace(host, zone=_suited(wish, zone), attributes=())
    return None


def _suited(wish: Wish, zone: str) -> str:
    return zone if wish.zones is None or zone in wish.zones else min(wish.zones)


def _with(host: Host, wish: Wish) -> Host:
    left, room = host.left, wish.room
    return replace(
        host,
        left=Room(
            left.cpu - room.cpu,
            left.memory_mib - room.memory_mib,
            left.interfaces - room.interfaces,
        ),
    )


def _kind(wish: Wish) -> TaskKind:
    room = wish.room
    return TaskKind(
        "task",
        room.cpu,
        room.memory_mib,
        1,
        frozenset({_PLACE}),
        interfaces=room.interfaces,
        strategies=tuple(wish.strategies),
        distinct=wish.distinct,
        scales=False,
    )


def _placed(host: Host) -> Placed:
    left = host.left
    return Placed(_PLACE, host.zone, left.cpu, left.memory_mib, left.interfaces, [host.same])


def _short(wish: Wish, host: Host) -> list[str]:
    room, left = wish.room, host.left
    pairs = {
        "CPU": (room.cpu, left.cpu),
        "MEMORY": (room.memory_mib, left.memory_mib),
        "ENI": (room.interfaces, left.interfaces),
    }
    return [name for name, (wanted, there) in pairs.items() if wanted > there]


def _lacks(wish: Wish, host: Host) -> tuple[int, int]:
    room, left = wish.room, host.left
    return len(_short(wish, host)), max(0, room.memory_mib - left.memory_mib)


def _first_short(wish: Wish, host: Host) -> str:
    short = _short(wish, host)
    # Two tasks of a service that may not share an instance: ECS says so as an attribute.
    return short[0] if short else "ATTRIBUTE"


def _holds(expression: str, attributes: dict[str, str]) -> bool:
    """Whether an expression of the cluster query language holds, of the kinds that are known.

    Of another kind it does: nothing is known against it.
    """
    parts = re.split(r"\s+(?:and|&&)\s+", expression)
    return all(_part_holds(part, attributes) for part in parts)


def _part_holds(part: str, attributes: dict[str, str]) -> bool:
    if found := _IN.fullmatch(part):
        name, negated, listed = found.groups()
        inside = attributes.get(name) in [one.strip() for one in listed.split(",")]
        return inside != bool(negated)
    found = _EQUAL.fullmatch(part)
    if found is None:
        return True
    name, how, value = found.groups()
    has = attributes.get(name)
    holds = {
        "==": has == value,
        "!=": has != value,
        "=~": has is not None and re.fullmatch(value, has) is not None if how == "=~" else False,
        "exists": has is not None,
        "!exists": has is None,
    }
    return holds[how]
