"""Groups of instances: a type that is known and runs the images, and numbers that go together."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import why_unknown
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.fit.services import on_fargate, placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_GRAVITON = re.compile(r"(a1|[a-z]+[0-9]+g[a-z]*)[.].+")


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
        if one.template is not None and _typeless(one):
            yield Finding(
                one.template.address,
                "instance_type",
                "no instance type is set",
                symptom="No instance starts: The parameter InstanceType must be specified.",
            )
        elif one.template is None or one.type_name is None:
            yield Unjudged(one.group.address, why_unknown(one))
        else:
            yield from _type(subject, one, one.template.address, one.type_name)
    yield Seen(", ".join(sorted({str(one.type_name) for one in found.instances})))


def _type(subject: Subject, one: Instances, address: str, name: str) -> Iterator[Said]:
    there = "ARM64" if _GRAVITON.fullmatch(name) else "X86_64"
    wanted = _architectures(subject, one)
    if wanted - {there}:
        said = f"{name} is {there}, and tasks are {', '.join(sorted(wanted))}"
        yield Finding(address, "instance_type", said)
    elif one.type is None:
        yield Unjudged(address, why_unknown(one))


def _typeless(one: Instances) -> bool:
    """Whether nothing at all says of which type the instances are."""
    mixed = one.group["mixed_instances_policy"]
    if one.template is None or one.template["instance_type"] is not None:
        return False
    needs = one.template["instance_requirements"]
    return (mixed is None or mixed == []) and (needs is None or needs == [])


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
        missing = [key for key in ("min_size", "max_size") if one.group[key] is None]
        if missing:
            yield Finding(one.group.address, missing[0], f"{missing[0]} is not set")
            continue
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
