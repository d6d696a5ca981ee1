"""`dsql-deploy rehearse` that is interrupted, killed, refused: nothing is left.

The environment is dev's, under another name and in another VPC: a rehearsal of dev itself may stand
meanwhile (`standing_dev`).
"""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from temporal_dsql_deploy.rehearsal.network.bridge import Network
from tests.support import rehearsal
from tests.support.deploy import Deploy
from tests.support.plans import TERRAFORM
from tests.support.rehearsal import left

pytestmark = rehearsal.NEEDS
NAME = "fleeting"
NETWORK = Network(NAME, "10.9.0.0/16")


@pytest.fixture
def rehearsing(docker: dict[str, str], images: dict[str, str], tmp_path: Path) -> Iterator[Deploy]:
    assert images
    deploy = rehearsal.rehearsing(docker, tmp_path)
    variables = tmp_path / "vpc.tfvars"
    variables.write_text(f'vpc_cidr = "{NETWORK.cidr}"\n')
    path = deploy.config / "dsql-deploy" / "environments" / f"{NAME}.toml"
    path.write_text(
        f'platform = "ecs"\nterraform = "{TERRAFORM / "envs" / "dev"}"\n'
        f'var_files = ["{variables}"]\n'
    )
    yield deploy
    deploy.end_started()
    deploy.run("rehearse", NAME, "--end")
    deploy.clean_up()


def test_an_interruption_takes_everything_away(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", NAME)
    assert process.stderr is not None
    for line in process.stderr:
        if "apply ..." in line:
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=300)
    assert process.returncode in {5, 130}, said
    assert "Traceback" not in said
    assert left(rehearsing, NETWORK) == []


def test_what_a_killed_one_has_left_is_taken_away(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", NAME)
    assert process.stderr is not None
    for line in process.stderr:
        if "apply ..." in line:
            break
    process.kill()
    process.wait()
    assert left(rehearsing, NETWORK) != []
    rehearsing.run("rehearse", NAME, "--end")
    assert left(rehearsing, NETWORK) == []


def test_a_device_whose_engine_is_gone_is_taken_away(rehearsing: Deploy) -> None:
    subprocess.run(["ip", "link", "add", NETWORK.device, "type", "bridge"], check=True)
    assert left(rehearsing, NETWORK) == [NETWORK.device]
    rehearsing.run("rehearse", NAME, "--end")
    assert left(rehearsing, NETWORK) == []


def test_two_at_once_are_refused(rehearsing: Deploy) -> None:
    process = rehearsing.start("rehearse", NAME)
    assert process.stderr is not None
    process.stderr.readline()
    second = rehearsing.run("rehearse", NAME, check=False)
    assert second.returncode == 4
    assert "`rehearse` of process" in second.stderr


def test_a_dry_run_says_who_plays_what_and_starts_nothing(rehearsing: Deploy) -> None:
    before = left(rehearsing, NETWORK)
    plan = rehearsing.json("rehearse", NAME, "--dry-run")
    assert plan["vpc"] == NETWORK.cidr
    assert [one["instead_of"] for one in plan["stand_ins"]][:2] == [
        "Aurora DSQL",
        "the OpenSearch domain",
    ]
    assert left(rehearsing, NETWORK) == before == []


def test_an_environment_on_this_machine_is_refused(rehearsing: Deploy) -> None:
    done = rehearsing.run("rehearse", "local", check=False)
    assert done.returncode == 2
    assert "environment local is not on AWS" in done.stderr


def test_end_goes_alone(rehearsing: Deploy) -> None:
    done = rehearsing.run("rehearse", NAME, "--end", "--keep", check=False)
    assert done.returncode == 2
    assert "--end goes alone" in done.stderr
