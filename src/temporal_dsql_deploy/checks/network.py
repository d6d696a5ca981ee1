"""Property 1: nothing has a public address, and no private subnet leads out by itself."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import LATER, blocks, known, on, opaque, several, texts
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

FAMILY = Family("network", "Nothing has a public address")
_NO_ADDRESS = (
    "address of its own from the internet's range; its security groups alone keep others out"
)
_ANYWHERE = {"0.0.0.0/0", "::/0"}
_PROPERTY = (
    "The property as written is false for every plan with a NAT gateway, which cannot be had "
    "without an Elastic IP (VPC user guide, NAT gateways). Proven is: no address on tasks, "
    "instances and load balancers, and every Elastic IP belongs to a NAT gateway."
)


@FAMILY.rule(
    "task-address",
    holds="No service gives its tasks public addresses.",
    symptom=f"Each task has an {_NO_ADDRESS}. On EC2 instances ECS refuses the service: "
    "`Assign public IP is not supported for this launch type`.",
    fix="Set assign_public_ip = false; a task goes out by a NAT gateway or VPC endpoints.",
    source="ECS API, AwsVpcConfiguration",
    seeds=("S0-PR1", "S0-P4", "S1-2.5*"),
    meaning=_PROPERTY,
)
def task_address(subject: Subject) -> Iterator[Said]:
    """Public addresses of tasks."""
    services = subject.plan.of_type("aws_ecs_service")
    if not services:
        raise CannotJudge("the plan has no ECS service")
    for service in services:
        yield from _off(service, "network_configuration.0.assign_public_ip", "tasks")
    yield Seen(f"{len(services)} services")


@FAMILY.rule(
    "instance-address",
    holds="No instance and no launch template asks for a public address.",
    symptom=f"Each instance has an {_NO_ADDRESS}.",
    fix="Set associate_public_ip_address = false, or leave the network interface out.",
    source="EC2 API, LaunchTemplateInstanceNetworkInterfaceSpecificationRequest",
    seeds=("S0-PR1", "S0-P4", "S1-2.5*"),
    meaning=_PROPERTY,
)
def instance_address(subject: Subject) -> Iterator[Said]:
    """Public addresses of instances."""
    templates = subject.plan.of_type("aws_launch_template")
    others = subject.plan.of_type("aws_launch_configuration", "aws_instance")
    if not templates and not others:
        raise CannotJudge("the plan has no instances")
    for template in templates:
        for index, _ in enumerate(blocks(template["network_interfaces"])):
            path = f"network_interfaces.{index}.associate_public_ip_address"
            yield from _off(template, path, "instances")
    for other in others:
        # Where nothing is said, the subnet decides: another rule looks at that.
        if other["associate_public_ip_address"] is True:
            yield Finding(
                other.address, "associate_public_ip_address", "instances get public addresses"
            )
    yield Seen(f"{len(templates) + len(others)} templates and instances")


@FAMILY.rule(
    "subnet-address",
    holds="No subnet gives public addresses to what starts in it.",
    symptom=f"An instance that starts there has an {_NO_ADDRESS}.",
    fix="Set map_public_ip_on_launch = false; a NAT gateway brings its own address.",
    source="VPC user guide, IP addressing of subnets",
    seeds=("S0-PR1", "S0-P4", "S0-N3", "S1-2.5*"),
    meaning=_PROPERTY,
)
def subnet_address(subject: Subject) -> Iterator[Said]:
    """Subnets that hand addresses out."""
    subnets = subject.plan.of_type("aws_subnet", "aws_default_subnet")
    if not subnets:
        raise CannotJudge("the plan has no subnets")
    for subnet in subnets:
        yield from _off(subnet, "map_public_ip_on_launch", "what starts in it")
    yield Seen(f"{len(subnets)} subnets")


@FAMILY.rule(
    "elastic-address",
    holds="Every Elastic IP belongs to a NAT gateway, or to an instance that translates.",
    symptom="Something of the cluster can be called from the internet, or an address is paid for "
    "and used by nothing.",
    fix="Take the address away; reach tasks by SSM port forwarding or Client VPN.",
    source="VPC user guide, NAT gateways",
    seeds=("S0-PR1", "S0-N3", "S1-2.5*"),
    meaning=_PROPERTY,
)
def elastic_address(subject: Subject) -> Iterator[Said]:
    """Elastic IPs and what wears them."""
    addresses = subject.plan.of_type("aws_eip")
    gateways = subject.plan.of_type("aws_nat_gateway")
    used = [gateway["allocation_id"] for gateway in gateways]
    unsure = any(opaque(one) for one in used)
    for address in addresses:
        allocation = address["allocation_id"]
        allocation = address["id"] if opaque(allocation) or allocation is None else allocation
        of_gateway = isinstance(allocation, str) and allocation in used
        # Once applied, the address of a gateway names the gateway's own network interface.
        wearers = ("instance",) if of_gateway else ("instance", "network_interface")
        worn = next((each for each in wearers if _text(address[each])), None)
        if worn and address[worn] in _translators(subject):
            continue
        if worn:
            yield Finding(address.address, worn, f"it is the address of {address[worn]}")
        elif of_gateway:
            continue
        elif unsure or opaque(allocation):
            yield Unjudged(address.address, f"which NAT gateway has it {LATER}")
        else:
            yield Finding(address.address, "", "no NAT gateway of the plan has it")
    for tie in subject.plan.of_type("aws_eip_association"):
        if not {tie["instance_id"], tie["network_interface_id"]} & _translators(subject):
            yield Finding(tie.address, "", "an Elastic IP is tied to an instance or interface")
    yield Seen(f"{len(addresses)} Elastic IPs, {len(gateways)} NAT gateways")


@FAMILY.rule(
    "load-balancer",
    holds="No load balancer faces the internet.",
    symptom="Temporal's frontend asks nobody who he is: whoever reaches the balancer can read and "
    "start workflows in every namespace.",
    fix="Set internal = true; let applications of other VPCs in by PrivateLink.",
    source="Elastic Load Balancing user guide, scheme",
    seeds=("S0-PR1", "S1-2.5*"),
    meaning=_PROPERTY,
)
def load_balancer(subject: Subject) -> Iterator[Said]:
    """Load balancers that face the internet."""
    balancers = subject.plan.of_type("aws_lb", "aws_alb", "aws_elb")
    for balancer in balancers:
        internal = on(balancer["internal"])
        if internal is None:
            yield Unjudged(balancer.address, f"internal {LATER}")
        elif not internal:
            yield Finding(balancer.address, "internal", "it is not internal")
    yield Seen(f"{len(balancers)} load balancers")


@FAMILY.rule(
    "private-route",
    holds="No subnet of tasks, instances or the domain has a route to an internet gateway.",
    symptom="The subnet is a public one: what gets an address in it can be called from the "
    "internet, and what gets none cannot call out, since an internet gateway translates nothing: "
    "`CannotPullContainerError: ... dial tcp ...: i/o timeout`.",
    fix="Give the subnets a route table that leads to a NAT gateway, or to VPC endpoints only.",
    source="VPC user guide, internet gateways",
    seeds=("S0-PR1", "S0-P4"),
    meaning=_PROPERTY,
)
def private_route(subject: Subject) -> Iterator[Said]:
    """Ways from private subnets to an internet gateway."""
    used = _used(subject)
    if not used:
        raise CannotJudge("where tasks and instances stand is not known")
    tables = _tables(subject)
    made = known(subject.plan.of_type("aws_subnet", "aws_default_subnet"), "id")
    for subnet in sorted(used):
        if subnet not in made and subnet not in tables:
            yield Unjudged("", f"the routes of {subnet} are not in the plan")
        for table in tables.get(subnet, ()):
            yield from _leads_out(subject, subnet, table)
    yield Seen(f"{len(used)} subnets")


@FAMILY.rule(
    "zones",
    holds="What is to outlive a zone stands in more than one.",
    symptom="Tasks that are meant to be spread all stand in one zone; when it fails, the role is "
    "gone whatever its number of tasks.",
    fix="Give service and instances one private subnet in each of two or more zones.",
    source="ECS developer guide, task placement strategies",
    seeds=("S0-N2", "S3-13"),
)
def zones(subject: Subject) -> Iterator[Said]:
    """Zones of services that spread or have several tasks."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    many = several(subject.roles)
    for task in subject.tasks:
        service = task.service
        if service is None or not (many or _spreads(service)):
            continue
        path = "network_configuration.0.subnets"
        found = _zones(subject, service[path])
        if found is None:
            yield Unjudged(service.address, "the zones of its subnets are not known")
        elif len(found) < 2:
            yield Finding(service.address, path, f"all its subnets are in {', '.join(found)}")


