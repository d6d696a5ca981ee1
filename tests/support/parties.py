"""Who is who in a plan: the parties of topology.json by the security groups that they wear.

Found by what wears a group, never by the group's name or by the table that made the rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.plan import Plan
from tests.support import plans

Flow = tuple[str, str, int]
"""Who, whom, TCP port."""
INTERNET = "internet"


@dataclass(frozen=True, slots=True)
class Rule:
    """One security group rule."""

    address: str
    worn_by: str
    peer: str
    """A party, a gateway (`s3`, `dynamodb`), or an address range."""
    ports: tuple[int, int]
    protocol: str
    by_group: bool


def parties(plan: Plan) -> dict[str, str]:
    """Party by security group."""
    found: dict[str, str] = {}
    for group, party in _worn(plan):
        before = found.setdefault(group, party)
        assert before == party, f"{before} and {party} share {group}"
    return found


def rules(plan: Plan, direction: str) -> list[Rule]:
    """All rules of a direction, `ingress` or `egress`."""
    known = parties(plan)
    prefix_lists = _prefix_lists(plan)
    found = []
    for rule in plan.of_type(f"aws_vpc_security_group_{direction}_rule"):
        group, prefix_list = rule["referenced_security_group_id"], rule["prefix_list_id"]
        if group:
            peer = known.get(group, f"nobody wears {group}")
        elif prefix_list:
            peer = prefix_lists.get(prefix_list, prefix_list)
        else:
            peer = rule["cidr_ipv4"] or rule["cidr_ipv6"]
        worn_by = known.get(rule["security_group_id"], f"nobody wears {rule['security_group_id']}")
        ports = (rule["from_port"], rule["to_port"])
        found.append(Rule(rule.address, worn_by, peer, ports, rule["ip_protocol"], bool(group)))
    return found


def reach(plan: Plan) -> set[Flow]:
    """Who reaches whom inside the VPC: what one end may send and the other end lets in."""
    return _flows(plan, "egress") & {(to, who, port) for who, to, port in _flows(plan, "ingress")}


def halves(plan: Plan) -> set[Flow]:
    """What is open at one end and shut at the other."""
    return _flows(plan, "egress") ^ {(to, who, port) for who, to, port in _flows(plan, "ingress")}


def outside(plan: Plan) -> set[Flow]:
    """Who may send to gateways and to the internet, on which port."""
    return {
        (rule.worn_by, INTERNET if rule.peer == "0.0.0.0/0" else rule.peer, rule.ports[0])
        for rule in rules(plan, "egress")
        if not rule.by_group
    }


def _flows(plan: Plan, direction: str) -> set[Flow]:
    return {
        (rule.worn_by, rule.peer, port)
        for rule in rules(plan, direction)
        if rule.by_group
        for port in range(rule.ports[0], rule.ports[1] + 1)
    }


def _prefix_lists(plan: Plan) -> dict[str, str]:
    made = {
        str(endpoint["prefix_list_id"]): str(endpoint["service_name"]).rsplit(".", 1)[-1]
        for endpoint in plan.of_type("aws_vpc_endpoint")
        if endpoint["vpc_endpoint_type"] == "Gateway"
    }
    return {**made, plans.S3_PREFIX_LIST: "s3", plans.DYNAMODB_PREFIX_LIST: "dynamodb"}


def _worn(plan: Plan) -> Iterator[tuple[str, str]]:
    yield from _worn_by_tasks(plan)
    yield from _worn_by_instances_and_endpoints(plan)
    yield from _worn_by(plan, "aws_opensearch_domain", "vpc_options.0.security_group_ids")
    yield from _worn_by(plan, "aws_lb", "security_groups")
    yield from _worn_by(plan, "aws_ec2_client_vpn_endpoint", "security_group_ids")
    yield from _brought(plan)


def _worn_by_tasks(plan: Plan) -> Iterator[tuple[str, str]]:
    yield str(plan.outputs["client_security_group_id"].value), "client"
    yield str(plan.outputs["opensearch_setup"].value["security_group_id"]), "opensearch-setup"
    yield str(plan.outputs["schema_setup"].value["security_group_id"]), "schema-setup"
    yield str(plan.outputs["admin_task"].value["security_group_id"]), "admin-task"
    if benchmark := plan.outputs["benchmark"].value:
        yield benchmark["security_group_id"], "benchmark"
    for name, service in plans.services(plan).items():
        for group in service["network_configuration.0.security_groups"]:
            # Generator and workers of the benchmark are one party.
            yield group, name.removeprefix("temporal-").removesuffix("-worker")


def _worn_by_instances_and_endpoints(plan: Plan) -> Iterator[tuple[str, str]]:
    for template in plan.of_type("aws_launch_template"):
        name = str(template["name"]).removeprefix(f"{plans.project(plan)}-")
        for group in template["vpc_security_group_ids"]:
            yield group, f"instances {name}"
    for endpoint in plan.of_type("aws_vpc_endpoint"):
        api = str(endpoint["service_name"]).removeprefix(f"com.amazonaws.{plans.REGION}.")
        interface = endpoint["vpc_endpoint_type"] == "Interface"
        for group in endpoint["security_group_ids"] if interface else ():
            yield group, "database" if api.startswith("dsql-") else f"endpoint {api}"


_PARTY = {
    "aws_opensearch_domain": "visibility",
    "aws_lb": "load-balancer",
    "aws_ec2_client_vpn_endpoint": "client-vpn",
}
_BROUGHT = {
    plans.INSTANCES_GROUP: "instances existing",
    plans.DOMAIN_GROUP: "visibility",
    plans.LOGS_GROUP: "endpoint logs",
}


def _worn_by(plan: Plan, kind: str, path: str) -> Iterator[tuple[str, str]]:
    for resource in plan.of_type(kind):
        for group in resource[path]:
            yield group, _PARTY[kind]


def _brought(plan: Plan) -> Iterator[tuple[str, str]]:
    kinds = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
    for rule in plan.of_type(*kinds):
        group = rule["security_group_id"]
        if group in _BROUGHT:
            yield group, _BROUGHT[group]
