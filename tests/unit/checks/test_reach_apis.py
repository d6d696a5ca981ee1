"""Ways to AWS APIs, registries and DSQL: endpoints, gateways, NAT, DNS, the load balancer."""

import json
from typing import Any

import pytest

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ACCOUNT, PRIVATE, REGION, ROLES, VPC
from tests.support.draft import ABSENT, SERVICE, Draft, ng, only
from tests.support.walled import EGRESS, GROUP, INGRESS, let, let_out, rule_name, walled

LOGS = "aws_vpc_endpoint.logs"
S3 = "aws_vpc_endpoint.s3"
OUT = "out_443_cidr_ipv4"


def isolated() -> Draft:
    """Without any way out of the VPC."""
    draft = walled().without("aws_route.private", "aws_nat_gateway.main", "aws_eip.nat")
    for role in ROLES:
        draft.without(f"{EGRESS}.{role}_{OUT}", f"{EGRESS}.{role}_out_5432_cidr_ipv4")
    return draft


def balanced() -> Draft:
    draft = walled()
    draft.add(f"{GROUP}.load_balancer", id="sg-load-balancer", name="x-lb", vpc_id=VPC)
    worn = {"security_groups": ["sg-load-balancer"], "subnets": list(PRIVATE)}
    draft.add("aws_lb.main", arn="arn:lb", internal=True, **worn)
    draft.add("aws_lb_target_group.main", arn="arn:tg", protocol="TCP", target_type="ip", port=7233)
    forward = [{"type": "forward", "target_group_arn": "arn:tg"}]
    listener = {"load_balancer_arn": "arn:lb", "port": 7233, "protocol": "TCP"}
    draft.add("aws_lb_listener.main", arn="arn:l", default_action=forward, **listener)
    draft.service("frontend")["load_balancer"] = [
        {
            "target_group_arn": "arn:tg",
            "container_name": "temporal-frontend",
            "container_port": 7233,
        }
    ]
    let(draft, "client", "load-balancer", 7233)
    let(draft, "load-balancer", "frontend", 7233)
    return draft


@pytest.mark.parametrize(
    ("address", "path", "value"),
    [
        ("aws_route.private", "", ABSENT),
        ("aws_route.private", "nat_gateway_id", "nat-other"),
        ("aws_route.private", "destination_cidr_block", "10.9.0.0/16"),
        ("aws_nat_gateway.main", "", ABSENT),
        ("aws_nat_gateway.main", "connectivity_type", "private"),
        ("aws_nat_gateway.main", "subnet_id", PRIVATE[0]),
        ("aws_route.public", "", ABSENT),
        ("aws_route.public", "gateway_id", "igw-other"),
        ("aws_internet_gateway.main", "", ABSENT),
        ("aws_route_table_association.public", "", ABSENT),
        ("aws_route_table_association.private_b", "", ABSENT),
        ("aws_route_table_association.private_a", "route_table_id", "rtb-public"),
    ],
)
def test_a_way_out_that_is_broken_is_found_for_apis_and_dsql(
    address: str, path: str, value: Any
) -> None:
    """Feature: temporal-ecs-fargate, Property 4: what is called is reached."""
    judged = walled().put(address, path, value).judged(FAMILY)
    said = [found.evidence for found in judged.of("reach-api").findings]
    assert any("history -> ssmmessages" in one for one in said)
    assert any("instances main -> ecs-agent" in one for one in said)
    # Logs have an endpoint, which needs no way out.
    assert not any("-> logs" in one for one in said)
    assert judged.of("reach-database").verdict is Verdict.NG


def test_an_api_without_a_way_gets_an_endpoint_as_terraform() -> None:
    found = isolated().judged(FAMILY).of("reach-api").findings
    (one,) = [each for each in found if each.evidence.startswith("history -> ssmmessages")]
    assert one.resource == "aws_route_table.private"
    assert "TargetNotConnectedException" in one.symptom
    for words in (
        f'service_name        = "com.amazonaws.{REGION}.ssmmessages"',
        "private_dns_enabled = true",
        "aws_subnet.private_a.id, aws_subnet.private_b.id",
        f"security_group_id            = {GROUP}.history.id",
        "aws_vpc.main.id",
    ):
        assert words in one.fix, one.fix
    (pull,) = [each for each in found if each.evidence.startswith("instances main -> ecr.api")]
    assert "CannotPullContainerError" in pull.symptom


