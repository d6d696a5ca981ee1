"""The family `reach` on our own plans, against what another reading of them says."""

from functools import cache

import pytest

from temporal_dsql_deploy.checks import Judgement, Subject, Verdict, judge
from temporal_dsql_deploy.checks.reach import FAMILY
from temporal_dsql_deploy.checks.reach.survey import survey
from temporal_dsql_deploy.plan import Plan
from tests.support import parties, plans
from tests.support.mutants.model import without
from tests.support.parties import Flow

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)
RULES = ("aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule")
OPTIONAL = {
    "reach-endpoint": set(plans.MADE),
    "reach-endpoint-policy": set(plans.MADE),
    "reach-dns": set(plans.MADE),
    "reach-zones": set(plans.MADE),
    "reach-domain-zones": set(plans.MADE),
}
"""Rules about what only some plans have: those plans."""
OF_OTHERS = {"reach-needed", "reach-api", "reach-images", "reach-database", "reach-egress-limited"}
"""Rules that ask, of a plan that brings everything, for what is somebody else's."""


def judged(plan: Plan) -> Judgement:
    return judge(Subject(plan), FAMILY.rules)


@cache
def of(name: str) -> Judgement:
    return judged(plans.of(name))


@everywhere
def test_our_own_plans_have_no_finding(name: str) -> None:
    assert [(rule.id, found) for rule, found in of(name).findings] == []


@everywhere
def test_only_what_is_not_in_the_plan_is_not_judged(name: str) -> None:
    skipped = {each.rule.id for each in of(name).outcomes if each.verdict is Verdict.SKIP}
    expected = {rule for rule, having in OPTIONAL.items() if name not in having}
    if name == "brought":
        expected |= OF_OTHERS
    assert skipped == expected


@everywhere
def test_reach_is_what_the_tables_of_parties_say(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 8: security groups isolate by role and port."""
    found = survey(Subject(plans.of(name)))
    told = {(source.label, target.label, port) for source, target, port in found.flows}
    wanted = {flow for flow in parties.reach(plans.of(name)) if not _brought(name, flow)}
    # The other reading knows no rule to everywhere, by which an endpoint may be reached too.
    assert wanted <= told
    assert {flow for flow in told - wanted if flow[2] != 443} == set()


def _brought(name: str, flow: Flow) -> bool:
    theirs = {"instances existing", "visibility", "endpoint logs"}
    return name == "brought" and bool(theirs & {flow[0], flow[1]})


@pytest.mark.parametrize("name", ["dev", "isolated"])
def test_each_rule_of_a_security_group_is_missed_by_a_rule_that_is_meant_for_it(name: str) -> None:
    plan = plans.of(name)
    resources = plan.of_type(*RULES)
    assert len(resources) > 100
    for resource in resources:
        found = judged(without(plan, resource.address)).findings
        assert found, f"nobody misses {resource.address}"
        text = " ".join(each.evidence for _, each in found)
        assert any(word in text for word in _ends(resource.address)), (resource.address, text)


def _ends(address: str) -> tuple[str, ...]:
    """Words of which one must be in what is said: who, or the whole pair."""
    key = address.partition('["')[2].removesuffix('"]')
    source, _, _ = key.partition("-to-")
    return (source, f"{source} ->")


@pytest.mark.parametrize("name", plans.MADE)
@pytest.mark.parametrize(
    "kind",
    [
        "aws_route",
        "aws_route_table_association",
        "aws_nat_gateway",
        "aws_internet_gateway",
    ],
)
def test_each_way_out_is_missed(name: str, kind: str) -> None:
    plan = plans.of(name)
    for resource in plan.of_type(kind):
        assert judged(without(plan, resource.address)).findings, resource.address


@pytest.mark.parametrize("name", plans.MADE)
def test_each_interface_endpoint_is_missed(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 4: endpoints as they are called."""
    plan = plans.of(name)
    for resource in plan.of_type("aws_vpc_endpoint"):
        if resource["vpc_endpoint_type"] == "Interface":
            assert judged(without(plan, resource.address)).findings, resource.address
