"""needs.json and managed.json: the tables themselves."""

from itertools import chain

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.identity import FAMILY
from temporal_dsql_deploy.checks.identity.needs import SCOPES, table
from temporal_dsql_deploy.checks.identity.roles import managed

KINDS = {"task", "execution", "instance", "flow-log", "backup"}
PARTIES = {*topology.load().roles, "ui", "grafana", "loki", "adot", "benchmark", "opensearch-setup"}
PARTIES |= {"schema-setup", "admin-task"}


def test_every_need_can_be_found_and_said() -> None:
    names = [one.name for one in table().needs]
    assert len(names) == len(set(names))
    for one in table().needs:
        assert one.wearer in KINDS, one.name
        assert one.on in SCOPES, one.name
        assert set(one.parties) <= PARTIES | {"*"}, one.name
        assert one.source, one.name
        assert one.why.endswith("."), one.name
        assert one.needed or one.allowed, one.name
        assert not set(one.needed) & set(one.allowed), one.name
        assert one.symptom.endswith(".") if one.needed else not one.symptom, one.name


def test_every_scope_is_used() -> None:
    assert set(SCOPES) == {one.on for one in table().needs}


def test_nobody_needs_a_wildcard() -> None:
    for one in table().needs:
        assert not [action for action in one.needed if "*" in action], one.name


def test_actions_without_a_resource_are_somebodys() -> None:
    known = {
        action.lower()
        for action in chain.from_iterable((*one.needed, *one.allowed) for one in table().needs)
    }
    assert table().without_resource <= known


def test_policies_of_aws_have_their_actions_and_a_source() -> None:
    for name, one in managed()["policies"].items():
        assert set(one["for"]) <= KINDS, name
        assert all(":" in action for action in one["actions"]), name
        assert name in one["source"]


def test_every_rule_proves_property_7_and_has_a_source() -> None:
    """Feature: temporal-ecs-fargate, Property 7: every rule of the family is about it."""
    for rule in FAMILY.rules:
        assert "S0-PR7" in rule.seeds, rule.id
        assert rule.id.startswith("identity-")
        assert rule.symptom.endswith("."), rule.id
        assert rule.fix.endswith("."), rule.id
