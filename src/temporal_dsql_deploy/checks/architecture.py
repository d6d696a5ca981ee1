"""Property 2: ARM64 throughout, and instances that join the cluster they are meant for."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import LATER, blocks, definitions, known, opaque
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

FAMILY = Family("architecture", "Everything is ARM64")
# Family, generation, a `g` for Graviton and what follows it: m7g, c8gn, m8gd, t4g; a1 was first.
_GRAVITON = re.compile(r"(?:[a-z]+[0-9]+g[a-z]*|a1)[.][0-9a-z-]+")
_ARM64, _X86 = "ARM64", "X86_64"
_ARM = re.compile(r"arm64|aarch64")
_INTEL = re.compile(r"x86_64|amd64")


@FAMILY.rule(
    "task",
    holds="Every task definition says ARM64 and LINUX, where not the whole plan is for X86_64.",
    symptom="ECS looks for instances of another architecture and finds none (`missing an attribute "
    "required by your task: ecs.cpu-architecture`), or the task starts and each container ends "
    "with `exec format error`.",
    fix='Set runtime_platform { cpu_architecture = "ARM64", operating_system_family = "LINUX" }.',
    source="ECS developer guide, ecs-arm64",
    seeds=("S0-PR2", "S1-17.4*"),
)
def task(subject: Subject) -> Iterator[Said]:
    """The platform of tasks."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    meant = _meant(subject)
    wanted = {"cpu_architecture": meant, "operating_system_family": "LINUX"}
    for one in tasks:
        definition = one.definition
        for key, value in wanted.items():
            path = f"runtime_platform.0.{key}"
            found = definition[path]
            if opaque(found) or opaque(definition["runtime_platform"]):
                yield Unjudged(definition.address, f"{path} {LATER}")
            elif found is None and meant == _X86:
                continue  # What ECS takes where nothing is said.
            elif found != value:
                yield Finding(definition.address, path, f"{found or 'nothing'} instead of {value}")
    yield Seen(f"{len(tasks)} task definitions, {meant}")


@FAMILY.rule(
    "instance",
    holds="Every instance type is a Graviton one, where not the whole plan is for X86_64.",
    symptom="Images for arm64 end with `exec format error`, and no ARM64 task is placed there.",
    fix="Choose a type with a g after its generation, such as m7g.large.",
    source="EC2 user guide, instance types",
    seeds=("S0-PR2", "S1-17.4*"),
)
def instance(subject: Subject) -> Iterator[Said]:
    """Types of instances."""
    sources = [*_templates(subject), *subject.plan.of_type("aws_launch_configuration")]
    if not sources:
        raise CannotJudge("the plan has no instances")
    graviton = _meant(subject) == _ARM64
    for source in sources:
        yield from _graviton(source, "instance_type", graviton)
    for group in subject.plan.of_type("aws_autoscaling_group"):
        overrides = group["mixed_instances_policy.0.launch_template.0.override"]
        for index, override in enumerate(blocks(overrides)):
            if override.get("instance_type"):
                path = f"mixed_instances_policy.0.launch_template.0.override.{index}.instance_type"
                yield from _graviton(group, path, graviton)
    yield Seen(", ".join(sorted({str(one["instance_type"]) for one in sources})))


@FAMILY.rule(
    "image",
    holds="Instances start from an image for ARM64, where not the whole plan is for X86_64.",
    symptom="EC2 refuses to start them: `The architecture 'arm64' of the specified instance type "
    "does not match the architecture 'x86_64' of the specified AMI`; tasks stay PROVISIONING.",
    fix="Name the SSM parameter of the ECS-optimised image for arm64, such as resolve:ssm:/aws/"
    "service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id.",
    source="ECS developer guide, retrieve-ecs-optimized_AMI",
    seeds=("S0-PR2", "S0-C4"),
)
def image(subject: Subject) -> Iterator[Said]:
    """Images of instances."""
    templates = _templates(subject)
    if not templates:
        raise CannotJudge("the plan has no launch template of an ECS cluster")
    meant = _meant(subject)
    right, wrong = (_ARM, _INTEL) if meant == _ARM64 else (None, _ARM)
    for template in templates:
        value = template["image_id"]
        said = _origin(subject, value)
        if not opaque(value) and not re.match(r"resolve:ssm:|ami-", str(value)):
            yield Finding(template.address, "image_id", f"{value or 'no image'}")
        elif said is None:
            yield Unjudged(template.address, f"nothing tells for what image_id {value} is made")
        elif wrong.search(said) or (right and not right.search(said)):
            yield Finding(template.address, "image_id", f"{said} is not for {meant.lower()}")


