"""What a command throws away is gone after it, even after one that was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from temporal_dsql_deploy.terraform import scratch

_OTHER = """\
import sys
from temporal_dsql_deploy.terraform import scratch
with scratch.folder() as folder:
    (folder / "plan").write_text("secret")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def test_it_is_there_for_its_user_alone_and_then_gone(there: Path) -> None:
    with scratch.folder() as outer, scratch.folder() as inner:
        assert sorted(there.iterdir()) == sorted([outer, inner])
        assert {one.stat().st_mode & 0o777 for one in (outer, inner)} == {0o700}
    assert list(there.iterdir()) == []


def test_the_next_removes_what_a_killed_one_has_left_and_nothing_before(there: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        plan = Path(other.stdout.readline().strip()) / "plan"
        with scratch.folder():
            assert plan.read_text() == "secret"
        other.kill()
        other.wait()
    assert plan.exists()
    with scratch.folder() as own:
        assert list(there.iterdir()) == [own]
    assert list(there.iterdir()) == []


def test_what_may_be_somebody_elses_stays(there: Path) -> None:
    begun, stranger, file = (there / f"dsql-deploy-{name}" for name in ("run-b", "s", "run-f"))
    begun.mkdir()
    stranger.mkdir()
    (stranger / "held").touch()
    file.touch()
    with scratch.folder():
        pass
    assert sorted(there.iterdir()) == sorted([begun, stranger, file])
