"""The VPC: subnets, ways out, endpoints and what they let pass."""

import json
from functools import cache
from ipaddress import ip_network
from typing import Any

import pytest

from temporal_dsql_deploy.plan import Plan, Resource
from temporal_dsql_deploy.terraform import known
from tests.support import parties, plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
made = pytest.mark.parametrize("name", plans.MADE)

PRIVATE = {"ecr.api", "ecr.dkr", "logs", "ssm", "ssmmessages", "secretsmanager"}
ISOLATED = PRIVATE | {"ecs", "ecs-agent", "ecs-telemetry", "aps-workspaces", "monitoring", "sts"}
PREFIX = f"com.amazonaws.{plans.REGION}."
# Those whose services take no endpoint policy, or for which no source says that they do.
WITHOUT_POLICY = {"aps-workspaces", "ec2messages", "ecs-agent", "ecs-telemetry", "ssmmessages"}


@cache
def vpcs() -> dict[str, known.Outcome]:
    """The module alone, for what no environment asks of it."""
    base: dict[str, Any] = {
        "project_name": "alone",
        "region": plans.REGION,
        "availability_zones": [f"{plans.REGION}a", f"{plans.REGION}b", f"{plans.REGION}c"],
    }
    cases: dict[str, dict[str, Any]] = {
        "chosen": {"interface_endpoints": ["logs"], "nat": "none"},
        "old agents": {"ec2messages_endpoint": True},
        "trusted": {"trusted_account_ids": ["210987654321"], "nat": "none"},
    }
    directory = plans.TERRAFORM / "modules" / "vpc"
    outcomes = known.plans(directory, [known.Case(n, {**base, **v}) for n, v in cases.items()])
    return {outcome.case.name: outcome for outcome in outcomes}


def vpc(name: str) -> Plan:
    plan = vpcs()[name].plan
    assert plan, vpcs()[name].problems
    return plan


def zones(name: str) -> list[str]:
    letters = "ab" if plans.VARIANTS[name].environment == "dev" else "abc"
    return [f"{plans.REGION}{letter}" for letter in letters]


def subnets(plan: Plan, kind: str) -> dict[str, Resource]:
    """By zone: subnets that wear no public addresses and hold tasks, or the NAT gateways."""
    return {str(s["availability_zone"]): s for s in plan.of_type("aws_subnet") if s.name == kind}


def endpoints(plan: Plan, kind: str) -> dict[str, Resource]:
    """Endpoints of AWS APIs, by API."""
    return {
        str(e["service_name"]).removeprefix(PREFIX): e
        for e in plan.of_type("aws_vpc_endpoint")
        if e["vpc_endpoint_type"] == kind and not str(e["service_name"]).startswith(f"{PREFIX}dsql")
    }


def statements(endpoint: Resource) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(endpoint["policy"])["Statement"]
    return found


@made
def test_each_zone_has_one_private_subnet_of_a_sixteenth_of_the_vpc(name: str) -> None:
    plan = plans.of(name)
    whole = ip_network(plans.one(plan, "aws_vpc")["cidr_block"])
    sixteenths = list(whole.subnets(prefixlen_diff=4))
    found = subnets(plan, "private")
    assert list(found) == zones(name)
    assert [ip_network(s["cidr_block"]) for s in found.values()] == sixteenths[: len(found)]


@made
def test_tasks_and_instances_stand_in_the_private_subnets_of_all_zones(name: str) -> None:
    plan = plans.of(name)
    private = {subnet["id"] for subnet in subnets(plan, "private").values()}
    for service in plan.of_type("aws_ecs_service"):
        assert set(service["network_configuration.0.subnets"]) == private, service.address
    for group in plan.of_type("aws_autoscaling_group"):
        assert set(group["vpc_zone_identifier"]) == private, group.address
    in_order = [subnet["id"] for subnet in subnets(plan, "private").values()]
    assert plan.outputs["private_subnet_ids"].value == in_order


@made
def test_dns_is_on_for_private_names_of_endpoints(name: str) -> None:
    vpc = plans.one(plans.of(name), "aws_vpc")
    assert (vpc["enable_dns_support"], vpc["enable_dns_hostnames"]) == (True, True)


@made
def test_nat_gateways_are_as_many_as_asked_for(name: str) -> None:
    plan = plans.of(name)
    wanted = {"none": [], "one": zones(name)[:1], "per_az": zones(name)}[plans.VARIANTS[name].nat]
    public = subnets(plan, "public_nat")
    assert list(public) == wanted
    gateways = {gateway["subnet_id"] for gateway in plan.of_type("aws_nat_gateway")}
    assert gateways == {subnet["id"] for subnet in public.values()}
    assert len(plan.of_type("aws_nat_gateway")) == len(wanted)
    assert len(plan.of_type("aws_internet_gateway")) == (1 if wanted else 0)


