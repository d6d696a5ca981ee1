"""Rules about rules of security groups, and about what wears the groups."""

from typing import Any

import pytest

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import VPC
from tests.support.draft import ABSENT, SERVICE, Draft, ng, only
from tests.support.walled import (
    EGRESS,
    GROUP,
    GRPC,
    INGRESS,
    let,
    let_out,
    rule_name,
    walled,
)

HISTORY_TO_MATCHING = rule_name("history", "matching", GRPC["matching"])


def widened(kind: str, cidr: str) -> Draft:
    draft = walled()
    rule = draft[f"{kind}.{HISTORY_TO_MATCHING}"]
    del rule["referenced_security_group_id"]
    rule["cidr_ipv4"] = cidr
    return draft


def test_ingress_from_everywhere_is_found() -> None:
    """Feature: temporal-ecs-fargate, Property 1: no security group admits 0.0.0.0/0."""
    judged = widened(INGRESS, "0.0.0.0/0").judged(FAMILY)
    assert ng(judged.of("reach-ingress-anywhere")) == [(f"{INGRESS}.{HISTORY_TO_MATCHING}", "")]
    assert judged.of("reach-ingress-by-group").verdict is Verdict.OK


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.0.0/20"])
def test_ingress_from_addresses_is_found(cidr: str) -> None:
    """Feature: temporal-ecs-fargate, Property 8: ingress names groups instead of CIDRs."""
    judged = widened(INGRESS, cidr).judged(FAMILY)
    assert ng(judged.of("reach-ingress-by-group")) == [(f"{INGRESS}.{HISTORY_TO_MATCHING}", "")]
    assert judged.of("reach-ingress-anywhere").verdict is Verdict.OK


def test_a_load_balancer_may_let_in_addresses_but_not_all() -> None:
    draft = walled()
    draft.add(f"{GROUP}.lb", id="sg-lb", name="x-lb", vpc_id=VPC)
    draft.add("aws_lb.main", arn="arn:lb", internal=True, security_groups=["sg-lb"], subnets=[])
    rule = {"security_group_id": "sg-lb", "ip_protocol": "tcp", "from_port": 7233, "to_port": 7233}
    draft.add(f"{INGRESS}.lb", cidr_ipv4="172.16.0.0/12", **rule)
    judged = draft.judged(FAMILY)
    assert judged.of("reach-ingress-by-group").verdict is Verdict.OK
    draft[f"{INGRESS}.lb"]["cidr_ipv4"] = "0.0.0.0/0"
    assert ng(draft.judged(FAMILY).of("reach-ingress-anywhere")) == [(f"{INGRESS}.lb", "")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from_port": 444, "to_port": 444}, "needs that on [443, 5432] alone"),
        ({"from_port": 1, "to_port": 65535}, "tcp 1 to 65535"),
        ({"ip_protocol": "udp"}, "udp 443"),
        ({"ip_protocol": "-1"}, "all ports"),
        ({"cidr_ipv4": "10.0.0.0/16"}, "addresses of the VPC"),
    ],
)
def test_egress_by_address_is_for_what_has_no_group(change: dict[str, Any], words: str) -> None:
    """Feature: temporal-ecs-fargate, Property 8: egress is limited to what is needed."""
    draft = walled()
    address = f"{EGRESS}.history_out_443_cidr_ipv4"
    draft[address].update(change)
    (found,) = draft.judged(FAMILY).of("reach-egress-limited").findings
    assert found.resource == address
    assert words in found.evidence


def test_egress_to_addresses_that_the_plan_does_not_know_is_not_judged() -> None:
    draft = walled()
    address = let_out(draft, "ui", 389, cidr_ipv4="172.20.0.0/16")
    outcome = draft.judged(FAMILY).of("reach-egress-limited")
    assert [said.resource for said in outcome.unjudged] == [address]


def test_egress_to_everywhere_of_who_calls_nothing_outside_is_found() -> None:
    draft = walled()
    address = let_out(draft, "visibility", 443, cidr_ipv4="0.0.0.0/0")
    (found,) = only(draft.judged(FAMILY), "reach-egress-limited")
    assert found.resource == address


def test_a_path_in_the_vpc_that_hangs_on_the_rule_to_everywhere_is_found() -> None:
    name = rule_name("history", "logs", 443)
    (found,) = only(walled().without(f"{EGRESS}.{name}").judged(FAMILY), "reach-egress-limited")
    assert found.resource == f"{EGRESS}.history_out_443_cidr_ipv4"
    assert "history -> endpoint logs:443" in found.evidence
    assert f"referenced_security_group_id = {GROUP}.logs.id" in found.fix


@pytest.mark.parametrize(
    "change",
    [{"from_port": 80, "to_port": 80}, {"ip_protocol": "udp"}, {"security_group_id": "sg-ui"}],
)
def test_egress_to_a_gateway_is_https_of_who_calls_it(change: dict[str, Any]) -> None:
    draft = walled()
    address = f"{EGRESS}.instances_out_443_prefix_list_id"
    draft[address].update(change)
    assert (address, "") in ng(draft.judged(FAMILY).of("reach-egress-limited"))


