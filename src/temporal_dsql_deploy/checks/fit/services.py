"""Which tasks run on which instances: the services of a plan as kinds of tasks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.capacity.pool import DEFAULT_STRATEGIES, Group, Strategy, TaskKind
from temporal_dsql_deploy.checks.fit import pools
from temporal_dsql_deploy.checks.fit.measures import measure
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task
from temporal_dsql_deploy.plan.values import listed

FARGATE = ("FARGATE", "FARGATE_SPOT")
_EQUAL = re.compile(r"\s*attribute:([\w./-]+)\s*(==|!=)\s*([\w.:@/-]+)\s*")
_IN = re.compile(r"\s*attribute:([\w./-]+)\s+(in|!in)\s+\[([^\]]*)\]\s*")


class _NotTold(Exception):
    """What keeps a service from being placed here; the reason is its text."""


class _Nowhere(_NotTold):
    """No instance of the plan may run it."""


MOST_TASKS = 5_000
"""Of one service: ECS service quotas, Tasks per service."""


@dataclass(frozen=True, slots=True)
class Placing:
    """One service on instances, with what is known of where its tasks go."""

    task: Task
    kind: TaskKind | None
    """None where `reason` says what is not known."""
    reason: str = ""
    impossible: bool = False
    """Whether `reason` says that it can run nowhere."""
    daemon: bool = False
    """Whether ECS runs one on every instance."""


@dataclass(frozen=True, slots=True)
class Placings:
    """All services on instances, and the instances."""

    services: tuple[Placing, ...]
    instances: tuple[Instances, ...]
    trunking: bool | None
    """None where the plan says nothing of `awsvpcTrunking`."""

    def kinds(self) -> list[TaskKind]:
        """Those that are known and fit on an empty instance; daemons are part of the rooms."""
        return [one.kind for one in self.services if one.kind and not one.daemon]

    def groups(self, *, trunking: bool) -> list[Group]:
        """Groups of which all is known, each room less what daemons take of it."""
        found = (self._group(one, trunking=trunking) for one in self.instances)
        return [group for group in found if group]

    def named(self, name: str) -> Instances:
        """Instances by the name of their group. Raises StopIteration."""
        return next(one for one in self.instances if one.name == name)

    def placing(self, kind: TaskKind) -> Placing:
        """The service of a kind."""
        return next(one for one in self.services if one.kind and one.kind.name == kind.name)

    def _group(self, one: Instances, *, trunking: bool) -> Group | None:
        room, sizes = one.room(trunking=trunking), one.sizes
        if room is None or sizes is None or one.managed is None:
            return None
        for service in self.services:
            kind = service.kind
            if service.daemon and kind and one.name in kind.groups:
                room = type(room)(
                    room.cpu - kind.cpu,
                    room.memory_mib - kind.memory_mib,
                    room.interfaces - kind.interfaces,
                )
        least, wanted, most = sizes
        count = max(wanted, least)
        # Zones that are not known are taken for one: nothing is said of a lost zone then.
        return Group(
            one.name, room, one.zones or ("",), count, max(most, count) if one.managed else count
        )


@once
def placings(subject: Subject) -> Placings:
    """All services on instances of a plan."""
    there = pools.instances(subject.plan)
    found = [
        _placing(subject, task, task.service, there)
        for task in subject.tasks
        if task.service is not None and not on_fargate(subject, task)
    ]
    told = subject.trunking
    trunking = pools.trunking(subject.plan) if told is None else told
    return Placings(tuple(found), there, trunking)


def on_fargate(subject: Subject, task: Task) -> bool:
    """Whether a task runs without instances of its own."""
    given = task.definition["requires_compatibilities"]
    if isinstance(given, list | tuple) and list(given) == ["FARGATE"]:
        return True
    if task.service is None:
        return False
    if task.service["launch_type"] == "FARGATE":
        return True
    names = providers(subject, task.service)
    return bool(names) and all(name in FARGATE for name in names or ())


def providers(subject: Subject, service: Resource) -> tuple[str, ...] | None:
    """Names of the capacity providers that get tasks of a service, its cluster's default included.

    Empty where there are none, so that ECS takes any instance; None where they are not known.
    """
    given = service["capacity_provider_strategy"]
    if isinstance(given, list | tuple | None) and not given:
        if service["launch_type"] in {"EC2", "EXTERNAL"}:
            return ()
        default = attachment(subject, service)
        given = default["default_capacity_provider_strategy"] if default else []
    if given is None:
        return ()
    return _named(given) if isinstance(given, list | tuple) else None


def _named(strategy: Sequence[Any]) -> tuple[str, ...] | None:
    found = []
    for each in strategy:
        name = each.get("capacity_provider") if isinstance(each, Mapping) else None
        if not isinstance(name, str):
            return None
        # With neither weight nor base a provider gets no task.
        if not (each.get("weight") == 0 and each.get("base") in {0, None}):
            found.append(name)
    return tuple(found)


def attachment(subject: Subject, service: Resource) -> Resource | None:
    """The list of capacity providers of a service's cluster; None where the plan has none."""
    lists = subject.plan.of_type("aws_ecs_cluster_capacity_providers")
    cluster = service["cluster"]
    for each in lists:
        if isinstance(cluster, str) and isinstance(each["cluster_name"], str):
            if cluster.rsplit("/", 1)[-1] == each["cluster_name"]:
                return each
        elif len(lists) == 1:
            return each
    return None


