"""The runner of steps: what is done is left alone, what fails says where, what was done stays."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import (
    CredentialsExpired,
    DeployError,
    NotApplied,
    NotConfirmed,
    StoppedHalfway,
    TaskFailed,
)
from temporal_dsql_deploy.operations.staged.steps import (
    Chosen,
    Doing,
    Outcome,
    Runner,
    Seen,
    Step,
)


class World:
    """Things that are so or not, and the steps that make them so."""

    def __init__(self, so: dict[str, bool]) -> None:
        self.so = so
        self.done: list[str] = []
        self.said: list[str] = []

    def steps(self) -> list[Step]:
        return [Step(name, f"makes {name}", self._look(name), self._do(name)) for name in self.so]

    def _look(self, name: str) -> Callable[[], Seen]:
        return lambda: Seen(self.so[name], f"{name} is {'' if self.so[name] else 'not '}so")

    def _do(self, name: str) -> Callable[[Doing], str]:
        def do(doing: Doing) -> str:
            doing.changing()
            self.so[name] = True
            self.done.append(name)
            return f"made {name}"

        return do

    def run(self, chosen: Chosen | None = None, *, dry_run: bool = False) -> Runner:
        runner = Runner(list(self.so), chosen or Chosen(), self.said.append, dry_run=dry_run)
        runner.run(self.steps())
        return runner


worlds = st.dictionaries(
    st.sampled_from(["secret", "images", "apply", "schema", "services"]), st.booleans(), min_size=1
)


@given(worlds)
def test_what_is_not_so_is_done_once_in_order_and_never_again(so: dict[str, bool]) -> None:
    world = World(dict(so))
    first = world.run()
    assert world.done == [name for name, is_so in so.items() if not is_so]
    assert [one.outcome for one in first.results] == [
        Outcome.IS_SO if is_so else Outcome.DONE for is_so in so.values()
    ]
    world.done.clear()
    again = world.run()
    assert world.done == []
    assert {one.outcome for one in again.results} == {Outcome.IS_SO}


@given(worlds)
def test_a_dry_run_does_nothing_and_tells_what_it_would(so: dict[str, bool]) -> None:
    world = World(dict(so))
    told = world.run(dry_run=True)
    assert world.done == []
    assert world.so == so
    assert [one.outcome is Outcome.TO_DO for one in told.results] == [
        not one for one in so.values()
    ]


@given(worlds, st.data())
def test_from_and_only_leave_the_others_out(so: dict[str, bool], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(so)))
    names = list(so)
    from_there = World(dict.fromkeys(so, False))
    from_there.run(Chosen(first=name))
    assert from_there.done == names[names.index(name) :]
    alone = World(dict.fromkeys(so, False))
    left = alone.run(Chosen(only=name))
    assert alone.done == [name]
    assert [one.name for one in left.results if one.outcome is Outcome.LEFT_OUT] == [
        other for other in names if other != name
    ]


def _failing(error: BaseException, *, changes: bool) -> Step:
    def do(doing: Doing) -> str:
        if changes:
            doing.changing()
        raise error

    return Step("schema", "makes the schema", lambda: Seen(False, "there is none"), do)


def _run(*steps: Step, dry_run: bool = False) -> Runner:
    names = [step.name for step in steps]
    runner = Runner(names, Chosen(), lambda _line: None, dry_run=dry_run)
    runner.run(steps)
    return runner


def _apply(doing: Doing) -> str:
    doing.changing()
    return "applied"


MADE = Step("apply", "applies", lambda: Seen(False, "not applied"), _apply)
WAITED = Step("hosts", "waits", lambda: Seen(False, "none is there"), lambda _doing: "all are")
FAILED = TaskFailed("task 1 ended with exit code 1", cause="no route", fix="open the path")


def test_a_failure_before_anything_was_changed_keeps_its_error_and_names_the_step() -> None:
    with pytest.raises(TaskFailed, match=r"^step schema: task 1 ended"):
        _run(_failing(TaskFailed("task 1 ended"), changes=False))


@pytest.mark.parametrize(
    "steps", [[_failing(FAILED, changes=True)], [MADE, _failing(FAILED, changes=False)]]
)
def test_a_failure_after_a_change_says_what_was_done_and_that_the_command_goes_on(
    steps: list[Step],
) -> None:
    with pytest.raises(StoppedHalfway, match="step schema has failed: task 1") as caught:
        _run(*steps)
    assert caught.value.exit_code == 5
    assert "no route [task-failed]" in caught.value.cause
    assert ("done before it: apply" in caught.value.cause) == (MADE in steps)
    assert caught.value.fix.startswith("open the path. Then run the same command again")


def test_credentials_that_expire_in_the_middle_stop_it_half_way() -> None:
    with pytest.raises(StoppedHalfway, match="have expired"):
        _run(MADE, _failing(CredentialsExpired("the AWS credentials have expired"), changes=False))


def test_what_has_only_waited_has_changed_nothing() -> None:
    with pytest.raises(TaskFailed, match="step schema"):
        _run(WAITED, _failing(TaskFailed("task 1 ended"), changes=False))


def test_what_is_refused_stays_refused() -> None:
    with pytest.raises(NotConfirmed, match="step schema: no"):
        _run(MADE, _failing(NotConfirmed("no"), changes=False))


def test_an_interruption_is_one_until_something_was_changed() -> None:
    with pytest.raises(KeyboardInterrupt):
        _run(_failing(KeyboardInterrupt(), changes=False))
    with pytest.raises(StoppedHalfway, match="step schema was interrupted"):
        _run(_failing(KeyboardInterrupt(), changes=True))
    with pytest.raises(StoppedHalfway, match="interrupted") as caught:
        _run(MADE, _failing(KeyboardInterrupt(), changes=False))
    assert "done before it: apply" in caught.value.cause


def test_a_dry_run_tells_what_cannot_be_seen_before_an_earlier_step() -> None:
    def look() -> Seen:
        raise NotApplied("nothing of environment dev stands on AWS")

    later = Step("schema", "makes the schema", look, lambda _doing: "")
    results = _run(MADE, later, dry_run=True).results
    assert [one.outcome for one in results] == [Outcome.TO_DO, Outcome.UNKNOWN]
    assert "nothing of environment dev" in results[1].told
    with pytest.raises(NotApplied):
        _run(later, dry_run=True)


def test_a_gate_that_raises_ends_it_and_nothing_later_is_done() -> None:
    def look() -> Seen:
        raise DeployError("a rule does not hold")

    done: list[str] = []

    def do(_doing: Doing) -> str:
        done.append("apply")
        return "applied"

    after = Step("apply", "", lambda: Seen(False, ""), do)
    with pytest.raises(DeployError, match="step check: a rule"):
        _run(Step("check", "", look), after)
    assert done == []


def test_what_only_looks_says_so_where_it_is_not_so() -> None:
    plan = Step("plan", "what would change", lambda: Seen(False, "3 to create"))
    assert [one.outcome for one in _run(plan, MADE).results] == [Outcome.NOT_SO, Outcome.DONE]


def test_the_lock_is_checked_before_each_step() -> None:
    checked: list[str] = []
    runner = Runner(["apply", "schema"], Chosen(), lambda _line: None, dry_run=False)
    so = Step("schema", "", lambda: Seen(True, "there"))
    runner.run([MADE, so], check=lambda: checked.append("again"))
    assert checked == ["again", "again"]
