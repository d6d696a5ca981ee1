"""Plans and states are read whole, whatever the order of their modules, or refused in words."""

import contextlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.plan import (
    UNKNOWN,
    Action,
    Plan,
    Sensitive,
    State,
    containers,
    plan_of_test,
    read,
    read_plan,
    read_state,
)
from temporal_dsql_deploy.plan.reader import parse
from tests.unit.plan.documents import change, plan

NAMES = st.text("abcd", min_size=1, max_size=3)


@st.composite
def trees(draw: st.DrawFn, address: str = "", depth: int = 2) -> dict[str, Any]:
    """A module of planned values, with modules in it."""
    prefix = f"{address}." if address else ""
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    resources = [
        {
            "address": f"{prefix}aws_x.{name}",
            "mode": "managed",
            "type": "aws_x",
            "name": name,
            "values": {"name": name},
        }
        for name in names
    ]
    children = draw(st.lists(NAMES, max_size=3, unique=True)) if depth else []
    modules = [draw(trees(f"{prefix}module.{child}", depth - 1)) for child in children]
    return {"address": address, "resources": resources, "child_modules": modules}


def addresses(tree: dict[str, Any]) -> list[str]:
    own = [resource["address"] for resource in tree["resources"]]
    return own + [name for child in tree["child_modules"] for name in addresses(child)]


def shuffled(tree: dict[str, Any], how: random.Random) -> dict[str, Any]:
    modules = [shuffled(child, how) for child in tree["child_modules"]]
    resources = list(tree["resources"])
    how.shuffle(modules)
    how.shuffle(resources)
    return {**tree, "resources": resources, "child_modules": modules}


@given(tree=trees(), how=st.randoms(use_true_random=False))
def test_nothing_is_lost_and_order_does_not_matter(
    tree: dict[str, Any], how: random.Random
) -> None:
    first = read_plan(plan(planned_values={"root_module": tree}))
    again = read_plan(plan(planned_values={"root_module": shuffled(tree, how)}))
    assert first == again
    assert [resource.address for resource in first.resources] == sorted(addresses(tree))
    state = read_state({"format_version": "1.0", "values": {"root_module": tree}})
    assert state.resources == first.resources


@given(names=st.lists(NAMES, unique=True), how=st.randoms(use_true_random=False))
def test_the_order_of_changes_does_not_matter(names: list[str], how: random.Random) -> None:
    changes = [change(f"aws_x.{name}", "create", after={"name": name}) for name in names]
    first = read_plan(plan(*changes))
    how.shuffle(changes)
    assert read_plan(plan(*changes)) == first
    assert len(first.resources) == len(first.changes) == len(names)


def test_a_change_says_what_was_and_what_will_be() -> None:
    document = plan(
        change(
            'module.a.module.b[0].aws_x.y["k.z"]',
            "create",
            "delete",
            before={"id": "1", "secret": "s"},
            after={"list": [None, "x"], "secret": "t"},
            after_unknown={"id": True, "list": [True, False]},
            after_sensitive={"secret": True},
            replace_paths=[["list", 0]],
            index="k.z",
            action_reason="replace_because_cannot_update",
        )
    )
    (found,) = read_plan(document).changes
    assert (found.module, found.type, found.name) == ("module.a.module.b[0]", "aws_x", "y")
    assert found.index == "k.z"
    assert found.action is Action.REPLACE
    assert found.create_before_destroy
    assert found.after == {"id": UNKNOWN, "list": [UNKNOWN, "x"], "secret": Sensitive.of("t")}
    assert found.unknown == {"id", "list.0"}
    assert found.sensitive == {"secret"}
    assert found.replace_paths == ("list.0",)
    assert [path for path, _, _ in found.differences()] == ["id", "list", "secret"]


def test_resources_are_found_by_address_type_and_module() -> None:
    made = read_plan(
        plan(
            change("module.a.aws_x.y", "create", after={"n": [{"m": 1}]}),
            change("module.ab.aws_x.y", "create", after={}),
            change("module.a[0].module.c.aws_z.y", "create", after={}),
            change("module.a.aws_x.gone", "delete", before={}),
        )
    )
    assert made["module.a.aws_x.y"]["n.0.m"] == 1
    assert made["module.a.aws_x.y"]["nothing"] is None
    assert len(made.of_type("aws_x")) == 2
    assert [r.type for r in made.in_module("module.a")] == ["aws_x", "aws_z"]
    assert len(made.in_module("")) == 3
    assert len(made.changing()) == 4
    with pytest.raises(KeyError):
        made["module.a.aws_x.gone"]


def test_data_sources_of_the_state_before_are_resources_and_deleted_ones_are_not() -> None:
    data = {"address": "data.aws_x.d", "mode": "data", "type": "aws_x", "name": "d", "values": {}}
    old = {**data, "address": "aws_x.old", "mode": "managed", "name": "old"}
    prior = {"format_version": "1.0", "values": {"root_module": {"resources": [data, old]}}}
    made = read_plan(plan(change("aws_x.old", "delete", before={}), prior_state=prior))
    assert [r.address for r in made.resources] == ["data.aws_x.d"]
    assert made.data("aws_x") == made.resources


