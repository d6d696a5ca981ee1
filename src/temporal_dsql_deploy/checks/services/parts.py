"""Property 12: which services there are, how many tasks they have, how they are replaced."""

import math
from collections import Counter
from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.look import LATER, definitions, number, on, opaque
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.services.family import FAMILY
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_LARGEST_LOSS = 0.5
_SLOW = {"history", "worker"}
"""Roles that are to be replaced a few tasks at a time."""


@FAMILY.rule(
    "five",
    holds="Each Temporal role has a task definition and a service; the UI has one or none.",
    symptom="Without history every start fails with `Not enough hosts to serve the request`, "
    "without matching starts are accepted and hang, without worker schedules never act.",
    fix="Make one aws_ecs_task_definition and one aws_ecs_service for each role.",
    source="measured with temporal-server 1.32.2",
    seeds=("S0-PR12", "S0-P1", "S1-17.3*"),
    meaning="Counted by what a task runs and not by names: set-up and benchmark tasks may have "
    "Temporal in theirs. A second service of a role, as of blue and green, is a mistake only where "
    "it stands in the place of another role.",
)
def five(subject: Subject) -> Iterator[Said]:
    """Services by role."""
    parts = [task.role or task.party for task in subject.tasks]
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    for role in topology.load().roles:
        mine = [task for task in subject.tasks if task.role == role]
        if not mine:
            yield Finding("", "", f"no task definition runs {role}")
        elif not any(task.service for task in mine):
            yield Finding(mine[0].definition.address, "", f"no service runs {role}")
        # Two of a role may be meant, blue and green for one; not while another role is missing.
        for extra in mine[1:] if len(subject.roles) < len(topology.load().roles) else ():
            where = extra.service or extra.definition
            yield Finding(where.address, "", f"{role} is run a second time")
    pages = [task for task in subject.tasks if task.party == "ui"]
    for page in pages[1:]:
        yield Finding((page.service or page.definition).address, "", "a second UI")
    yield Seen(f"{len(subject.roles)} roles, {parts.count('ui')} UI")


@FAMILY.rule(
    "own-definition",
    holds="Every service runs a task definition of its own.",
    symptom="A service runs another role than its name says, or two change together.",
    fix="Set task_definition to the ARN of the definition beside it.",
    source="ECS developer guide, task definitions",
    seeds=("S0-PR12",),
)
def own_definition(subject: Subject) -> Iterator[Said]:
    """Which service runs which task definition."""
    services = subject.plan.of_type("aws_ecs_service")
    if not services:
        raise CannotJudge("the plan has no ECS service")
    runs = Counter(task.definition.address for task in subject.tasks if task.service)
    run = {task.service.address: task for task in subject.tasks if task.service}
    for service in services:
        task = run.get(service.address)
        if task is None and opaque(service["task_definition"]):
            yield Unjudged(service.address, f"its task definition {LATER}")
        elif task is None:
            said = f"the plan has no task definition {service['task_definition']}"
            yield Finding(service.address, "task_definition", said)
        elif runs[task.definition.address] > 1:
            said = f"{task.definition['family']} is run by another service too"
            yield Finding(service.address, "task_definition", said)


@FAMILY.rule(
    "network-mode",
    holds="Every task has a network interface of its own.",
    symptom="ECS refuses the service: `Network Configuration is not valid for the given "
    "networkMode "
    "of this task definition`; on the bridge or the host roles share the security group and the "
    "ports of their instance, and the ring gets an address on which nobody answers.",
    fix='Set network_mode = "awsvpc".',
    source="ECS developer guide, task-networking-awsvpc",
    seeds=("S0-PR12", "S0-P3"),
)
def network_mode(subject: Subject) -> Iterator[Said]:
    """Network modes of tasks."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    for task in tasks:
        mode = task.definition["network_mode"]
        if opaque(mode):
            yield Unjudged(task.definition.address, f"network_mode {LATER}")
        elif mode != "awsvpc":
            said = f"{mode or 'none, which is bridge'}"
            yield Finding(task.definition.address, "network_mode", said)
    yield Seen(f"{len(tasks)} task definitions")


@FAMILY.rule(
    "count",
    holds="Each role is to have a task at least.",
    symptom="A role without tasks is a role that is missing; no health check of another notices "
    "it.",
    fix="Set desired_count, or the number that what scales the service aims at, to 1 or more.",
    source="measured with temporal-server 1.32.2",
    seeds=("S0-PR12", "S0-W1", "S3-13"),
)
def count(subject: Subject) -> Iterator[Said]:
    """Tasks of roles."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    for role, task in subject.roles.items():
        if task.replicas is None:
            yield Unjudged(_of(task).address, f"nothing says how many tasks {role} is to have")
        elif task.replicas < 1:
            yield Finding(_of(task).address, "desired_count", f"{role} is to have no task")
    told = {role: task.replicas for role, task in subject.roles.items()}
    yield Seen(", ".join(f"{role} {number}" for role, number in told.items()))


