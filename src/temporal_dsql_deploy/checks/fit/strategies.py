"""Placement strategies: ECS takes them, and they keep what is alike apart."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.capacity.pool import ZONE, Strategy, TaskKind
from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.losses import several
from temporal_dsql_deploy.checks.fit.services import (
    Placing,
    constraints,
    on_fargate,
    placings,
    strategies,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN

_SOURCE = "ECS developer guide, task-placement-strategies; ECS API, PlacementStrategy"
_QUERY = re.compile(
    r"[\s(]*((not|!)[\s(]*)?(attribute:|task:|agentConnected|agentVersion|ec2InstanceId|"
    r"registeredAt|runningTasksCount)"
)
_INSTANCE = ("instanceId", "host")


@FAMILY.rule(
    "placement-strategy",
    holds="Placement strategies and constraints are such that ECS knows.",
    symptom="The apply fails: InvalidParameterException: Invalid placement strategy, or Invalid "
    "placement constraint.",
    fix="Use spread with attribute:ecs.availability-zone or instanceId, binpack with cpu or "
    "memory, or random without a field; and memberOf with an expression of the cluster query "
    "language, or distinctInstance without one.",
    source=_SOURCE + "; cluster-query-language",
)
def placement_strategy(subject: Subject) -> Iterator[Said]:
    """Every service on EC2 instances."""
    services = [one for one in subject.tasks if one.service and not on_fargate(subject, one)]
    if not services:
        raise CannotJudge("the plan has no service on EC2 instances")
    for task in services:
        for number, one in enumerate(strategies(task.service) if task.service else ()):
            if task.service and not _known(one):
                yield Finding(
                    task.service.address,
                    f"ordered_placement_strategy.{number}",
                    f"type is {one[0]!r} and field is {one[1]!r}",
                )
        if task.service:
            yield from _constraints(task.service)
    yield Seen(f"{len(services)} services")


def _constraints(service: Resource) -> Iterator[Finding]:
    for number, one in enumerate(constraints(service)):
        how, said = one.get("type"), one.get("expression")
        if how is UNKNOWN or said is UNKNOWN:
            continue
        queried = how == "memberOf" and _QUERY.match(str(said or ""))
        if not queried and not (how == "distinctInstance" and not said):
            yield Finding(
                service.address,
                f"placement_constraints.{number}",
                f"type is {how!r} and expression is {said!r}",
            )


def _known(strategy: Strategy) -> bool:
    how, what = strategy
    if how == "spread":
        return what in _INSTANCE or what.startswith("attribute:")
    if how == "binpack":
        return what.lower() in {"cpu", "memory"}
    return how == "random"


@FAMILY.rule(
    "spread",
    holds="Tasks that are alike are spread over zones before anything else, and over instances "
    "where there are more of them than zones.",
    symptom="One zone, or one instance, may carry most tasks of a role, and takes them away with "
    "it.",
    fix='Let the first ordered_placement_strategy be type = "spread", field = '
    '"attribute:ecs.availability-zone", and the second spread over instanceId.',
    source=_SOURCE + ": they apply in their order; update-service-parameters: a service "
    "without any is spread over zones, and in each over instances",
    seeds=("S0-P3",),
)
def spread(subject: Subject) -> Iterator[Said]:
    """Of Temporal's roles also where there is one task: scaling changes its number, not these."""
    zones = len(several(subject))
    seen = 0
    for placing in placings(subject).services:
        kind, service = placing.kind, placing.task.service
        if kind is None or service is None or not _judged(placing, kind):
            continue
        seen += 1
        said = ", then ".join(f"{how} {what}".rstrip() for how, what in kind.strategies)
        if kind.strategies[0] != ("spread", ZONE):
            yield Finding(
                service.address,
                "ordered_placement_strategy.0",
                f"its tasks are placed by {said}: not over zones first",
            )
        elif kind.count > zones and not kind.distinct and not _over_instances(kind):
            yield Finding(
                service.address,
                "ordered_placement_strategy",
                f"{kind.count} tasks in {zones} zones are placed by {said}: several of a zone may "
                "share an instance while others are free",
            )
    if not seen:
        raise CannotJudge("no service on EC2 instances is known to have several tasks")
    yield Seen(f"{seen} services")


def _judged(placing: Placing, kind: TaskKind) -> bool:
    return not placing.daemon and (kind.count > 1 or placing.task.role is not None)


def _over_instances(kind: TaskKind) -> bool:
    return any(how == "spread" and what in _INSTANCE for how, what in kind.strategies)
