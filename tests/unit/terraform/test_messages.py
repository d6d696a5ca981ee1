"""Terraform's stream of messages, read line by line."""

import json

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.terraform.messages import Diagnostic, message


def test_a_step_of_an_apply() -> None:
    line = {
        "@message": "aws_x.y: Creation complete after 3s",
        "type": "apply_complete",
        "hook": {"resource": {"addr": "aws_x.y"}, "action": "create", "elapsed_seconds": 3},
    }
    event = message(json.dumps(line)).event
    assert (event.kind, event.address, event.action) == ("apply_complete", "aws_x.y", "create")
    assert event.seconds == 3


def test_a_diagnostic() -> None:
    found = {
        "severity": "error",
        "summary": "s",
        "detail": "d",
        "address": "a.b",
        "range": {"filename": "main.tf", "start": {"line": 3}},
    }
    said = message(json.dumps({"type": "diagnostic", "diagnostic": found}))
    assert said.diagnostic == Diagnostic("error", "s", "d", "a.b", "main.tf", 3)
    assert said.diagnostic.place == "main.tf:3"


def test_the_schemas_of_providers_are_not_even_parsed() -> None:
    line = '{"@testfile":"t","test_plan":{"plan_format_version":"1.2","provider_schemas":{'
    said = message(f"{line}not JSON at all")
    assert said.type == "test_plan"
    assert said.body["test_plan"] == {"plan_format_version": "1.2"}


@given(line=st.text(max_size=40) | st.sampled_from(["[1]", "3", '"x"', "null"]))
def test_anything_else_is_text(line: str) -> None:
    said = message(line)
    assert said.type == "text"
    assert said.diagnostic is None
    assert said.event.text == line.strip()