@FAMILY.rule(
    "rollout",
    holds="A deployment can go on, and takes few of a role's tasks away at a time.",
    symptom="With no room above and none below ECS replaces nothing, and the deployment never "
    "ends; with too much below, half of all shards lose their owner at once, and calls fail until "
    "others have acquired them.",
    fix="Let one task be replaced at a time: minimum 100 and maximum 200 for one task; for "
    "history and worker with more, maximum 100 and a minimum of one task less.",
    source="ECS developer guide, deployment-type-ecs; measured with temporal-server 1.32.2",
    seeds=("S0-PR12",),
)
def rollout(subject: Subject) -> Iterator[Said]:
    """Percentages of deployments."""
    services = [task for task in subject.tasks if task.service]
    if not services:
        raise CannotJudge("the plan has no ECS service")
    for task in services:
        yield from _rollout(task)


@FAMILY.rule(
    "rollback",
    holds="A deployment that fails ends, and goes back to what ran.",
    symptom="ECS starts the broken tasks again and again, for hours; each start takes connections "
    "from the database's 100 per second.",
    fix="Set deployment_circuit_breaker { enable = true, rollback = true }.",
    source="ECS API, DeploymentCircuitBreaker",
)
def rollback(subject: Subject) -> Iterator[Said]:
    """Circuit breakers of deployments."""
    services = subject.plan.of_type("aws_ecs_service")
    if not services:
        raise CannotJudge("the plan has no ECS service")
    for service in services:
        for key in ("enable", "rollback"):
            path = f"deployment_circuit_breaker.0.{key}"
            state = on(service[path])
            if state is None:
                yield Unjudged(service.address, f"{path} {LATER}")
            elif not state:
                yield Finding(service.address, path, f"off for {service['name']}")


def _rollout(task: Task) -> Iterator[Said]:
    service = _of(task)
    path = "deployment_minimum_healthy_percent"
    low, high = service[path], service["deployment_maximum_percent"]
    least, most = (number(100 if low is None else low), number(200 if high is None else high))
    tasks = task.replicas
    if least is None or most is None:
        yield Unjudged(service.address, f"how it is deployed {LATER}")
        return
    if most < 100 or least > 100:
        yield Finding(service.address, "deployment_maximum_percent", f"{least:g} to {most:g} %")
    elif tasks is None:
        if least == most:
            said = f"{least:g} to {most:g} %: no task can be replaced"
            yield Finding(service.address, path, said)
    elif tasks > 0:
        keep, top = math.ceil(tasks * least / 100), math.floor(tasks * most / 100)
        said = f"{tasks} tasks, of which {keep} to {top} may run"
        if keep >= top:
            yield Finding(service.address, "deployment_maximum_percent", said)
        elif task.role and tasks > 1 and (tasks - keep) / tasks > _LARGEST_LOSS:
            yield Finding(service.address, path, said)
        elif task.role in _SLOW and tasks > 2 and top - keep > max(1, tasks / 2):
            yield Finding(service.address, "deployment_maximum_percent", said)
        elif task.role and tasks == 1 and keep == 0:
            yield Finding(service.address, path, f"{said}: {task.role} is away meanwhile")


def _of(task: Task) -> Resource:
    return task.service or task.definition
