"""Property 3: a shell can be opened in every container, and what is typed is kept."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import (
    LATER,
    blocks,
    definitions,
    hidden,
    inside,
    known,
    on,
    opaque,
)
from temporal_dsql_deploy.checks.model import (
    CannotJudge,
    Finding,
    Said,
    Seen,
    SwitchedOff,
    Unjudged,
)
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

FAMILY = Family("exec", "A shell can be opened in every container")
_LOG = "configuration.0.execute_command_configuration.0"


@FAMILY.rule(
    "service",
    holds="Every service has ECS Exec switched on.",
    symptom="`aws ecs execute-command` answers: `InvalidParameterException: The execute command "
    "failed because execute command was not enabled when the task was run`. Running tasks cannot "
    "be given it later, and no port can be forwarded to the UI and to Grafana either.",
    fix="Set enable_execute_command = true; it takes effect with the next deployment.",
    source="ECS developer guide, ecs-exec",
    seeds=("S0-PR3", "S1-17.5*"),
)
def service(subject: Subject) -> Iterator[Said]:
    """ECS Exec of services."""
    services = subject.plan.of_type("aws_ecs_service")
    if not services:
        raise CannotJudge("the plan has no ECS service")
    _used(subject)
    for one in services:
        state = on(one["enable_execute_command"])
        if state is None:
            yield Unjudged(one.address, f"enable_execute_command {LATER}")
        elif not state:
            yield Finding(one.address, "enable_execute_command", f"off for {one['name']}")
    yield Seen(f"{len(services)} services")


@FAMILY.rule(
    "init",
    holds="Every container has an init process.",
    symptom="The processes of a session stay behind as zombies of the container's first process "
    "when it ends, until the container is stopped.",
    fix='Set "linuxParameters": {"initProcessEnabled": true} in the container definition.',
    source="ECS developer guide, ecs-exec",
    seeds=("S0-PR3", "S1-17.5*"),
)
def init(subject: Subject) -> Iterator[Said]:
    """Init processes of containers."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    _used(subject)
    yield from hidden(tasks)
    seen = list(inside(tasks))
    for one in seen:
        path = "linuxParameters.initProcessEnabled"
        if one[path] is not True:
            yield one.wrong(path, "no init process")
    yield Seen(f"{len(seen)} containers")


@FAMILY.rule(
    "log",
    holds="What is typed in a shell is kept where the cluster says.",
    symptom="Sessions leave no trace, or cannot be opened: with a log group that does not exist, "
    "or that is not encrypted although the cluster says so, Exec ends the session at once.",
    fix='Set logging = "OVERRIDE" with a log group of the plan, and cloud_watch_encryption_enabled '
    "only where that group has a KMS key.",
    source="ECS API, ExecuteCommandConfiguration",
    seeds=("S0-C1",),
)
def log(subject: Subject) -> Iterator[Said]:
    """Where sessions are logged."""
    clusters = subject.plan.of_type("aws_ecs_cluster")
    if not clusters:
        raise CannotJudge("the plan has no ECS cluster")
    for cluster in clusters:
        yield from _logging(subject, cluster)


def _used(subject: Subject) -> None:
    """Raises SwitchedOff where no service has ECS Exec: then nobody means to use it."""
    services = subject.plan.of_type("aws_ecs_service")
    if services and all(on(one["enable_execute_command"]) is False for one in services):
        raise SwitchedOff("no service has ECS Exec")


def _logging(subject: Subject, cluster: Resource) -> Iterator[Said]:
    way = cluster[f"{_LOG}.logging"]
    path = f"{_LOG}.log_configuration.0"
    if opaque(way):
        yield Unjudged(cluster.address, f"{_LOG}.logging {LATER}")
    elif way == "NONE":
        yield Finding(cluster.address, f"{_LOG}.logging", "sessions are not logged")
    elif way != "OVERRIDE":
        if blocks(cluster[f"{_LOG}.log_configuration"]):
            said = f"logging is {way or 'not said'}, so log_configuration is not read"
            yield Finding(cluster.address, f"{_LOG}.logging", said)
        # Without one, sessions go to the log groups of the containers.
    elif cluster[f"{path}.s3_bucket_name"] is None:
        yield from _group(subject, cluster, path)


def _group(subject: Subject, cluster: Resource, path: str) -> Iterator[Said]:
    name = cluster[f"{path}.cloud_watch_log_group_name"]
    groups = known(subject.plan.of_type("aws_cloudwatch_log_group"), "name")
    groups |= known(subject.plan.data("aws_cloudwatch_log_group"), "name")
    where = f"{path}.cloud_watch_log_group_name"
    if opaque(name):
        yield Unjudged(cluster.address, f"{where} {LATER}")
    elif not name:
        yield Finding(cluster.address, where, "OVERRIDE without a log group")
    elif name not in groups:
        yield Finding(cluster.address, where, f"the plan has no log group {name}")
    elif cluster[f"{path}.cloud_watch_encryption_enabled"] is True:
        key = groups[name]["kms_key_id"]
        if key is None or key == "":
            said = f"log group {name} has no KMS key"
            yield Finding(cluster.address, f"{path}.cloud_watch_encryption_enabled", said)
