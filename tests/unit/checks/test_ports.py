"""Rules about ports, on a plan made by hand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.model import Verdict
from temporal_dsql_deploy.checks.ports import FAMILY
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ROLES, good
from tests.support.draft import TASK, Break, Draft, every, only, verdicts

FACTS = topology.load()


def mapping(port: int) -> dict[str, int]:
    return {"containerPort": port, "hostPort": port}


def without(role: str, gone: int) -> list[dict[str, int]]:
    ports = [*FACTS.roles[role].ports.values(), FACTS.metrics_port]
    return [mapping(port) for port in ports if port != gone]


BREAKS = [
    *(
        Break("ports-role", f"{role}/0", "portMappings", ([], without(role, port)))
        for role in ROLES
        for port in (*FACTS.roles[role].ports.values(), FACTS.metrics_port)
    ),
    Break("ports-page", "ui/0", "portMappings", ([], [mapping(8081)])),
    Break("ports-page", "grafana/0", "portMappings", ([], [mapping(8080)])),
    *(
        Break("ports-same-number", place, "portMappings.0.hostPort", (80, 1))
        for place in ("history/0", "ui/0")
    ),
    *(
        Break("ports-same-number", place, "portMappings.0.protocol", ("udp",))
        for place in ("matching/0", "grafana/0")
    ),
    Break(
        "ports-once",
        "history/1",
        "portMappings",
        ([mapping(9090)], [mapping(7234)]),
        (f"{TASK}.history", "container_definitions.1.portMappings.0.containerPort"),
    ),
]


def test_containers_of_a_good_plan_listen_where_they_should() -> None:
    assert set(verdicts(good().judged(FAMILY)).values()) == {Verdict.OK}


@pytest.mark.parametrize(("wrong", "value"), every(BREAKS))
def test_what_is_wrong_is_found_where_it_is(wrong: Break, value: Any) -> None:
    wrong.holds(FAMILY, good(), value)


@given(st.sampled_from(ROLES), st.data())
def test_property_10(role: str, data: st.DataObject) -> None:
    """Feature: temporal-ecs-fargate, Property 10: the port map, each port of it.

    Whatever other number one of them has, it is found; names and order are no matter.
    """
    draft = good()
    mappings = draft.containers[role][0]["portMappings"]
    mappings[:] = data.draw(st.permutations(mappings))
    for each in mappings:
        each["name"] = data.draw(st.from_regex(r"[a-z]{1,8}", fullmatch=True))
    assert not draft.judged(FAMILY).findings
    index = data.draw(st.integers(0, len(mappings) - 1))
    taken = {each["containerPort"] for each in mappings}
    port = data.draw(st.integers(1, 65535).filter(lambda port: port not in taken))
    mappings[index].update(mapping(port))
    found = only(draft.judged(FAMILY), "ports-role")
    assert (f"{TASK}.{role}", "container_definitions.0.portMappings") in [
        (one.resource, one.attribute) for one in found
    ]


def test_a_port_of_another_role_is_found() -> None:
    draft = good()
    draft.containers["worker"][0]["portMappings"].append(mapping(7234))
    (found,) = only(draft.judged(FAMILY), "ports-role")
    assert found.attribute == "container_definitions.0.portMappings.3.containerPort"


def test_a_page_may_listen_where_its_environment_says() -> None:
    draft = good().put("grafana/0", "portMappings", [mapping(3001)])
    environment = draft.containers["grafana"][0]["environment"]
    environment.append({"name": "GF_SERVER_HTTP_PORT", "value": "3001"})
    assert not draft.judged(FAMILY).findings
    ui = draft.containers["ui"][0]
    ui["environment"] = [{"name": "TEMPORAL_UI_PORT", "value": "8233"}]
    ui["portMappings"] = [mapping(8233)]
    (found,) = only(draft.judged(FAMILY), "ports-page")
    assert found.attribute == "container_definitions.0.environment.TEMPORAL_UI_PORT"


def test_loki_listens_on_its_port() -> None:
    draft = good()
    draft.values[f"{TASK}.loki"] = {**draft.task("ui"), "family": "shop-loki", "arn": "arn:loki"}
    draft.containers["loki"] = [{"name": "loki", "portMappings": [mapping(3100)]}]
    assert not draft.judged(FAMILY).findings
    draft.containers["loki"][0]["portMappings"] = []
    (found,) = only(draft.judged(FAMILY), "ports-page")
    assert found.resource == f"{TASK}.loki"


def test_what_is_not_known_is_not_judged() -> None:
    for name, rule in (("history", "ports-role"), ("ui", "ports-page"), ("setup", "ports-once")):
        draft = good().put(f"{TASK}.{name}", "container_definitions", UNKNOWN)
        assert verdicts(draft.judged(FAMILY))[rule] is Verdict.SKIP
    assert set(verdicts(Draft().judged(FAMILY)).values()) == {Verdict.SKIP}


def test_on_the_bridge_a_port_may_have_two_numbers() -> None:
    draft = good().put("ui/0", "portMappings.0.hostPort", 80)
    draft.task("ui")["network_mode"] = "bridge"
    assert not draft.judged(FAMILY).findings