@pytest.mark.parametrize("kind", [INGRESS, EGRESS])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"from_port": 22, "to_port": 22}, "no use on tcp 22"),
        ({"ip_protocol": "udp"}, "no use on udp"),
        ({"ip_protocol": "-1"}, "all ports"),
        ({"from_port": 7000, "to_port": 9999}, "9090 among them"),
    ],
)
def test_a_rule_that_opens_what_is_of_no_use_is_found(
    kind: str, change: dict[str, Any], words: str
) -> None:
    draft = walled()
    address = f"{kind}.{HISTORY_TO_MATCHING}"
    draft[address].update(change)
    found = draft.judged(FAMILY).of("reach-useless").findings
    assert [one.resource for one in found] == [address]
    assert words in found[0].evidence


def test_half_a_rule_without_a_use_is_found_and_the_missing_half_of_a_needed_one_is_not() -> None:
    draft = walled()
    let(draft, "opensearch-setup", "logs", 443)
    draft.without(f"{EGRESS}.{rule_name('ui', 'frontend', GRPC['frontend'])}")
    only(draft.judged(FAMILY), "reach-needed")
    draft = walled()
    let(draft, "grafana", "frontend", GRPC["frontend"])
    draft.without(f"{EGRESS}.{rule_name('grafana', 'frontend', GRPC['frontend'])}")
    (found,) = only(draft.judged(FAMILY), "reach-useless")
    assert found.resource.startswith(f"{INGRESS}.grafana_to_frontend")


def test_rules_of_a_group_that_nobody_wears_are_found() -> None:
    draft = walled()
    draft.add(f"{GROUP}.old", id="sg-old", name="x-old", vpc_id=VPC)
    let(draft, "old", "frontend", GRPC["frontend"])
    (found,) = only(draft.judged(FAMILY), "reach-worn")
    assert found.resource == f"{GROUP}.old"
    # Something else of the plan may wear it.
    draft.add("aws_instance.bastion", vpc_security_group_ids=["sg-old"])
    assert draft.judged(FAMILY).of("reach-worn").verdict is Verdict.OK


def test_the_same_rule_in_two_resources_is_found() -> None:
    draft = walled()
    draft.add(f"{EGRESS}.zz", **draft[f"{EGRESS}.{HISTORY_TO_MATCHING}"])
    (found,) = only(draft.judged(FAMILY), "reach-twice")
    assert found.resource == f"{EGRESS}.zz"
    assert HISTORY_TO_MATCHING in found.evidence


NAMED = [
    (f"{SERVICE}.history", "network_configuration.0.security_groups"),
    ("aws_launch_template.main", "vpc_security_group_ids"),
    ("aws_opensearch_domain.main", "vpc_options.0.security_group_ids"),
    ("aws_vpc_endpoint.logs", "security_group_ids"),
]


@pytest.mark.parametrize(("address", "path"), NAMED)
@pytest.mark.parametrize("value", [[], None])
def test_what_names_no_group_wears_the_default_one(address: str, path: str, value: Any) -> None:
    judged = walled().put(address, path, value).judged(FAMILY)
    assert ng(judged.of("reach-group-named")) == [(address, path)]


@pytest.mark.parametrize(("address", "path"), NAMED)
def test_a_name_for_an_id_is_found(address: str, path: str) -> None:
    judged = walled().put(address, path, ["shop-history"]).judged(FAMILY)
    assert ng(judged.of("reach-group-named")) == [(address, f"{path}.0")]


def test_a_service_that_uses_no_network_of_its_own_names_no_group() -> None:
    draft = walled().put(f"{SERVICE}.ui", "network_configuration", ABSENT)
    assert draft.judged(FAMILY).of("reach-group-named").verdict is Verdict.OK


@pytest.mark.parametrize(
    ("address", "path"),
    [
        (f"{SERVICE}.history", "network_configuration.0.subnets"),
        ("aws_autoscaling_group.main", "vpc_zone_identifier"),
    ],
)
def test_services_and_instances_stand_in_the_same_zones(address: str, path: str) -> None:
    draft = walled().put(address, f"{path}.1", ABSENT)
    assert (address, path) in ng(draft.judged(FAMILY).of("reach-zones"))


SPREAD = [{"availability_zone_count": 2}]


@pytest.mark.parametrize(
    ("aware", "config", "subnets", "verdict"),
    [
        (True, SPREAD, ["subnet-private-a", "subnet-private-b"], Verdict.OK),
        (True, [], ["subnet-private-a", "subnet-private-b"], Verdict.OK),
        (True, SPREAD, ["subnet-private-a", "subnet-public"], Verdict.NG),
        (True, SPREAD, ["subnet-private-a"], Verdict.NG),
        (False, [], ["subnet-private-a"], Verdict.OK),
        (None, [], ["subnet-private-a", "subnet-private-b"], Verdict.NG),
        (True, SPREAD, UNKNOWN, Verdict.SKIP),
        (UNKNOWN, SPREAD, ["subnet-private-a"], Verdict.SKIP),
    ],
)
def test_a_domain_has_a_subnet_in_each_of_its_zones(
    aware: Any, config: list[Any], subnets: Any, verdict: Verdict
) -> None:
    draft = walled()
    domain = "aws_opensearch_domain.main"
    draft[domain]["cluster_config"][0].update(
        zone_awareness_enabled=aware, zone_awareness_config=config
    )
    draft[domain]["vpc_options"][0]["subnet_ids"] = subnets
    outcome = draft.judged(FAMILY).of("reach-domain-zones")
    assert outcome.verdict is verdict
    assert set(ng(outcome)) <= {(domain, "vpc_options.0.subnet_ids")}
