"""`rehearse --fault` at a rehearsal of dev that stands."""

import json

from tests.support import rehearsal
from tests.support.rehearsal import StandingRehearsal

pytestmark = rehearsal.NEEDS
_LONG = 600


def test_a_task_that_is_killed_comes_back(standing_dev: StandingRehearsal) -> None:
    done = standing_dev.deploy.run(
        "rehearse", "dev", "--fault", "task-killed=matching", "--json", timeout=_LONG
    )
    result = json.loads(done.stdout)
    assert result["ok"]
    assert result["probe"]["ok"]
    assert result["lasting"] == result["causes"] == []
    (killed,) = result["hit"]
    assert any(killed.rpartition("/")[2] in line for line in result["stopped"])
    healed = {one["component"]: one["seconds"] for one in result["services"]}
    assert healed["matching"] == result["seconds"] > 0


def test_a_database_that_is_away_is_named_until_it_is_back(
    standing_dev: StandingRehearsal,
) -> None:
    deploy = standing_dev.deploy
    try:
        done = deploy.run(
            "rehearse", "dev", "--fault", "database-away", "--json", check=False, timeout=_LONG
        )
        result = json.loads(done.stdout)
        assert (done.returncode, result["ok"]) == (1, False)
        assert result["lasting"] == ["database-away"]
        assert any("the database is not reached" in line for line in result["causes"])
    finally:
        back = deploy.run("rehearse", "dev", "--fault", "none", "--json", timeout=_LONG)
    assert json.loads(back.stdout)["ok"]
