"""`destroy` removes what was agreed to: nothing that a plan takes along, and no task before it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import Protected
from temporal_dsql_deploy.operations.plan.result import PlanResult
from temporal_dsql_deploy.operations.staged import destroy
from temporal_dsql_deploy.operations.staged.applying import Agreed
from temporal_dsql_deploy.operations.staged.steps import Chosen, Doing, Runner
from temporal_dsql_deploy.operations.staged.work import How, Question, Work
from temporal_dsql_deploy.plan import Action, Change, Plan
from temporal_dsql_deploy.terraform import workdir

STATE = {
    "aws_dsql_cluster.main": (),
    "aws_ecs_service.history": ("aws_dsql_cluster.main",),
    "aws_cloudwatch_log_group.history": (),
}
SERVICE, LOGS = "aws_ecs_service.history", "aws_cloudwatch_log_group.history"


def _state(needs: Mapping[str, Any]) -> dict[str, Any]:
    resources = [
        {
            "mode": "managed",
            "address": address,
            "type": address.split(".")[0],
            "depends_on": list(on),
        }
        for address, on in needs.items()
    ]
    return {"values": {"root_module": {"resources": resources}}}


def _deleted(address: str, previous: str = "") -> Change:
    kind, _, name = address.partition(".")
    return Change(
        address=address,
        module="",
        mode="managed",
        type=kind,
        name=name,
        index=None,
        action=Action.DELETE,
        before={},
        after=None,
        previous_address=previous,
    )


class Account:
    """An environment that stands, and what is done to it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.folder = folder
        self.questions: list[Question] = []
        self.asked: list[workdir.Request] = []
        self.changes: list[Change] = [_deleted(SERVICE), _deleted(LOGS)]
        self.order: list[str] = []
        monkeypatch.setattr(workdir, "state", lambda _request: _state(STATE))
        monkeypatch.setattr(workdir, "plan", self._plan)
        monkeypatch.setattr(destroy, "applied", self._applied)
        monkeypatch.setattr(destroy._Removal, "_services", lambda _self: {"history": _Runs})
        monkeypatch.setattr(destroy._Removal, "_stop", lambda *_: self._done("stop"))

    def _done(self, what: str) -> str:
        self.order.append(what)
        return what

    def _plan(self, request: workdir.Request) -> Plan:
        self.asked.append(request)
        self._done("plan")
        made = Plan("1.15.8", changes=tuple(self.changes))
        if request.check:
            request.check(made)
        return made

    def _applied(self, _work: Work, agreed: Agreed, _doing: Doing) -> int:
        assert agreed.plan == self.asked[-1].out
        assert agreed.destroys
        self._done("apply")
        return agreed.total

    def run(self) -> list[str]:
        def show(_plan: PlanResult) -> None:
            pass

        environment = Environment("dev", platform="ecs", terraform=self.folder)
        work = Work(environment, How(self.questions.append, show), self.folder)
        removal = destroy._Removal(work, with_data=False)
        runner = Runner(destroy._STEPS, Chosen(), lambda _line: None, dry_run=False)
        runner.run(removal.steps())
        return self.order


class _Runs:
    desired, running, pending = 1, 1, 0


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Account:
    return Account(monkeypatch, tmp_path)


def test_it_plans_then_stops_then_applies_that_plan(account: Account) -> None:
    assert account.run() == ["plan", "stop", "apply"]
    (request,) = account.asked
    assert request.destroy
    assert list(request.targets) == [LOGS, SERVICE]


def test_the_logs_that_go_are_told(account: Account) -> None:
    account.run()
    (question,) = account.questions
    assert "goes: 1 of the kind log group" in question.details
    assert not question.typed


@pytest.mark.parametrize("taken", ["aws_dsql_cluster.main", "aws_vpc.main"])
def test_a_plan_that_takes_more_along_is_refused_before_anything_stops(
    account: Account, taken: str
) -> None:
    account.changes.append(_deleted(taken))
    with pytest.raises(Protected, match=taken):
        account.run()
    assert account.order == ["plan"]


def test_what_was_only_moved_is_what_was_agreed_to(account: Account) -> None:
    account.changes = [_deleted("module.new.aws_ecs_service.history", SERVICE)]
    assert account.run()[-1] == "apply"
