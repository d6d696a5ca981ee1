"""The picture of a plan: what is in it, and that the drawing is sound."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.plan import UNKNOWN, Output, Plan, Resource
from temporal_dsql_deploy.plan.diagram import Call, Link, draw, picture_of

SVG = "{http://www.w3.org/2000/svg}"


def resource(type_: str, label: str, index: str | None = None, **values: object) -> Resource:
    where = f'["{index}"]' if index else ""
    return Resource(f"{type_}.{label}{where}", "", "managed", type_, label, index, values)


def group(party: str) -> Resource:
    return resource("aws_security_group", party, id=f"sg-{party}", name=f"try-{party}")


def rules(*links: tuple[str, str, int]) -> Iterable[Resource]:
    for source, target, port in links:
        for kind, of, other in (("ingress", target, source), ("egress", source, target)):
            yield resource(
                f"aws_vpc_security_group_{kind}_rule",
                "this",
                f"{source}-to-{target}-{port}",
                security_group_id=f"sg-{of}",
                referenced_security_group_id=f"sg-{other}",
                from_port=port,
            )


def plan(*resources: Resource, **outputs: object) -> Plan:
    cluster = resource("aws_ecs_cluster", "this", name="try-cluster")
    given = {name: Output(name, value) for name, value in outputs.items()}
    return Plan("", (cluster, *resources), outputs=given)


def test_a_link_needs_both_ends_to_let_it_pass() -> None:
    both = list(rules(("temporal-history", "temporal-matching", 7235)))
    parts = [group("temporal-history"), group("temporal-matching")]
    assert picture_of(plan(*parts, *both)).links == (Link("history", "matching", 7235),)
    assert picture_of(plan(*parts, both[0])).links == ()


def test_what_leaves_by_address_goes_to_the_database_or_the_internet() -> None:
    out = [
        resource(
            "aws_vpc_security_group_egress_rule",
            "dsql",
            str(port),
            security_group_id="sg-temporal-history",
            cidr_ipv4="0.0.0.0/0",
            from_port=port,
        )
        for port in (443, 5432)
    ]
    drawn = picture_of(plan(group("temporal-history"), *out))
    assert set(drawn.links) == {Link("history", "internet", 443), Link("history", "database", 5432)}


def test_endpoints_are_calls_by_the_name_of_their_service() -> None:
    endpoint = resource(
        "aws_vpc_endpoint",
        "interface",
        "logs",
        service_name="com.amazonaws.eu-west-1.ecr.api",
        security_group_ids=["sg-endpoint"],
        vpc_endpoint_type="Interface",
    )
    drawn = picture_of(
        plan(group("grafana"), group("endpoint"), endpoint, *rules(("grafana", "endpoint", 443)))
    )
    assert drawn.calls == (Call("grafana", "ecr.api"),)
    assert drawn.links == ()


def test_a_service_is_shown_with_its_size_and_its_wanted_tasks() -> None:
    task = resource(
        "aws_ecs_task_definition",
        "this",
        cpu="512",
        memory="1024",
        family="try-temporal-history",
    )
    drawn = picture_of(plan(group("temporal-history"), task, services={"history": {"replicas": 4}}))
    assert drawn.parties["history"].details == ("4 tasks", "512 CPU units, 1024 MiB")


def test_names_are_those_of_the_services_where_the_cluster_is_somebody_elses() -> None:
    service = resource("aws_ecs_service", "this", name="temporal-dev-temporal-history")
    groups = [
        resource("aws_security_group", party, id=f"sg-{party}", name=f"temporal-dev-{party}")
        for party in ("temporal-history", "loki")
    ]
    drawn = picture_of(Plan("", (service, *groups, *rules(("temporal-history", "loki", 3100)))))
    assert drawn.project == "temporal-dev"
    assert drawn.links == (Link("history", "loki", 3100),)


def test_unknown_groups_are_refused() -> None:
    with pytest.raises(NotAPlan):
        picture_of(plan(resource("aws_security_group", "history", id=UNKNOWN, name="try-history")))


names = st.sampled_from(
    [
        "temporal-history",
        "temporal-matching",
        "temporal-frontend",
        "ui",
        "loki",
        "a&b",
        "<x>",
        "new",
    ]
)


@given(st.lists(st.tuples(names, names, st.integers(1, 65535)), max_size=12))
def test_every_link_is_in_the_matrix_and_the_drawing_is_xml(
    links: list[tuple[str, str, int]],
) -> None:
    parties = {name for source, target, _ in links for name in (source, target)} | {"ui"}
    drawn = picture_of(plan(*map(group, sorted(parties)), *rules(*links)))
    texts = [element.text or "" for element in ET.fromstring(draw(drawn)).iter(f"{SVG}text")]  # noqa: S314
    assert {(link.source, link.target, link.port) for link in drawn.links} == {
        (source.removeprefix("temporal-"), target.removeprefix("temporal-"), port)
        for source, target, port in links
    }
    for link in drawn.links:
        assert any(str(link.port) in text.split() for text in texts)
