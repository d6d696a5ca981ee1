"""What Terraform calls sensitive is in no summary, neither in its text nor in its JSON."""

import json
from dataclasses import asdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.plan import lines
from tests.unit.operations.plan.documents import summary
from tests.unit.operations.plan.test_summary import ACTIONS, KINDS, policy
from tests.unit.plan.documents import change

SECRET = "zq-secret"  # noqa: S105
ATTRIBUTES = st.sampled_from(
    [
        *("name", "family", "cpu", "role", "policy", "assume_role_policy", "policy_arn"),
        *("security_group_id", "referenced_security_group_id", "cidr_ipv4", "from_port"),
        *("container_definitions", "task_definition", "desired_count", "id", "protocol"),
        *("instance_type", "image_id", "user_data", "min_size", "tags"),
    ]
)
HIDDEN = st.dictionaries(ATTRIBUTES, st.sampled_from(["whole", "inside", "list", "no"]))
PARTS = st.lists(st.tuples(KINDS, ACTIONS, HIDDEN, st.booleans()), max_size=6)


def secretly(how: str, salt: str) -> tuple[Any, Any]:
    """A value with a secret in it, and how Terraform marks it."""
    said = f"{SECRET}-{salt}"
    return {
        "whole": (json.dumps([{"name": said, "Statement": said}]), True),
        "inside": ({"a": said, "b": "1"}, {"a": True}),
        "list": ([said, "1"], [True, False]),
        "no": ("open", False),
    }[how]


@given(parts=PARTS)
def test_what_is_sensitive_is_in_no_summary(parts: list[Any]) -> None:
    changes = []
    for index, (kind, actions, hidden, marked_before) in enumerate(parts):
        sides = [{key: secretly(how, salt)[0] for key, how in hidden.items()} for salt in "xy"]
        marks = {key: secretly(how, "")[1] for key, how in hidden.items()}
        changes.append(
            change(
                f"{kind}.a[{index}]",
                *actions,
                before=None if actions == ("create",) else sides[0],
                after=None if actions in {("delete",), ("forget",)} else sides[1],
                before_sensitive=marks if marked_before else {},
                after_sensitive={} if marked_before else marks,
            )
        )
    outputs = {"o": {"before": SECRET, "after": None, "before_sensitive": True}}
    made = summary(*changes, output_changes=outputs)
    assert SECRET not in "\n".join(lines(made))
    assert SECRET not in json.dumps(asdict(made), default=str)


def test_a_sensitive_policy_and_a_sensitive_range() -> None:
    made = summary(
        change(
            "aws_iam_role_policy.p",
            "update",
            before=policy("a:b"),
            after=policy("a:c"),
            after_sensitive={"policy": True},
        ),
        change(
            "aws_vpc_security_group_ingress_rule.x",
            "create",
            after={"security_group_id": "sg-1", "cidr_ipv4": "10.9.0.0/16", "from_port": 1},
            after_sensitive={"cidr_ipv4": True},
        ),
    )
    (found,) = made.permissions
    assert (found.action, found.resource) == ("(sensitive)", "(sensitive)")
    assert made.rules[0].source == "(sensitive)"
