"""Groups of instances: a type of which is known what it carries, and numbers that go together."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import why_unknown
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.fit.services import placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject


@FAMILY.rule(
    "instance-type",
    holds="Each group of instances has a type of which is known what it carries.",
    symptom="Without a type no instance starts: The parameter InstanceType must be specified.",
    fix="Set instance_type in the launch template, such as m7g.large.",
    source="EC2 API, RunInstances; amazon-vpc-resource-controller-k8s, limits.go",
)
def instance_type(subject: Subject) -> Iterator[Said]:
    """A type that is not in the table is not judged; its architecture is for another family."""
    found = placings(subject)
    if not found.instances:
        raise CannotJudge("the plan has no Auto Scaling group")
    for one in found.instances:
        if one.template is not None and _typeless(one):
            yield Finding(one.template.address, "instance_type", "no instance type is set")
        elif one.type is None:
            yield Unjudged(one.group.address, why_unknown(one))
    yield Seen(", ".join(sorted({str(one.type_name) for one in found.instances})))


def _typeless(one: Instances) -> bool:
    """Whether nothing at all says of which type the instances are."""
    mixed = one.group["mixed_instances_policy"]
    if one.template is None or one.template["instance_type"] is not None:
        return False
    needs = one.template["instance_requirements"]
    return (mixed is None or mixed == []) and (needs is None or needs == [])


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
