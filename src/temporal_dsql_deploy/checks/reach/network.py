"""The network of a plan: what subnets, routes, NAT gateways and VPC endpoints lead to."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.values import UNKNOWN, listed

EVERYWHERE = "0.0.0.0/0"
_SAYS: Mapping[str, tuple[str, ...]] = {
    "aws_route": ("route_table_id", "destination_cidr_block", "gateway_id", "nat_gateway_id"),
    "aws_route_table_association": ("subnet_id", "route_table_id"),
    "aws_main_route_table_association": ("vpc_id", "route_table_id"),
    "aws_nat_gateway": ("id", "subnet_id", "connectivity_type"),
    "aws_internet_gateway": ("id",),
    "aws_route_table": ("id",),
    "aws_subnet": ("id", "vpc_id"),
}
"""What must be known of a resource before a way can be said to lack."""
_OTHER_SERVICES = ("resource_configuration_arn", "service_network_arn")
"""What an endpoint can lead to that has no service name."""
_OTHER_WAYS = (
    "transit_gateway_id",
    "network_interface_id",
    "vpc_peering_connection_id",
    "vpc_endpoint_id",
    "core_network_arn",
    "local_gateway_id",
    "carrier_gateway_id",
)
"""Where a route can lead that is neither a NAT gateway nor an internet gateway."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One VPC endpoint."""

    resource: Resource
    api: str
    """What stands after the region in its service name: logs, ecr.api, dsql-1a2b3c.

    With the region before it where that is another one."""
    interface: bool
    """Whether it has network interfaces."""
    gateway: bool
    """Whether it stands in route tables."""
    groups: tuple[str, ...] | None
    subnets: tuple[str, ...] | None
    tables: tuple[str, ...] | None
    """None, as with groups and subnets, where not all are known."""

    @property
    def private_names(self) -> bool | None:
        """Whether the API's own name leads to it; None where that is not known."""
        value = self.resource["private_dns_enabled"]
        return value if isinstance(value, bool) else False if value is None else None


@dataclass(frozen=True, slots=True)
class Gap:
    """Why there is no way out of a subnet."""

    resource: str
    attribute: str
    text: str
    route: bool = False
    """Whether a route is what lacks."""


class UnknownWay(Exception):
    """The plan does not say where a way leads; the text says why."""


