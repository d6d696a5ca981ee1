"""What is applied is a whole plan, whichever steps are asked for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    AwsFailed,
    DeployError,
    MissingError,
    PermissionMissing,
    TerraformFailed,
)
from temporal_dsql_deploy.operations.plan.result import PlanResult, Source
from temporal_dsql_deploy.operations.plan.summary import summarise
from temporal_dsql_deploy.operations.staged import apply, leftovers
from temporal_dsql_deploy.operations.staged.steps import Doing, Step
from temporal_dsql_deploy.operations.staged.work import How, Question, Work
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import workdir


def _work(made: PlanResult, ask: Callable[[Question], None] | None = None) -> Work:
    def refuse(_question: Question) -> None:
        raise AssertionError

    def show(_plan: PlanResult) -> None:
        pass

    work = Work(Environment("dev", platform="ecs"), How(ask or refuse, show), Path("/nowhere"))
    work._planned = made
    return work


@pytest.mark.parametrize("make", [apply.plan, apply.apply])
def test_a_plan_that_failed_half_way_is_not_nothing_to_do(make: Callable[[Work], Step]) -> None:
    none = summarise(Plan("1.15.8"), "dev", Source.TERRAFORM)
    assert make(_work(none)).look().done
    with pytest.raises(TerraformFailed, match="half way"):
        make(_work(replace(none, errored=True, complete=False))).look()


@pytest.mark.parametrize("kind", [AwsFailed, MissingError, PermissionMissing, TerraformFailed])
def test_an_apply_goes_well_though_what_nobody_uses_cannot_be_looked_for(
    kind: type[DeployError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def orphans(*_: object) -> list[leftovers.Orphan]:
        raise kind("AWS cannot be reached", cause="no\nendpoint")

    monkeypatch.setattr(leftovers, "orphans", orphans)
    monkeypatch.setattr(workdir, "state", lambda _: {})
    monkeypatch.setattr(apply, "applied", lambda *_, **__: 3)
    said: list[str] = []
    work = _work(summarise(Plan("1.15.8"), "dev", Source.TERRAFORM), ask=lambda _: None)
    work.environment = replace(work.environment, terraform=Path("/nowhere"))
    work.__dict__["place"] = {"region": "eu-west-1"}
    do = apply.apply(work).do
    assert do is not None
    assert do(Doing(said.append)) == "applied: 3 resources were changed"
    assert said == ["apply: not looked for what nobody uses: AWS cannot be reached: no endpoint"]
