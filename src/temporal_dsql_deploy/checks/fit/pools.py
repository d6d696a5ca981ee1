"""The groups of instances of a plan, as Auto Scaling and ECS's capacity providers have them."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.capacity.instances import InstanceType, Room, instance_types
from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.values import UNKNOWN

_ATTRIBUTES = re.compile(r"^[^#\n]*ECS_INSTANCE_ATTRIBUTES=['\"]?(\{[^}]*\})", re.MULTILINE)
_RESERVED = re.compile(r"^[^#\n]*ECS_RESERVED_MEMORY=['\"]?(\d+)", re.MULTILINE)
Resources = Plan | State


@dataclass(frozen=True, slots=True)
class Instances:
    """One Auto Scaling group, with what starts and what scales it."""

    group: Resource
    """The `aws_autoscaling_group`."""
    provider: Resource | None
    """The `aws_ecs_capacity_provider`; None where ECS does not scale it."""
    template: Resource | None
    """What has its instance type: launch template or configuration, or the group itself."""
    type_name: str | None
    """None where it is not known."""
    zones: tuple[str, ...] | None
    """None where they are not known."""
    attributes: Mapping[str, str] | None = None
    """What placement constraints may ask for; None where its user data is not known."""
    reserved_mib: int = 0
    """What the agent is told to leave to the system: ECS_RESERVED_MEMORY."""

    @property
    def name(self) -> str:
        """The provider's name, by which services call it, or the group's."""
        named = self.provider["name"] if self.provider else self.group["name"]
        return named if isinstance(named, str) else self.group.address

    @property
    def type(self) -> InstanceType | None:
        """What is known of its type; None where the table has none."""
        return instance_types().get(self.type_name or "")

    @property
    def managed(self) -> bool | None:
        """Whether ECS adds instances when tasks find no room; None where it is not known."""
        path = "auto_scaling_group_provider.0.managed_scaling.0.status"
        status = self.provider[path] if self.provider else None
        return None if status is UNKNOWN else status == "ENABLED"

    @property
    def sizes(self) -> tuple[int, int, int] | None:
        """min_size, desired_capacity and max_size; None where not all are known."""
        least, wanted, most = (
            self.group[key] for key in ("min_size", "desired_capacity", "max_size")
        )
        if wanted is None:
            wanted = least
        if not all(isinstance(number, int | float) for number in (least, wanted, most)):
            return None
        return int(least), int(wanted), int(most)

    def room(self, *, trunking: bool) -> Room | None:
        """Room on one empty instance; None where the type is not known."""
        if self.type is None:
            return None
        room = self.type.room(trunking=trunking)
        return Room(room.cpu, room.memory_mib - self.reserved_mib, room.interfaces)


def instances(plan: Resources) -> tuple[Instances, ...]:
    """All groups of instances that tasks may run on, by address."""
    return tuple(_instances(plan, group) for group in plan.of_type("aws_autoscaling_group"))


def trunking(plan: Resources) -> bool | None:
    """Whether the plan switches `awsvpcTrunking` on or off; None where it says nothing of it."""
    for setting in plan.of_type("aws_ecs_account_setting_default"):
        if setting["name"] == "awsvpcTrunking" and isinstance(setting["value"], str):
            return setting["value"] in {"enabled", "on"}
    return None


def zones_of(plan: Resources, subnets: Any) -> tuple[str, ...] | None:
    """The zones of subnets; a subnet that is not in the plan counts as a zone of its own."""
    if not isinstance(subnets, list | tuple) or not subnets:
        return None
    if not all(isinstance(subnet, str) for subnet in subnets):
        return None
    known: dict[str, str] = {}
    for subnet in (*plan.of_type("aws_subnet"), *plan.data("aws_subnet")):
        if isinstance(subnet["id"], str) and isinstance(subnet["availability_zone"], str):
            known[subnet["id"]] = subnet["availability_zone"]
    return tuple(dict.fromkeys(known.get(str(subnet), str(subnet)) for subnet in subnets))


def provider_of(plan: Resources, group: Resource) -> Resource | None:
    """The capacity provider of an Auto Scaling group."""
    providers = plan.of_type("aws_ecs_capacity_provider")
    path = "auto_scaling_group_provider.0.auto_scaling_group_arn"
    if not isinstance(group["arn"], str):
        return _beside(group, list(providers))
    for provider in providers:
        if provider[path] == group["arn"]:
            return provider
    return _beside(group, [one for one in providers if one[path] is UNKNOWN])


def _instances(plan: Resources, group: Resource) -> Instances:
    template = _template(plan, group)
    settings = user_data(template)
    said = _ATTRIBUTES.search(settings or "")
    reserved = _RESERVED.search(settings or "")
    zones = zones_of(plan, group["vpc_zone_identifier"])
    if zones is None and isinstance(named := group["availability_zones"], list | tuple):
        zones = tuple(zone for zone in named if isinstance(zone, str)) or None
    return Instances(
        group=group,
        provider=provider_of(plan, group),
        template=template,
        type_name=_type(group, template),
        zones=zones,
        attributes=None if settings is None else _attributes(said[1] if said else ""),
        reserved_mib=int(reserved[1]) if reserved else 0,
    )


def _template(plan: Resources, group: Resource) -> Resource | None:
    templates = plan.of_type("aws_launch_template")
    mixed = "mixed_instances_policy.0.launch_template.0.launch_template_specification.0"
    for given in (group["launch_template.0"], group[mixed]):
        if isinstance(given, Mapping):
            keys = ("id", "name", "launch_template_id", "launch_template_name")
            wanted = {named for key in keys if isinstance(named := given.get(key), str)}
            for template in templates:
                if {template[key] for key in ("id", "name") if isinstance(template[key], str)} & (
                    wanted
                ):
                    return template
            return _beside(group, [one for one in templates if one["id"] is UNKNOWN])
    configurations = plan.of_type("aws_launch_configuration")
    for one in configurations:
        if isinstance(one["name"], str) and one["name"] == group["launch_configuration"]:
            return one
    return _beside(group, list(configurations))


def _beside(group: Resource, others: list[Resource]) -> Resource | None:
    """What stands with a group before either has an ARN: same module, and same key or alone."""
    beside = [one for one in others if one.module == group.module]
    keyed = [one for one in beside if one.index == group.index]
    return keyed[0] if len(keyed) == 1 else beside[0] if len(beside) == 1 else None


def _type(group: Resource, template: Resource | None) -> str | None:
    """The instance type; of several, which a group may mix, none is known."""
    overrides = group["mixed_instances_policy.0.launch_template.0.override"]
    if isinstance(overrides, list) and overrides:
        named = [each.get("instance_type") for each in overrides if isinstance(each, Mapping)]
        first = named[0] if named else None
        return first if isinstance(first, str) and set(map(str, named)) == {first} else None
    given = template["instance_type"] if template else None
    return given if isinstance(given, str) else None


def user_data(template: Resource | None) -> str | None:
    """The script with which an instance starts, in clear; None where it is not known."""
    if template is None:
        return None
    given = (
        template["user_data_base64"] or template["user_data"]
        if (isinstance(template["user_data_base64"], str | None))
        else UNKNOWN
    )
    if given is None:
        return ""
    if not isinstance(given, str):
        return None
    try:
        return base64.b64decode(given, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return given


def _attributes(text: str) -> dict[str, str]:
    try:
        said = json.loads(text)
    except ValueError:
        return {}
    return {str(key): str(value) for key, value in said.items()} if isinstance(said, dict) else {}
