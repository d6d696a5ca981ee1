"""The verbs of membership: what they print, their documents, their exit codes."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from scripts import reference
from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.main import app
from temporal_dsql_deploy.operations.membership import clean as operation
from temporal_dsql_deploy.operations.membership import look as looking
from temporal_dsql_deploy.operations.membership.result import Look
from temporal_dsql_deploy.persistence import membership
from tests.unit.membership.world import address, healthy, killed

Run = Callable[..., Result]


class Stopped:
    """A platform of which only the lock and the database are asked for."""

    name = "cluster"

    def __init__(self) -> None:
        self.locked: list[str] = []

    def lock(self, verb: str, _: object) -> Any:
        self.locked.append(verb)
        return nullcontext()

    def database(self) -> None:
        return None


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Stopped:
    made = Stopped()
    monkeypatch.setattr(options, "choose", lambda *_, **__: (None, made))
    return made


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, platform: Stopped) -> Run:
    def run(seen: Look, *words: str) -> Result:
        for module in (looking, operation):
            monkeypatch.setattr(module, "look", lambda *_, **__: seen)
        return CliRunner().invoke(app, ["membership", *words])

    return run


def document(result: Result, name: str) -> Any:
    found = json.loads(result.stdout)
    path = reference.REFERENCE / "schemas" / f"membership-{name}.schema.json"
    jsonschema.validate(
        found,
        json.loads(path.read_text()),
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )
    return found


def test_doctor_of_a_healthy_cluster(run: Run) -> None:
    result = run(healthy(), "doctor", "cluster")
    assert result.exit_code == 0
    assert result.stdout == "4 members, 4 rows: OK\n"
    assert document(run(healthy(), "doctor", "cluster", "--json"), "doctor")["ok"]


def test_doctor_names_what_harms_and_what_to_do(run: Run) -> None:
    seen = killed(healthy(), "history", age=70)
    result = run(seen, "doctor", "cluster")
    assert result.exit_code == 1
    first, *_, last = result.stdout.splitlines()
    assert first == "FAILED No member of the ring has this role. [membership-role-missing]"
    assert "note Rows of processes that are gone. [membership-stale-row]" in result.stdout
    assert f"  history {address('history')}, heartbeat 70 s ago, host id history-1" in result.stdout
    assert " membership clean " in result.stdout
    assert last == "3 members, 4 rows: not as it should be"
    found = document(run(seen, "doctor", "cluster", "--json"), "doctor")
    assert [one["code"] for one in found["findings"]] == [
        "membership-role-missing",
        "membership-stale-row",
    ]


def test_show_has_the_rows_and_the_ring(run: Run) -> None:
    seen = killed(healthy(), "history", age=70)
    result = run(seen, "show", "cluster")
    assert result.exit_code == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["history", address("history"), "70", "s", "ago", "no"] in [line[:6] for line in lines]
    worker = next(line for line in lines if line[:2] == ["worker", address("worker")])
    assert worker[2:6] == ["5", "s", "ago", "yes"]
    assert "3 of 3" in result.stdout
    assert len(document(run(seen, "show", "cluster", "--json"), "show")["rows"]) == 4


@pytest.mark.parametrize("words", [(), ("--dry-run",), ("--dry-run", "--yes")])
def test_clean_deletes_nothing_unless_told(
    run: Run, platform: Stopped, words: tuple[str, ...]
) -> None:
    seen = killed(healthy(), "history", age=70)
    result = run(seen, "clean", "cluster", *words)
    assert result.exit_code == 0
    assert "1 would be deleted, 3 kept" in result.stdout
    assert "kept: its last heartbeat is not 60 s old" in result.stdout
    assert platform.locked == []
    found = document(run(seen, "clean", "cluster", "--json", *words), "clean")
    assert (found["dry_run"], len(found["deleted"])) == (True, 1)


def test_clean_deletes_what_is_proven_and_says_what_came_back(
    run: Run, platform: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = killed(killed(healthy(), "history", age=70), "worker", age=80)
    asked: list[set[str]] = []

    def delete(_: object, host_ids: set[str], *, silent_for: float) -> set[str]:
        assert silent_for == membership.PROVEN_GONE
        asked.append(host_ids)
        return {"worker-1"}

    monkeypatch.setattr(operation, "connect", nullcontext)
    monkeypatch.setattr(membership, "delete", delete)
    result = run(seen, "clean", "cluster", "--yes", "--json")
    found = document(result, "clean")
    assert asked == [{"history-1", "worker-1"}]
    assert [one["host_id"] for one in found["deleted"]] == ["worker-1"]
    back = next(one for one in found["kept"] if one["host_id"] == "history-1")
    assert back["kept_because"] == "a heartbeat came in meanwhile"
    assert platform.locked == ["membership clean"]


def test_clean_without_rows_to_read_is_an_error(run: Run) -> None:
    result = run(replace(healthy(), database_error="no answer"), "clean", "cluster")
    assert result.exit_code == 3
    assert "cannot be read [database-unusable]" in result.output


def test_local_has_no_membership() -> None:
    for verb in ("show", "doctor", "clean"):
        result = CliRunner().invoke(app, ["membership", verb, "local"])
        assert result.exit_code == 2
        assert "has no membership [not-for-platform]" in result.output