@pytest.mark.parametrize(("kind", "lacking"), [(INGRESS, f"{GROUP}.logs"), (EGRESS, f"{GROUP}.ui")])
def test_an_endpoint_that_does_not_let_a_caller_in_is_not_made_up_for_by_nat(
    kind: str, lacking: str
) -> None:
    draft = walled().without(f"{EGRESS}.ui_{OUT}")
    if kind == INGRESS:
        let_out(draft, "ui", 443, cidr_ipv4="0.0.0.0/0")
    draft.without(f"{kind}.{rule_name('ui', 'logs', 443)}")
    (found,) = [
        one
        for one in draft.judged(FAMILY).of("reach-api").findings
        if one.evidence.startswith("ui -> logs")
    ]
    assert found.resource == lacking
    assert f'resource "{kind}"' in found.fix


def test_a_gateway_wants_its_prefix_list_named() -> None:
    draft = walled().without(f"{EGRESS}.instances_{OUT}")
    draft.without(f"{EGRESS}.instances_out_443_prefix_list_id")
    found = [
        one
        for one in draft.judged(FAMILY).of("reach-api").findings
        if one.evidence.startswith("instances main -> s3")
    ]
    assert [one.resource for one in found] == [f"{GROUP}.instances"]
    assert f"prefix_list_id    = {S3}.prefix_list_id" in found[0].fix


@pytest.mark.parametrize(
    ("address", "path", "value", "attribute"),
    [
        (LOGS, "private_dns_enabled", False, "private_dns_enabled"),
        (LOGS, "private_dns_enabled", ABSENT, "private_dns_enabled"),
        (LOGS, "subnet_ids", [PRIVATE[0]], "subnet_ids"),
        (LOGS, "vpc_endpoint_type", "Gateway", "vpc_endpoint_type"),
        (LOGS, "vpc_endpoint_type", "interface", "vpc_endpoint_type"),
        (LOGS, "service_name", None, "service_name"),
        (S3, "route_table_ids", [], "route_table_ids"),
        (S3, "vpc_endpoint_type", "gateway", "vpc_endpoint_type"),
        (S3, "vpc_endpoint_type", "Interface", "vpc_endpoint_type"),
    ],
)
def test_an_endpoint_that_does_not_serve_its_callers_is_found(
    address: str, path: str, value: Any, attribute: str
) -> None:
    """Feature: temporal-ecs-fargate, Property 4: endpoints serve those who call."""
    judged = walled().put(address, path, value).judged(FAMILY)
    assert (address, attribute) in ng(judged.of("reach-endpoint"))


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


