"""The family `fit` on our own plans, and beside arithmetic of its own."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from temporal_dsql_deploy.capacity.scenarios import judge as tried
from temporal_dsql_deploy.checks import Judgement, Subject, Verdict, judge
from temporal_dsql_deploy.checks.fit import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import judged as pools
from temporal_dsql_deploy.plan import Output, Plan, Resource
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
NOT_KNOWN = {"brought"}
"""Those whose instances are somebody else's."""
ON_A_TRUNK = {"adot"}
"""Those that lose an instance only with awsvpcTrunking, which is set once an account."""


def judgement(plan: Plan) -> Judgement:
    return judge(Subject(plan), FAMILY.rules)


def altered(plan: Plan, address: str, **values: Any) -> Plan:
    """The plan with other attributes of one resource."""

    def other(resource: Resource) -> Resource:
        if resource.address != address:
            return resource
        return replace(resource, values={**resource.values, **values})

    assert any(resource.address == address for resource in plan.resources)
    return replace(plan, resources=tuple(map(other, plan.resources)))


def scaled(plan: Plan, name: str, replicas: int) -> Plan:
    """The plan with another number of tasks of a component."""
    told = plan.outputs["services"].value
    services = {**told, name: {**told[name], "replicas": replicas}}
    return replace(plan, outputs={**plan.outputs, "services": Output("services", services)})


@pytest.mark.parametrize("name", plans.ALL)
def test_everything_fits_in_our_own_plans(name: str) -> None:
    """S0-P3, S1-ST, S2-4: tasks find room at rest, in deployments, and with something lost."""
    outcome = judgement(plans.of(name))
    assert outcome.findings == ()
    at_rest = Verdict.SKIP if name in NOT_KNOWN else Verdict.OK
    assert outcome.of("fit-at-rest").verdict is at_rest
    assert outcome.of("fit-rolling-deployment").verdict is at_rest
    assert outcome.of("fit-zone-lost").verdict is at_rest
    lost = Verdict.SKIP if name in NOT_KNOWN | ON_A_TRUNK else Verdict.OK
    assert outcome.of("fit-instance-lost").verdict is lost
    assert outcome.of("fit-task-size").verdict is Verdict.OK


@pytest.mark.parametrize("name", [name for name in plans.ALL if name not in NOT_KNOWN])
def test_what_is_placed_is_what_the_plan_says(name: str) -> None:
    plan = plans.of(name)
    placed = Counter[str]()
    for pool in pools(Subject(plan)):
        placed.update({kind.name: kind.count for kind in pool.kinds if kind.count})
    told = plan.outputs["services"].value
    assert placed == {name: service["replicas"] for name, service in told.items()}


def test_production_fits_on_more_instances_than_volume_alone_asks_for() -> None:
    """Volume asks for five m7g.xlarge; with three the rule must say that nothing can fit."""
    plan = plans.of("prod")
    (group,) = plan.of_type("aws_autoscaling_group")
    small = altered(plan, group.address, min_size=1, desired_capacity=3, max_size=3)
    (found,) = judgement(small).of("fit-at-rest").findings
    assert (found.resource, found.attribute) == (group.address, "max_size")
    assert "no placement of all exists" in found.evidence
    assert "max_size to " in found.fix
    said = int(found.fix.split("max_size to ")[1].split(",")[0])
    enough = altered(plan, group.address, max_size=said)
    assert not judgement(enough).findings


def test_a_larger_type_that_is_said_to_suffice_does() -> None:
    plan = plans.of("prod")
    (group,) = plan.of_type("aws_autoscaling_group")
    (template,) = plan.of_type("aws_launch_template")
    small = altered(plan, group.address, min_size=1, desired_capacity=3, max_size=3)
    (found,) = judgement(small).of("fit-at-rest").findings
    name = found.fix.split("take ")[1].split(" ")[0]
    assert not judgement(altered(small, template.address, instance_type=name)).findings


def test_the_reference_systems_node_b_is_named() -> None:
    """S0-P3: four services tied to an m7g.large that has two interfaces for them."""
    plan = plans.of("adot")
    (group,) = (
        one
        for one in plan.of_type("aws_autoscaling_group")
        if str(one["name"]).endswith("-frontend")
    )
    one_node = altered(plan, group.address, max_size=1)
    findings = judgement(one_node).of("fit-at-rest").findings
    assert {(one.resource, one.attribute) for one in findings} == {(group.address, "max_size")}
    assert "RESOURCE:ENI" in findings[0].evidence
    # A fourth task on two such nodes runs, and then no deployment finds room.
    four = scaled(plan, "ui", 2)
    assert judgement(four).of("fit-at-rest").verdict is Verdict.OK
    found = judgement(four).of("fit-rolling-deployment").findings
    assert {one.resource for one in found} == {group.address}


def test_a_trunk_carries_what_interfaces_alone_do_not() -> None:
    plan = scaled(plans.of("dev"), "history", 8)
    assert [rule.id for rule, _ in judgement(plan).findings if rule.id == "fit-at-rest"]
    setting = Resource(
        "aws_ecs_account_setting_default.trunk",
        "",
        "managed",
        "aws_ecs_account_setting_default",
        "trunk",
        values={"name": "awsvpcTrunking", "value": "enabled"},
    )
    with_trunk = replace(plan, resources=(*plan.resources, setting))
    assert not judgement(with_trunk).findings


@pytest.mark.parametrize("name", ["dev", "prod", "bench"])
def test_no_order_has_to_be_tried_for_our_own_environments(name: str) -> None:
    """What is proven holds for orders that no seed has shown too."""
    for pool in pools(Subject(plans.of(name))):
        for fit in tried(pool.kinds, pool.groups, pool.scenarios()).values():
            assert (fit.fits, fit.orders) == (True, 0)
