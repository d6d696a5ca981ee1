"""A rehearsal of dev that stands: how it came about, and what the verbs make of it."""

import json
import subprocess
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.rehearsal import faults
from temporal_dsql_deploy.rehearsal.faults import Faults
from temporal_dsql_deploy.terraform import find
from tests.support import rehearsal
from tests.support.rehearsal import StandingRehearsal

pytestmark = rehearsal.NEEDS
ROLES = ("history", "matching", "frontend", "worker")


def test_from_nothing_to_a_green_probe(standing_dev: StandingRehearsal) -> None:
    result = standing_dev.result
    assert result["ok"], result["probe"]
    assert {one["instead_of"] for one in result["stand_ins"]} >= {"Aurora DSQL"}
    assert all(one["cannot_show"] for one in result["stand_ins"])
    assert result["overrides"]
    assert result["denied"] == []


def test_status_sees_every_role(standing_dev: StandingRehearsal) -> None:
    seen = standing_dev.deploy.json("status", "dev")
    states = {one["name"]: one["state"] for one in seen["components"]}
    assert {states[role] for role in ROLES} == {"SERVING"}


def test_logs_are_those_of_the_tasks(standing_dev: StandingRehearsal) -> None:
    said = standing_dev.deploy.run("logs", "dev", "--component", "history").stdout
    assert "history" in said
    assert len(said.splitlines()) > 10


def test_members_are_found_by_a_task_inside_the_vpc(standing_dev: StandingRehearsal) -> None:
    done = standing_dev.deploy.run("membership", "show", "dev", "--json", timeout=300)
    found = json.loads(done.stdout)
    assert {one["role"] for one in found["rows"]} >= set(ROLES)
    assert found["database_error"] == ""


def test_nothing_is_to_be_recovered(standing_dev: StandingRehearsal) -> None:
    done = standing_dev.deploy.run("recover", "dev", "--dry-run", "--json", timeout=300)
    assert json.loads(done.stdout)["wrong"] == []


def test_up_again_changes_nothing(standing_dev: StandingRehearsal, tmp_path: Path) -> None:
    record = tmp_path / "writes"
    wrong = Faults(standing_dev.url)
    wrong.record(record)
    done = standing_dev.deploy.run("up", "dev", "--yes", "--json", timeout=600)
    wrong.clear()
    document = json.loads(done.stdout)
    assert not document["changed"]
    assert document["probe"]["ok"]
    assert _writes(record) == {"RunTask"}


def test_terraform_leaves_what_scale_has_set(standing_dev: StandingRehearsal) -> None:
    deploy = standing_dev.deploy
    deploy.run("scale", "dev", "matching=2", timeout=600)
    seen = deploy.json("status", "dev")
    assert sum(one["name"].startswith("matching") for one in seen["components"]) == 2
    assert _planned(standing_dev) == []
    deploy.run("scale", "dev", "matching=1", timeout=600)


def test_restart_takes_new_tasks(standing_dev: StandingRehearsal) -> None:
    done = standing_dev.deploy.run("restart", "dev", "frontend", "--json", timeout=600)
    assert json.loads(done.stdout)["probe"]["ok"]


def _writes(record: Path) -> set[str]:
    """What was asked of AWS that changes anything."""
    return {one.action for one in faults.writes(record.read_text().splitlines())}


def _planned(standing: StandingRehearsal) -> list[dict[str, Any]]:
    """What an apply would change."""
    done = subprocess.run(
        [str(find.find(None).path), "plan", "-json", "-input=false"],
        cwd=standing.terraform,
        env=standing.deploy.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return [one["change"] for one in said if one["type"] == "planned_change"]
