"""Security groups: who reaches whom on which port, computed from the rules of a plan."""

import re

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support import parties, plans
from tests.support.parties import INTERNET, Flow
from tests.support.topology_file import document

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)

TOPOLOGY = topology.load()
AWS = document()["aws"]
PORTS = {
    **{name: role.ports for name, role in TOPOLOGY.roles.items()},
    **{name: one.ports for name, one in {**TOPOLOGY.components, **TOPOLOGY.externals}.items()},
    **{name: one["ports"] for name, one in AWS["components"].items()},
}
HTTPS = 443
GRPC = PORTS["frontend"]["grpc"]


def expected_parties(name: str) -> set[str]:
    """Who must be there, by what the variant asks for."""
    variant = plans.VARIANTS[name]
    optional = {
        "ui": variant.ui,
        "grafana": variant.grafana,
        "loki": variant.loki,
        "adot": variant.adot,
        "benchmark": variant.benchmark,
        "load-balancer": variant.operators,
        "client-vpn": variant.operators,
        "database": variant.private_link,
        "instances benchmark": variant.benchmark,
    }
    return {
        *plans.ROLES,
        *("client", "visibility", "opensearch-setup", "schema-setup", "admin-task"),
        *(party for party, present in optional.items() if present),
        *(f"instances {group}" for group in variant.workloads),
    }


def collected(name: str) -> set[str]:
    """Who has a collector beside it."""
    variant = plans.VARIANTS[name]
    if variant.collector == "none":
        return set()
    return {*plans.ROLES, *(["benchmark"] if variant.benchmark else [])}


def calls(name: str) -> dict[str, set[str]]:
    """The AWS APIs that each party calls."""
    variant = plans.VARIANTS[name]
    metrics = collected(name) | {"grafana", "adot"}
    found = {}
    for party in expected_parties(name):
        apis = set(AWS["apis"].get("instances" if party.startswith("instances ") else party, ()))
        found[party] = {
            api
            for api in apis
            if (api != "dynamodb" or variant.counts)
            and (api != "aps-workspaces" or party in metrics)
        }
    return found


def expected_flows(name: str) -> set[Flow]:
    """What topology.json says between those who are there."""
    present = expected_parties(name)
    rows = [(row.from_, row.to, row.port_name) for row in TOPOLOGY.traffic if row.needed]
    rows += [(row["from"], row["to"], row["port_name"]) for row in AWS["traffic"]]
    pushes = collected(name) | {"grafana"}
    flows = {
        (from_, to, TOPOLOGY.metrics_port if port == "metrics" else PORTS[to][port])
        for from_, to, port in rows
        if {from_, to} <= present and (to != "loki" or from_ in pushes)
    }
    if "load-balancer" in present:
        flows.add(("client", "load-balancer", GRPC))
    return flows


def endpoints(name: str) -> set[str]:
    """APIs that have an interface endpoint, brought ones too."""
    if name == "brought":
        return {"logs"}
    found = {str(e["service_name"]) for e in plans.of(name).of_type("aws_vpc_endpoint")}
    prefix = f"com.amazonaws.{plans.REGION}."
    return {service.removeprefix(prefix) for service in found} - {"s3", "dynamodb"}


@everywhere
def test_the_parties_are_those_that_were_asked_for(name: str) -> None:
    found = set(parties.parties(plans.of(name)).values())
    assert {party for party in found if not party.startswith("endpoint ")} == expected_parties(name)


