"""Property 5: what every container writes is kept where it can be found."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import (
    LATER,
    blocks,
    definitions,
    hidden,
    inside,
    known,
    opaque,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.tasks import Task

FAMILY = Family("logs", "What containers write is kept")
_SENT = {"awslogs", "awsfirelens", "splunk", "fluentd"}
"""Drivers that take lines off the instance."""
_SIZE = re.compile(r"(\d+)([kmg]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SMALLEST = 1 << 20
_PROXY = "service_connect_configuration.0.log_configuration"
_SEEDS = ("S0-PR5", "S1-19.4*")
_NO_CREATION = (
    "awslogs-create-group needs logs:CreateLogGroup, which AmazonECSTaskExecutionRolePolicy "
    "lacks, so it fails whenever it would act. Proven is what it is for: the group is there."
)


@dataclass(frozen=True, slots=True)
class _Log:
    """Where one container, or the proxy of Service Connect, logs to."""

    task: Task
    who: str
    resource: str
    attribute: str
    driver: Any
    options: Mapping[str, Any]

    def wrong(self, path: str, evidence: str, symptom: str = "") -> Finding:
        where = f"{self.attribute}.{path}"
        return Finding(self.resource, where, f"{self.who}: {evidence}", symptom)


@FAMILY.rule(
    "driver",
    holds="Every container of every task definition sends its log away.",
    symptom="What the container wrote is gone with its instance or task; `aws logs tail` and the "
    "console show nothing when a role does not start.",
    fix='Give each container a logConfiguration with logDriver "awslogs".',
    source="ECS developer guide, using_awslogs",
    seeds=_SEEDS,
)
def driver(subject: Subject) -> Iterator[Said]:
    """Log drivers."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    logs = _logs(subject)
    routers = {
        (one.address, f"container_definitions.{one.index}.logConfiguration")
        for one in inside(tasks)
        if one.container.definition.get("firelensConfiguration")
    }
    for log in logs:
        if (log.resource, log.attribute) in routers and not log.driver:
            continue  # It sends the lines of the others; its own go nowhere by itself.
        if log.driver not in _SENT:
            yield log.wrong("logDriver", f"{log.driver or 'no log driver'}")
        elif log.driver == "awsfirelens" and log.resource not in {each for each, _ in routers}:
            yield log.wrong("logDriver", "awsfirelens, and no container of the task is a router")
    for task in subject.tasks:
        for given in blocks(task.service[_PROXY]) if task.service else ():
            if task.service and _unknown(given):
                yield Unjudged(task.service.address, f"where its proxy logs to {LATER}")
    yield Seen(f"{len(logs)} containers")


@FAMILY.rule(
    "group",
    holds="The log group of every container is there before the container.",
    symptom="The container does not start: `ResourceNotFoundException: The specified log group "
    "does not exist`, and the task stops with CannotStartContainerError.",
    fix="Make the group with aws_cloudwatch_log_group and name it in awslogs-group.",
    source="ECS developer guide, using_awslogs",
    seeds=_SEEDS,
    meaning=_NO_CREATION,
)
def group(subject: Subject) -> Iterator[Said]:
    """Log groups of containers."""
    logs = _awslogs(subject)
    made = known(subject.plan.of_type("aws_cloudwatch_log_group"), "name")
    unnamed = [g for g in subject.plan.of_type("aws_cloudwatch_log_group") if opaque(g["name"])]
    there = {*made, *known(subject.plan.data("aws_cloudwatch_log_group"), "name")}
    for log in logs:
        name = log.options.get("awslogs-group")
        if not name:
            yield log.wrong("options.awslogs-group", "no log group")
        elif name in there:
            continue
        elif str(log.options.get("awslogs-create-group")).lower() == "true":
            yield from _may_create(subject, log)
        elif unnamed or not there:
            yield Unjudged(log.resource, f"whether log group {name} exists is not known")
        else:
            yield log.wrong("options.awslogs-group", f"the plan has no log group {name}")
    yield Seen(f"{len(made)} log groups")


