"""Pairs: needed and closed, open without a use, and the mistakes that others have made."""

from typing import Any

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.model import Finding, Verdict
from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import PRIVATE, ROLES, VPC
from tests.support.draft import SERVICE, Draft, only, verdicts
from tests.support.walled import (
    EGRESS,
    GROUP,
    GRPC,
    INGRESS,
    RING,
    closed,
    flows,
    let,
    rule_name,
    walled,
)

TOPOLOGY = topology.load()
PAIRS = sorted(flows())
SYMPTOMS = [
    pytest.param(row.from_, row.to, TOPOLOGY.roles[row.to].ports[row.port_name], row, id=str(row))
    for row in TOPOLOGY.traffic
    if row.needed and row.closed_symptom and row.to in ROLES
]
WITHOUT = {"reach-endpoint-policy"}
"""Rules about what the plan does not have."""


def one(draft: Draft, rule: str) -> Finding:
    found = only(draft.judged(FAMILY), rule)
    assert len(found) == 1, found
    return found[0]


def test_a_good_plan_has_no_finding() -> None:
    found = verdicts(walled().judged(FAMILY))
    assert {rule for rule, verdict in found.items() if verdict is not Verdict.OK} == WITHOUT
    assert {found[rule] for rule in WITHOUT} == {Verdict.SKIP}


@pytest.mark.parametrize("flow", PAIRS, ids=str)
def test_each_closed_pair_is_found_once_with_both_missing_rules(
    flow: tuple[str, str, int],
) -> None:
    source, target, port = flow
    rule = "reach-membership" if port in RING.values() else "reach-needed"
    draft = closed(walled(), *flow)
    if port == 443:
        # What lets it out to AWS's APIs would let it out to the domain too.
        draft.without(f"{EGRESS}.{source.replace('-', '_')}_out_443_cidr_ipv4")
    (found,) = draft.judged(FAMILY).of(rule).findings
    assert found.resource == f"{GROUP}.{source.replace('-', '_')}"
    assert f"{source} -> {target}:{port}" in found.evidence
    assert found.fix.count("resource ") == 2
    own, other = (f"{GROUP}.{name.replace('-', '_')}.id" for name in (source, target))
    for words in (INGRESS, EGRESS, own, other, f"= {port}\n", '"tcp"'):
        assert words in found.fix, found.fix


@pytest.mark.parametrize(("kind", "lacking"), [(INGRESS, "matching"), (EGRESS, "history")])
def test_the_end_that_lacks_a_rule_is_responsible(kind: str, lacking: str) -> None:
    name = rule_name("history", "matching", GRPC["matching"])
    found = one(walled().without(f"{kind}.{name}"), "reach-needed")
    assert (found.resource, found.attribute) == (f"{GROUP}.{lacking}", "")
    assert found.fix.count("resource ") == 1
    assert f'resource "{kind}"' in found.fix


@pytest.mark.parametrize(("source", "target", "port", "row"), SYMPTOMS)
def test_a_closed_pair_has_the_symptom_that_was_measured(
    source: str, target: str, port: int, row: Any
) -> None:
    rule = "reach-membership" if row.port_name == "membership" else "reach-needed"
    found = only(closed(walled(), source, target, port).judged(FAMILY), rule)
    assert [each.symptom for each in found] == [row.closed_symptom]


def test_membership_by_self_alone_is_named_by_the_ring() -> None:
    """The seeds' mistake: each role's group opens its membership port to itself."""
    draft = walled()
    for source in ROLES:
        for target in ROLES:
            if source != target:
                closed(draft, source, target, RING[target])
    found = only(draft.judged(FAMILY), "reach-membership")
    assert len(found) == 12
    assert {each.symptom for each in found} == {TOPOLOGY.membership.closed_symptom}
    name = rule_name("history", "history", RING["history"])
    of_history = [each for each in found if f"-> history:{RING['history']}" in each.evidence]
    assert len(of_history) == 3
    for each in of_history:
        assert f"{INGRESS}.{name} admits only the group that it belongs to" in each.evidence


