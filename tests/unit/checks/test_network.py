"""Rules about public addresses and zones, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.network import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import PRIVATE, ZONES, good
from tests.support.draft import ABSENT, SERVICE, Break, Draft, every, only, verdicts

TEMPLATE = "aws_launch_template.main"
BREAKS = [
    *(
        Break("network-task-address", f"{SERVICE}.{name}", path, (True,))
        for name in ("history", "ui", "grafana")
        for path in ("network_configuration.0.assign_public_ip",)
    ),
    Break("network-subnet-address", "aws_subnet.private_a", "map_public_ip_on_launch", (True,)),
    Break("network-subnet-address", "aws_subnet.public", "map_public_ip_on_launch", (True,)),
    Break(
        "network-instance-address",
        TEMPLATE,
        "network_interfaces",
        ([{"associate_public_ip_address": "true"}], [{"associate_public_ip_address": True}]),
        (TEMPLATE, "network_interfaces.0.associate_public_ip_address"),
    ),
    Break(
        "network-elastic-address",
        "aws_nat_gateway.main",
        "allocation_id",
        ("eipalloc-other",),
        ("aws_eip.nat", ""),
    ),
    Break("network-elastic-address", "aws_eip.nat", "instance", ("i-0123456789",)),
    Break("network-private-route", "aws_route.private", "gateway_id", ("igw-shop", "igw-0f00")),
    Break(
        "network-private-route",
        "aws_route_table.private",
        "route",
        ([{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-shop"}],),
        ("aws_route_table.private", "route.0.gateway_id"),
    ),
    Break(
        "network-private-route",
        "aws_route_table_association.private_a",
        "route_table_id",
        ("rtb-public",),
        ("aws_route.public", "gateway_id"),
    ),
    Break(
        "network-same-zones",
        f"{SERVICE}.matching",
        "network_configuration.0.subnets",
        ([PRIVATE[0]], [PRIVATE[1]]),
    ),
    Break(
        "network-same-zones",
        "aws_autoscaling_group.main",
        "vpc_zone_identifier",
        ([PRIVATE[0]],),
    ),
]


def test_a_good_plan_has_no_public_address() -> None:
    found = verdicts(good().judged(FAMILY))
    assert found.pop("network-dns") is Verdict.SKIP
    assert set(found.values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(BREAKS), st.data())
def test_property_1(wrong: Break, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 1: no public address, whatever the names are.

    With NAT's address excepted: it cannot be had without one.
    """
    draft = good()
    for zone in ("a", "b"):
        draft[f"aws_subnet.private_{zone}"]["cidr_block"] = data.draw(
            st.ip_addresses(v=4).map(lambda ip: f"{ip}/28")
        )
    count = data.draw(st.integers(0, 3))
    for number in range(count):
        _another_gateway(draft, number)
    assert not draft.judged(FAMILY).findings
    wrong.holds(FAMILY, draft, data.draw(st.sampled_from(wrong.values)))


def _another_gateway(draft: Draft, number: int) -> None:
    draft.add(f"aws_eip.more_{number}", id=f"eipalloc-{number}", allocation_id=None)
    draft.add(
        f"aws_nat_gateway.more_{number}", id=f"nat-{number}", allocation_id=f"eipalloc-{number}"
    )


@pytest.mark.parametrize("internal", ["false", None])
def test_a_load_balancer_is_internal(internal: str | None) -> None:
    draft = good()
    draft.add("aws_lb.frontend", name="frontend", internal=True)
    assert not draft.judged(FAMILY).findings
    draft["aws_lb.frontend"]["internal"] = internal
    (found,) = only(draft.judged(FAMILY), "network-load-balancer")
    assert (found.resource, found.attribute) == ("aws_lb.frontend", "internal")


def test_an_elastic_address_that_is_tied_to_something_is_found() -> None:
    draft = good()
    draft.add("aws_eip_association.jump", allocation_id="eipalloc-nat", instance_id="i-1")
    (found,) = only(draft.judged(FAMILY), "network-elastic-address")
    assert found.resource == "aws_eip_association.jump"


def test_the_main_table_counts_for_a_subnet_without_a_table_of_its_own() -> None:
    draft = good().without("aws_route_table_association.private_a")
    assert not draft.judged(FAMILY).findings
    draft.add("aws_default_route_table.main", id="rtb-main", vpc_id="vpc-shop", route=[])
    draft.add("aws_route.main", route_table_id="rtb-main", gateway_id="igw-shop")
    (found,) = only(draft.judged(FAMILY), "network-private-route")
    assert found.resource == "aws_route.main"


def test_several_tasks_stand_in_several_zones() -> None:
    draft = good()
    draft.outputs["services"]["history"]["replicas"] = 2
    assert not draft.judged(FAMILY).findings
    draft["aws_subnet.private_b"]["availability_zone"] = ZONES[0]
    found = only(draft.judged(FAMILY), "network-zones")
    assert f"{SERVICE}.history" in {one.resource for one in found}


def test_one_zone_is_enough_for_one_task_of_each_role() -> None:
    draft = good()
    draft["aws_subnet.private_b"]["availability_zone"] = ZONES[0]
    assert not draft.judged(FAMILY).findings


@pytest.mark.parametrize("name", ["enable_dns_support", "enable_dns_hostnames"])
def test_private_names_are_resolved(name: str) -> None:
    draft = good()
    draft["aws_vpc.main"].update(enable_dns_support=True, enable_dns_hostnames=True)
    draft.add("aws_vpc_endpoint.logs", private_dns_enabled=True)
    assert verdicts(draft.judged(FAMILY))["network-dns"] is Verdict.OK
    draft["aws_vpc.main"][name] = False
    (found,) = only(draft.judged(FAMILY), "network-dns")
    assert (found.resource, found.attribute) == ("aws_vpc.main", name)


def test_what_is_not_known_is_not_judged() -> None:
    unknown = {
        "network-task-address": (f"{SERVICE}.ui", "network_configuration.0.assign_public_ip"),
        "network-subnet-address": ("aws_subnet.public", "map_public_ip_on_launch"),
        "network-elastic-address": ("aws_nat_gateway.main", "allocation_id"),
        "network-same-zones": (f"{SERVICE}.ui", "network_configuration.0.subnets"),
    }
    for rule, (place, path) in unknown.items():
        assert verdicts(good().put(place, path, UNKNOWN).judged(FAMILY))[rule] is Verdict.SKIP


def test_an_empty_plan_is_not_judged() -> None:
    found = verdicts(Draft().judged(FAMILY))
    some = {"network-elastic-address", "network-load-balancer"}
    assert {rule for rule, verdict in found.items() if verdict is not Verdict.SKIP} == some


def test_an_instance_or_an_older_configuration_may_have_no_address_either() -> None:
    draft = good()
    draft.add("aws_instance.jump", associate_public_ip_address=True)
    (found,) = only(draft.judged(FAMILY), "network-instance-address")
    assert found.resource == "aws_instance.jump"


def test_subnets_of_others_have_routes_that_are_not_known() -> None:
    draft = good().put("aws_subnet.private_a", "", ABSENT)
    draft.without("aws_route_table_association.private_a")
    assert verdicts(draft.judged(FAMILY))["network-private-route"] is Verdict.SKIP
