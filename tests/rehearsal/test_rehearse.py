"""`dsql-deploy rehearse`: from nothing to a probe, and nothing is left."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.network import walls
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from tests.support import rehearsal
from tests.support.containers import DOCKER
from tests.support.deploy import Deploy
from tests.support.rehearsal import Held, Kept

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
    pytest.mark.needs("terraform"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("opensearch"),
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(2400),
]
NETWORK = Network("dev", "10.0.0.0/16")


@pytest.fixture
def rehearsing(docker: dict[str, str], held: Held, tmp_path: Path) -> Iterator[Deploy]:
    held.end()
    deploy = rehearsal.rehearsing(docker, tmp_path)
    yield deploy
    deploy.end_started()
    deploy.run("rehearse", "dev", "--end")
    deploy.clean_up()


def left(deploy: Deploy) -> list[str]:
    """What stands of a rehearsal of dev on this machine."""
    found = [str(path) for path in deploy.state.rglob("rehearsal-dev")]
    devices = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True)
    found += [NETWORK.device] if NETWORK.device in devices.stdout else []
    tables = walls.run("list", "tables")
    found += [walls.table_of(NETWORK.device)] if NETWORK.device in tables else []
    for kind in (["ps", "--all"], ["volume", "ls"]):
        asked = [DOCKER, *kind, "--quiet", "--filter", "label=dsql-deploy.rehearsal"]
        said = subprocess.run(
            asked, env=deploy.environment, capture_output=True, text=True, check=True
        )
        found += said.stdout.split()
    return found + [str(one) for one in deploy.servers()]


def test_dev_from_nothing_to_a_green_probe_and_nothing_is_left(
    standing_dev: Kept, held: Held
) -> None:
    result = standing_dev.result
    assert result["ok"], result["probe"]
    assert result["standing"]["AWS_ENDPOINT_URL"]
    assert {one["instead_of"] for one in result["stand_ins"]} >= {"Aurora DSQL"}
    assert all(one["cannot_show"] for one in result["stand_ins"])
    assert result["overrides"]
    assert left(standing_dev.deploy) != []
    held.end()
    assert left(standing_dev.deploy) == []


def test_an_interruption_takes_everything_away(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", "dev")
    assert process.stderr is not None
    for line in process.stderr:
        if "apply ..." in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode in {5, 130}, said
    assert "Traceback" not in said
    assert left(rehearsing) == []


def test_what_a_killed_one_has_left_is_taken_away(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", "dev")
    assert process.stderr is not None
    for line in process.stderr:
        if "apply ..." in line:
            break
    process.kill()
    process.wait()
    assert left(rehearsing) != []
    rehearsing.run("rehearse", "dev", "--end")
    assert left(rehearsing) == []


def test_a_device_whose_engine_is_gone_is_taken_away(rehearsing: Deploy) -> None:
    subprocess.run(["ip", "link", "add", NETWORK.device, "type", "bridge"], check=True)
    assert left(rehearsing) == [NETWORK.device]
    rehearsing.run("rehearse", "dev", "--end")
    assert left(rehearsing) == []


def test_two_at_once_are_refused(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", "dev")
    assert process.stderr is not None
    process.stderr.readline()
    second = rehearsing.run("rehearse", "dev", check=False)
    assert second.returncode == 4
    assert "`rehearse` of process" in second.stderr


def test_a_dry_run_says_who_plays_what_and_starts_nothing(rehearsing: Deploy) -> None:
    before = left(rehearsing)
    plan = rehearsing.json("rehearse", "dev", "--dry-run")
    assert plan["vpc"] == "10.0.0.0/16"
    assert [one["instead_of"] for one in plan["stand_ins"]][:2] == [
        "Aurora DSQL",
        "the OpenSearch domain",
    ]
    assert left(rehearsing) == before == []


def test_an_environment_on_this_machine_is_refused(rehearsing: Deploy) -> None:
    done = rehearsing.run("rehearse", "local", check=False)
    assert done.returncode == 2
    assert "environment local is not on AWS" in done.stderr


def test_end_goes_alone(rehearsing: Deploy) -> None:
    done = rehearsing.run("rehearse", "dev", "--end", "--keep", check=False)
    assert done.returncode == 2
    assert "--end goes alone" in done.stderr