@FAMILY.rule(
    "same-zones",
    holds="A service has subnets in just the zones in which its instances start.",
    symptom="The network interface of a task has to be in the zone of its instance: instances in a "
    "zone without a subnet of the service take none of its tasks, which wait with `unable to place "
    "a task because no container instance met all of its requirements`; and in a zone "
    "without instances nothing runs.",
    fix="Give the service and the Auto Scaling group of its capacity provider the same subnets.",
    source="ECS developer guide, task-networking-awsvpc",
    seeds=("S0-N2",),
)
def same_zones(subject: Subject) -> Iterator[Said]:
    """Zones of services against zones of instances."""
    groups = _groups(subject)
    if not groups:
        raise CannotJudge("the plan has no capacity provider with an Auto Scaling group")
    for service in subject.plan.of_type("aws_ecs_service"):
        for strategy in blocks(service["capacity_provider_strategy"]):
            group = groups.get(str(strategy.get("capacity_provider")))
            if group is None:
                continue
            path = "network_configuration.0.subnets"
            ours = _zones(subject, service[path])
            theirs = _zones(subject, group["vpc_zone_identifier"])
            if ours is None or theirs is None:
                yield Unjudged(service.address, "the zones of its subnets are not known")
            elif ours != theirs:
                short = (
                    (service.address, path)
                    if theirs - ours
                    else (group.address, "vpc_zone_identifier")
                )
                said = f"subnets in {_words(ours)}, instances in {_words(theirs)}"
                yield Finding(*short, f"{service['name']}: {said}")


