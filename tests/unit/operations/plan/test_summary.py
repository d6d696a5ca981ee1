"""A plan in Temporal's words: what is lost, what opens, what is allowed."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.plan import lines
from temporal_dsql_deploy.cli.plan import plan as plan_command
from temporal_dsql_deploy.operations.plan.result import Loss, Permission, Rule
from temporal_dsql_deploy.operations.plan.summary import HOLDS_DATA
from tests.unit.operations.plan.documents import definition, redeployed, summary
from tests.unit.plan.documents import change, plan


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        ("aws_launch_template", "metadata_options"),
        ("aws_launch_template", "block_device_mappings"),
        ("aws_autoscaling_group", "protect_from_scale_in"),
        ("aws_autoscaling_group", "vpc_zone_identifier"),
        ("aws_vpc_security_group_ingress_rule", "description"),
    ],
)
def test_what_makes_no_sentence_is_told_all_the_same(kind: str, attribute: str) -> None:
    before = {"name": "x", "security_group_id": "sg-1", "instance_type": "a", "max_size": 1}
    address = f"{kind}.this"
    made = summary(change(address, "update", before=before, after={**before, attribute: "y"}))
    assert [(one.address, one.attributes) for one in made.others] == [(address, [attribute])]
    both = {**before, attribute: "y", "instance_type": "b", "max_size": 2}
    made = summary(change(address, "update", before=before, after=both))
    assert any(attribute in one.attributes for one in made.others)


def test_moves_and_imports_are_changes() -> None:
    one = change("aws_x.new", before={}, after={}, previous_address="aws_x.old")
    two = change("aws_x.z", before={}, after={})
    two["change"]["importing"] = {"id": "z"}
    made = summary(one, two)
    assert made.changes
    assert (made.counts.move, made.counts.imported) == (1, 1)
    said = lines(made)
    assert "  aws_x.old -> aws_x.new" in said
    assert said[said.index("imported:") + 1] == "  aws_x.z"
    assert said[-1].endswith("0 to delete, 1 to move, 1 to import")


@pytest.mark.parametrize("kind", HOLDS_DATA)
@pytest.mark.parametrize("actions", [("delete",), ("delete", "create")])
def test_what_holds_data_is_lost_loudly(kind: str, actions: tuple[str, ...]) -> None:
    after: dict[str, Any] | None = {} if len(actions) == 2 else None
    made = summary(
        change(f"{kind}.this", *actions, before={}, after=after, replace_paths=[["name"]])
    )
    (loss,) = made.losses
    assert isinstance(loss, Loss)
    text = "\n".join(lines(made))
    assert text.startswith("DATA IS LOST:")
    assert f"{loss.action.upper()} {HOLDS_DATA[kind][0]} {kind}.this" in text
    assert made.others == []


def rule(kind: str, name: str, *actions: str, **rest: Any) -> dict[str, Any]:
    values = {"ip_protocol": "tcp", "from_port": 7235, "to_port": 7235, **rest}
    sides = {"before": values} if actions == ("delete",) else {"after": values}
    address = f'aws_vpc_security_group_{kind}_rule.this["{name}"]'
    unknown = {} if rest else {"security_group_id": True, "referenced_security_group_id": True}
    return change(address, *actions, index=name, after_unknown=unknown, **sides)


def test_paths_are_named_by_roles() -> None:
    groups = [
        change(
            f"aws_security_group.{role}",
            "no-op",
            before={"id": f"sg-{role}", "name": f"temporal-dev-temporal-{role}"},
            after={"id": f"sg-{role}", "name": f"temporal-dev-temporal-{role}"},
        )
        for role in ("history", "matching")
    ]
    to_matching = {
        "security_group_id": "sg-matching",
        "referenced_security_group_id": "sg-history",
    }
    from_history = {
        "security_group_id": "sg-history",
        "referenced_security_group_id": "sg-matching",
    }
    made = summary(
        *groups,
        rule("ingress", "x", "delete", **to_matching),
        rule("egress", "x", "delete", **from_history),
        rule("ingress", "history-to-opensearch-setup-https", "create"),
        rule("egress", "y", "create", security_group_id="sg-history", cidr_ipv4="10.0.0.0/16"),
    )
    assert [replace(rule, addresses=[]) for rule in made.rules] == [
        Rule("history", "matching", "7235", opened=False, directions=["egress", "ingress"]),
        Rule("history", "10.0.0.0/16", "7235", opened=True, directions=["egress"]),
        Rule("history", "opensearch-setup", "7235", opened=True, directions=["ingress"]),
    ]
    assert "  CLOSE history -> matching 7235" in lines(made)
    assert "  open history -> opensearch-setup 7235 (ingress only)" in lines(made)


def test_another_description_opens_and_closes_nothing() -> None:
    values = {"security_group_id": "sg-1", "cidr_ipv4": "10.0.0.0/8", "ip_protocol": "-1"}
    made = summary(
        change(
            "aws_vpc_security_group_ingress_rule.x",
            "update",
            before={**values, "description": "a"},
            after={**values, "description": "b"},
        )
    )
    assert made.rules == []


def policy(*actions: str, effect: str = "Allow", resource: str = "*") -> dict[str, Any]:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return {"role": "r", "policy": json.dumps({"Statement": [statement]})}


def test_permissions_that_are_added_and_taken_away() -> None:
    made = summary(
        change(
            "aws_iam_role_policy.p",
            "update",
            before=policy("s3:GetObject", "s3:PutObject"),
            after=policy("s3:GetObject", "s3:*"),
        ),
        change("aws_iam_role_policy.q", "create", after=policy("kms:Decrypt", resource="arn:k")),
        change(
            "aws_iam_role_policy_attachment.a",
            "create",
            after={"role": "r", "policy_arn": "arn:admin"},
        ),
    )
    assert made.permissions == [
        Permission("aws_iam_role_policy.p", added=True, action="s3:*", resource="*"),
        Permission("aws_iam_role_policy.p", added=False, action="s3:PutObject", resource="*"),
        Permission("aws_iam_role_policy.q", added=True, action="kms:Decrypt", resource="arn:k"),
        Permission(
            "aws_iam_role_policy_attachment.a",
            added=True,
            action="the policy",
            resource="arn:admin",
        ),
    ]


def test_policies_of_roles_that_come_or_go_are_neither_widened_nor_narrowed() -> None:
    role = {"name": "r", "assume_role_policy": "{}"}
    made = summary(
        change("aws_iam_role.r", "create", after=role),
        change("aws_iam_role_policy.p", "create", after=policy("s3:*")),
        change("aws_iam_role.gone", "delete", before={**role, "name": "gone"}),
        change("aws_iam_role_policy.g", "delete", before={**policy("s3:*"), "role": "gone"}),
    )
    assert made.permissions == []
    assert [other.address for other in made.others] == [
        "aws_iam_role.gone",
        "aws_iam_role_policy.g",
    ]


def test_a_policy_that_is_not_known_yet_is_said_to_be() -> None:
    changes = change("aws_iam_role_policy.p", "update", before=policy("a:b"), after={"role": "r"})
    changes["change"]["after_unknown"] = {"policy": True}
    (found,) = summary(changes).permissions
    assert found.action == "known after apply"


def test_instances() -> None:
    made = summary(
        change(
            "aws_autoscaling_group.this",
            "update",
            before={"name": "temporal-dev-main", "min_size": 1, "max_size": 3},
            after={"name": "temporal-dev-main", "min_size": 1, "max_size": 6},
        ),
        change(
            "aws_launch_template.this",
            "update",
            before={"name": "temporal-dev-main", "instance_type": "m7g.large"},
            after={"name": "temporal-dev-main", "instance_type": "m7g.xlarge"},
        ),
        change("aws_autoscaling_group.old", "delete", before={"name": "temporal-dev-old"}),
    )
    assert "main: max size 3 -> 6 (aws_autoscaling_group.this)" in made.instances
    assert any("instance type m7g.large -> m7g.xlarge for new" in text for text in made.instances)
    assert any("old: the group is deleted" in text for text in made.instances)


def test_nothing_to_do_is_said_in_one_line() -> None:
    made = summary(change("aws_x.y", before={}, after={}))
    assert not made.changes
    assert lines(made) == ["dev: no changes: what runs is what is written"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [({"errored": True}, "FAILED half way"), ({"complete": False}, "is not complete")],
)
def test_part_of_a_plan_is_not_nothing(flags: dict[str, bool], said: str) -> None:
    made = summary(change("aws_x.y", before={}, after={}), **flags)
    (line,) = lines(made)
    assert said in line
    assert made.errored == ("errored" in flags)
    assert said in lines(summary(change("aws_x.y", "update", before={}, after={}), **flags))[-1]


def test_a_plan_that_failed_half_way_ends_in_failure(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan(errored=True)))
    with pytest.raises(typer.Exit) as caught:
        plan_command("dev", plan_file=path)
    assert caught.value.exit_code == 1


def test_what_cannot_be_read_is_opaque() -> None:
    made = summary(
        change("aws_iam_role_policy.p", "update", before=policy("a:b"), after={"policy": "{"}),
        change("aws_iam_policy.q", "delete", before={"policy": '{"Statement": [5]}'}),
        *redeployed(definition(), {**definition(), "container_definitions": "5"}),
    )
    assert [(one.added, one.action) for one in made.permissions] == [
        (False, "unreadable"),
        (True, "unreadable"),
    ]
    assert made.restarts[0].reasons == ["containers (unreadable)"]


def test_what_was_changed_outside_is_told_even_then() -> None:
    drift = [change("aws_x.y", "update", before={"a": 1}, after={"a": 2})]
    left_open = lines(summary(resource_drift=drift))
    assert left_open[1:3] == [
        "not as after the last apply, in what the files leave open:",
        "  aws_x.y",
    ]
    changing = lines(summary(change("aws_z.z", "create", after={}), resource_drift=drift))
    assert "changed outside Terraform:" in changing


def test_what_is_created_is_counted() -> None:
    made = summary(*(change(f"aws_subnet.a[{index}]", "create", after={}) for index in range(3)))
    assert made.created == {"aws_subnet": 3}
    assert lines(made)[-1] == "dev: 3 to create, 0 to update, 0 to replace, 0 to delete"


def test_much_of_a_kind_is_counted_too() -> None:
    rules = [rule("ingress", f"a-to-b{index}-grpc", "create") for index in range(40)]
    text = "\n".join(lines(summary(*rules)))
    assert "and 28 more network paths; --json has all" in text


KINDS = st.sampled_from(
    [
        *HOLDS_DATA,
        "aws_ecs_service",
        "aws_ecs_task_definition",
        "aws_autoscaling_group",
        "aws_launch_template",
        "aws_vpc_security_group_ingress_rule",
        "aws_vpc_security_group_egress_rule",
        "aws_security_group_rule",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_iam_role_policy_attachment",
        "aws_other",
    ]
)


ACTIONS = st.sampled_from(
    [("create",), ("update",), ("delete",), ("delete", "create"), ("forget",), ("no-op",)]
)


VALUES = st.dictionaries(
    st.sampled_from(["name", "family", "cpu", "role", "security_group_id", "from_port", "tags"]),
    st.none() | st.text("ab-", max_size=3) | st.integers(0, 9),
)


@given(parts=st.lists(st.tuples(KINDS, ACTIONS, VALUES, VALUES), max_size=8))
def test_any_plan_is_summarised_and_every_change_counted(parts: list[Any]) -> None:
    changes = [
        change(
            f"{kind}.a[{index}]",
            *actions,
            before=None if actions == ("create",) else before,
            after=None if actions in {("delete",), ("forget",)} else after,
        )
        for index, (kind, actions, before, after) in enumerate(parts)
    ]
    made = summary(*changes)
    counts = made.counts
    total = counts.create + counts.update + counts.replace + counts.delete + counts.forget
    # Every changing resource is somewhere, by its address.
    everything = json.dumps(asdict(made), default=str).replace("\\", "")
    for (_, actions, _, _), one in zip(parts, changes, strict=True):
        assert actions == ("no-op",) or one["address"] in everything
    assert total == sum(actions != ("no-op",) for _, actions, _, _ in parts)
    assert made.changes == (total > 0)
    assert lines(replace(made, environment="x"))
    gone = {one["address"] for one in changes if "delete" in one["change"]["actions"]}
    told = "\n".join(lines(made))
    quiet = ("rule", "iam", "service", "launch", "autoscaling", "task_definition")
    assert all(address in told for address in gone if not any(word in address for word in quiet))
