"""What containers print, read from the engine's files; and what they are told of themselves."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.rehearsal.ecs import metadata, world
from temporal_dsql_deploy.rehearsal.ecs.logs import Source
from temporal_dsql_deploy.rehearsal.ecs.model import EC2, Container, Task
from temporal_dsql_deploy.runtime import address
from tests.unit.rehearsal.test_definition import part, read

AT = "2026-11-22T10:00:00.123456789Z"


def line(text: str, at: str = AT) -> bytes:
    return json.dumps({"log": text, "stream": "stdout", "time": at}).encode() + b"\n"


def source(path: Path) -> Source:
    return Source(path, "eu-west-1", "group", "stream")


def test_a_line_is_read_once_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line("one\n"))
    found = source(path)
    assert found.read() == [(1795341600123, "one")]
    assert found.read() == []


def test_a_line_without_a_fraction_of_a_second_has_a_time_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line("one\n", "2026-11-22T10:00:00Z"))
    assert source(path).read() == [(1795341600000, "one")]


def test_a_long_line_that_comes_in_pieces_is_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(line("first ") + line("second\n"))
    assert [text for _, text in source(path).read()] == ["first second"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)), st.data())
def test_nothing_is_lost_wherever_a_read_ends(lines: list[str], data: st.DataObject) -> None:
    import tempfile

    whole = b"".join(line(f"{text}\n") for text in lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        found, told = source(path), []
        for end in sorted({*data.draw(st.lists(st.integers(0, len(whole)))), len(whole)}):
            path.write_bytes(whole[:end])
            told += [text for _, text in found.read()]
    assert told == lines


def test_a_file_that_is_gone_has_nothing_more(tmp_path: Path) -> None:
    assert source(tmp_path / "none").read() == []


DEFINITION = read(part("server"))
TOKEN = "t-1"  # noqa: S105 - a part of an address
CONTAINER = Container(DEFINITION.parts[0], "arn:container", runtime_id="abc", token=TOKEN)
TASK = Task(
    id="t",
    arn="arn:aws:ecs:eu-west-1:1:task/cluster/t",
    cluster="arn:cluster",
    definition=DEFINITION,
    containers=[CONTAINER],
    launch=EC2,
    group="service:web",
    network={},
    address="10.0.1.5",
)


def find(token: str) -> tuple[Task, Container] | None:
    return (TASK, CONTAINER) if token == TOKEN else None


def test_a_role_finds_its_address_in_the_metadata() -> None:
    world = address.World(lambda uri: json.dumps(metadata.document(uri, find)).encode(), list, str)
    assert address._of_task("/v4/t-1", world) == ["10.0.1.5"]


def test_the_task_is_told_beside_the_container() -> None:
    said = metadata.document("/v4/t-1/task", find)
    assert said is not None
    assert (said["TaskARN"], said["Family"], said["Revision"]) == (TASK.arn, "family", "3")
    assert [one["DockerId"] for one in said["Containers"]] == ["abc"]
    assert metadata.document("/v4/none", find) is None
    assert metadata.document("/v4/t-1/none", find) is None
    assert metadata.document("/elsewhere", find) is None


def test_lines_of_one_millisecond_stay_in_the_order_in_which_they_were_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A document of many lines is one no more when they are sorted."""
    written: list[str] = []

    class Backend:
        def ensure_log_stream(self, *_: str) -> None:
            """It is there."""

        def put_log_events(self, _group: str, _stream: str, events: list[dict[str, Any]]) -> None:
            written.extend(one["message"] for one in events)

    monkeypatch.setattr(world, "_logs", lambda _: Backend())
    world.write_log("eu-west-1", "group", "stream", [(7, "{"), (7, '"a": 1'), (7, "}"), (3, "z")])
    assert written == ["z", "{", '"a": 1', "}"]
