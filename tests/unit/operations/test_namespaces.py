"""What has to be changed in a cluster's namespaces: all that differs, and nothing twice."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments.model import Environment, retention_seconds
from temporal_dsql_deploy.errors import SettingRejected
from temporal_dsql_deploy.operations.namespaces import DEFAULT_RETENTION, Have, steps
from temporal_dsql_deploy.platforms.protocol import Change


def differences(environment: Environment, have: Have) -> list[Change]:
    return [step.change for step in steps(environment, have)]


names = st.sampled_from(["default", "orders", "billing"])
retentions = st.none() | st.sampled_from(["24h", "72h", "30d"])
kinds = st.sampled_from(["Keyword", "Int"])
environments = st.builds(
    Environment,
    name=st.just("x"),
    namespaces=st.dictionaries(names, retentions),
    search_attributes=st.dictionaries(st.sampled_from(["A", "B"]), kinds),
)


def applied(environment: Environment, have: Have) -> Have:
    """A cluster after `up`, by the meaning of the settings."""
    named = list(environment.namespaces) or (["default"] if environment.search_attributes else [])
    namespaces = dict(have.namespaces)
    attributes = {name: dict(have.search_attributes.get(name, {})) for name in named}
    for name in named:
        wanted = environment.namespaces.get(name)
        if wanted:
            namespaces[name] = timedelta(seconds=retention_seconds(wanted))
        namespaces.setdefault(name, DEFAULT_RETENTION)
        attributes[name] = {**attributes[name], **environment.search_attributes}
    return Have(namespaces, attributes)


@given(environment=environments, there=st.sets(names))
def test_after_it_is_applied_nothing_differs(environment: Environment, there: set[str]) -> None:
    have = Have(dict.fromkeys(there | {"default"}, timedelta(hours=48)), {})
    changes = differences(environment, have)
    after = applied(environment, have)
    assert differences(environment, after) == []
    changed = after.namespaces != have.namespaces or any(after.search_attributes.values())
    assert bool(changes) == changed


def test_the_changes_are_named() -> None:
    environment = Environment(
        "x", namespaces={"orders": "72h", "new": None}, search_attributes={"A": "Int"}
    )
    have = Have({"orders": timedelta(hours=24)}, {"orders": {"A": "Int", "B": "Bool"}})
    assert [str(change) for change in differences(environment, have)] == [
        "update namespace orders: retention 24h -> 72h",
        "create namespace new: retention 24h",
        "create search attribute new/A: Int",
    ]


def test_the_type_of_a_search_attribute_cannot_be_changed() -> None:
    environment = Environment("x", search_attributes={"A": "Int"})
    with pytest.raises(SettingRejected, match="A of namespace default is Keyword, not Int"):
        differences(
            environment, Have({"default": DEFAULT_RETENTION}, {"default": {"A": "Keyword"}})
        )
