"""A state that Terraform could not write, and whose lock is in its way."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import TerraformFailed
from temporal_dsql_deploy.terraform import unwritten


def test_it_is_told_of(tmp_path: Path) -> None:
    unwritten.check(tmp_path)
    (tmp_path / "errored.tfstate").write_text("{}")
    with pytest.raises(TerraformFailed) as refused:
        unwritten.check(tmp_path)
    assert "the same command again" in refused.value.fix
    assert f"terraform -chdir={tmp_path} state push errored.tfstate" in refused.value.fix


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("left") / "errored.tfstate"
    path.touch()
    return path


@given(
    before=st.integers(-100_000, 100_000),
    host=st.sampled_from(["", "elsewhere"]),
    named=st.booleans(),
)
def test_a_lock_is_given_back_that_only_who_has_left_the_file_can_hold(
    left: Path, before: int, host: str, *, named: bool
) -> None:
    created = datetime.fromtimestamp(left.stat().st_mtime, UTC) - timedelta(seconds=before)
    lock = {
        "Who": f"somebody@{host or socket.gethostname()}",
        "Created": f"{created:%Y-%m-%d %H:%M:%S}.794817224 +0000 UTC",
    } | ({"ID": "4ae48bec"} if named else {})
    assert unwritten._is_of(lock, left) == (named and not host and before >= 0)


@pytest.mark.parametrize("created", ["", "yesterday", "2026-11-23"])
def test_a_lock_of_no_known_time_is_nobodys(left: Path, created: str) -> None:
    lock = {"Who": f"somebody@{socket.gethostname()}", "ID": "4ae48bec", "Created": created}
    assert not unwritten._is_of(lock, left)