def test_outputs_variables_and_flags() -> None:
    made = read_plan(
        plan(
            output_changes={
                "a": {"actions": ["create"], "after": [None], "after_unknown": [True]},
                "b": {"actions": ["create"], "after": "x", "after_sensitive": True},
            },
            variables={"region": {"value": "eu-west-1"}},
            errored=True,
            complete=False,
        )
    )
    assert made.outputs["a"].value == [UNKNOWN]
    assert made.outputs["b"].sensitive
    assert made.variables == {"region": "eu-west-1"}
    assert (made.errored, made.complete, made.applyable) == (True, False, True)


def test_a_plan_of_terraform_test() -> None:
    body = {"plan_format_version": "1.2", "resource_changes": [change("a.b", "create", after={})]}
    made = plan_of_test({"type": "test_plan", "test_plan": body})
    assert [r.address for r in made.resources] == ["a.b"]
    with pytest.raises(NotAPlan, match="holds no plan"):
        plan_of_test({"type": "diagnostic"})


def test_what_is_sensitive_is_there_for_who_asks_for_it() -> None:
    marked = change("a.b", "create", after={"value": "x"}, after_sensitive={"value": True})
    body = {"plan_format_version": "1.2", "resource_changes": [marked]}
    message = {"type": "test_plan", "test_plan": body}
    assert plan_of_test(message)["a.b"]["value"] != "x"
    assert plan_of_test(message, revealed=True)["a.b"]["value"] == "x"


def test_an_empty_state_is_one() -> None:
    assert read_state({"format_version": "1.0"}) == State(terraform_version="")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("PK\x03\x04", "only Terraform can read"),
        ("{", "Expecting"),
        ("[]", "holds a list"),
        ("{}", "has no format_version"),
        ('{"version": 4, "serial": 1, "lineage": "x"}', "state file as a backend keeps it"),
        ('{"format_version": "2.0", "resource_changes": []}', "format_version is 2.0"),
    ],
)
def test_what_is_not_a_plan_is_refused_with_what_it_is(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(NotAPlan) as caught:
        read(path)
    assert said in caught.value.cause
    assert caught.value.fix
    with pytest.raises(NotAPlan, match="cannot be read"):
        read(tmp_path / "nothing.json")


def test_a_state_is_no_plan() -> None:
    with pytest.raises(NotAPlan) as caught:
        read_plan({"format_version": "1.0", "values": {}})
    assert "it is a state" in caught.value.cause


def test_an_action_that_is_not_known_is_refused() -> None:
    with pytest.raises(NotAPlan, match=r"aws_x\.y"):
        read_plan(plan(change("aws_x.y", "invent")))


def test_a_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(json.dumps(plan()))
    assert isinstance(read(path), Plan)
    path.write_text('{"format_version": "1.0"}')
    assert isinstance(read(path), State)


def test_containers_of_a_task_definition() -> None:
    definition = {
        "name": "temporal-history",
        "image": "x:1",
        "environment": [{"name": "A", "value": "1"}],
        "secrets": [{"name": "S", "valueFrom": "arn"}],
        "portMappings": [{"containerPort": 7234}],
    }
    (found,) = containers({"container_definitions": json.dumps([definition])}) or ()
    assert (found.name, found.image, found.ports) == ("temporal-history", "x:1", (7234,))
    assert found.environment == {"A": "1"}
    assert found.secrets == {"S": "arn"}
    assert found.definition == definition
    assert containers({"container_definitions": UNKNOWN}) is None


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (plan(planned_values="x"), "planned_values is a str"),
        (plan(planned_values=[]), "planned_values is a list"),
        (plan(planned_values={"root_module": {"resources": ["x"]}}), "resources holds a str"),
        (plan(planned_values={"root_module": {"resources": [{}]}}), "'address' is missing"),
        ({**plan(), "resource_changes": {}}, "resource_changes is a dict"),
        ({**plan(), "resource_changes": [{"address": "a.b"}]}, "'change' is missing"),
        (plan({**change("a.b"), "address": 5}), "address is a int"),
        (plan(change("a.b", "update", before=[], after={})), "before is a list"),
        (plan(change("a.b", "update", before={}, after_unknown=True)), "nothing is known of a.b"),
        (plan(errored="no"), "errored is a str"),
        (plan(variables={"a": 1}), "'int' object"),
    ],
)
def test_a_plan_of_another_shape_is_refused(document: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAPlan, match=r"^it is not") as caught:
        read_plan(document, "it")
    assert said in caught.value.cause
    body = {**document, "plan_format_version": "1.2"}
    with pytest.raises(NotAPlan):
        plan_of_test({"type": "test_plan", "test_plan": body})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)


@given(
    key=st.sampled_from(["planned_values", "resource_changes", "variables", "output_changes"]),
    value=JSON,
)
def test_whatever_stands_there_is_read_or_refused(key: str, value: Any) -> None:
    with contextlib.suppress(NotAPlan):
        read_plan({**plan(), key: value})


@given(value=JSON)
def test_a_state_is_read_or_refused(value: Any) -> None:
    for values in (value, {"root_module": value}, {"outputs": value}):
        with contextlib.suppress(NotAPlan):
            read_state({"format_version": "1.0", "values": values})


def test_containers_that_cannot_be_read_are_opaque() -> None:
    for text in ("{", "5", '["x"]', '[{"environment": [{}]}]'):
        assert containers({"container_definitions": text}) is None
    (found,) = containers({"container_definitions": '[{"environment": [{"name": "A"}]}]'}) or ()
    assert found.environment == {"A": ""}


def test_a_document_that_is_too_deep_is_refused() -> None:
    with pytest.raises(NotAPlan):
        parse(b"[" * 100_000, name="deep")
