"""What is applied is a whole plan, whichever steps are asked for."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import TerraformFailed
from temporal_dsql_deploy.operations.plan.result import PlanResult, Source
from temporal_dsql_deploy.operations.plan.summary import summarise
from temporal_dsql_deploy.operations.staged import apply
from temporal_dsql_deploy.operations.staged.steps import Step
from temporal_dsql_deploy.operations.staged.work import How, Question, Work
from temporal_dsql_deploy.plan import Plan


def _work(made: PlanResult) -> Work:
    def ask(_question: Question) -> None:
        raise AssertionError

    def show(_plan: PlanResult) -> None:
        pass

    work = Work(Environment("dev", platform="ecs"), How(ask, show), Path("/nowhere"))
    work._planned = made
    return work


@pytest.mark.parametrize("make", [apply.plan, apply.apply])
def test_a_plan_that_failed_half_way_is_not_nothing_to_do(make: Callable[[Work], Step]) -> None:
    none = summarise(Plan("1.15.8"), "dev", Source.TERRAFORM)
    assert make(_work(none)).look().done
    with pytest.raises(TerraformFailed, match="half way"):
        make(_work(replace(none, errored=True, complete=False))).look()
