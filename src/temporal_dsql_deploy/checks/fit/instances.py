"""Groups of instances: a type that is known and runs the images, and a provider that scales it."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import why_unknown
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.fit.services import (
    FARGATE,
    attachment,
    on_fargate,
    placings,
    providers,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN

_GRAVITON = re.compile(r"(a1|[a-z]+[0-9]+g[a-z]*)[.].+")
_PROVIDER = "auto_scaling_group_provider.0"


@FAMILY.rule(
    "instance-type",
    holds="Instances have the CPU architecture of the tasks that run on them.",
    symptom="unable to place a task because no container instance met all of its requirements, or "
    "exec format error where the task names no architecture.",
    fix="Take an instance type of the same architecture: Graviton, such as m7g.large, for ARM64.",
    source="ECS developer guide, ecs-arm64: ECS places a task of an architecture only there",
    seeds=("S0-P2",),
)
def instance_type(subject: Subject) -> Iterator[Said]:
    """Tasks by their runtime platform; a type that is not in the table is not judged."""
    found = placings(subject)
    if not found.instances:
        raise CannotJudge("the plan has no Auto Scaling group")
    for one in found.instances:
        if one.type_name is None or one.template is None:
            yield Unjudged(one.group.address, why_unknown(one))
            continue
        there = "ARM64" if _GRAVITON.fullmatch(one.type_name) else "X86_64"
        wanted = _architectures(subject, one)
        if wanted - {there}:
            yield Finding(
                one.template.address,
                "instance_type",
                f"{one.type_name} is {there}, and tasks are {', '.join(sorted(wanted))}",
            )
        elif one.type is None:
            yield Unjudged(one.template.address, why_unknown(one))
    yield Seen(", ".join(sorted({str(one.type_name) for one in found.instances})))


def _architectures(subject: Subject, one: Instances) -> set[str]:
    """What tasks of a group say they are; of all tasks where none is known to run there."""
    found = placings(subject)
    mine = [
        placing.task
        for placing in found.services
        if placing.kind and one.name in placing.kind.groups
    ]
    if not mine:
        mine = [task for task in subject.tasks if not on_fargate(subject, task)]
    said = (task.definition["runtime_platform.0.cpu_architecture"] for task in mine)
    return {each for each in said if isinstance(each, str)}


@FAMILY.rule(
    "instance-count",
    holds="Each group of instances has min_size <= desired_capacity <= max_size, and may have one.",
    symptom="The apply fails: Desired capacity must be between the specified min size and max "
    "size. With max_size 0 tasks stay in PROVISIONING for ever.",
    fix="Set min_size to 0 or more, max_size to 1 or more, and desired_capacity between the two.",
    source="EC2 Auto Scaling API, CreateAutoScalingGroup; ECS developer guide, "
    "asg-capacity-providers",
)
def instance_count(subject: Subject) -> Iterator[Said]:
    """The three numbers of each group."""
    found = placings(subject).instances
    if not found:
        raise CannotJudge("the plan has no Auto Scaling group")
    for one in found:
        if one.sizes is None:
            yield Unjudged(one.group.address, "one of its sizes is not known")
            continue
        least, wanted, most = one.sizes
        said = f"min_size {least}, desired_capacity {wanted}, max_size {most}"
        if most < 1:
            yield Finding(one.group.address, "max_size", said)
        elif least > most:
            yield Finding(one.group.address, "min_size", said)
        elif not least <= wanted <= most:
            yield Finding(one.group.address, "desired_capacity", said)
    yield Seen(f"{len(found)} groups")


@FAMILY.rule(
    "capacity-provider",
    holds="Each service has a capacity provider that is attached to its cluster and scales its "
    "instances.",
    symptom="The apply fails: InvalidParameterException: The specified capacity provider was not "
    "found. A service without one gets no new instance: its tasks fail with unable to place a "
    "task, and nothing adds room.",
    fix="Name the provider in capacity_provider_strategy with a weight of 1, attach it by "
    "aws_ecs_cluster_capacity_providers, and set its managed_scaling status to ENABLED.",
    source="ECS developer guide, asg-capacity-providers, managed-scaling-behavior and "
    "managed-termination-protection",
)
def capacity_provider(subject: Subject) -> Iterator[Said]:
    """Services by their strategy, and providers by what they need of their group."""
    found = placings(subject)
    services = [one for one in subject.tasks if one.service and not on_fargate(subject, one)]
    if not services:
        raise CannotJudge("the plan has no service on EC2 instances")
    said: list[Said] = []
    for task in services:
        if task.service:
            said.extend(_service(subject, task.service, found.instances))
    for one in found.instances:
        said.extend(_provider(one))
    yield from dict.fromkeys(said)
    yield Seen(f"{len(services)} services, {len(found.instances)} groups")


def _service(subject: Subject, service: Resource, there: tuple[Instances, ...]) -> Iterator[Said]:
    names = providers(subject, service)
    attached = _attached(subject, service)
    if names is None:
        yield Unjudged(service.address, "its capacity provider is not known")
    elif not names and any(one.managed for one in there):
        yield Finding(
            service.address,
            "capacity_provider_strategy",
            "it has no capacity provider with a weight, and neither has its cluster a default: "
            "ECS adds no instance for its tasks",
        )
    for name in names or ():
        if attached is None:
            reason = f"whether capacity provider {name} is attached to its cluster is not known"
            yield Unjudged(service.address, reason)
        elif name not in attached:
            yield Finding(
                service.address,
                "capacity_provider_strategy",
                f"{name} is not among the cluster's: {', '.join(sorted(attached)) or 'none'}",
            )
        elif name not in {*FARGATE, *(one.name for one in there if one.provider)}:
            yield from _missing(service, name, there)


def _missing(service: Resource, name: str, there: tuple[Instances, ...]) -> Iterator[Said]:
    """A provider that the plan does not make, perhaps for a group that it does make."""
    left = [one for one in there if one.provider is None]
    if not left:
        yield Unjudged(service.address, f"capacity provider {name} is not in the plan")
    for one in left:
        yield Finding(
            one.group.address,
            "",
            f"no capacity provider of the plan scales it, and {name}, which {service['name']} "
            "asks for, is not in the plan",
            fix="Make an aws_ecs_capacity_provider with the group's auto_scaling_group_arn.",
        )


def _attached(subject: Subject, service: Resource) -> set[str] | None:
    """Capacity providers of a service's cluster; None where they are not in the plan."""
    listed = attachment(subject, service)
    if listed is not None:
        names = listed["capacity_providers"]
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            return set(names)
        return set() if names is None else None
    # A cluster that the plan makes, and to which it attaches nothing, has none.
    made = {
        cluster[key]
        for cluster in subject.plan.of_type("aws_ecs_cluster")
        for key in ("arn", "id", "name")
        if isinstance(cluster[key], str)
    }
    return set() if isinstance(service["cluster"], str) and service["cluster"] in made else None


