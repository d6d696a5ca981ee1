"""Rules about what stands in the VPC: which groups it wears, in which zones it stands."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach.calls import fargate
from temporal_dsql_deploy.checks.reach.network import texts
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN, listed

_NETWORK, _OPTIONS = "network_configuration.0", "vpc_options.0"
_GROUPS: Mapping[str, str] = {
    "aws_ecs_service": f"{_NETWORK}.security_groups",
    "aws_launch_template": "vpc_security_group_ids",
    "aws_opensearch_domain": f"{_OPTIONS}.security_group_ids",
    "aws_vpc_endpoint": "security_group_ids",
    "aws_lb": "security_groups",
    "aws_ec2_client_vpn_endpoint": "security_group_ids",
}
_SUBNETS: Mapping[str, str] = {
    "aws_ecs_service": f"{_NETWORK}.subnets",
    "aws_autoscaling_group": "vpc_zone_identifier",
    "aws_opensearch_domain": f"{_OPTIONS}.subnet_ids",
    "aws_vpc_endpoint": "subnet_ids",
    "aws_lb": "subnets",
}


@FAMILY.rule(
    "group-named",
    holds="What stands in the VPC names its security groups and subnets, by their ids.",
    symptom=(
        "Without a group it wears the default group of the VPC, which nothing else lets in: it "
        "reaches nobody and nobody reaches it. A name or ARN for an id is refused at the apply: "
        "`InvalidGroup.NotFound`, `InvalidSubnetID.NotFound`."
    ),
    fix="Give it a security group of its own by its id.",
    source="VPC user guide, default security groups; ECS API, AwsVpcConfiguration",
)
def group_named(subject: Subject) -> Iterator[Said]:
    """Groups and subnets as they are named."""
    looked = 0
    for resource in subject.plan.of_type(*_GROUPS):
        path = _path_of_groups(resource)
        if path:
            looked += 1
            yield from _named(resource, path, "sg-", wanted=resource.type != "aws_lb")
    for resource in subject.plan.of_type(*_SUBNETS):
        if _stands(resource):
            yield from _named(resource, _SUBNETS[resource.type], "subnet-", wanted=False)
    if not looked:
        raise CannotJudge("the plan has nothing that wears security groups")
    yield Seen(f"{looked} resources with groups")


def _stands(resource: Resource) -> bool:
    """Whether it has network interfaces of its own in the VPC."""
    if resource.type == "aws_ecs_service":
        return resource[_NETWORK] is not None
    if resource.type == "aws_opensearch_domain":
        return resource[_OPTIONS] is not None
    if resource.type == "aws_vpc_endpoint":
        return bool(resource["vpc_endpoint_type"] == "Interface")
    return True


def _path_of_groups(resource: Resource) -> str:
    """Where its groups are named; empty where it wears none, or other resources say so."""
    if not _stands(resource):
        return ""
    inner = "network_interfaces.0.security_groups"
    if resource.type == "aws_launch_template" and resource[inner] not in (None, []):
        return inner
    return _GROUPS[resource.type]


def _named(resource: Resource, path: str, begins: str, *, wanted: bool) -> Iterator[Said]:
    value: Any = resource[path]
    if value is UNKNOWN:
        yield Unjudged(resource.address, f"{path} is known only after apply")
    elif wanted and value in (None, []):
        text = "no security group is named, so it wears the default group of the VPC"
        yield Finding(resource.address, path, text)
    for index, one in enumerate(listed(value)):
        if isinstance(one, str) and not one.startswith(begins):
            yield Finding(resource.address, f"{path}.{index}", f'"{one}" is no id: {begins}...')


@FAMILY.rule(
    "zones",
    holds="A service on EC2 has subnets in the zones of its instances, in all of them.",
    symptom=(
        "ECS places tasks only in zones for which the service has a subnet: instances in other "
        "zones stay empty, and with the loss of one zone all tasks go."
    ),
    fix="Name the same subnets in the services and in the Auto Scaling groups.",
    source="ECS developer guide, task-networking-awsvpc and task placement",
)
def zones(subject: Subject) -> Iterator[Said]:
    """Zones of services and of the instances that are to run them."""
    found = survey(subject)
    groups = [
        (group, _zones(found, group["vpc_zone_identifier"]))
        for group in subject.plan.of_type("aws_autoscaling_group")
    ]
    services = [
        (task.service, _zones(found, task.service[f"{_NETWORK}.subnets"]))
        for task in subject.tasks
        if task.service is not None and not fargate(task)
    ]
    of_instances = {zone for _, known in groups for zone in known or ()}
    of_services = {zone for _, known in services for zone in known or ()}
    if not of_instances or not of_services:
        raise CannotJudge("the zones of services or of instances are not in the plan")
    for resource, path, known, others, who in (
        *((s, f"{_NETWORK}.subnets", k, of_instances, "instances") for s, k in services),
        *((g, "vpc_zone_identifier", k, of_services, "services") for g, k in groups),
    ):
        missing = sorted(others - known) if known is not None else []
        if missing:
            text = f"no subnet in {', '.join(missing)}, where there are {who}"
            yield Finding(resource.address, path, text)
    yield Seen(f"{len(of_instances)} zones")


def _zones(found: Survey, subnets: Any) -> set[str] | None:
    """Zones of subnets; None where they are not all known."""
    known = texts(subnets)
    if not known or not found.network.knows(known):
        return None
    zones_of = {found.network.subnets[one]["availability_zone"] for one in known}
    return zones_of if all(isinstance(zone, str) for zone in zones_of) else None


@FAMILY.rule(
    "domain-zones",
    holds="A domain in the VPC has one subnet in each of the zones over which it is spread.",
    symptom=(
        "The apply fails: `ValidationException: You must specify exactly three subnets because "
        "you've set zone count to three`; or two thirds of the domain stand in one zone."
    ),
    fix="Name one subnet of each zone, as many as availability_zone_count; one without awareness.",
    source="OpenSearch Service developer guide, VPC support and Multi-AZ",
)
def domain_zones(subject: Subject) -> Iterator[Said]:
    """Subnets of the domain against the zones that it is to have."""
    network = survey(subject).network
    domains = [one for one in subject.plan.of_type("aws_opensearch_domain") if _stands(one)]
    if not domains:
        raise CannotJudge("the plan has no domain in a VPC")
    for domain in domains:
        path = _SUBNETS[domain.type]
        subnets, wanted = texts(domain[path]), _zone_count(domain)
        if subnets is None or wanted is None:
            yield Unjudged(domain.address, "its subnets or zones are not known")
            continue
        if len(subnets) != wanted:
            text = f"{len(subnets)} subnets for {wanted} zones"
            yield Finding(domain.address, path, text)
        elif network.knows(subnets):
            zones_of = {network.subnets[one]["availability_zone"] for one in subnets}
            if UNKNOWN not in zones_of and len(zones_of) < wanted:
                text = f"all subnets are in {', '.join(map(str, sorted(zones_of)))}"
                yield Finding(domain.address, path, text)
    yield Seen(f"{len(domains)} domains")


def _zone_count(domain: Resource) -> int | None:
    """Zones over which a domain is spread; None where that is not known."""
    aware = domain["cluster_config.0.zone_awareness_enabled"]
    if aware is False or aware is None:
        return 1
    count = domain["cluster_config.0.zone_awareness_config.0.availability_zone_count"]
    if aware is not True:
        return None
    # What AWS takes where nothing is said.
    return 2 if count is None else count if isinstance(count, int) else None