class Network:
    """Subnets and their ways, by the ids that a plan knows."""

    def __init__(self, plan: Plan | State, region: str | None) -> None:
        self._plan = plan
        self.region = region
        self.vpcs = _by_id(plan.of_type("aws_vpc", "aws_default_vpc"))
        self.subnets = _by_id(plan.of_type("aws_subnet", "aws_default_subnet"))

    def knows(self, subnets: Iterable[str]) -> bool:
        """Whether all of these subnets are in the plan."""
        return all(subnet in self.subnets for subnet in subnets)

    def expressions(self, subnets: Iterable[str]) -> tuple[str, ...]:
        """How Terraform refers to the ids of subnets; the ids of those that are not in the plan."""
        return tuple(
            f"{self.subnets[one].address}.id" if one in self.subnets else f'"{one}"'
            for one in subnets
        )

    def addresses(self, subnets: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """The CIDRs of subnets; None where they are not all known."""
        if not subnets:
            return None
        found = [self.subnets[one]["cidr_block"] for one in subnets if one in self.subnets]
        known = tuple(cidr for cidr in found if isinstance(cidr, str))
        return known if len(known) == len(subnets) else None

    def vpc_of(self, subnets: Iterable[str]) -> str | None:
        """The VPC of subnets; None where the plan does not say."""
        found = (self.subnets[one]["vpc_id"] for one in subnets if one in self.subnets)
        return next((vpc for vpc in found if isinstance(vpc, str)), None)

    @cached_property
    def gateway_lists(self) -> Mapping[str, str]:
        """API by the prefix list of its gateway endpoint: AWS's lists, without VPC addresses."""
        made = {
            endpoint.resource["prefix_list_id"]: endpoint.api
            for endpoint in self.endpoints
            if endpoint.gateway
        }
        for read in self._plan.data("aws_prefix_list", "aws_ec2_managed_prefix_list"):
            name = read["name"] or read["prefix_list_name"]
            if isinstance(name, str) and name.startswith("com.amazonaws."):
                made.setdefault(read["id"], self._api(name))
        return {one: api for one, api in made.items() if isinstance(one, str)}

    @cached_property
    def opaque_endpoints(self) -> tuple[str, ...]:
        """Addresses of endpoints of which the service, the kind or the VPC is not known."""
        return tuple(
            one.address
            for one in self._plan.of_type("aws_vpc_endpoint")
            if any(one[path] is UNKNOWN for path in ("service_name", "vpc_endpoint_type", "vpc_id"))
        )

    @cached_property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """All VPC endpoints whose service is known."""
        return tuple(self._endpoints())

    def table_of(self, subnet: str) -> str | None:
        """Id of the route table that a subnet uses: its own, or the main one of its VPC."""
        if subnet in self._tables:
            return self._tables[subnet]
        vpc = self.vpc_of([subnet])
        if vpc in self._main_tables:
            return self._main_tables[vpc]
        main = self.vpcs[vpc]["main_route_table_id"] if vpc in self.vpcs else None
        return main if isinstance(main, str) else None

    def gap(self, subnet: str, *, public: bool = False) -> Gap | None:
        """Why what stands in a subnet does not reach the internet; None where it does.

        `public`: whether it has a public address. Raises UnknownWay.
        """
        found = self._gap(subnet, public=public)
        if found is not None and self._unsure:
            raise UnknownWay(f"too much of {self._unsure} is known only after apply")
        return found

    def _gap(self, subnet: str, *, public: bool) -> Gap | None:
        route = self._default_route(subnet)
        if isinstance(route, Gap):
            return route
        resource, way = route
        gateway = _text(way, "gateway_id")
        if gateway in self._internet_gateways:
            if public:
                return None
            said = f"{resource.address} leads to an internet gateway, which needs a public address"
            return Gap(resource.address, "gateway_id", said)
        nat = _text(way, "nat_gateway_id")
        if not nat and not gateway and self._leads_to_an_instance(way):
            raise UnknownWay(f"{resource.address} leads to a network interface, as of an instance")
        if not nat:
            said = f"{resource.address} leads to {gateway or 'nothing'}, which is not in the plan"
            return Gap(resource.address, "", said)
        if nat not in self._nat_gateways:
            said = f"{resource.address} leads to {nat}, and the plan has no such NAT gateway"
            return Gap(resource.address, "nat_gateway_id", said)
        return self._gap_of_nat(self._nat_gateways[nat])

    def _leads_to_an_instance(self, way: Mapping[str, Any]) -> bool:
        """Whether a way without a gateway may lead to an instance that translates addresses."""
        there = self._plan.of_type("aws_network_interface", "aws_instance")
        return bool(there) and way.get("network_interface_id") is UNKNOWN

    def _gap_of_nat(self, nat: Resource) -> Gap | None:
        if nat["connectivity_type"] == "private":
            return Gap(nat.address, "connectivity_type", "the NAT gateway is a private one")
        subnet = nat["subnet_id"]
        if not isinstance(subnet, str) or subnet not in self.subnets:
            raise UnknownWay(f"the subnet of {nat.address} is not in the plan")
        route = self._default_route(subnet)
        if isinstance(route, Gap):
            return Gap(route.resource, route.attribute, f"of the NAT gateway: {route.text}")
        resource, way = route
        if _text(way, "gateway_id") in self._internet_gateways:
            return None
        said = f"the NAT gateway's own route, {resource.address}, leads to no internet gateway"
        return Gap(resource.address, "gateway_id", said)

    def _default_route(self, subnet: str) -> tuple[Resource, Mapping[str, Any]] | Gap:
        """The route to everywhere of a subnet, or what lacks. Raises UnknownWay."""
        if subnet not in self.subnets:
            raise UnknownWay(f"subnet {subnet} is not in the plan")
        address = self.subnets[subnet].address
        table = self.table_of(subnet)
        if table is None:
            return Gap(address, "", f"{address} has no route table", route=True)
        for resource, way in self._routes.get(table, ()):
            destination = way.get("destination_cidr_block", way.get("cidr_block"))
            if destination != EVERYWHERE:
                continue
            other = next((key for key in _OTHER_WAYS if _text(way, key)), None)
            if other:
                raise UnknownWay(f"{resource.address} leads out by {other}")
            return resource, way
        owner = self._table_resources.get(table)
        held = owner.address if owner else address
        return Gap(held, "route", f"{held} has no route to {EVERYWHERE}", route=True)

    @cached_property
    def _unsure(self) -> str:
        """Address of something that leads somewhere and does not say where; empty where all do."""
        for resource in self._plan.of_type(*_SAYS):
            if any(resource[path] is UNKNOWN for path in _SAYS[resource.type]):
                return resource.address
        return ""

    @cached_property
    def _table_resources(self) -> Mapping[str, Resource]:
        return _by_id(self._plan.of_type("aws_route_table", "aws_default_route_table"))

    @cached_property
    def _routes(self) -> Mapping[str, list[tuple[Resource, Mapping[str, Any]]]]:
        found: dict[str, list[tuple[Resource, Mapping[str, Any]]]] = {}
        for route in self._plan.of_type("aws_route"):
            if isinstance(table := route["route_table_id"], str):
                found.setdefault(table, []).append((route, route.values))
        for identity, table in self._table_resources.items():
            for block in listed(table["route"]):
                if isinstance(block, Mapping):
                    found.setdefault(identity, []).append((table, block))
        return found

    @cached_property
    def _tables(self) -> Mapping[str, str]:
        pairs = (
            (one["subnet_id"], one["route_table_id"])
            for one in self._plan.of_type("aws_route_table_association")
        )
        return {s: t for s, t in pairs if isinstance(s, str) and isinstance(t, str)}

    @cached_property
    def _main_tables(self) -> Mapping[str | None, str]:
        pairs = (
            (one["vpc_id"], one["route_table_id"])
            for one in self._plan.of_type("aws_main_route_table_association")
        )
        return {v: t for v, t in pairs if isinstance(v, str) and isinstance(t, str)}

    @cached_property
    def _internet_gateways(self) -> Mapping[str, Resource]:
        return _by_id(self._plan.of_type("aws_internet_gateway"))

    @cached_property
    def _nat_gateways(self) -> Mapping[str, Resource]:
        return _by_id(self._plan.of_type("aws_nat_gateway"))

    def _endpoints(self) -> Iterator[Endpoint]:
        for resource in self._plan.of_type("aws_vpc_endpoint"):
            service = resource["service_name"]
            if service is None and all(resource[key] is None for key in _OTHER_SERVICES):
                service = ""
            if not isinstance(service, str):
                continue
            kind = resource["vpc_endpoint_type"]
            yield Endpoint(
                resource=resource,
                api=self._api(service),
                interface=kind == "Interface",
                gateway=kind in {None, "Gateway"},
                groups=self._of(resource, "security_group_ids", "security_group"),
                subnets=self._of(resource, "subnet_ids", "subnet"),
                tables=self._of(resource, "route_table_ids", "route_table"),
            )

    def _api(self, service: str) -> str:
        if not service.startswith("com.amazonaws."):
            return service
        labels = service.split(".")
        region, api = ".".join(labels[2:3]), ".".join(labels[3:])
        return api if self.region in {None, region} else f"{region}.{api}"

    def _of(self, endpoint: Resource, path: str, kind: str) -> tuple[str, ...] | None:
        """What an endpoint names itself, and what resources of their own join to it."""
        own = endpoint[path]
        joined = [
            one[f"{kind}_id"]
            for one in self._plan.of_type(f"aws_vpc_endpoint_{kind}_association")
            if one["vpc_endpoint_id"] == endpoint["id"] and isinstance(endpoint["id"], str)
        ]
        return texts([*listed(own), *joined]) if joined else texts(own)


def texts(value: Any) -> tuple[str, ...] | None:
    """A list of texts; None where it or a part of it is not known, or there is none."""
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        return None
    return tuple(value)


def _text(way: Mapping[str, Any], key: str) -> str:
    value = way.get(key)
    return value if isinstance(value, str) else ""


def _by_id(resources: Iterable[Resource]) -> dict[str, Resource]:
    return {one["id"]: one for one in resources if isinstance(one["id"], str)}
