"""What is switched off is not there, nothing refers to it, and nothing is there for nobody."""

import re
from collections.abc import Iterator
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
    texts,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

FAMILY = Family("conditional", "What is switched off is gone, with all that refers to it")
_LOKI = re.compile(r"(^|[^a-z])loki([^a-z]|$)")
_BENCHMARK = re.compile(r"(^|[^a-z])benchmark([^a-z]|$)")
WRITERS = {
    "aws_ecs_cluster": "configuration.0.execute_command_configuration.0.log_configuration.0."
    "cloud_watch_log_group_name",
    "aws_flow_log": "log_destination",
    "aws_prometheus_workspace": "logging_configuration.0.log_group_arn",
    "aws_ec2_client_vpn_endpoint": "connection_log_options.0.cloudwatch_log_group",
    "aws_grafana_workspace": "log_group_arn",
}
"""What writes to log groups besides containers and domains, and where it names its group."""
_TABLE = re.compile(r"_TABLE(_NAME)?$")


@FAMILY.rule(
    "tables",
    holds="Every table that the plan makes for the plugin is used, and every one that is used is "
    "made.",
    symptom="A table is paid for and looked at while nothing is counted in it; or connections are "
    "refused: the lease answers `ResourceNotFoundException` and no role starts.",
    fix="Make the table where the lease or limiter is on, and name it in all four roles; or "
    "neither.",
    source="measured with the Temporal-DSQL server cf90c57",
    seeds=("S3-17",),
)
def tables(subject: Subject) -> Iterator[Said]:
    """DynamoDB tables and the variables that name them."""
    made = known(subject.plan.of_type("aws_dynamodb_table"), "name")
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    yield from hidden(subject.roles.values())
    used: dict[str, set[str]] = {}
    for one in inside(definitions(subject)):
        for variable, value in one.container.environment.items():
            if not _TABLE.search(variable) or not value:
                continue
            used.setdefault(value, set()).add(one.task.name)
            if made and value not in made:
                yield one.wrong(f"environment.{variable}", f"the plan has no table {value}")
    for name, table in made.items():
        # Tables of other shapes are not the plugin's.
        if table["hash_key"] != "pk":
            continue
        missing = set(subject.roles) - used.get(name, set())
        if name not in used:
            yield Finding(table.address, "", f"no role names {name}")
        elif missing:
            yield Finding(table.address, "", f"{', '.join(sorted(missing))} do not name {name}")
    yield Seen(f"{len(made)} tables")


@FAMILY.rule(
    "loki",
    holds="Without Loki there is no bucket, parameter or name of it; with Loki there is a bucket.",
    symptom="Collectors and Grafana call what is not there: `lookup loki...: no such host`; or "
    "a bucket is left behind that nobody reads.",
    fix="Make all of it depend on the same switch.",
    source="Loki documentation, storage",
    seeds=("S3-8",),
)
def loki(subject: Subject) -> Iterator[Said]:
    """What belongs to Loki."""
    tasks = [task for task in definitions(subject) if task.party == "loki"]
    buckets = _called(subject, "aws_s3_bucket", "bucket", _LOKI)
    if tasks and not any(task.service for task in tasks):
        yield Finding(tasks[0].definition.address, "", "no service runs Loki")
    if tasks:
        yield from _bucket(subject, tasks, buckets)
        yield Seen("Loki is there")
        return
    left = [*buckets, *_called(subject, "aws_ssm_parameter", "name", _LOKI)]
    left += _called(subject, "aws_service_discovery_service", "name", _LOKI)
    for resource in left:
        yield Finding(resource.address, "", "there is no Loki in the plan")
    for one in inside(definitions(subject)):
        value = one.container.environment.get("LOKI_ENDPOINT")
        if value and _own_host(subject, value):
            yield one.wrong("environment.LOKI_ENDPOINT", f"{value}, and there is no Loki")
    yield Seen("no Loki")