@FAMILY.rule(
    "region",
    holds="Logs go to the region of the cluster.",
    symptom="The log group is looked for in a region where it is not: "
    "`ResourceNotFoundException: The specified log group does not exist`.",
    fix="Set awslogs-region to the region of the plan.",
    source="ECS developer guide, using_awslogs",
    seeds=_SEEDS,
)
def region(subject: Subject) -> Iterator[Said]:
    """Regions of logs."""
    if subject.region is None:
        raise CannotJudge("the plan does not say in which region it is")
    for log in _awslogs(subject):
        found = log.options.get("awslogs-region")
        if found != subject.region:
            said = f"{found or 'no region'}, the cluster is in {subject.region}"
            yield log.wrong("options.awslogs-region", said)


@FAMILY.rule(
    "prefix",
    holds="Every service and every container has log streams of its own.",
    symptom="Streams have names like the long id of a Docker container, or those of two services "
    "lie in one heap: nobody can tell which task wrote a line.",
    fix="Set awslogs-stream-prefix to the name of the container.",
    source="ECS developer guide, using_awslogs",
    seeds=_SEEDS,
)
def prefix(subject: Subject) -> Iterator[Said]:
    """Prefixes of log streams."""
    users: dict[tuple[str, str], str] = {}
    for log in _awslogs(subject):
        found = log.options.get("awslogs-stream-prefix")
        if not found:
            yield log.wrong("options.awslogs-stream-prefix", "no prefix")
            continue
        own = str(log.task.definition["family"])
        key = (str(log.options.get("awslogs-group")), str(found))
        first = users.setdefault(key, own)
        if first != own:
            said = f"{found} in {key[0]}, as has {first}"
            yield log.wrong("options.awslogs-stream-prefix", said)


@FAMILY.rule(
    "mode",
    holds="It is said whether a container waits for its log, with how large a buffer if not.",
    symptom="Left to the account's default, lines above 10 MiB are dropped without a word; in the "
    "mode `blocking` a server stands still as soon as CloudWatch Logs cannot be reached.",
    fix='Set mode = "non-blocking" and max-buffer-size, such as 25m.',
    source="ECS API, LogConfiguration; ECS developer guide, defaultLogDriverMode",
    seeds=_SEEDS,
)
def mode(subject: Subject) -> Iterator[Said]:
    """Modes and buffers of log drivers."""
    for log in _awslogs(subject):
        found = log.options.get("mode")
        if found != "non-blocking":
            said = f"mode {found}" if found else "no mode"
            yield log.wrong("options.mode", said)
            continue
        size = log.options.get("max-buffer-size")
        bytes_ = _bytes(size)
        if bytes_ is None:
            yield log.wrong("options.max-buffer-size", f"{size or 'no size of the buffer'}")
        elif bytes_ < _SMALLEST:
            yield log.wrong("options.max-buffer-size", f"{size} holds a few lines only")


@FAMILY.rule(
    "name",
    holds="No log group is made twice.",
    symptom="The apply ends half way: `ResourceAlreadyExistsException: The specified log group "
    "already exists`.",
    fix="Give each group a name of its own.",
    source="CloudWatch Logs API, CreateLogGroup",
    seeds=("S0-O6",),
)
def name(subject: Subject) -> Iterator[Said]:
    """Names of log groups."""
    groups = subject.plan.of_type("aws_cloudwatch_log_group")
    if not groups:
        raise CannotJudge("the plan has no log group")
    first: dict[str, str] = {}
    for one in groups:
        called = one["name"]
        if opaque(called):
            yield Unjudged(one.address, f"name {LATER}")
        elif isinstance(called, str) and first.setdefault(called, one.address) != one.address:
            yield Finding(one.address, "name", f"{called} is made by {first[called]} too")
    yield Seen(f"{len(groups)} log groups")


@FAMILY.rule(
    "destination",
    holds="Log groups that domain, VPC and workspace write to are there.",
    symptom="The apply ends half way: `ResourceNotFoundException: The specified log group does not "
    "exist`; or the log stays empty.",
    fix="Name a log group of the plan.",
    source="OpenSearch Service API, LogPublishingOption; EC2 API, CreateFlowLogs",
    seeds=("S0-O6",),
)
def destination(subject: Subject) -> Iterator[Said]:
    """Log groups that others than containers write to."""
    groups = subject.plan.of_type("aws_cloudwatch_log_group")
    made = {*known(groups, "arn"), *(f"{arn}:*" for arn in known(groups, "arn"))}
    if not made or any(opaque(group["arn"]) for group in groups):
        raise CannotJudge("the log groups of the plan are not known")
    wanted = [
        (flow, "log_destination", flow["log_destination"])
        for flow in subject.plan.of_type("aws_flow_log")
    ]
    for space in subject.plan.of_type("aws_prometheus_workspace"):
        path = "logging_configuration.0.log_group_arn"
        wanted.append((space, path, space[path]))
    for domain in subject.plan.of_type("aws_opensearch_domain"):
        for index, each in enumerate(blocks(domain["log_publishing_options"])):
            path = f"log_publishing_options.{index}.cloudwatch_log_group_arn"
            wanted.append((domain, path, each.get("cloudwatch_log_group_arn")))
    for resource, path, arn in wanted:
        if isinstance(arn, str) and ":logs:" in arn and arn not in made:
            yield Finding(resource.address, path, f"the plan has no log group {arn}")
    yield Seen(f"{len(wanted)} logs")


