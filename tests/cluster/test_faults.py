"""Faults on four roles with two instances of each, while the benchmark and the oracle load them.

The whole variety is in `make campaign` (tests/campaign/cluster_faults.py); five of its rounds are
here. Silent hosts are in test_faults_silent_host.py.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest
from temporalio.client import Client

from temporal_dsql_deploy.platforms.temporal_api import runtime
from tests.campaign import cluster_faults as campaign
from tests.support import cluster_faults
from tests.support.cluster import actions, by_name
from tests.support.cluster_faults import DATABASE, INSTANCES, ROLES, Judged, Standing, benchmark
from tests.support.oracle import Oracle

pytestmark = [
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("postgresql"),
    pytest.mark.needs("loopback addresses"),
    pytest.mark.timeout(600),
]

SEEDS = (2_000_000, 2_000_004, 2_000_005, 2_000_013, 2_000_026)
"""Rounds of the campaign: a keeper killed, one frozen, two killed, the database away, and a restart
that is cut off."""
AWAY = 30
"""Seconds for which the database is."""


@pytest.fixture(scope="module")
def stood(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    with cluster_faults.standing(tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def standing(stood: Standing) -> Iterator[Standing]:
    """All of it runs, whatever the test before has left."""
    stood.up()
    yield stood
    stood.deploy.end_started()


def judge(standing: Standing, work: Callable[[], object]) -> Judged:
    file = standing.deploy.folder / "acknowledged"
    found = asyncio.run(cluster_faults.judged(standing.address, file, work))
    assert found.losses == []
    assert found.acknowledged > 0
    return found


def killed_and_mended(standing: Standing, *names: str) -> None:
    before = {name: standing.pid(name) for name in INSTANCES}
    standing.kill(*names)
    result = standing.up()
    assert actions(result) == dict.fromkeys(names, "start")
    now = {name: standing.pid(name) for name in INSTANCES}
    assert {name for name in INSTANCES if now[name] != before[name]} == set(names)


def test_the_oracle_sees_what_was_lost(standing: Standing) -> None:
    """Else all that it says of the faults below would mean nothing."""
    file = standing.deploy.folder / "known"

    async def losses() -> list[str]:
        client = await Client.connect(standing.address, runtime=runtime())
        oracle = Oracle(client, file)
        async with oracle.worker():
            await oracle.start("known", 2)
            first, second = oracle.acknowledged()
            await client.get_workflow_handle(first.workflow_id).terminate()
            with file.open("a") as known:
                known.write(f"7 gone {second.run_id}\n")
                known.write(f"{second.number + 1} {second.workflow_id} {second.run_id}\n")
            return await oracle.losses(seconds=60)

    found = "; ".join(asyncio.run(losses()))
    assert "terminated" in found
    assert "gone: it is not there" in found
    assert ": result " in found


def test_kill_9_of_each_role_in_turn_loses_nothing(standing: Standing) -> None:
    def each() -> None:
        for name in ("history-1", "matching-2", "frontend-1", "worker-1"):
            killed_and_mended(standing, name)

    with benchmark(standing, "--duration", "45s") as measured:
        judge(standing, each)
    measured[0].assert_nothing_lost()


def test_kill_9_of_two_at_once_loses_nothing(standing: Standing) -> None:
    """Both of one role, and two of different roles: all that there is of the first."""

    def pairs() -> None:
        killed_and_mended(standing, "history-1", "history-2")
        killed_and_mended(standing, "matching-1", "frontend-2")

    with benchmark(standing, "--duration", "25s") as measured:
        judge(standing, pairs)
    measured[0].assert_nothing_lost()


def test_the_database_away_for_half_a_minute_loses_nothing_and_ends_nobody(
    standing: Standing,
) -> None:
    before = {name: standing.pid(name) for name in INSTANCES}

    def outage() -> None:
        standing.kill(DATABASE)
        since = time.monotonic()
        status = by_name(standing.cluster.status(check=False))
        assert status[DATABASE]["state"] == "STOPPED"
        # gRPC health tells nobody of it.
        assert {status[name]["state"] for name in INSTANCES} == {"SERVING"}
        started_while_away(standing)
        time.sleep(max(0.0, since + AWAY - time.monotonic()))
        result = standing.up()
        assert actions(result) == {DATABASE: "start"}

    # Each start that is open is tried again once a second.
    with benchmark(standing, "--duration", "50s", "--rate", "4") as measured:
        judge(standing, outage)
    measured[0].assert_nothing_lost()
    assert measured[0].failed_requests, "the database was not away"
    assert {name: standing.pid(name) for name in INSTANCES} == before


def started_while_away(standing: Standing) -> None:
    """A role that starts without the database ends at once, and its log says why."""
    database = standing.cluster.run(DATABASE).settings
    ended = standing.start_alone("matching-1")
    assert ended.returncode == 1, ended
    said = ended.stdout + ended.stderr
    assert "the database cannot be used" in said, said
    assert f"{database['address']}:{database['ports']['postgresql']}" in said
    assert "refuses connections" in said, said


def test_restart_without_the_database_is_refused_and_stops_nobody(standing: Standing) -> None:
    before = standing.pid("matching-2")
    standing.kill(DATABASE)
    refused = standing.run("restart", "matching-2", check=False)
    assert refused.returncode == 1, refused
    assert "error: database was killed by signal 9" in refused.stderr, refused.stderr
    assert actions(standing.up()) == {DATABASE: "start"}
    assert standing.pid("matching-2") == before


def test_a_rolling_restart_of_each_role_is_not_felt(standing: Standing) -> None:
    """The generator's requests are tried once: the SDK does not hide one that fails.

    Where the machine has nothing to spare, a drain of 5 s is too short for some: one in a hundred
    is let pass. How many there are is measured by `make campaign` (tests/campaign/rolling.py).
    """

    def each() -> None:
        done = standing.run("restart", *ROLES, check=False)
        assert done.stderr.count("is back after") == len(INSTANCES), done.stderr

    with benchmark(standing, "--duration", "80s") as measured:
        judge(standing, each)
    measured[0].assert_nothing_lost()
    failed = measured[0].failed_requests
    assert sum(failed.values()) <= measured[0].counts["due"] / 100, failed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_round_of_the_campaign_loses_nothing(standing: Standing, seed: int) -> None:
    done = campaign.run_round(standing, seed)
    assert done.right, done
    assert done.acknowledged > 0