@FAMILY.rule(
    "benchmark",
    holds="Without the benchmark there are no instances, provider or roles of it.",
    symptom="Instances for load are started and paid for in an environment without a benchmark.",
    fix="Make all of it depend on the same switch.",
    source="ECS developer guide, asg-capacity-providers",
    seeds=("S3-10",),
)
def benchmark(subject: Subject) -> Iterator[Said]:
    """What belongs to the benchmark."""
    there = [task for task in definitions(subject) if task.party == "benchmark"]
    kinds = {
        "aws_ecs_capacity_provider": "name",
        "aws_autoscaling_group": "name",
        "aws_launch_template": "name",
        "aws_iam_role": "name",
        "aws_security_group": "name",
    }
    left = [r for kind, key in kinds.items() for r in _called(subject, kind, key, _BENCHMARK)]
    if not there:
        for resource in left:
            yield Finding(resource.address, "", "there is no benchmark in the plan")
    yield Seen(f"{len(there)} task definitions of a benchmark")


@FAMILY.rule(
    "provider",
    holds="Every capacity provider that the plan makes is used by a service or as the default.",
    symptom="Instances start, are paid for, and no task is ever placed on them.",
    fix="Take the provider out, or name it in the strategy of a service.",
    source="ECS developer guide, asg-capacity-providers",
    seeds=("S3-5", "S3-10"),
)
def provider(subject: Subject) -> Iterator[Said]:
    """Capacity providers that nothing uses."""
    made = known(subject.plan.of_type("aws_ecs_capacity_provider"), "name")
    if not made:
        raise CannotJudge("the plan makes no capacity provider")
    lists: list[Any] = [
        one["capacity_provider_strategy"] for one in subject.plan.of_type("aws_ecs_service")
    ]
    ties = subject.plan.of_type("aws_ecs_cluster_capacity_providers")
    lists += [one["default_capacity_provider_strategy"] for one in ties]
    if any(opaque(one) for one in lists):
        raise CannotJudge(f"which providers are used {LATER}")
    used = [each.get("capacity_provider") for one in lists for each in blocks(one)]
    for name, resource in made.items():
        if name not in used:
            yield Finding(resource.address, "name", f"nothing runs by {name}")
    yield Seen(f"{len(made)} providers")


@FAMILY.rule(
    "parameters",
    holds="Every parameter that the plan writes is read by a container.",
    symptom="A configuration is changed and nothing comes of it: nobody reads it.",
    fix="Name the parameter in `secrets` of the container that it is for, or take it out.",
    source="ECS developer guide, secrets-envvar-ssm-paramstore",
    seeds=("S3-8", "S3-12"),
)
def parameters(subject: Subject) -> Iterator[Said]:
    """Parameters that nobody reads."""
    made = subject.plan.of_type("aws_ssm_parameter")
    if not made:
        raise CannotJudge("the plan makes no parameter")
    yield from hidden(definitions(subject))
    read: set[str] = set()
    for one in inside(definitions(subject)):
        read |= {*one.container.secrets.values(), *one.container.environment.values()}
        options = blocks(one["logConfiguration.secretOptions"])
        read |= {str(option.get("valueFrom")) for option in options}
        read |= set(texts(one["command"]) or ())
    for resource in made:
        names = {name for name in (resource["arn"], resource["name"]) if isinstance(name, str)}
        if names & read:
            continue
        if opaque(resource["arn"]) or opaque(resource["name"]):
            yield Unjudged(resource.address, f"its ARN {LATER}")
        else:
            yield Finding(resource.address, "", f"no container reads {resource['name']}")
    yield Seen(f"{len(made)} parameters")


@FAMILY.rule(
    "log-groups",
    holds="Every log group that the plan makes is named by something that writes to it.",
    symptom="Lines are looked for where they should be, and are in the group of another.",
    fix="Name the group in the log configuration that it is for, or take it out.",
    source="ECS developer guide, using_awslogs",
    seeds=("S0-O6",),
)
def log_groups(subject: Subject) -> Iterator[Said]:
    """Log groups that nothing writes to."""
    groups = subject.plan.of_type("aws_cloudwatch_log_group")
    if not groups:
        raise CannotJudge("the plan makes no log group")
    if any(task.containers is None for task in subject.tasks):
        raise CannotJudge(f"where containers log to {LATER}")
    named = _named(subject)
    for group in groups:
        name, arn = group["name"], group["arn"]
        if opaque(name):
            yield Unjudged(group.address, f"its name {LATER}")
        elif not any(one in named for one in (name, arn, f"{arn}:*")):
            sure = not any(opaque(one) for one in named)
            said = f"nothing writes to {name}"
            yield Finding(group.address, "", said) if sure else Unjudged(group.address, said)
    yield Seen(f"{len(groups)} log groups")