@made
def test_a_private_subnet_goes_out_by_the_gateway_of_its_own_zone_if_there_is_one(
    name: str,
) -> None:
    plan = plans.of(name)
    zone_of = {s["id"]: zone for zone, s in subnets(plan, "public_nat").items()}
    gateways = {zone_of[g["subnet_id"]]: g["id"] for g in plan.of_type("aws_nat_gateway")}
    table_of = {
        r["subnet_id"]: r["route_table_id"] for r in plan.of_type("aws_route_table_association")
    }
    routes = {
        route["route_table_id"]: route["nat_gateway_id"]
        for route in plan.of_type("aws_route")
        if route["destination_cidr_block"] == "0.0.0.0/0" and route["nat_gateway_id"]
    }
    for zone, subnet in subnets(plan, "private").items():
        wanted = gateways.get(zone, gateways.get(zones(name)[0]))
        assert routes.get(table_of[subnet["id"]]) == wanted, zone


@made
def test_only_the_subnets_of_nat_gateways_lead_to_the_internet_gateway(name: str) -> None:
    plan = plans.of(name)
    tables = {r["route_table_id"] for r in plan.of_type("aws_route") if r["gateway_id"]}
    through = {
        association["subnet_id"]
        for association in plan.of_type("aws_route_table_association")
        if association["route_table_id"] in tables
    }
    assert through == {subnet["id"] for subnet in subnets(plan, "public_nat").values()}