@FAMILY.rule(
    "dns",
    holds="A VPC with private DNS names resolves them.",
    symptom="Names of VPC endpoints, of the database and of Cloud Map lead to public addresses or "
    "nowhere: `lookup ...: no such host`.",
    fix="Set enable_dns_support and enable_dns_hostnames to true.",
    source="VPC user guide, DNS attributes for your VPC",
    seeds=("S0-N1",),
)
def dns(subject: Subject) -> Iterator[Said]:
    """DNS of VPCs that have private names."""
    vpcs = subject.plan.of_type("aws_vpc")
    if not vpcs:
        raise CannotJudge("the plan has no VPC")
    private = subject.plan.of_type("aws_service_discovery_private_dns_namespace") or [
        endpoint
        for endpoint in subject.plan.of_type("aws_vpc_endpoint")
        if endpoint["private_dns_enabled"] is True
    ]
    if not private:
        raise CannotJudge("the plan has no private DNS names")
    for vpc in vpcs:
        for path, default in (("enable_dns_support", True), ("enable_dns_hostnames", False)):
            state = on(vpc[path], default=default)
            if state is None:
                yield Unjudged(vpc.address, f"{path} {LATER}")
            elif not state:
                yield Finding(vpc.address, path, f"{path} is not true")


def _off(resource: Resource, path: str, who: str) -> Iterator[Said]:
    value = on(resource[path])
    if value is None:
        yield Unjudged(resource.address, f"{path} {LATER}")
    elif value:
        yield Finding(resource.address, path, f"{who} would get a public address")