@FAMILY.rule(
    "retention",
    holds="Every log group forgets in the end.",
    symptom="Lines are kept and paid for for ever.",
    fix="Set retention_in_days.",
    source="CloudWatch Logs API, PutRetentionPolicy",
    seeds=("S0-O6",),
)
def retention(subject: Subject) -> Iterator[Said]:
    """Retention of log groups."""
    groups = subject.plan.of_type("aws_cloudwatch_log_group")
    if not groups:
        raise CannotJudge("the plan has no log group")
    for one in groups:
        days = one["retention_in_days"]
        if opaque(days):
            yield Unjudged(one.address, f"retention_in_days {LATER}")
        elif not days:
            yield Finding(one.address, "retention_in_days", "nothing is ever deleted")
    yield Seen(f"{len(groups)} log groups")


def _logs(subject: Subject) -> list[_Log]:
    """The logs of all containers, and of the proxies of Service Connect that have one."""
    found = []
    for one in inside(definitions(subject)):
        log = _mapping(one.container.definition.get("logConfiguration"))
        where = f"container_definitions.{one.index}.logConfiguration"
        who = f"container {one.container.name}"
        options = _mapping(log.get("options"))
        found.append(_Log(one.task, who, one.address, where, log.get("logDriver"), options))
    for task in subject.tasks:
        if task.service is None:
            continue
        for given in blocks(task.service[_PROXY]):
            if not _unknown(given):
                who = "the proxy of Service Connect"
                driver, options = given.get("log_driver"), _mapping(given.get("options"))
                place = (task.service.address, f"{_PROXY}.0")
                found.append(_Log(task, who, *place, driver, options))
    return found


def _unknown(given: Mapping[str, Any]) -> bool:
    """Whether not all of a proxy's log configuration is known."""
    options = given.get("options")
    values = [given.get("log_driver"), options, *_mapping(options).values()]
    return any(opaque(value) for value in values)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _awslogs(subject: Subject) -> list[_Log]:
    found = [log for log in _logs(subject) if log.driver == "awslogs"]
    if not found:
        raise CannotJudge("no container that is known logs with awslogs")
    return found


def _may_create(subject: Subject, log: _Log) -> Iterator[Said]:
    """Whether the execution role may do what awslogs-create-group asks of it."""
    arn = log.task.definition["execution_role_arn"]
    roles = known(subject.plan.of_type("aws_iam_role"), "arn")
    where = "options.awslogs-create-group"
    if not isinstance(arn, str) or arn not in roles:
        yield Unjudged(log.resource, "what its execution role may do is not in the plan")
        return
    role = roles[arn]
    attached = subject.plan.of_type("aws_iam_role_policy", "aws_iam_role_policy_attachment")
    policies = [one for one in attached if one["role"] in {role["name"], role["id"]}]
    words = [str(p["policy"]) for p in policies] + [str(role["inline_policy"])]
    if any(p.type.endswith("attachment") and _opaque_policy(p["policy_arn"]) for p in policies):
        yield Unjudged(log.resource, "the policies of its execution role are not in the plan")
    elif not any(re.search(r"logs:(CreateLogGroup|Create\*|\*)", text) for text in words):
        yield log.wrong(where, f"{arn} may not create log groups (logs:CreateLogGroup)")


def _opaque_policy(arn: Any) -> bool:
    return not (isinstance(arn, str) and arn.endswith("AmazonECSTaskExecutionRolePolicy"))


def _bytes(size: Any) -> int | None:
    found = _SIZE.fullmatch(str(size).strip())
    return int(found[1]) * _UNITS[found[2].lower()] if found else None