def test_an_unneeded_pair_that_is_open_is_a_leak_of_the_ingress_rule() -> None:
    """Feature: temporal-ecs-fargate, Property 8: isolation by role and port."""
    draft = walled()
    let(draft, "ui", "history", GRPC["history"])
    judged = draft.judged(FAMILY)
    (found,) = judged.of("reach-leak").findings
    assert found.resource == f"{INGRESS}.{rule_name('ui', 'history', GRPC['history'])}"
    assert f"ui -> history:{GRPC['history']}" in found.evidence


def test_grpc_of_the_worker_is_open_to_nobody() -> None:
    """Feature: temporal-ecs-fargate, Property 8: isolation by role and port."""
    draft = walled()
    let(draft, "frontend", "worker", GRPC["worker"])
    assert draft.judged(FAMILY).of("reach-leak").verdict is Verdict.NG


def shared() -> Draft:
    """The reference's mistake: each task wears the instances' group, open within the VPC too."""
    draft = walled()
    for name in (*ROLES, "ui", "grafana"):
        draft.service(name)["network_configuration"][0]["security_groups"].append("sg-instances")
    everything = {"ip_protocol": "-1", "from_port": None, "to_port": None}
    draft.add(
        f"{INGRESS}.own",
        security_group_id="sg-instances",
        referenced_security_group_id="sg-instances",
        **everything,
    )
    draft.add(
        f"{INGRESS}.vpc", security_group_id="sg-instances", cidr_ipv4="10.0.0.0/16", **everything
    )
    draft.add(
        f"{EGRESS}.all", security_group_id="sg-instances", cidr_ipv4="0.0.0.0/0", **everything
    )
    return draft


def test_a_shared_group_that_hides_missing_rules_is_named() -> None:
    """The reference's mistake: with the rules between roles missing, everything passes by it."""
    draft = shared()
    for source in ROLES:
        for target in ROLES:
            if source != target:
                closed(draft, source, target, RING[target])
    judged = draft.judged(FAMILY)
    (found,) = judged.of("reach-shared-group").findings
    assert found.resource == f"{GROUP}.instances"
    for words in ("worn by frontend, grafana, history", "needed, and open by it alone", "more"):
        assert words in found.evidence, found.evidence
    # It really hides them: no pair is closed.
    assert judged.of("reach-membership").verdict is Verdict.OK
    assert judged.of("reach-needed").verdict is Verdict.OK
    leaks = judged.of("reach-leak").findings
    assert {each.resource for each in leaks} == {f"{INGRESS}.vpc"}
    assert "ui -> history" in leaks[0].evidence or "more" in leaks[0].evidence


def test_a_group_that_several_wear_and_that_opens_what_is_needed_is_right() -> None:
    draft = walled()
    draft.add(f"{GROUP}.ring", id="sg-ring", name="x-ring", vpc_id=VPC)
    for source in ROLES:
        network = draft.service(source)["network_configuration"][0]
        network["security_groups"] = [f"sg-{source}", "sg-ring"]
    assert draft.judged(FAMILY).of("reach-shared-group").verdict is Verdict.OK


def test_a_party_that_wears_several_groups_has_the_rules_of_all() -> None:
    draft = walled()
    flow = ("history", "matching", GRPC["matching"])
    closed(draft, *flow)
    for name in ("history", "matching"):
        draft.add(f"{GROUP}.more_{name}", id=f"sg-more-{name}", name=f"x-{name}", vpc_id=VPC)
        network = draft.service(name)["network_configuration"][0]
        network["security_groups"] = [f"sg-{name}", f"sg-more-{name}"]
    let(draft, "more-history", "more-matching", flow[2])
    assert draft.judged(FAMILY).of("reach-needed").verdict is Verdict.OK


def test_addresses_open_a_pair_only_where_they_hold_all_of_the_other_end() -> None:
    name = rule_name("history", "matching", GRPC["matching"])
    for cidr, verdict in (
        ("10.0.0.0/16", Verdict.OK),
        ("10.0.0.0/20", Verdict.NG),
        ("0.0.0.0/0", Verdict.OK),
        ("192.168.0.0/16", Verdict.NG),
    ):
        draft = walled()
        del draft[f"{INGRESS}.{name}"]["referenced_security_group_id"]
        draft[f"{INGRESS}.{name}"]["cidr_ipv4"] = cidr
        assert draft.judged(FAMILY).of("reach-needed").verdict is verdict, cidr