@everywhere
def test_who_reaches_whom_is_what_topology_says_and_nothing_else(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 8: security groups isolate by role and port."""
    to_endpoints = {
        (party, f"endpoint {api}", HTTPS)
        for party, apis in calls(name).items()
        for api in apis & endpoints(name)
    }
    assert parties.reach(plans.of(name)) == expected_flows(name) | to_endpoints


@everywhere
def test_every_rule_has_its_other_direction(name: str) -> None:
    assert parties.halves(plans.of(name)) == set()


@everywhere
def test_what_leaves_the_vpc_is_https_to_apis_without_a_private_way_and_dsql(name: str) -> None:
    variant = plans.VARIANTS[name]
    gateways = {
        (party, api, HTTPS)
        for party, apis in calls(name).items()
        for api in apis & {"s3", "dynamodb"}
    }
    open_ = {
        party
        for party, apis in calls(name).items()
        if variant.nat != "none"
        and (
            apis - endpoints(name) - {"s3", "dynamodb"}
            # Images of public registries are pulled by the instances, on Fargate by the tasks.
            or (party.startswith("instances ") and variant.public_images)
            or (party in {"opensearch-setup", "schema-setup", "admin-task"} and name == "operators")
        )
    }
    dsql = set() if variant.private_link else {*plans.ROLES, "schema-setup", "admin-task"}
    assert parties.outside(plans.of(name)) == {
        *gateways,
        *((party, INTERNET, HTTPS) for party in open_),
        *((role, INTERNET, PORTS["database"]["postgresql"]) for role in dsql),
    }


@everywhere
def test_every_api_that_a_party_calls_has_a_way(name: str) -> None:
    plan = plans.of(name)
    inside, outside = parties.reach(plan), parties.outside(plan)
    routed = name == "brought" or bool(plan.of_type("aws_nat_gateway"))
    without = {
        (party, api)
        for party, apis in calls(name).items()
        for api in apis
        if (party, f"endpoint {api}", HTTPS) not in inside
        and (party, api, HTTPS) not in outside
        and not (routed and (party, INTERNET, HTTPS) in outside)
    }
    assert without == set()


@everywhere
def test_nobody_is_let_in_by_address(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 1: no ingress from 0.0.0.0/0, nor any address."""
    by_address = [r.address for r in parties.rules(plans.of(name), "ingress") if not r.by_group]
    assert by_address == []


@everywhere
def test_rules_are_tcp_one_port_and_worn_by_somebody(name: str) -> None:
    plan = plans.of(name)
    rules = [*parties.rules(plan, "ingress"), *parties.rules(plan, "egress")]
    assert rules
    for rule in rules:
        assert (rule.protocol, rule.ports[0]) == ("tcp", rule.ports[1]), rule.address
        assert not rule.worn_by.startswith("nobody"), rule.address
        assert not rule.peer.startswith("nobody"), rule.address


@everywhere
def test_groups_have_no_inline_rules_and_no_old_kind_of_rule(name: str) -> None:
    plan = plans.of(name)
    assert plan.of_type("aws_security_group_rule") == ()
    for group in plan.of_type("aws_security_group"):
        assert (group["ingress"], group["egress"]) == (UNKNOWN, UNKNOWN), group.address


def test_the_source_has_no_inline_rule() -> None:
    for path in sorted(plans.TERRAFORM.rglob("*.tf")):
        text = path.read_text()
        assert not re.search(r"^\s+(ingress|egress)\s*(\{|=)", text, re.MULTILINE), path
        assert "aws_security_group_rule" not in text, path


def test_the_description_of_a_group_never_replaces_it() -> None:
    """AWS changes no description; a group in use cannot be deleted, nor made twice by its name."""
    found = 0
    for path in sorted(plans.TERRAFORM.joinpath("modules").rglob("*.tf")):
        for block in path.read_text().split('resource "aws_security_group" ')[1:]:
            text = block.split("\n}\n")[0]
            assert "ignore_changes = [description]" in text, path
            assert "create_before_destroy" not in text, path
            found += 1
    assert found


@everywhere
def test_every_task_wears_one_group_and_no_two_services_the_same(name: str) -> None:
    worn = [
        tuple(service["network_configuration.0.security_groups"])
        for service in plans.services(plans.of(name)).values()
    ]
    assert [len(groups) for groups in worn] == [1] * len(worn)
    assert len(set(worn)) == len(worn)


@everywhere
def test_nobody_reaches_the_worker_by_grpc_but_who_asks_for_its_health(name: str) -> None:
    port = PORTS["worker"]["grpc"]
    found = {flow for flow in parties.reach(plans.of(name)) if flow[2] == port}
    assert found == {("admin-task", "worker", port)}


@everywhere
def test_metrics_are_open_to_adot_alone_and_only_where_it_is(name: str) -> None:
    open_ = {flow for flow in parties.reach(plans.of(name)) if flow[2] == TOPOLOGY.metrics_port}
    wanted = {("adot", role, TOPOLOGY.metrics_port) for role in plans.ROLES}
    assert open_ == (wanted if plans.VARIANTS[name].adot else set())


@everywhere
def test_pages_and_clients_are_reached_by_nobody(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 8: UI and Grafana have no ingress at all."""
    reached = {to for _, to, _ in parties.reach(plans.of(name))}
    clients = {"ui", "grafana", "benchmark", "adot", "client", "client-vpn"}
    clients |= {"opensearch-setup", "schema-setup", "admin-task"}
    assert reached & clients == set()
    assert not [party for party in reached if party.startswith("instances")]


@everywhere
def test_clients_reach_no_role_but_the_frontend(name: str) -> None:
    clients = {"ui", "benchmark", "client", "client-vpn", "load-balancer"}
    reached = {(to, port) for who, to, port in parties.reach(plans.of(name)) if who in clients}
    assert {to for to in reached if to[0] in plans.ROLES} == {("frontend", GRPC)}


@everywhere
def test_the_visibility_store_is_reached_by_all_roles_and_the_set_up_task(name: str) -> None:
    reach = parties.reach(plans.of(name))
    who = {who for who, to, port in reach if (to, port) == ("visibility", HTTPS)}
    operators = {"client-vpn"} if plans.VARIANTS[name].operators else set()
    assert who == {*plans.ROLES, "opensearch-setup"} | operators