@FAMILY.rule(
    "hosts",
    holds="Every DNS name of the plan's own namespace that a container dials is registered.",
    symptom="`lookup ...: no such host` in the log of the container, for ever.",
    fix="Let the service register with a Cloud Map service of that name, or take the variable out.",
    source="AWS Cloud Map developer guide, private DNS namespaces",
    seeds=("S3-7", "S3-8"),
)
def hosts(subject: Subject) -> Iterator[Said]:
    """DNS names in environments, against those that services register."""
    kind = "aws_service_discovery_private_dns_namespace"
    spaces = known(subject.plan.of_type(kind), "id")
    if not spaces:
        raise CannotJudge("the plan makes no private DNS namespace")
    registered = [
        each.get("registry_arn")
        for service in subject.plan.of_type("aws_ecs_service")
        for each in blocks(service["service_registries"])
    ]
    names: dict[str, bool] = {}
    for one in subject.plan.of_type("aws_service_discovery_service"):
        space = spaces.get(str(one["dns_config.0.namespace_id"]))
        if space is None:
            if blocks(one["dns_config"]) and not opaque(one["dns_config.0.namespace_id"]):
                path = "dns_config.0.namespace_id"
                yield Finding(one.address, path, "the plan has no such namespace")
            continue
        kinds = [each.get("type") for each in blocks(one["dns_config.0.dns_records"])]
        if kinds and "A" not in kinds:
            path = "dns_config.0.dns_records.0.type"
            yield Finding(one.address, path, f"{kinds[0]}: the name has no IPv4 address")
        names[f"{one['name']}.{space['name']}"] = one["arn"] in registered
        if one["arn"] not in registered and not opaque(one["arn"]):
            yield Finding(one.address, "", f"no service registers as {one['name']}")
    ends = tuple(f".{space['name']}" for space in spaces.values())
    for each in inside(definitions(subject)):
        for variable, value in each.container.environment.items():
            host = _host(value)
            if host.endswith(ends) and not names.get(host):
                yield each.wrong(f"environment.{variable}", f"nothing registers as {host}")
    yield Seen(f"{len(names)} names")


def _named(subject: Subject) -> list[Any]:
    """Names and ARNs of log groups that something of the plan writes to."""
    path = "logConfiguration.options.awslogs-group"
    found = [one[path] for one in inside(definitions(subject))]
    path = "service_connect_configuration.0.log_configuration.0.options.awslogs-group"
    found += [service[path] for service in subject.plan.of_type("aws_ecs_service")]
    for kind, path in WRITERS.items():
        found += [resource[path] for resource in subject.plan.of_type(kind)]
    for domain in subject.plan.of_type("aws_opensearch_domain"):
        options = blocks(domain["log_publishing_options"])
        found += [each.get("cloudwatch_log_group_arn") for each in options]
    return found


def _called(subject: Subject, kind: str, key: str, word: re.Pattern[str]) -> list[Resource]:
    made = subject.plan.of_type(kind)
    return [one for one in made if isinstance(one[key], str) and word.search(one[key].lower())]


def _bucket(subject: Subject, tasks: list[Task], buckets: list[Resource]) -> Iterator[Said]:
    """Whether Loki's configuration names a bucket that is made."""
    parameters = known(subject.plan.of_type("aws_ssm_parameter"), "arn")
    told = [
        parameters[source]["value"]
        for one in inside(tasks)
        for source in one.container.secrets.values()
        if source in parameters
    ]
    made = set(known(subject.plan.of_type("aws_s3_bucket"), "bucket"))
    for text in told:
        if not isinstance(text, str):
            yield Unjudged(tasks[0].definition.address, "its configuration is not known")
            continue
        for name in re.findall(r"bucketnames:\s*[\"']?([a-z0-9.-]+)", text):
            if made and name not in made:
                where = tasks[0].definition.address
                yield Finding(where, "secrets", f"it writes to {name}, which the plan has not")
    if not told and not buckets:
        yield Unjudged(tasks[0].definition.address, "where it writes to is not known")


def _host(value: str) -> str:
    return re.sub(r"^[a-z]+://", "", value).split("/")[0].split(":")[0]


def _own_host(subject: Subject, value: str) -> bool:
    spaces = subject.plan.of_type("aws_service_discovery_private_dns_namespace")
    return not spaces or any(_host(value).endswith(f".{space['name']}") for space in spaces)
