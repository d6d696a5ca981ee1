"""Which roles an apply of a plan restarts, and why."""

from typing import Any

import pytest

from temporal_dsql_deploy.cli.plan import lines
from tests.unit.operations.plan.documents import HISTORY, definition, redeployed, service, summary
from tests.unit.plan.documents import change


def test_a_restart_says_which_role_and_why() -> None:
    before = definition(DSQL_CONNECTION_RATE_LIMIT="10", OLD="x")
    after = definition(image="registry/runtime:sha-2", DSQL_CONNECTION_RATE_LIMIT="12", NEW="y")
    made = summary(*redeployed(before, {**after, "cpu": "1024"}))
    (restart,) = made.restarts
    assert restart.component == "history"
    assert restart.reasons == [
        "image sha-1 -> sha-2",
        "environment DSQL_CONNECTION_RATE_LIMIT 10 -> 12",
        "environment NEW = y",
        "environment OLD removed",
        "cpu 512 -> 1024",
    ]
    assert restart.effect == "its tasks are replaced a few at a time (min 50 %, max 100 %)"
    assert made.others == []
    assert lines(made)[:3] == [
        "tasks:",
        f"  history: {restart.effect}, because of",
        "    image sha-1 -> sha-2",
    ]


def test_one_reason_is_told_in_one_line() -> None:
    made = summary(*redeployed(definition(A="1"), definition(A="2")))
    assert lines(made)[1] == f"  history: environment A 1 -> 2: {made.restarts[0].effect}"


def test_long_values_are_cut() -> None:
    made = summary(*redeployed(definition(A="x" * 90, B="y" * 50), definition(A="x" * 80, B="z")))
    assert made.restarts[0].reasons == [
        "environment A changed",
        f"environment B {'y' * 37}... -> z",
    ]


def test_a_sensitive_definition_is_not_shown() -> None:
    changes = redeployed(definition(KEY="one"), definition(KEY="two"))
    changes[0]["change"]["after_sensitive"] = {"container_definitions": True}
    made = summary(*changes)
    assert made.restarts[0].reasons == ["containers (sensitive)"]
    assert "two" not in "\n".join(lines(made))


def test_an_unknown_definition_is_said_to_be() -> None:
    changes = redeployed(definition(), definition())
    del changes[0]["change"]["after"]["container_definitions"]
    changes[0]["change"]["after_unknown"]["container_definitions"] = True
    assert "known after apply" in summary(*changes).restarts[0].reasons[0]


@pytest.mark.parametrize(
    ("after", "reasons"),
    [
        ({"desired_count": 5}, ["desired count 3 -> 5"]),
        ({"tags": {"a": "b"}}, None),
        ({"network_configuration": [{"subnets": ["x"]}]}, ["network configuration changed"]),
        ({"deployment_maximum_percent": 200}, None),
        ({"availability_zone_rebalancing": "ENABLED"}, None),
        ({"ordered_placement_strategy": [{"type": "spread"}]}, None),
        ({"platform_version": "1.4.0"}, ["platform version changed"]),
    ],
)
def test_only_what_starts_a_deployment_restarts(
    after: dict[str, Any], reasons: list[str] | None
) -> None:
    made = summary(
        change(
            f"{HISTORY}.aws_ecs_service.this", "update", before=service(), after=service(**after)
        )
    )
    assert [restart.reasons for restart in made.restarts] == ([reasons] if reasons else [])
    assert bool(made.others) == (reasons is None)


def test_a_replaced_service_stops_all_its_tasks() -> None:
    made = summary(
        change(
            f"{HISTORY}.aws_ecs_service.this",
            "delete",
            "create",
            before=service(),
            after=service(),
            replace_paths=[["cluster"]],
        )
    )
    (restart,) = made.restarts
    assert "ALL its tasks stop" in restart.effect
    assert restart.reasons == ["cluster changed"]


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ({"desired_count": 0}, "made anew with no tasks: start it again"),
        ({"desired_count": 3}, "made anew with 3"),
        ({"scheduling_strategy": "DAEMON"}, "a task on each instance"),
    ],
)
def test_a_replaced_service_is_made_anew(after: dict[str, Any], said: str) -> None:
    sides = {"before": service(), "after": service(**after)}
    made = summary(change(f"{HISTORY}.aws_ecs_service.this", "delete", "create", **sides))
    assert made.restarts[0].effect.endswith(said)


def test_a_task_that_no_service_runs() -> None:
    before = {"family": "temporal-dev-opensearch-setup", "container_definitions": "[]"}
    made = summary(
        change(
            "module.x.aws_ecs_task_definition.setup",
            "create",
            "delete",
            before=before,
            after={**before, "memory": "1024"},
        )
    )
    (restart,) = made.restarts
    assert (restart.component, restart.reasons) == ("opensearch-setup", ["memory - -> 1024"])
    assert "left alone" in restart.effect
