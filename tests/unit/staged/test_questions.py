"""What a yes is worth: enough for a change, not for production or for data."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.cli.console import Terminal, terminal
from temporal_dsql_deploy.cli.staged import Given
from temporal_dsql_deploy.errors import NotConfirmed
from temporal_dsql_deploy.operations.staged.work import Question

CHANGE = Question("apply this", ["one line"])
LOSS = Question("destroy this", ["LOST: the cluster"], typed=True)


@pytest.fixture(autouse=True)
def _nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Terminal, "interactive", lambda _self: False)


def _ask(question: Question, *, yes: bool = False, confirm: str | None = None) -> None:
    with Given("prod", yes, confirm).how() as how:
        how.ask(question)


def test_yes_is_enough_for_a_change_and_not_for_a_loss() -> None:
    _ask(CHANGE, yes=True)
    with pytest.raises(NotConfirmed, match="without its name") as caught:
        _ask(LOSS, yes=True)
    assert "--confirm prod" in caught.value.fix


def test_the_name_is_enough_for_a_loss() -> None:
    _ask(LOSS, confirm="prod")
    _ask(LOSS, yes=True, confirm="prod")


@given(st.text().filter(lambda text: text != "prod"))
def test_any_other_name_is_not(said: str) -> None:
    with pytest.raises(NotConfirmed):
        _ask(LOSS, yes=True, confirm=said)


def test_without_a_terminal_nobody_is_asked() -> None:
    with pytest.raises(NotConfirmed, match="without a confirmation") as caught:
        _ask(CHANGE)
    assert caught.value.fix.endswith("--yes")


def test_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Terminal, "interactive", lambda _self: True)
    monkeypatch.setattr(terminal, "confirm", lambda *_lines: True)
    _ask(CHANGE)
    monkeypatch.setattr(terminal, "confirm", lambda *_lines: False)
    with pytest.raises(NotConfirmed, match="not changed"):
        _ask(CHANGE)


def test_a_name_is_typed_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Terminal, "interactive", lambda _self: True)
    monkeypatch.setattr(terminal, "ask", lambda *_lines: "prod")
    _ask(LOSS)
    monkeypatch.setattr(terminal, "ask", lambda *_lines: "dev")
    with pytest.raises(NotConfirmed, match="prod is not changed"):
        _ask(LOSS)