@made
def test_no_public_address_but_those_of_nat_gateways(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 1: no public IP, with NAT's address excepted."""
    plan = plans.of(name)
    for subnet in plan.of_type("aws_subnet"):
        assert not subnet["map_public_ip_on_launch"], subnet.address
    for service in plan.of_type("aws_ecs_service"):
        assert not service["network_configuration.0.assign_public_ip"], service.address
    for template in plan.of_type("aws_launch_template"):
        assert not template["network_interfaces"], template.address
    for balancer in plan.of_type("aws_lb"):
        assert balancer["internal"] is True
    addresses = {address["id"] for address in plan.of_type("aws_eip")}
    assert addresses == {gateway["allocation_id"] for gateway in plan.of_type("aws_nat_gateway")}
    assert "assignPublicIp=DISABLED" in plan.outputs["opensearch_setup_command"].value


@made
def test_interface_endpoints_are_those_that_the_nat_setting_needs(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 4: every endpoint that is needed, as followed."""
    found = endpoints(plans.of(name), "Interface")
    assert set(found) == (ISOLATED if plans.VARIANTS[name].nat == "none" else PRIVATE)


@made
def test_interface_endpoints_have_private_names_in_every_zone_and_groups_of_their_own(
    name: str,
) -> None:
    plan = plans.of(name)
    found = [e for e in plan.of_type("aws_vpc_endpoint") if e["vpc_endpoint_type"] == "Interface"]
    private = {subnet["id"] for subnet in subnets(plan, "private").values()}
    for endpoint in found:
        assert endpoint["private_dns_enabled"] is True, endpoint.address
        assert set(endpoint["subnet_ids"]) == private, endpoint.address
    groups = [tuple(endpoint["security_group_ids"]) for endpoint in found]
    assert [len(group) for group in groups] == [1] * len(groups)
    assert len(set(groups)) == len(groups)


@made
def test_gateway_endpoints_are_always_there_on_every_private_route_table(name: str) -> None:
    plan = plans.of(name)
    tables = {t["id"] for t in plan.of_type("aws_route_table") if t.name == "private"}
    found = endpoints(plan, "Gateway")
    assert set(found) == {"s3", "dynamodb"}
    for endpoint in found.values():
        assert set(endpoint["route_table_ids"]) == tables


@made
def test_endpoint_policies_let_pass_this_account_and_what_belongs_to_aws(name: str) -> None:
    plan = plans.of(name)
    found = {**endpoints(plan, "Interface"), **endpoints(plan, "Gateway")}
    for api, endpoint in found.items():
        if api in WITHOUT_POLICY:
            continue
        for statement in statements(endpoint):
            assert statement["Effect"] == "Allow"
            if statement["Sid"] == "ImageLayersAndPackages":
                assert statement["Action"] == "s3:GetObject"
                assert all("*" not in r.split(":::")[1][:-1] for r in statement["Resource"])
                continue
            condition = statement["Condition"]["StringEquals"]
            assert condition["aws:PrincipalAccount"] == plans.ACCOUNT, api
            if statement["Resource"] == "*" and api != "ecs":
                assert condition["aws:ResourceAccount"] == [plans.ACCOUNT], api


@made
def test_image_layers_come_through_the_gateway_of_s3(name: str) -> None:
    """Docker Hub's too, in us-east-1, where images of Docker Hub can be pulled at all."""
    (layers,) = [
        statement
        for statement in statements(endpoints(plans.of(name), "Gateway")["s3"])
        if statement["Sid"] == "ImageLayersAndPackages"
    ]
    assert f"arn:aws:s3:::prod-{plans.REGION}-starport-layer-bucket/*" in layers["Resource"]
    of_docker_hub = "arn:aws:s3:::docker-images-prod/*" in layers["Resource"]
    assert of_docker_hub == (plans.VARIANTS[name].nat != "none")


def test_endpoints_can_be_chosen_and_trusted_accounts_are_let_through() -> None:
    assert set(endpoints(vpc("chosen"), "Interface")) == {"logs"}
    trusted = endpoints(vpc("trusted"), "Interface")["ecr.dkr"]
    (statement,) = statements(trusted)
    accounts = statement["Condition"]["StringEquals"]["aws:ResourceAccount"]
    assert accounts == [plans.ACCOUNT, "210987654321"]


def test_ec2messages_is_there_for_old_agents_only() -> None:
    assert set(endpoints(vpc("old agents"), "Interface")) == PRIVATE | {"ec2messages"}
    assert "ec2messages" not in ISOLATED


@pytest.mark.parametrize("name", ["isolated", "operators"])
def test_dsql_has_its_connection_endpoint_by_the_service_name_of_its_cluster(name: str) -> None:
    plan = plans.of(name)
    service = plans.one(plan, "aws_dsql_cluster")["vpc_endpoint_service_name"]
    (endpoint,) = [e for e in plan.of_type("aws_vpc_endpoint") if e["service_name"] == service]
    assert endpoint["private_dns_enabled"] is True
    inward = [r for r in parties.rules(plan, "ingress") if r.worn_by == "database"]
    assert {rule.ports for rule in inward} == {(5432, 5432)}
    users = {
        *plans.ROLES,
        "schema-setup",
        "admin-task",
        *(["client-vpn"] if name == "operators" else []),
    }
    assert {rule.peer for rule in inward} == users


@pytest.mark.parametrize("name", plans.MADE)
def test_servers_connect_to_and_sign_for_the_host_that_their_way_leads_to(name: str) -> None:
    plan = plans.of(name)
    cluster = plans.one(plan, "aws_dsql_cluster")
    label = str(cluster["vpc_endpoint_service_name"]).rsplit(".", 1)[-1]
    label = label if plans.VARIANTS[name].private_link else "dsql"
    host = f"{cluster['identifier']}.{label}.{plans.REGION}.on.aws"
    for role in plans.ROLES:
        environment = plans.main_container(plans.tasks(plan)[f"temporal-{role}"]).environment
        assert environment["CLUSTER_ENDPOINT"] == host
        assert environment["TEMPORAL_SQL_HOST"] == host
    assert plan.outputs["dsql_cluster_endpoint"].value == host


@pytest.mark.parametrize("name", [n for n in plans.MADE if not plans.VARIANTS[n].private_link])
def test_there_is_no_connection_endpoint_where_the_public_one_is_used(name: str) -> None:
    found = [str(e["service_name"]) for e in plans.of(name).of_type("aws_vpc_endpoint")]
    assert not [service for service in found if "dsql" in service]


@made
def test_the_default_group_is_taken_over_without_rules(name: str) -> None:
    group = plans.one(plans.of(name), "aws_default_security_group")
    assert group["vpc_id"] == plans.one(plans.of(name), "aws_vpc")["id"]
    text = (plans.TERRAFORM / "modules" / "vpc" / "main.tf").read_text()
    block = text[text.index('resource "aws_default_security_group"') :].split("\n}\n")[0]
    assert "gress" not in block


@made
def test_refused_connections_are_logged_unless_switched_off(name: str) -> None:
    plan = plans.of(name)
    if name == "bare":
        assert plan.of_type("aws_flow_log") == ()
        return
    log = plans.one(plan, "aws_flow_log")
    assert log["vpc_id"] == plans.one(plan, "aws_vpc")["id"]
    assert log["traffic_type"] == "REJECT"
    groups = {group["arn"]: group for group in plan.of_type("aws_cloudwatch_log_group")}
    assert groups[log["log_destination"]]["retention_in_days"]
    roles = {role["arn"] for role in plan.of_type("aws_iam_role")}
    assert log["iam_role_arn"] in roles