def _translators(subject: Subject) -> set[str]:
    """Ids of instances and interfaces that pass on what is not for them: NAT instances."""
    made = subject.plan.of_type("aws_instance", "aws_network_interface")
    return {one["id"] for one in made if one["source_dest_check"] is False and _text(one["id"])}


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _words(zones: set[str]) -> str:
    return ", ".join(sorted(zones)) or "no zone"


def _used(subject: Subject) -> set[str]:
    """Subnets of tasks, instances and the domain, as far as they are known."""
    plan = subject.plan
    given = [s["network_configuration.0.subnets"] for s in plan.of_type("aws_ecs_service")]
    given += [g["vpc_zone_identifier"] for g in plan.of_type("aws_autoscaling_group")]
    given += [d["vpc_options.0.subnet_ids"] for d in plan.of_type("aws_opensearch_domain")]
    return {one for value in given for one in texts(value) or ()}


def _tables(subject: Subject) -> dict[str, list[str]]:
    """Route tables by subnet; the main table of its VPC where a subnet has none of its own."""
    found: dict[str, list[str]] = {}
    for tie in subject.plan.of_type("aws_route_table_association"):
        if _text(tie["subnet_id"]) and _text(tie["route_table_id"]):
            found.setdefault(tie["subnet_id"], []).append(tie["route_table_id"])
    mains = {
        main["vpc_id"]: main["route_table_id"]
        for main in subject.plan.of_type("aws_main_route_table_association")
        if _text(main["vpc_id"]) and _text(main["route_table_id"])
    }
    for table in subject.plan.of_type("aws_default_route_table"):
        if _text(table["vpc_id"]) and _text(table["id"]):
            mains[table["vpc_id"]] = table["id"]
    for subnet in subject.plan.of_type("aws_subnet"):
        if _text(subnet["id"]) and str(subnet["vpc_id"]) in mains and subnet["id"] not in found:
            found[subnet["id"]] = [mains[str(subnet["vpc_id"])]]
    return found


def _leads_out(subject: Subject, subnet: str, table: str) -> Iterator[Said]:
    out = partial(_is_out, names=_gateways(subject))
    for route in subject.plan.of_type("aws_route"):
        if route["route_table_id"] == table and out(route["gateway_id"]):
            yield Finding(route.address, "gateway_id", f"{subnet} leads to {route['gateway_id']}")
    kinds = ("aws_route_table", "aws_default_route_table")
    for resource in subject.plan.of_type(*kinds):
        if resource["id"] != table:
            continue
        for index, route_block in enumerate(blocks(resource["route"])):
            gateway = route_block.get("gateway_id")
            if out(gateway):
                path = f"route.{index}.gateway_id"
                yield Finding(resource.address, path, f"{subnet} leads to {gateway}")


def _gateways(subject: Subject) -> set[str]:
    return set(known(subject.plan.of_type("aws_internet_gateway"), "id"))


def _is_out(gateway: Any, names: set[str]) -> bool:
    return isinstance(gateway, str) and (gateway in names or gateway.startswith("igw-"))


def _spreads(service: Resource) -> bool:
    field = "attribute:ecs.availability-zone"
    return any(b.get("field") == field for b in blocks(service["ordered_placement_strategy"]))


def _zones(subject: Subject, subnets: Any) -> set[str] | None:
    """The zones of subnets; None where not all of them are in the plan."""
    wanted = texts(subnets)
    made = known(subject.plan.of_type("aws_subnet"), "id")
    if not wanted or not set(wanted) <= set(made):
        return None
    places = [made[one]["availability_zone"] for one in wanted]
    return None if any(not isinstance(one, str) for one in places) else set(places)


def _groups(subject: Subject) -> dict[str, Resource]:
    """Auto Scaling groups by the name of their capacity provider."""
    by_arn = known(subject.plan.of_type("aws_autoscaling_group"), "arn")
    found = {}
    for name, provider in known(subject.plan.of_type("aws_ecs_capacity_provider"), "name").items():
        arn = provider["auto_scaling_group_provider.0.auto_scaling_group_arn"]
        if isinstance(arn, str) and arn in by_arn:
            found[name] = by_arn[arn]
    return found