def _provider(one: Instances) -> Iterator[Said]:
    provider = one.provider
    if provider is None:
        return
    status = provider[f"{_PROVIDER}.managed_scaling.0.status"]
    if status is UNKNOWN:
        yield Unjudged(provider.address, "whether it scales its group is not known")
        return
    if status != "ENABLED" and one.sizes and one.sizes[0] != one.sizes[2]:
        yield Finding(
            provider.address,
            f"{_PROVIDER}.managed_scaling",
            f"managed scaling is {status or 'not set'}: ECS leaves the group at its "
            f"desired_capacity of {one.sizes[1]}",
        )
    if provider[f"{_PROVIDER}.managed_termination_protection"] == "ENABLED":
        protected = one.group["protect_from_scale_in"]
        if protected is not True and protected is not UNKNOWN:
            yield Finding(
                one.group.address,
                "protect_from_scale_in",
                f"managed termination protection of {one.name} needs it",
                symptom="The apply fails: The managed termination protection setting for the "
                "capacity provider is invalid.",
                fix="Set protect_from_scale_in = true.",
            )
        if status != "ENABLED":
            yield Finding(
                provider.address,
                f"{_PROVIDER}.managed_termination_protection",
                "it is ENABLED without managed scaling",
                symptom="The apply fails: managed termination protection needs managed scaling.",
                fix="Enable managed scaling, or disable the protection.",
            )
