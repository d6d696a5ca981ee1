"""What the emulated ECS asks of the other services of the emulated AWS, by moto's own objects."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT
from temporal_dsql_deploy.rehearsal.ecs import words
from temporal_dsql_deploy.rehearsal.network import rules

_CLUSTER = re.compile(r"^\s*ECS_CLUSTER=(\S+)", re.MULTILINE)
_ATTRIBUTES = re.compile(r"^\s*ECS_INSTANCE_ATTRIBUTES=(.+)$", re.MULTILINE)


class CannotStart(Exception):
    """Why a task does not start, in ECS's words."""


def region_of(arn: str) -> str:
    """The region of an ARN."""
    return arn.split(":")[3]


def ecs(region: str) -> Any:
    """moto's ECS."""
    from moto.ecs.models import ecs_backends

    return ecs_backends[ACCOUNT][region]


def ec2(region: str) -> Any:
    """moto's EC2."""
    from moto.ec2.models import ec2_backends

    return ec2_backends[ACCOUNT][region]


def auto_scaling(region: str) -> Any:
    """moto's Auto Scaling."""
    from moto.autoscaling.models import autoscaling_backends

    return autoscaling_backends[ACCOUNT][region]


@dataclass(frozen=True, slots=True)
class Subnet:
    """One subnet of the VPC."""

    id: str
    cidr: str
    zone: str


def subnets(region: str, ids: Sequence[str]) -> list[Subnet]:
    """Subnets by their ids; those that are not there are left out."""
    # Others may change what is iterated: lists are made in one step.
    zones = list(ec2(region).subnets.values())
    there = {each.id: each for zone in zones for each in list(zone.values())}
    return [
        Subnet(name, str(there[name].cidr_block), str(there[name].availability_zone))
        for name in ids
        if name in there
    ]


def security_group_rules(region: str) -> tuple[rules.Rule, ...]:
    """All rules of all groups."""
    backend = ec2(region)
    lists = {
        name: [entry["Cidr"] for entries in each.entries.values() for entry in entries]
        for name, each in list(backend.managed_prefix_lists.items())
    }
    there = list(backend.describe_security_group_rules([], {}))
    return rules.read([_described(rule) for rule in there], lists)


def _described(rule: Any) -> Mapping[str, Any]:
    """As ec2:DescribeSecurityGroupRules names it."""
    return {
        "GroupId": rule.group_id,
        "IsEgress": rule.is_egress,
        "IpProtocol": rule.ip_protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIpv4": rule.ip_range.get("CidrIp"),
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupInfo": {"GroupId": rule.source_group.get("GroupId")},
    }


def secret(region: str, source: str, missing: Iterable[str] = ()) -> str:
    """The value that a `valueFrom` of a container's secrets names. Raises CannotStart."""
    if ":secretsmanager:" in source:
        return _secret(source, missing)
    return _parameter(region, source, missing)


def _secret(source: str, missing: Iterable[str]) -> str:
    from moto.secretsmanager.models import secretsmanager_backends

    parts = source.split(":")
    arn = ":".join(parts[:7])
    key, stage, version = [*parts[7:], "", "", ""][:3]
    if any(name in arn for name in missing):
        raise CannotStart(words.no_secret(arn, _NOT_FOUND))
    backend = secretsmanager_backends[ACCOUNT][region_of(arn)]
    try:
        said = backend.get_secret_value(arn, version, stage)
    except Exception as error:
        raise CannotStart(words.no_secret(arn, _NOT_FOUND)) from error
    value = str(said.get("SecretString", ""))
    if not key:
        return value
    try:
        return str(json.loads(value)[key])
    except (ValueError, KeyError, TypeError) as error:
        raise CannotStart(words.no_key(key)) from error


_NOT_FOUND = "ResourceNotFoundException: Secrets Manager can't find the specified secret."


def _parameter(region: str, source: str, missing: Iterable[str]) -> str:
    from moto.ssm.models import ssm_backends

    name = "/" + source.partition(":parameter/")[2] if ":parameter/" in source else source
    found = None
    if not any(one in name for one in missing):
        backend = ssm_backends[ACCOUNT][region]
        found = backend.get_parameter(name) or backend.get_parameter(name.removeprefix("/"))
    if found is None:
        raise CannotStart(words.no_parameter(name))
    return str(found.decrypt(found.value))


