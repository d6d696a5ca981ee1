"""Command lines and files for Terraform, as data."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.terraform import commands, known
from temporal_dsql_deploy.terraform.hcl import escaped


def test_nothing_ever_asks() -> None:
    out = Path("/x/plan")
    for command in (
        commands.init(),
        commands.plan(out=out),
        commands.apply(out),
        commands.destroy(),
    ):
        assert "-input=false" in command
    made = (commands.validate(), commands.show(out), commands.output(), commands.destroy())
    assert all("-json" in command for command in made)


def test_init() -> None:
    assert commands.init(backend=False, test_directory="t") == [
        "init",
        "-json",
        "-input=false",
        "-backend=false",
        "-test-directory=t",
    ]
    assert "-backend-config=/x/backend.hcl" in commands.init(backend_config=Path("/x/backend.hcl"))
    assert "-reconfigure" in commands.init(reconfigure=True)


def test_plan_with_variables() -> None:
    command = commands.plan(
        out=Path("/x/plan"),
        var_files=[Path("/a.tfvars"), Path("/b.tfvars")],
        variables={"n": 3, "name": "x y", "roles": {"history": {"replicas": 2}}},
        refresh=False,
        destroy=True,
    )
    assert command[3:] == [
        "-out=/x/plan",
        "-var-file=/a.tfvars",
        "-var-file=/b.tfvars",
        "-var=n=3",
        "-var=name=x y",
        '-var=roles={"history": {"replicas": 2}}',
        "-refresh=false",
        "-destroy",
    ]


def test_show_and_test() -> None:
    assert commands.show() == ["show", "-json"]
    assert commands.show(Path("p")) == ["show", "-json", "p"]
    command = commands.test(test_directory="t", var_files=[Path("/a")])
    assert command == ["test", "-json", "-verbose", "-test-directory=t", "-var-file=/a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("${x}", "$${x}"), ({"%{a}": ["${b}", 1, None]}, {"%%{a}": ["$${b}", 1, None]})],
)
def test_texts_are_not_templates(value: Any, expected: Any) -> None:
    assert escaped(value) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
)


@given(value=JSON)
def test_escaping_changes_only_what_begins_a_template(value: Any) -> None:
    text = json.dumps(escaped(value)).replace("$${", "${").replace("%%{", "%{")
    assert text == json.dumps(value)


def test_a_test_file_mocks_and_plans() -> None:
    made = json.loads(
        known.document({"n": 1}, {"aws_region": {"name": "x"}}, {"aws_x.y[0]": {"id": "i"}})
    )
    assert made["mock_provider"]["aws"]["mock_data"] == {"aws_region": {"defaults": {"name": "x"}}}
    (override,) = made["override_resource"]
    assert override["target"] == "aws_x.y[0]"
    assert override["override_during"] == "plan"
    assert made["run"]["plan"] == {"command": "plan", "variables": {"n": 1}}