ALL = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
OWN = {**ALL, "Condition": {"StringEquals": {"aws:ResourceAccount": [ACCOUNT]}}}
LAYERS = {
    **ALL,
    "Action": "s3:GetObject",
    "Resource": f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket/*",
}


@pytest.mark.parametrize(
    ("address", "text", "verdict"),
    [
        (LOGS, policy(ALL), Verdict.OK),
        (LOGS, policy({**ALL, "Action": ["logs:Put*", "logs:Create*"]}), Verdict.OK),
        (LOGS, policy({**ALL, "Action": "logs:PutLogEvents"}), Verdict.NG),
        (LOGS, policy(ALL, {**ALL, "Effect": "Deny"}), Verdict.NG),
        (LOGS, policy(), Verdict.NG),
        (LOGS, "not JSON", Verdict.SKIP),
        (S3, policy(OWN, LAYERS), Verdict.OK),
        (S3, policy(OWN), Verdict.NG),
        (S3, policy(ALL), Verdict.OK),
    ],
)
def test_the_policy_of_an_endpoint_lets_its_callers_pass(
    address: str, text: str, verdict: Verdict
) -> None:
    outcome = walled().put(address, "policy", text).judged(FAMILY).of("reach-endpoint-policy")
    assert outcome.verdict is verdict, outcome
    assert {place for place, _ in ng(outcome)} <= {address}


def test_public_images_want_a_way_out() -> None:
    draft = isolated()
    draft.containers["ui"][0]["image"] = "temporalio/ui:2.54.1"
    (found,) = draft.judged(FAMILY).of("reach-images").findings
    assert "temporalio/ui:2.54.1" in found.evidence
    assert found.resource == "aws_route_table.private"
    draft.containers["ui"][0]["image"] = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/ui:1"
    assert draft.judged(FAMILY).of("reach-images").verdict is Verdict.OK


def test_the_management_endpoint_of_dsql_serves_no_query() -> None:
    """The seeds' mistake: an endpoint of `dsql`, with 443, for the connections."""
    draft = isolated()
    draft.add("aws_vpc_endpoint.dsql", **{**draft[LOGS], "id": "vpce-dsql"})
    draft["aws_vpc_endpoint.dsql"]["service_name"] = f"com.amazonaws.{REGION}.dsql"
    found = draft.judged(FAMILY).of("reach-database").findings
    assert len(found) == len(ROLES)
    for one in found:
        assert "aws_vpc_endpoint.dsql is for the management API" in one.evidence
        assert "exits 1" in one.symptom


def test_egress_to_the_vpc_and_443_alone_shuts_dsql_out() -> None:
    """The seeds' mistake: nothing goes out on 5432."""
    draft = walled()
    for role in ROLES:
        draft.without(f"{EGRESS}.{role}_out_5432_cidr_ipv4")
    found = only(draft.judged(FAMILY), "reach-database")
    assert {one.resource for one in found} == {f"{GROUP}.{role}" for role in ROLES}
    assert all('cidr_ipv4         = "0.0.0.0/0"' in one.fix for one in found)


def private_link() -> Draft:
    draft = isolated()
    draft.add(f"{GROUP}.database", id="sg-database", name="x-dsql", vpc_id=VPC)
    draft.add("aws_vpc_endpoint.dsql", **{**draft[LOGS], "id": "vpce-dsql"})
    draft["aws_vpc_endpoint.dsql"].update(
        service_name=f"com.amazonaws.{REGION}.dsql-1a2b3c", security_group_ids=["sg-database"]
    )
    service = f"com.amazonaws.{REGION}.dsql-1a2b3c"
    draft["aws_dsql_cluster.main"]["vpc_endpoint_service_name"] = service
    for role in ROLES:
        let(draft, role, "database", 5432)
    return draft


def test_the_connection_endpoint_is_a_way_to_dsql() -> None:
    judged = private_link().judged(FAMILY)
    assert judged.of("reach-database").verdict is Verdict.OK
    assert judged.of("reach-needed").verdict is Verdict.OK


def test_the_connection_endpoint_lets_in_on_5432() -> None:
    """The seeds' mistake: a group of all endpoints that admits 443 alone."""
    draft = private_link()
    for role in ROLES:
        draft[f"{INGRESS}.{rule_name(role, 'database', 5432)}"].update(from_port=443, to_port=443)
    found = draft.judged(FAMILY).of("reach-needed").findings
    assert {one.resource for one in found} == {f"{GROUP}.database"}
    assert len(found) == len(ROLES)


def test_the_connection_endpoint_is_that_of_the_cluster() -> None:
    draft = private_link()
    draft["aws_dsql_cluster.main"]["vpc_endpoint_service_name"] = "com.amazonaws.x.dsql-ffffff"
    assert ng(draft.judged(FAMILY).of("reach-database")) == [
        ("aws_vpc_endpoint.dsql", "service_name")
    ]


def test_a_private_host_without_its_endpoint_is_found() -> None:
    draft = isolated()
    for role in ROLES:
        for pair in draft.containers[role][0]["environment"]:
            pair["value"] = pair["value"].replace(".dsql.", ".dsql-1a2b3c.")
    assert ng(draft.judged(FAMILY).of("reach-database")) == [("aws_vpc.main", "")]


@pytest.mark.parametrize(
    ("attribute", "values"),
    [("enable_dns_support", [False]), ("enable_dns_hostnames", [False, None])],
)
def test_private_names_want_dns_in_the_vpc(attribute: str, values: list[Any]) -> None:
    for value in values:
        judged = walled().put("aws_vpc.main", attribute, value).judged(FAMILY)
        assert ng(judged.of("reach-dns")) == [("aws_vpc.main", attribute)]


def test_a_dns_namespace_of_another_vpc_is_found() -> None:
    draft = walled()
    namespace = "aws_service_discovery_private_dns_namespace.main"
    draft.add(namespace, name="shop.internal", vpc="vpc-other")
    assert ng(draft.judged(FAMILY).of("reach-dns")) == [(namespace, "vpc")]


def test_a_network_that_is_not_in_the_plan_is_not_judged() -> None:
    draft = walled()
    draft.without(
        *[a for a in draft.values if a.startswith(("aws_subnet.", "aws_vpc.", "aws_rou"))]
    )
    judged = draft.judged(FAMILY)
    for rule in ("reach-api", "reach-database", "reach-dns"):
        outcome = judged.of(rule)
        assert outcome.verdict is Verdict.SKIP, outcome
        assert not outcome.findings


def test_a_way_by_something_else_is_not_judged() -> None:
    draft = walled().put("aws_route.private", "nat_gateway_id", None)
    draft["aws_route.private"]["transit_gateway_id"] = "tgw-1"
    outcome = draft.judged(FAMILY).of("reach-api")
    assert outcome.verdict is Verdict.SKIP
    assert any("transit_gateway_id" in said.reason for said in outcome.unjudged)


def test_unknown_attributes_of_endpoints_are_not_judged() -> None:
    draft = walled().put(LOGS, "private_dns_enabled", UNKNOWN)
    judged = draft.judged(FAMILY)
    assert not judged.of("reach-endpoint").findings
    assert judged.of("reach-endpoint").verdict is Verdict.SKIP
    assert judged.of("reach-api").verdict is Verdict.SKIP


def test_a_load_balancer_that_is_tied_together_is_right() -> None:
    judged = balanced().judged(FAMILY)
    assert judged.of("reach-load-balancer").verdict is Verdict.OK
    assert not judged.findings, judged.findings


@pytest.mark.parametrize(
    ("address", "path", "value", "says"),
    [
        ("aws_lb_listener.main", "", ABSENT, ("aws_lb.main", "")),
        ("aws_lb_listener.main", "port", 80, ("aws_lb_listener.main", "port")),
        ("aws_lb_listener.main", "protocol", "UDP", ("aws_lb_listener.main", "protocol")),
        ("aws_lb_target_group.main", "target_type", "instance", None),
        ("aws_lb_target_group.main", "protocol", "UDP", None),
        (f"{SERVICE}.frontend", "load_balancer", [], None),
        (f"{SERVICE}.frontend", "load_balancer.0.target_group_arn", "arn:other", None),
        (f"{SERVICE}.frontend", "load_balancer.0.container_name", "other", None),
        (f"{SERVICE}.frontend", "load_balancer.0.container_port", 7234, None),
    ],
)
def test_a_load_balancer_that_is_not_tied_together_is_found(
    address: str, path: str, value: Any, says: tuple[str, str] | None
) -> None:
    judged = balanced().put(address, path, value).judged(FAMILY)
    assert (says or (address, path)) in ng(judged.of("reach-load-balancer"))


@pytest.mark.parametrize("flow", [("client", "load-balancer"), ("load-balancer", "frontend")])
def test_the_load_balancer_is_let_in_and_out(flow: tuple[str, str]) -> None:
    draft = balanced().without(f"{INGRESS}.{rule_name(*flow, 7233)}")
    assert draft.judged(FAMILY).of("reach-needed").verdict is Verdict.NG