def has_log_group(region: str, group: str) -> bool:
    """Whether CloudWatch Logs has it."""
    return group in _logs(region).groups


def write_log(region: str, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
    """Add lines to a log stream; each with its time in milliseconds of the epoch."""
    from moto.logs.exceptions import ResourceNotFoundException

    backend = _logs(region)
    try:
        backend.ensure_log_stream(group, stream)
        # Those of one millisecond stay as they were printed.
        in_time = sorted(events, key=lambda event: event[0])
        listed = [{"timestamp": at, "message": message} for at, message in in_time]
        backend.put_log_events(group, stream, listed)
    except ResourceNotFoundException:
        # The group was deleted while the task runs; the driver drops lines too.
        return


def _logs(region: str) -> Any:
    from moto.logs.models import logs_backends

    return logs_backends[ACCOUNT][region]


def dns_name(registry: str) -> str:
    """The name that a service of a private DNS namespace gives; empty for one without."""
    from moto.servicediscovery.models import servicediscovery_backends

    backend = servicediscovery_backends[ACCOUNT][region_of(registry)]
    service = backend.services.get(registry.rpartition("/")[2])
    if service is None or service.dns_config is None:
        return ""
    # Terraform names the namespace in the DNS configuration, others beside it.
    chosen = service.namespace_id or service.dns_config.get("NamespaceId", "")
    namespace = backend.namespaces.get(chosen)
    return f"{service.name}.{namespace.name}" if namespace else ""


def namespace_name(namespace: str, region: str) -> str:
    """The name of a Cloud Map namespace given by its name, its id or its ARN."""
    from moto.servicediscovery.models import servicediscovery_backends

    there = list(servicediscovery_backends[ACCOUNT][region].namespaces.values())
    last = namespace.rpartition("/")[2]
    return next((str(one.name) for one in there if last in {one.id, one.name}), last)


@dataclass(frozen=True, slots=True)
class Machine:
    """An EC2 instance that would join a cluster."""

    id: str
    cluster: str
    """Name."""
    group: str
    type: str
    zone: str
    attributes: Mapping[str, str]


def machines(region: str) -> Iterator[Machine]:
    """EC2 instances that run and whose user data name a cluster."""
    groups = {
        state.instance.id: group.name
        for group in list(auto_scaling(region).autoscaling_groups.values())
        for state in list(group.instance_states)
    }
    for instance in list(ec2(region).all_instances()):
        if instance.state != "running":
            continue
        text = _text(instance.user_data)
        found = _CLUSTER.search(text)
        if found is None:
            continue
        attributes = _ATTRIBUTES.search(text)
        yield Machine(
            str(instance.id),
            found[1],
            groups.get(instance.id, ""),
            str(instance.instance_type),
            str(instance.placement.zone),
            json.loads(attributes[1]) if attributes else {},
        )


def _text(user_data: Any) -> str:
    raw = str(user_data or "")
    try:
        return base64.b64decode(raw, validate=True).decode()
    except ValueError:
        return raw


@dataclass(frozen=True, slots=True)
class Provider:
    """A capacity provider of an Auto Scaling group."""

    name: str
    group: str
    scales: bool
    desired: int
    largest: int
    type: str
    zones: tuple[str, ...]


def provider(region: str, name: str) -> Provider | None:
    """One by its name; None for FARGATE and those that are not there."""
    found = ecs(region)._get_provider(name)
    if found is None:
        return None
    details = found.auto_scaling_group_provider
    arn = str(details["autoScalingGroupArn"])
    group = next(
        (
            each
            for each in list(auto_scaling(region).autoscaling_groups.values())
            if arn in {each.arn, each.name}
        ),
        None,
    )
    if group is None:
        return None
    ids = str(group.vpc_zone_identifier or "").split(",")
    return Provider(
        name,
        str(group.name),
        details["managedScaling"].get("status") == "ENABLED",
        int(group.desired_capacity or 0),
        int(group.max_size),
        str(group.instance_type),
        tuple(each.zone for each in subnets(region, ids)),
    )


def is_trunking(region: str) -> bool:
    """Whether the account setting awsvpcTrunking is switched on."""
    setting = ecs(region).account_settings.get("awsvpcTrunking")
    return setting is not None and setting.value == "enabled"
