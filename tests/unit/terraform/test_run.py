"""What this process does while Terraform runs; a script stands in for Terraform."""

import os
import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.errors import StoppedHalfway
from temporal_dsql_deploy.terraform.find import Binary
from temporal_dsql_deploy.terraform.messages import Event
from temporal_dsql_deploy.terraform.run import OnEvent, Terraform, ignore, side_by_side

Scripted = Callable[..., Terraform]
BEGUN = """echo '{"@message": "begun", "type": "begun"}'
"""
INTERRUPTED_THEN = f"""trap 'echo told; exit CODE' INT
{BEGUN}while :; do sleep 0.01; done
"""


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    """A Terraform that is this script."""

    def make(text: str, on_event: OnEvent = ignore) -> Terraform:
        program = tmp_path / "terraform"
        program.write_text(f"#!/bin/sh\n{text}")
        program.chmod(0o755)
        return Terraform(Binary(program, "1.11.4"), tmp_path, {}, on_event)

    return make


def interrupting(events: list[Event]) -> OnEvent:
    def watch(event: Event) -> None:
        events.append(event)
        if event.kind == "begun":
            os.kill(os.getpid(), signal.SIGINT)

    return watch


def test_a_signal_while_terraform_is_being_started_reaches_it(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []

    class Popen(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            started.append(self)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(subprocess, "Popen", Popen)
    with pytest.raises(KeyboardInterrupt):
        scripted("exec sleep 60").run(["plan"])
    (process,) = started
    assert process.returncode == -signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_reaches_what_threads_run_side_by_side_and_what_they_run_afterwards(
    scripted: Scripted,
) -> None:
    terraform = scripted(f"{BEGUN}exec sleep 60", interrupting([]))

    def run() -> None:
        with ThreadPoolExecutor(1) as threads, side_by_side():
            runs = [threads.submit(terraform.run, ["test"]) for _ in range(2)]
            assert [type(run.exception()) for run in runs] == [KeyboardInterrupt] * 2

    with pytest.raises(KeyboardInterrupt):
        run()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_finishes_is_told_of_no_first_interrupt_and_says_so_at_once(
    scripted: Scripted,
) -> None:
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        if event.kind in {"begun", "interrupted"} and len(events) < 3:
            os.kill(os.getpid(), signal.SIGINT)

    terraform = scripted(INTERRUPTED_THEN.replace("CODE", "1"), watch)
    with pytest.raises(StoppedHalfway):
        replace(terraform, finishes=True).run(["apply"])
    begun, finishing, stopping = (event for event in events if event.kind != "text")
    assert [finishing.kind, stopping.kind] == ["interrupted"] * 2
    assert "finishes this apply" in finishing.text
    assert "writes its state" in stopping.text
    assert begun.text == "begun"


def test_an_apply_that_is_stopped_says_how_much_was_changed_whoever_keeps_its_messages(
    scripted: Scripted,
) -> None:
    changed = """echo '{"@message": "made", "type": "apply_complete"}'\n"""
    script = INTERRUPTED_THEN.replace("CODE", "1").replace(BEGUN, changed * 3 + BEGUN)
    with pytest.raises(StoppedHalfway) as stopped:
        scripted(script, interrupting([])).run(["apply"], keep=lambda _: False)
    assert "3 resources had been changed" in stopped.value.cause


def test_an_apply_that_was_done_when_it_was_interrupted_is_done(scripted: Scripted) -> None:
    events: list[Event] = []
    terraform = scripted(INTERRUPTED_THEN.replace("CODE", "0"), interrupting(events))
    assert terraform.run(["apply"]).code == 0
    (said,) = (event.text for event in events if event.kind == "interrupted")
    assert "writes its state" in said
    with pytest.raises(StoppedHalfway):
        scripted(INTERRUPTED_THEN.replace("CODE", "1"), interrupting([])).run(["apply"])


@pytest.mark.parametrize("verb", ["plan", "init", "test"])
def test_what_changes_nothing_does_not_speak_of_states_and_locks(
    scripted: Scripted, verb: str
) -> None:
    events: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        scripted(INTERRUPTED_THEN.replace("CODE", "0"), interrupting(events)).run([verb])
    (said,) = (event.text for event in events if event.kind == "interrupted")
    assert "state" not in said
    assert "lock" not in said