@FAMILY.rule(
    "join",
    holds="The user data of the instances names the cluster that they are for.",
    symptom="The agent joins the cluster `default`, or none: the Auto Scaling group grows, the "
    "cluster shows no container instance, and tasks stay PROVISIONING.",
    fix="Write ECS_CLUSTER=<name of the cluster> to /etc/ecs/ecs.config in the user data.",
    source="ECS developer guide, bootstrap_container_instance",
    seeds=("S0-C3",),
)
def join(subject: Subject) -> Iterator[Said]:
    """The cluster that instances join."""
    templates = _templates(subject)
    clusters = known(subject.plan.of_type("aws_ecs_cluster"), "name")
    if not templates or not clusters:
        raise CannotJudge("the plan does not make both an ECS cluster and its instances")
    for template in templates:
        script = _script(template["user_data"])
        if script is None:
            yield Unjudged(template.address, "its user data cannot be read")
            continue
        named = re.findall(r"(?:ECS_CLUSTER|\bcluster)\s*=\s*[\"']?([\w-]+)", script)
        wrong = [one for one in named if one not in clusters]
        if not named or wrong:
            said = f"it names {', '.join(wrong)}" if wrong else "it names no cluster"
            made = ", ".join(clusters)
            yield Finding(template.address, "user_data", f"{said}; the plan makes {made}")


def _meant(subject: Subject) -> str:
    """The architecture that most of the plan is for: of tasks and instances that say one."""
    said = [task.definition["runtime_platform.0.cpu_architecture"] for task in definitions(subject)]
    kinds = [template["instance_type"] for template in _templates(subject)]
    said += [
        _ARM64 if _GRAVITON.fullmatch(kind) else _X86 for kind in kinds if isinstance(kind, str)
    ]
    return _X86 if said.count(_X86) > said.count(_ARM64) else _ARM64


def _graviton(resource: Resource, path: str, graviton: bool) -> Iterator[Said]:  # noqa: FBT001
    value = resource[path]
    if opaque(value):
        yield Unjudged(resource.address, f"{path} {LATER}")
    elif value is None and blocks(resource["instance_requirements"]):
        yield Unjudged(resource.address, "it names no type, but what a type must have")
    elif bool(_GRAVITON.fullmatch(str(value))) != graviton:
        said = "not a Graviton type" if graviton else "a Graviton type"
        yield Finding(resource.address, path, f"{value or 'none'} is {said}")


def _templates(subject: Subject) -> tuple[Resource, ...]:
    """Launch templates of groups that a capacity provider or an ECS cluster uses; or all."""
    templates = subject.plan.of_type("aws_launch_template")
    arns = {
        provider["auto_scaling_group_provider.0.auto_scaling_group_arn"]
        for provider in subject.plan.of_type("aws_ecs_capacity_provider")
    }
    groups = [g for g in subject.plan.of_type("aws_autoscaling_group") if g["arn"] in arns]
    ids = {one for g in groups for one in _ids(g) if isinstance(one, str)}
    chosen = tuple(one for one in templates if one["id"] in list(ids) or one["name"] in list(ids))
    return chosen or templates


def _ids(group: Resource) -> Iterator[Any]:
    for key in ("id", "name"):
        yield group[f"launch_template.0.{key}"]
    mixed = "mixed_instances_policy.0.launch_template.0.launch_template_specification.0"
    yield group[f"{mixed}.launch_template_id"]
    yield group[f"{mixed}.launch_template_name"]


def _origin(subject: Subject, image_id: Any) -> str | None:
    """What an image is by its name; None where only a number is known."""
    if not isinstance(image_id, str):
        return None
    if image_id.startswith("resolve:ssm:"):
        return image_id
    for parameter in subject.plan.data("aws_ssm_parameter"):
        if image_id in {parameter["value"], parameter["insecure_value"]}:
            return str(parameter["name"])
    for found in subject.plan.data("aws_ami"):
        if found["id"] == image_id:
            return str(found["architecture"])
    return None


def _script(user_data: Any) -> str | None:
    if not isinstance(user_data, str):
        return "" if user_data is None else None
    try:
        decoded = base64.b64decode(user_data, validate=True)
        return decoded.decode()
    except (binascii.Error, UnicodeDecodeError):
        return user_data