def _placing(
    subject: Subject, task: Task, service: Resource, there: Sequence[Instances]
) -> Placing:
    daemon = service["scheduling_strategy"] == "DAEMON"
    try:
        return Placing(task, _kind(subject, task, service, there, daemon=daemon), daemon=daemon)
    except _NotTold as reason:
        return Placing(task, None, str(reason), isinstance(reason, _Nowhere), daemon)


def _kind(
    subject: Subject, task: Task, service: Resource, there: Sequence[Instances], *, daemon: bool
) -> TaskKind:
    takes = measure(task)
    if takes is None:
        raise _NotTold("the CPU or memory of its task definition is not known")
    names, groups = _groups(subject, service, there)
    groups = [one for one in groups if _admits(task, service, one)]
    if not groups:
        raise _Nowhere("no group of its instances satisfies its placement constraints")
    zones = pools.zones_of(subject.plan, service["network_configuration.0.subnets"])
    every = {zone for one in groups for zone in one.zones or ()}
    return TaskKind(
        name=_called(subject, task),
        cpu=takes.cpu,
        memory_mib=takes.memory_mib,
        count=0 if daemon else _count(subject, task),
        groups=frozenset(one.name for one in groups),
        interfaces=takes.interfaces,
        # Subnets that are not among the instances' say nothing of zones where those are not known.
        zones=frozenset(zones) if zones and every and set(zones) & every else None,
        strategies=strategies(service),
        distinct=_distinct(task, service),
        scales=bool(names),
    )


def _count(subject: Subject, task: Task) -> int:
    """Tasks of a service in a running cluster. Raises _NotTold."""
    if task.replicas is not None:
        if task.replicas > MOST_TASKS:
            raise _NotTold(f"it has more than {MOST_TASKS:,} tasks, ECS's quota of a service")
        return task.replicas
    desired = task.service["desired_count"] if task.service else None
    # Where the plan tells how many tasks services have, one that is left out has none at rest.
    if desired == 0 and task.role is None and "services" in subject.plan.outputs:
        return 0
    raise _NotTold(
        "desired_count is 0, and to how many tasks it is scaled the plan does not tell"
        if desired == 0
        else "how many tasks it has is not known"
    )


def _called(subject: Subject, task: Task) -> str:
    """A name that no other service has."""
    alike = [one for one in subject.tasks if one.name == task.name and one.service]
    return task.name if len(alike) == 1 or not task.service else task.service.address


def strategies(service: Resource) -> tuple[Strategy, ...]:
    """Placement strategies of a service in their order, ECS's own where it has none."""
    given = service["ordered_placement_strategy"]
    if not isinstance(given, list | tuple) or not given:
        return DEFAULT_STRATEGIES
    return tuple(
        (str(each.get("type")), str(each.get("field") or ""))
        for each in given
        if isinstance(each, Mapping)
    )


def _groups(
    subject: Subject, service: Resource, there: Sequence[Instances]
) -> tuple[tuple[str, ...], list[Instances]]:
    """Capacity providers of a service, and the instances that its tasks may run on."""
    names = providers(subject, service)
    if names is None:
        raise _NotTold("its capacity provider is not known")
    if service["launch_type"] == "EXTERNAL":
        raise _NotTold("it runs on external instances, which no plan tells of")
    if not names:
        if not there:
            raise _NotTold("the plan has no Auto Scaling group")
        return names, list(there)
    if len(names) > 1:
        raise _NotTold(f"ECS shares its tasks out among {', '.join(names)}, in which order varies")
    found = [one for one in there if one.provider is not None and one.name == names[0]]
    if not found:
        raise _NotTold(f"the instances of capacity provider {names[0]} are not in the plan")
    return names, found


def _admits(task: Task, service: Resource, group: Instances) -> bool:
    """Whether instances of a group satisfy the placement constraints of a service's tasks."""
    given = (*constraints(service), *constraints(task.definition))
    return all(
        _satisfies(one.get("expression"), group) for one in given if one.get("type") == "memberOf"
    )


def constraints(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """Placement constraints of a service or a task definition."""
    given = resource["placement_constraints"]
    for each in listed(given):
        if isinstance(each, Mapping):
            yield each


def _satisfies(expression: Any, group: Instances) -> bool:
    if not isinstance(expression, str):
        raise _NotTold("a placement constraint is not known")
    said, among = _EQUAL.fullmatch(expression), _IN.fullmatch(expression)
    if said:
        name, how, values = said[1], said[2], {said[3]}
    elif among:
        name, how, values = among[1], among[2], {one.strip() for one in among[3].split(",")}
    else:
        raise _NotTold(f"its placement constraint {expression!r} is more than is understood here")
    if name == "ecs.instance-type" and group.type_name:
        value: str | None = group.type_name
    elif name.startswith("ecs."):
        raise _NotTold(f"its placement constraint asks for {name}, which the plan does not tell")
    elif group.attributes is None:
        raise _NotTold("the attributes of its instances are not known")
    else:
        value = group.attributes.get(name)
    return (value in values) is (how in {"==", "in"})


def _distinct(task: Task, service: Resource) -> bool:
    if any(one.get("type") == "distinctInstance" for one in constraints(service)):
        return True
    ports = [
        mapping
        for container in task.containers or ()
        for mapping in container.definition.get("portMappings") or ()
    ]
    mode = task.definition["network_mode"]
    if mode == "host":
        return bool(ports)
    return mode in {None, "bridge"} and any(mapping.get("hostPort") for mapping in ports)