def test_rules_inside_groups_and_of_the_older_resource_count_too() -> None:
    draft = walled()
    flow = ("history", "matching", GRPC["matching"])
    closed(draft, *flow)
    block = {"protocol": "tcp", "from_port": flow[2], "to_port": flow[2]}
    draft.add(
        "aws_security_group_rule.out",
        type="egress",
        security_group_id="sg-history",
        source_security_group_id="sg-matching",
        **block,
    )
    draft.add(
        "aws_security_group_rule.into",
        type="ingress",
        security_group_id="sg-matching",
        source_security_group_id="sg-history",
        **block,
    )
    assert draft.judged(FAMILY).of("reach-needed").verdict is Verdict.OK


def test_unknown_ids_are_said_to_be_unknown() -> None:
    draft = walled()
    for address, values in draft.values.items():
        if address.startswith(GROUP):
            values["id"] = UNKNOWN
        if address.startswith((INGRESS, EGRESS)):
            values["security_group_id"] = UNKNOWN
        if address.startswith(SERVICE):
            values["network_configuration"][0]["security_groups"] = [UNKNOWN]
    for address, path in (
        ("aws_launch_template.main", "vpc_security_group_ids"),
        ("aws_vpc_endpoint.logs", "security_group_ids"),
    ):
        draft[address][path] = [UNKNOWN]
    draft["aws_opensearch_domain.main"]["vpc_options"][0]["security_group_ids"] = UNKNOWN
    draft.outputs["client_security_group_id"] = UNKNOWN
    draft.outputs["opensearch_setup"] = UNKNOWN
    judged = draft.judged(FAMILY)
    assert not judged.findings
    (said,) = judged.of("reach-needed").unjudged
    assert "known only after apply" in said.reason
    assert "dsql-deploy check" in said.reason


def test_a_role_without_known_groups_is_not_judged_and_the_others_are() -> None:
    draft = walled()
    draft.service("worker")["network_configuration"][0]["security_groups"] = UNKNOWN
    judged = draft.judged(FAMILY)
    assert judged.of("reach-membership").verdict is Verdict.SKIP
    assert [said.resource for said in judged.of("reach-membership").unjudged] == [
        f"{SERVICE}.worker"
    ]
    closed(draft, "history", "matching", GRPC["matching"])
    assert draft.judged(FAMILY).of("reach-needed").verdict is Verdict.NG


def test_a_group_that_is_not_in_the_plan_is_not_judged() -> None:
    draft = closed(walled(), "history", "matching", GRPC["matching"]).without(f"{GROUP}.matching")
    judged = draft.judged(FAMILY)
    assert judged.of("reach-needed").verdict is Verdict.SKIP


def test_network_acls_are_said_not_to_be_looked_at() -> None:
    draft = walled()
    draft.add("aws_network_acl.main", id="acl-1", vpc_id=VPC, subnet_ids=list(PRIVATE))
    (said,) = draft.judged(FAMILY).of("reach-needed").unjudged
    assert (said.resource, "ACL" in said.reason) == ("aws_network_acl.main", True)


def test_a_plan_without_anything_is_not_judged() -> None:
    judged = Draft().judged(FAMILY)
    assert {outcome.verdict for outcome in judged.outcomes} == {Verdict.SKIP}


@pytest.mark.parametrize("collector", [True, False])
def test_loki_is_needed_by_those_beside_whom_a_collector_stands(*, collector: bool) -> None:
    draft = walled()
    draft.add(f"{GROUP}.loki", id="sg-loki", name="x-loki", vpc_id=VPC)
    draft.containers["loki"] = [{"name": "loki", "image": "grafana/loki:3.7.8"}]
    draft.add("aws_ecs_task_definition.loki", family="shop-loki", arn="arn:loki")
    draft.add(
        f"{SERVICE}.loki",
        name="shop-loki",
        task_definition="arn:loki",
        network_configuration=[{"security_groups": ["sg-loki"], "subnets": list(PRIVATE)}],
    )
    let(draft, "grafana", "loki", 3100)
    for role in ROLES:
        let(draft, role, "loki", 3100)
    closed(draft, "history", "loki", 3100)
    if not collector:
        draft.containers["history"].pop()
    verdict = draft.judged(FAMILY).of("reach-needed").verdict
    assert verdict is (Verdict.NG if collector else Verdict.OK)
