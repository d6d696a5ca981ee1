"""The rules are judged, and the plan of the next step made meanwhile."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import TerraformFailed
from temporal_dsql_deploy.operations import check
from temporal_dsql_deploy.operations.staged import before
from temporal_dsql_deploy.operations.staged.work import How, Work

_PATIENCE = 30
RIGHT = SimpleNamespace(result=SimpleNamespace(ok=True, counts={"OK": 3, "SKIP": 0}))


def _work() -> Work:
    return Work(Environment("dev", platform="ecs"), How(print, print), Path("/nowhere"))


def test_a_plan_that_is_wanted_is_made_while_the_rules_are_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planning, judging = threading.Event(), threading.Event()

    def judge(*_: Any) -> SimpleNamespace:
        judging.set()
        assert planning.wait(_PATIENCE)
        return RIGHT

    def plan() -> None:
        planning.set()
        assert judging.wait(_PATIENCE)
        raise TerraformFailed("told by the step that needs it")

    work = _work()
    work.is_to_plan = True
    monkeypatch.setattr(check, "check", judge)
    monkeypatch.setattr(work, "planned", plan)
    assert before.check(work).look().told == "3 rules hold"
    assert planning.is_set()


def test_a_plan_that_nobody_wants_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    work = _work()
    planned: list[bool] = []
    monkeypatch.setattr(check, "check", lambda *_: RIGHT)
    monkeypatch.setattr(work, "planned", lambda: planned.append(True))
    assert before.check(work).look().done
    assert planned == []
