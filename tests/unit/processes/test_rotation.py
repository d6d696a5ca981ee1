"""The rotated log: no line lost while there is room, none split, none raised over."""

from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms.processes import logs
from temporal_dsql_deploy.platforms.processes.rotation import RotatingLog

LINE = st.text(st.characters(codec="ascii", exclude_characters="\n\r"), max_size=30)


def tail(path: Path, count: int) -> list[str]:
    return list(logs.read([logs.Tail(path, str)], count=count, follow=False))


@given(
    written=st.lists(LINE, max_size=60),
    limit=st.integers(20, 200),
    count=st.integers(0, 70),
)
def test_what_is_written_is_read_again_line_by_line(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], limit: int, count: int
) -> None:
    path = tmp_path_factory.mktemp("log") / "server.log"
    log = RotatingLog(path, limit=limit, keep=1000)
    for line in written:
        log.write(f"{line}\n".encode())
    log.close()
    read = list(logs.read([logs.Tail(path, str)], count=count, follow=False))
    assert read == written[max(0, len(written) - count) :]


def test_full_files_are_kept_up_to_a_number_and_the_newest_stay(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    log = RotatingLog(path, limit=10, keep=2)
    for number in range(10):
        log.write(b"line %d...\n" % number)
    log.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "server.log",
        "server.log.1",
        "server.log.2",
    ]
    assert tail(path, 9) == ["line 7...", "line 8...", "line 9..."]


@pytest.mark.needs("procfs")
def test_a_full_disk_loses_lines_and_says_so_and_never_raises(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.symlink_to("/dev/full")
    log = RotatingLog(path, limit=1000, keep=1)
    log.write(b"lost\n")
    log.close()
    path.unlink()
    log.write(b"kept\n")
    log.close()
    assert tail(path, 9) == [
        "dsql-deploy: 5 bytes of this log could not be written",
        "kept",
    ]


def test_to_follow_gives_new_lines_across_a_rotation_and_a_line_in_two_parts(
    tmp_path: Path,
) -> None:
    path = tmp_path / "server.log"
    path.write_text("old\nfirst ha")
    lines = logs.read([logs.Tail(path, str)], count=1, follow=True)
    assert next(lines) == "old"
    with path.open("a") as log:
        log.write("lf\nsecond\n")
    assert [next(lines), next(lines)] == ["first half", "second"]
    path.rename(tmp_path / "server.log.1")
    path.write_text("third\n")
    assert next(lines) == "third"
    assert isinstance(lines, Generator)
    lines.close()


def stamped(line: str) -> datetime | None:
    return datetime(2026, 1, 1, 0, 0, int(line[0]), tzinfo=UTC) if line[0].isdigit() else None


def test_several_logs_are_read_as_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    one.write_text("1 one\n4 one\n  of four\n")
    two.write_text("2 two\n3 two\n5 two\nhalf a l")
    lines = logs.read(
        [logs.Tail(path, str) for path in (one, two)], count=5, follow=True, time_of=stamped
    )
    assert [next(lines) for _ in range(5)] == ["2 two", "3 two", "4 one", "  of four", "5 two"]
    with two.open("a") as file:
        file.write("ine\n")
    assert next(lines) == "half a line"
    one.replace(tmp_path / "one.log.1")
    one.write_text("7 one\n")
    assert next(lines) == "7 one"
    lines.close()  # type: ignore[attr-defined]
