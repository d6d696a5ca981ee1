"""Property 13: inputs say what they are, outputs name what was made, and what they say is true."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import LATER, definitions, inside, known, opaque
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.tasks import Task
from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive

FAMILY = Family("interface", "Inputs say what they are, and outputs tell the truth")
_SEEDS = ("S0-PR13", "S0-V1", "S0-V2")
_OPTION = re.compile(r"--(region|cluster|container|task-definition)[ =](\S+)")
_NAMES = {
    "endpoint_service_name": ("aws_vpc_endpoint_service", "service_name"),
    "service_name": ("aws_ecs_service", "name"),
    "task_definition_arn": ("aws_ecs_task_definition", "arn"),
    "cluster_name": ("aws_ecs_cluster", "name"),
    "capacity_provider_name": ("aws_ecs_capacity_provider", "name"),
    "asg_name": ("aws_autoscaling_group", "name"),
    "log_group_name": ("aws_cloudwatch_log_group", "name"),
    "table_name": ("aws_dynamodb_table", "name"),
    "bucket_name": ("aws_s3_bucket", "bucket"),
    "security_group_id": ("aws_security_group", "id"),
    "subnet_id": ("aws_subnet", "id"),
    "vpc_id": ("aws_vpc", "id"),
    "kms_key_arn": ("aws_kms_key", "arn"),
}
"""What an output or a key in one is the name of, by its end; an `s` may follow."""
_SHAPES: Mapping[str, tuple[str, str]] = {
    r"arn:aws[a-z-]*:ecs:[^:]+:\d+:cluster/.+": ("aws_ecs_cluster", "arn"),
    r"arn:aws[a-z-]*:ecs:[^:]+:\d+:task-definition/.+": ("aws_ecs_task_definition", "arn"),
    r"arn:aws[a-z-]*:dsql:.+": ("aws_dsql_cluster", "arn"),
    r"arn:aws[a-z-]*:aps:.+": ("aws_prometheus_workspace", "arn"),
    r"(vpc|search)-[a-z0-9-]+[.][a-z0-9-]+[.]es[.]amazonaws[.]com": (
        "aws_opensearch_domain",
        "endpoint",
    ),
}
"""What a value is the name of by its form."""


@FAMILY.rule(
    "variables",
    holds="Every variable of every module has a description.",
    symptom="Whoever calls the module has to read it to know what to give; `terraform plan` asks "
    "for "
    "a value without a word.",
    fix="Give the variable a description.",
    source="Terraform documentation, input variables",
    seeds=("S0-PR13",),
)
def variables(subject: Subject) -> Iterator[Said]:
    """Descriptions of variables."""
    if subject.configuration is None:
        raise CannotJudge("a state, and a plan of --save-plan, do not say what modules declare")
    modules = subject.configuration.modules
    seen: set[tuple[str, int, str]] = set()
    count = 0
    for address, module in modules.items():
        for name, declared in module.variables.items():
            # A module that is called twice says the same twice.
            key = (declared.file or address, declared.line, name)
            if key in seen:
                continue
            seen.add(key)
            count += 1
            if not declared.described:
                place = f" ({declared.file}:{declared.line})" if declared.file else ""
                yield Finding(address, f"var.{name}", f"{name} has no description{place}")
    yield Seen(f"{count} variables in {len(modules)} modules")


@FAMILY.rule(
    "outputs",
    holds="The outputs name cluster, services and endpoints, and how to open a shell.",
    symptom="Names have to be copied by hand from the console, and tools that read outputs find "
    "nothing.",
    fix="Add outputs of the root module: ARN of the cluster, names of services, endpoints of "
    "database "
    "and domain, an execute-command line for each service.",
    source="ECS developer guide, ecs-exec; Terraform documentation, output values",
    seeds=_SEEDS,
)
def outputs(subject: Subject) -> Iterator[Said]:
    """What outputs name."""
    if not subject.tasks:
        raise CannotJudge("the plan has no task definition")
    if not {*subject.plan.outputs} & {"services", "project_name", "ecs_exec_commands"}:
        raise CannotJudge(
            "its outputs are not made for this tool: which it needs is its own affair"
        )
    told = [text for output in subject.plan.outputs.values() for _, text in _leaves(output.value)]
    said = {text for text in told if isinstance(text, str)}
    whole = "\n".join(sorted(said))
    unsure = any(opaque(text) for text in told)
    for label, address, values in _essential(subject):
        if any(value in whole for value in values):
            continue
        if unsure:
            yield Unjudged(address, f"whether an output names {label} {LATER}")
        else:
            yield Finding(address, "", f"no output names {label} ({', '.join(values)})")
    if "execute-command" not in whole:
        if unsure:
            yield Unjudged("", f"whether an output tells how to open a shell {LATER}")
        else:
            yield Finding("", "outputs", "no output tells how to open a shell")
    yield Seen(f"{len(subject.plan.outputs)} outputs")


@FAMILY.rule(
    "true",
    holds="What an output names is in the plan.",
    symptom="A tool or person that uses the output acts on nothing, or on another environment: "
    "`ServiceNotFoundException`, `ClusterNotFoundException`.",
    fix="Take the value of the output from the attribute of the resource.",
    source="Terraform documentation, output values",
    seeds=_SEEDS,
)
def true(subject: Subject) -> Iterator[Said]:
    """Names in outputs, against resources."""
    if not subject.plan.outputs:
        raise CannotJudge("the plan has no outputs")
    of = _Made(subject)
    count = 0
    for name, output in subject.plan.outputs.items():
        for path, value in _leaves(output.value, (name,)):
            if not isinstance(value, str) or not value:
                continue
            count += 1
            wanted = of.wanted(path, value)
            if wanted is not None and value not in wanted:
                yield Finding("", f"output.{'.'.join(path)}", f"the plan has no {value}")
            yield from _command(subject, of, path, value)
            if said := _elsewhere(of, value):
                yield Finding("", f"output.{'.'.join(path)}", f"{value}: {said}")
    yield Seen(f"{count} values")


@FAMILY.rule(
    "same-part",
    holds="An output about a service is about that service.",
    symptom="A command that scales, restarts or opens one service acts on another.",
    fix="Index the output by the key of the service that its values come from.",
    source="Terraform documentation, output values",
    seeds=_SEEDS,
)
def same_part(subject: Subject) -> Iterator[Said]:
    """Outputs with one entry for each service."""
    tasks = {task.name: task for task in subject.tasks}
    output = subject.plan.outputs.get("services")
    if output is None or not isinstance(output.value, Mapping):
        raise CannotJudge("no output `services` with an entry for each service")
    for name, entry in output.value.items():
        task = tasks.get(name)
        if task is None or not isinstance(entry, Mapping):
            yield Finding("", f"output.services.{name}", f"the plan has no service {name}")
            continue
        for key, wanted in _facts(task).items():
            value = entry.get(key)
            if isinstance(value, str) and wanted and value not in wanted:
                yield Finding("", f"output.services.{name}.{key}", f"{value} is not of {name}")
    for name, task in tasks.items():
        if task.role and task.service and name not in output.value:
            yield Finding(task.service.address, "", f"no entry for {name}")


class _Made:
    """Names that the plan makes, by type and attribute."""

    def __init__(self, subject: Subject) -> None:
        self._plan = subject.plan
        self._found: dict[tuple[str, str], set[str]] = {}

    def names(self, kind: str, attribute: str) -> set[str]:
        """All names of a type; empty where one is not known."""
        key = (kind, attribute)
        if key not in self._found:
            made = self._plan.of_type(kind)
            sure = not any(opaque(one[attribute]) for one in made)
            self._found[key] = set(known(made, attribute)) if sure else set()
        return self._found[key]

    def wanted(self, path: tuple[str, ...], value: str) -> set[str] | None:
        """What a value has to be one of; None where nothing says so, or the plan makes none."""
        for pattern, (kind, attribute) in _SHAPES.items():
            if re.fullmatch(pattern, value):
                return self.names(kind, attribute) or None
        for part in reversed([one for one in path if not one.isdigit()]):
            for end, (kind, attribute) in _NAMES.items():
                if part == end or part.removesuffix("s").endswith(f"_{end}") or part == f"{end}s":
                    return self.names(kind, attribute) or None
        return None


def _command(subject: Subject, of: _Made, path: tuple[str, ...], value: str) -> Iterator[Said]:
    """What an AWS CLI command in an output names."""
    if not value.startswith("aws "):
        return
    containers = {one.container.name for one in inside(definitions(subject))}
    sure = all(task.containers is not None for task in subject.tasks)
    wanted = {
        "region": {subject.region} if subject.region else set(),
        "cluster": of.names("aws_ecs_cluster", "name"),
        "container": containers if sure else set(),
        "task-definition": of.names("aws_ecs_task_definition", "arn"),
    }
    for option, given in _OPTION.findall(value):
        if wanted[option] and given.strip("'\"") not in wanted[option]:
            said = f"the plan has no {option} {given}"
            yield Finding("", f"output.{'.'.join(path)}", said)
    own = re.search(r"--container[ =](\S+)", value)
    named = next((t for t in subject.tasks if _same(t.name, path[-1])), None)
    if own and named and named.containers is not None:
        names = {one.name for one in named.containers}
        if own[1] not in names:
            said = f"{own[1]} is no container of {named.name}"
            yield Finding("", f"output.{'.'.join(path)}", said)


def _elsewhere(of: _Made, value: str) -> str:
    """Why an endpoint is none of the plan; empty where it is one, or nothing is known."""
    if found := re.search(r"^(?:https://)?aps-workspaces[.].*?/(workspaces/[^/]+)/", value):
        spaces = of.names("aws_prometheus_workspace", "prometheus_endpoint")
        if spaces and not any(f"{found[1]}/" in one for one in spaces):
            return "the plan makes another workspace"
    if found := re.match(r"([a-z0-9]+)[.]dsql(?:-[a-z0-9]+)?[.][a-z0-9-]+[.]on[.]aws", value):
        clusters = of.names("aws_dsql_cluster", "identifier")
        if clusters and found[1] not in clusters:
            return "the plan makes another database"
    host = re.sub(r"^https?://", "", value).split("/")[0].split(":")[0]
    for space in of.names("aws_service_discovery_private_dns_namespace", "name"):
        names = of.names("aws_service_discovery_service", "name")
        if host.endswith(f".{space}") and host.removesuffix(f".{space}") not in names:
            return "no service has this DNS name"
    return ""


def _same(name: str, key: str) -> bool:
    return key.replace("-", "_").removeprefix("temporal_") == name.replace("-", "_")


def _facts(task: Task) -> dict[str, set[str]]:
    service = task.service
    return {
        "service_name": {str(service["name"])} if service else set(),
        "task_definition_arn": _text(task.definition["arn"]),
        "container_name": {one.name for one in task.containers or ()},
        "security_group_id": set(task.groups or ()),
    }


def _text(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set()


def _essential(subject: Subject) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """What outputs are to name: a word for it, its address, and values that would do."""
    kinds: tuple[tuple[str, str, Callable[[Any], tuple[str, ...]]], ...] = (
        ("the cluster's ARN", "aws_ecs_cluster", lambda r: _values(r["arn"])),
        ("the service", "aws_ecs_service", lambda r: _values(r["name"])),
        ("the domain's endpoint", "aws_opensearch_domain", lambda r: _values(r["endpoint"])),
        ("the database's endpoint", "aws_dsql_cluster", lambda r: _values(r["identifier"])),
        (
            "the workspace",
            "aws_prometheus_workspace",
            lambda r: _values(r["prometheus_endpoint"]) + _values(r["id"]),
        ),
    )
    for label, kind, values in kinds:
        for resource in subject.plan.of_type(kind):
            if found := values(resource):
                yield label, resource.address, found


def _values(*values: Any) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str) and value)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(part, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from _leaves(part, (*path, str(index)))
    elif value is UNKNOWN or isinstance(value, Sensitive | str):
        yield path, value
