"""What was there before: the number of shards, and names that running tasks cannot see."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from temporal_dsql_deploy.checks import Subject, Verdict, judge
from temporal_dsql_deploy.checks.contract import FAMILY
from temporal_dsql_deploy.checks.model import Outcome
from temporal_dsql_deploy.plan import UNKNOWN, Plan, State
from temporal_dsql_deploy.plan.model import Action, Change
from tests.support.draft import SERVICE, TASK, ng
from tests.unit.checks.contract.good import ROLES, Good, good

_SHARDS = "container_definitions.history.environment.TEMPORAL_HISTORY_SHARDS"


KEYS = (
    "command",
    "dependsOn",
    "entryPoint",
    "environment",
    "essential",
    "healthCheck",
    "image",
    "memory",
    "mountPoints",
    "portMappings",
    "restartPolicy",
    "secrets",
    "stopTimeout",
    "ulimits",
    "user",
)
JUDGED_BY_SERVICES = (
    "circuit-breaker",
    "connect-alias",
    "connect-order",
    "dns-record",
    "network-mode",
)


def _of(subject: Subject, rule: str) -> Outcome:
    found = [each for each in FAMILY.rules if each.id == f"contract-{rule}"]
    return judge(subject, found).outcomes[0]


def _change(address: str, action: Action, before: Mapping[str, Any] | None = None) -> Change:
    kind, _, name = address.partition(".")
    return Change(address, "", "managed", kind, name, None, action, before, {})


def _earlier(shards: int) -> dict[str, Any]:
    """Attributes of a task definition that is there, of history."""
    definition = {
        "name": "history",
        "image": "runtime:0",
        "environment": [{"name": "TEMPORAL_HISTORY_SHARDS", "value": str(shards)}],
    }
    return {"container_definitions": json.dumps([definition])}


def _changed(draft: Good, *changes: Change) -> Plan:
    return replace(draft.plan(), changes=changes)


def test_the_first_apply_may_choose_the_number_of_shards() -> None:
    changes = [_change(f"{TASK}.{role}", Action.CREATE) for role in ROLES]
    assert _of(Subject(_changed(good(), *changes)), "shards-fixed").verdict is Verdict.OK


def test_another_number_of_shards_than_before_is_found() -> None:
    plan = _changed(good(), _change(f"{TASK}.history", Action.UPDATE, _earlier(4096)))
    outcome = _of(Subject(plan), "shards-fixed")
    assert ng(outcome) == [(f"{TASK}.history", _SHARDS)]
    assert outcome.findings[0].evidence == "TEMPORAL_HISTORY_SHARDS was 4096: 512"
    same = _changed(good(), _change(f"{TASK}.history", Action.UPDATE, _earlier(512)))
    assert _of(Subject(same), "shards-fixed").verdict is Verdict.OK


def test_a_state_is_what_was_before_too() -> None:
    earlier = good().everywhere({"TEMPORAL_HISTORY_SHARDS": "1024"}).plan()
    before = State(earlier.terraform_version, earlier.resources)
    outcome = _of(Subject(good().plan(), before=before), "shards-fixed")
    assert {resource for resource, _ in ng(outcome)} == {f"{TASK}.{role}" for role in ROLES}


def test_a_database_that_is_made_anew_may_have_another_number() -> None:
    plan = _changed(
        good(),
        _change("aws_dsql_cluster.this", Action.REPLACE),
        _change(f"{TASK}.history", Action.UPDATE, _earlier(4096)),
    )
    assert _of(Subject(plan), "shards-fixed").verdict is Verdict.OK


def test_a_state_alone_says_nothing_of_before() -> None:
    state = State("1.13.5", good().plan().resources)
    outcome = _of(Subject(state), "shards-fixed")
    assert outcome.verdict is Verdict.SKIP
    assert _of(Subject(state), "connect-order").verdict is Verdict.SKIP


def test_a_number_that_is_no_number_any_more_is_not_judged() -> None:
    draft = good().set("history", "TEMPORAL_HISTORY_SHARDS", "many")
    plan = _changed(draft, _change(f"{TASK}.history", Action.UPDATE, _earlier(4096)))
    assert _of(Subject(plan), "shards-fixed").verdict is Verdict.SKIP


def _services(draft: Good, frontend: Action, ui: Action) -> Outcome:
    changes = [_change(f"{SERVICE}.frontend", frontend), _change(f"{SERVICE}.ui", ui)]
    return _of(Subject(_changed(draft, *changes)), "connect-order")


def test_a_running_client_does_not_see_a_name_that_is_made_now() -> None:
    outcome = _services(good(), Action.CREATE, Action.NO_OP)
    assert ng(outcome) == [(f"{SERVICE}.ui", "service_connect_configuration")]
    assert _services(good(), Action.NO_OP, Action.NO_OP).verdict is Verdict.OK


def test_a_client_that_is_made_with_the_name_needs_another_deployment() -> None:
    draft = good()
    assert _services(draft, Action.CREATE, Action.CREATE).verdict is Verdict.SKIP
    draft.service("ui")["desired_count"] = 0
    outcome = _services(draft, Action.CREATE, Action.CREATE)
    assert outcome.verdict is Verdict.OK
    assert outcome.seen[0].startswith("shop-temporal-ui is to be deployed once more")


def test_nothing_is_said_of_an_empty_plan() -> None:
    for outcome in judge(Subject(Plan("1.13.5")), FAMILY.rules).outcomes:
        assert outcome.verdict is Verdict.SKIP, outcome.rule.id
        assert outcome.unjudged, outcome.rule.id


def test_nothing_is_guessed_where_containers_are_not_known() -> None:
    draft = good()
    for name in list(draft.containers):
        draft.task(name)["container_definitions"] = UNKNOWN
    for outcome in draft.judged(FAMILY).outcomes:
        assert outcome.findings == (), outcome.rule.id
        known = {f"contract-{one}" for one in JUDGED_BY_SERVICES}
        if outcome.rule.id not in known:
            assert outcome.verdict is Verdict.SKIP, outcome.rule.id


def test_nothing_is_guessed_where_services_are_not_known() -> None:
    draft = good()
    for address, values in list(draft.values.items()):
        if address.startswith(SERVICE):
            hidden = dict.fromkeys(
                (
                    "service_connect_configuration",
                    "service_registries",
                    "deployment_circuit_breaker",
                    "health_check_grace_period_seconds",
                    "deployment_maximum_percent",
                    "load_balancer",
                ),
                UNKNOWN,
            )
            draft.values[address] = {**values, **hidden}
    draft["aws_dsql_cluster.this"]["identifier"] = UNKNOWN
    draft["aws_opensearch_domain.this"]["endpoint"] = UNKNOWN
    judged = draft.judged(FAMILY)
    for rule in ("circuit-breaker", "grace-period", "sql-host", "visibility-host", "shards-enough"):
        assert judged.of(f"contract-{rule}").verdict is Verdict.SKIP, rule


@pytest.mark.parametrize("odd", [None, [], {}, "x", 0, [None], ["x"], [{}], {"command": []}])
@pytest.mark.parametrize("key", KEYS)
def test_a_definition_that_is_odd_is_no_reason_to_break(key: str, odd: object) -> None:
    """AWS will say what it does not take; a rule never raises."""
    draft = good()
    for definitions in draft.containers.values():
        for definition in definitions:
            definition[key] = odd
    assert len(draft.judged(FAMILY).outcomes) == len(FAMILY.rules)
