"""Instances start, and their agent finds what it needs."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.pools import user_data
from temporal_dsql_deploy.checks.fit.services import placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN

IMAGE_GIB = 30
_IMAGE = re.compile(r"ami-[0-9a-f]{8}([0-9a-f]{9})?|resolve:ssm:.+")
_BOTTLEROCKET = re.compile(r"^\s*\[settings\b", re.MULTILINE)
"""In its user data. Its root volume has 2 GiB; tasks are on /dev/xvdb."""
_METADATA = "metadata_options.0"


@FAMILY.rule(
    "instance-launch",
    holds="Instances start from an image that fits their volume, and their agent reaches the "
    "instance metadata.",
    symptom="The Auto Scaling group counts instances and the cluster has none: tasks stay in "
    "PROVISIONING for ever.",
    fix="Take the ECS-optimised image, a root volume of 30 GiB or more, and leave the metadata "
    "service on.",
    source="ECS developer guide, ecs-optimized AMIs, whose snapshot has 30 GiB; EC2 API, "
    "LaunchTemplate",
)
def instance_launch(subject: Subject) -> Iterator[Said]:
    """What the launch template of each group says."""
    found = placings(subject)
    if not found.instances:
        raise CannotJudge("the plan has no Auto Scaling group")
    for one in found.instances:
        if one.template is None:
            yield Unjudged(one.group.address, "its launch template is not in the plan")
            continue
        yield from _image(one.template)
        yield from _volume(one.template)
        yield from _metadata(one.template)
    yield Seen(f"{len(found.instances)} groups")


def _image(template: Resource) -> Iterator[Finding]:
    image = template["image_id"]
    if image is None or (isinstance(image, str) and not _IMAGE.fullmatch(image)):
        yield Finding(
            template.address,
            "image_id",
            f"it is {image!r}",
            symptom="No instance starts: the image id is missing or malformed.",
        )


def _volume(template: Resource) -> Iterator[Finding]:
    devices = template["block_device_mappings"]
    for number in range(len(devices) if isinstance(devices, list | tuple) else 0):
        path = f"block_device_mappings.{number}"
        size, name = template[f"{path}.ebs.0.volume_size"], template[f"{path}.device_name"]
        small = isinstance(size, int) and size < IMAGE_GIB
        if name == "/dev/xvda" and small and not _BOTTLEROCKET.search(user_data(template) or ""):
            yield Finding(
                template.address,
                f"{path}.ebs.0.volume_size",
                f"{size} GiB, and the snapshot of the image has {IMAGE_GIB}",
                symptom="No instance starts: Volume of that size is smaller than snapshot.",
            )


def _metadata(template: Resource) -> Iterator[Finding]:
    for key, known in (("http_endpoint", ("enabled",)), ("http_tokens", ("required", "optional"))):
        value = template[f"{_METADATA}.{key}"]
        if value is not UNKNOWN and value is not None and value not in known:
            yield Finding(
                template.address,
                f"{_METADATA}.{key}",
                f"it is {value!r}",
                symptom="The agent finds neither its instance nor its role, and joins no cluster.",
                fix=f"Set {key} to {known[0]}.",
            )
    hops = template[f"{_METADATA}.http_put_response_hop_limit"]
    if isinstance(hops, int) and not 1 <= hops <= 64:
        yield Finding(
            template.address,
            f"{_METADATA}.http_put_response_hop_limit",
            f"{hops}, and EC2 takes 1 to 64",
            symptom="The apply fails: the hop limit is out of range.",
            fix="Set it to 1.",
        )
