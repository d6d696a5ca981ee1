"""What stands of a rehearsal, for who talks to it."""

import os
import subprocess
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import Protected
from temporal_dsql_deploy.rehearsal import run
from temporal_dsql_deploy.rehearsal.standing import Standing

TOLD = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DSQL_DEPLOY_ENVIRONMENTS": "/a folder/$HOME"}


@pytest.fixture
def standing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Standing:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    made = Standing("dev")
    made.directory.prepare()
    return made


def test_a_shell_that_reads_it_talks_to_it_and_to_nobody_else(standing: Standing) -> None:
    path = standing.keep(TOLD)
    asked = f'. {path}; echo "$AWS_ENDPOINT_URL|$DSQL_DEPLOY_ENVIRONMENTS|$AWS_PROFILE"'
    environ = {**os.environ, "AWS_PROFILE": "work"}
    done = subprocess.run(
        ["sh", "-c", asked], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "http://127.0.0.1:1|/a folder/$HOME|\n"


def test_only_one_that_stands_and_was_kept_is_in_the_way_of_another(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    run._refuse_kept(standing, "dev")
    monkeypatch.setattr(Standing, "stands", lambda _self: TOLD)
    run._refuse_kept(standing, "dev")
    path = standing.keep(TOLD)
    with pytest.raises(Protected) as refused:
        run._refuse_kept(standing, "dev")
    assert str(path) in refused.value.fix
    assert "--end" in refused.value.fix
    monkeypatch.setattr(Standing, "stands", lambda _self: None)
    run._refuse_kept(standing, "dev")
