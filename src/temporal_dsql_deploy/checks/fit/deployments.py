"""Rolling deployments: each can go on, keeps enough running, and finds the room it needs."""

from collections.abc import Iterator
from math import ceil

from temporal_dsql_deploy.capacity.scenarios import Deployment, Scenario
from temporal_dsql_deploy.checks.fit.deployment import LEAST, MOST, deployment_of, percent
from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import elsewhere, judged, misfit
from temporal_dsql_deploy.checks.fit.rest import SYMPTOM
from temporal_dsql_deploy.checks.fit.services import MOST_TASKS
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_NOT_ROLLING = "it does not roll, or its percentages are not known"
_SOURCE = (
    "ECS API, DeploymentConfiguration: minimumHealthyPercent is rounded up, maximumPercent down"
)


@FAMILY.rule(
    "rolling-deployment",
    holds="A deployment of any service that stops no task first finds room for one more of it.",
    symptom="The deployment hangs, then the circuit breaker takes it back or nothing does. "
    + SYMPTOM,
    fix="Raise max_size, or let the service stop a task first by a lower minimum percent.",
    source=_SOURCE + "; ECS developer guide, managed-scaling-behavior",
    seeds=("S1-ST",),
)
def rolling_deployment(subject: Subject) -> Iterator[Said]:
    """Each service alone; why that covers all at once is said in `capacity.scenarios`."""
    moved = 0
    for pool in judged(subject):
        for kind in pool.kinds:
            moves, service = pool.deployment(kind), pool.found.placing(kind).task.service
            if moves is None:
                yield Unjudged(service.address if service else "", _NOT_ROLLING)
                continue
            moved += 1
            needed = kind.count and moves.needs_room
            found = misfit(pool, Scenario(surge=kind.name)) if needed else None
            if found:
                yield found
    if not moved:
        raise CannotJudge("the plan has no service on EC2 instances of which enough is known")
    yield from elsewhere(subject)
    yield Seen(f"{moved} services, each alone and all at once")


@FAMILY.rule(
    "replicas",
    holds="Every role of Temporal has a task at least, and 5,000 at most.",
    symptom="The cluster does not form: calls fail with Not enough hosts to serve the request, "
    "for as long as a role has no member in the ring.",
    fix="Give each of history, matching, frontend and worker one replica or more.",
    source="measured with temporal-server 1.32.2: every role calls the others through the ring",
)
def replicas(subject: Subject) -> Iterator[Said]:
    """Of a running cluster: a service that waits to be scaled may have none before."""
    if not subject.roles:
        raise CannotJudge("the plan has no task of a role of Temporal")
    for role, task in subject.roles.items():
        address = task.service.address if task.service else task.definition.address
        if task.replicas is None:
            yield Unjudged(address, f"how many tasks {role} has is not known")
        elif task.replicas < 1:
            yield Finding(address, "desired_count", f"{role} has {task.replicas} tasks")
        elif task.replicas > MOST_TASKS:
            yield Finding(
                address,
                "desired_count",
                f"{role} has {task.replicas:,} tasks",
                symptom="ECS refuses the service, or runs no more than its quota.",
                fix=f"Give it {MOST_TASKS:,} tasks at most: ECS's quota of a service.",
            )
    yield Seen(", ".join(f"{task.replicas} {role}" for role, task in subject.roles.items()))


@FAMILY.rule(
    "deployment-limits",
    holds="The percentages of a deployment let it go on, and keep half of a role's tasks running.",
    symptom="Where no task may be started or stopped the deployment never ends: (service …) was "
    "unable to stop or start tasks during a deployment because of the service deployment "
    "configuration. Where most of a role stops at once its shards or queues move all together "
    "and requests fail meanwhile.",
    fix="100 and 200 for one task; 50 to 75 and 100 for history, so that it is replaced in turn.",
    source=_SOURCE,
)
def deployment_limits(subject: Subject) -> Iterator[Said]:
    """Roles of Temporal must stay up; others must only be able to move."""
    services = [task for task in subject.tasks if task.service is not None]
    if not services:
        raise CannotJudge("the plan has no ECS service")
    for task in services:
        assert task.service is not None  # noqa: S101 - chosen above, and a type for the checker
        moves = deployment_of(task.service, task.replicas or 0)
        if moves is None:
            yield Unjudged(task.service.address, _NOT_ROLLING)
        elif task.replicas is None and task.role:
            yield Unjudged(task.service.address, "how many tasks it has is not known")
        else:
            yield from _limits(task, task.service, moves)
    yield Seen(f"{len(services)} services")


def _limits(task: Task, service: Resource, moves: Deployment) -> Iterator[Finding]:
    said = (
        f"{moves.desired} tasks, {percent(service, LEAST)} % at least and "
        f"{percent(service, MOST)} % at most"
    )
    if not moves.moves:
        yield Finding(
            service.address,
            LEAST if moves.least > moves.desired else MOST,
            f"{said}: {moves.least} must keep running of {moves.most} that may run, so that none "
            "can be replaced",
        )
    elif task.role and moves.least < ceil(moves.desired / 2):
        stop = moves.desired - moves.least
        yield Finding(service.address, LEAST, f"{said}: {stop} of {moves.desired} stop at once")
