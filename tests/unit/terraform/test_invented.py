"""Values that AWS would give: distinct, the same in every run, and nothing else is made up."""

import re
from typing import Any

from temporal_dsql_deploy.plan import UNKNOWN, Plan, read_plan
from temporal_dsql_deploy.terraform import invented
from tests.unit.plan.documents import change, plan

WHERE = {"account": "123456789012", "region": "eu-west-1"}


def created(address: str, known: dict[str, Any], *unknown: str) -> dict[str, Any]:
    return change(address, "create", after=known, after_unknown=dict.fromkeys(unknown, True))


def of(*changes: dict[str, Any]) -> Plan:
    return read_plan(plan(*changes))


def test_values_are_made_from_planned_names_and_addresses() -> None:
    first = of(
        created('aws_iam_role.r["a"]', {"name": "one"}, "arn", "id"),
        created("aws_security_group.a", {"name": "x"}, "arn", "id"),
        created("aws_security_group.b", {"name": "x"}, "arn", "id"),
        created("aws_dsql_cluster.this", {}, "arn", "identifier"),
        created("aws_something_else.this", {}, "arn"),
        created("aws_s3_bucket.loki", {}, "arn", "bucket"),
        created("aws_subnet.taken", {"id": "subnet-1", "arn": "x"}),
    )
    made = invented.of_resources(first, **WHERE)
    assert made['aws_iam_role.r["a"]']["arn"] == "arn:aws:iam::123456789012:role/one"
    one, two = (made[f"aws_security_group.{name}"]["id"] for name in "ab")
    assert one != two
    assert re.fullmatch("sg-[0-9a-f]{17}", one)
    assert re.fullmatch("[a-z2-7]{26}", made["aws_dsql_cluster.this"]["identifier"])
    assert made["aws_s3_bucket.loki"]["arn"] == "arn:aws:s3:::aws-s3-bucket-loki"
    assert "aws_something_else.this" not in made
    assert "aws_subnet.taken" not in made
    assert made == invented.of_resources(first, **WHERE)


def test_what_terraform_fills_in_by_itself_is_unknown_again() -> None:
    address = "aws_iam_role.r"
    first = of(
        created(address, {"name": "temporal", "block": [{}]}, "arn", "unique_id", "tags_all"),
        created("aws_x.y", {}, "uses", "role", "also"),
    )
    first_change = first.changes[0]
    assert first_change.after is not None
    overrides = {address: {"arn": "arn:aws:iam::123456789012:role/temporal"}}
    second = of(
        created(
            address,
            {
                "name": "temporal",
                "block": [{}],
                "arn": overrides[address]["arn"],
                "unique_id": "a1b2c3d4",
                "tags_all": {},
            },
        ),
        created("aws_x.y", {"uses": "x/a1b2c3d4/y", "role": overrides[address]["arn"], "also": 1}),
    )
    made = invented.only(second, first, overrides)
    role, user = made[address], made["aws_x.y"]
    assert role["arn"] == overrides[address]["arn"]
    assert role["unique_id"] is UNKNOWN
    assert role["tags_all"] is UNKNOWN
    assert role.unknown == {"unique_id", "tags_all"}
    assert user["uses"] is UNKNOWN
    assert user["role"] == overrides[address]["arn"]


def test_a_word_of_eight_letters_that_was_known_before_stays() -> None:
    first = of(
        created("aws_iam_role.r", {"name": "temporal"}, "arn", "path"),
        created("aws_x.y", {"text": "temporal"}),
    )
    second = of(
        created("aws_iam_role.r", {"name": "temporal", "arn": "a", "path": "temporal"}),
        created("aws_x.y", {"text": "temporal"}),
    )
    made = invented.only(second, first, {"aws_iam_role.r": {"arn": "a"}})
    assert made["aws_iam_role.r"]["path"] == "temporal"
    assert made["aws_x.y"]["text"] == "temporal"


def test_data_sources_answer_for_the_account_and_region() -> None:
    data = invented.of_data(**WHERE)
    assert data["aws_caller_identity"]["account_id"] == "123456789012"
    assert data["aws_region"]["name"] == "eu-west-1"
    assert data["aws_availability_zones"]["names"][0] == "eu-west-1a"


def test_every_template_can_be_filled() -> None:
    for kind, templates in invented.table()["resources"].items():
        first = of(created(f"{kind}.x", {}, *templates))
        (made,) = invented.of_resources(first, **WHERE).values()
        assert set(made) == set(templates)
        assert "{" not in str([value for value in made.values() if isinstance(value, str)])
