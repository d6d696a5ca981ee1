"""The directory of an environment: claimed, locked, listed, removed."""

import multiprocessing
import os
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import DirectoryUnusable, ForeignDirectory, Locked
from temporal_dsql_deploy.platforms.processes.directory import Directory

DATA = ("temporal.db*",)


def ignore(_: str) -> None:
    return


def test_it_is_made_claimed_listed_and_removed(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "a" / "b", "local", DATA)
    assert directory.stored() == []
    assert "MiB free" in directory.check()
    assert not directory.root.exists()
    directory.prepare()
    directory.prepare()
    (directory.root / "temporal.db").write_bytes(b"12345")
    directory.log("server").write_bytes(b"123")
    assert [(entry.path.name, entry.bytes) for entry in directory.stored()][:2] == [
        ("temporal.db", 5),
        ("logs", 3),
    ]
    directory.remove()
    assert not directory.root.exists()


def test_what_a_user_put_beside_its_files_stays(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "a", "local", DATA)
    directory.prepare()
    (directory.root / "notes.txt").write_text("mine")
    directory.remove()
    assert [path.name for path in directory.root.iterdir()] == ["notes.txt"]


def test_another_environments_directory_is_refused(tmp_path: Path) -> None:
    Directory(tmp_path, "one", DATA).prepare()
    other = Directory(tmp_path, "two", DATA)
    for refused in (other.prepare, other.check):
        with pytest.raises(ForeignDirectory, match="belongs to environment 'one'"):
            refused()


def test_a_path_through_a_file_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    directory = Directory(tmp_path / "file" / "x", "local", DATA)
    for refused in (directory.prepare, directory.check):
        with pytest.raises(DirectoryUnusable, match="cannot be used"):
            refused()


def test_a_lock_that_is_held_is_told_and_refused_after_patience(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "a", "local", DATA)
    told: list[str] = []
    with (
        directory.lock("up", ignore, patience=0),
        pytest.raises(Locked) as caught,
        Directory(tmp_path / "a", "local", DATA).lock("down", told.append, patience=0.1),
    ):
        pass
    assert f"`up` of process {os.getpid()}" in caught.value.cause
    assert told == [f"waiting for {caught.value.cause}"]
    with directory.lock("down", ignore, patience=0):
        pass


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "a", "local", DATA)
    with directory.lock("destroy", ignore, patience=0):
        directory.prepare()
        directory.remove()
    with (
        directory.lock("up", ignore, patience=0),
        pytest.raises(Locked),
        directory.lock("up", ignore, patience=0),
    ):
        pass


def test_who_waits_for_a_destroy_gets_a_fresh_lock(tmp_path: Path) -> None:
    directory = Directory(tmp_path / "a", "local", DATA)
    waiter = Directory(tmp_path / "a", "local", DATA)
    holder = directory.lock("destroy", ignore, patience=0)
    holder.__enter__()
    directory.prepare()

    def destroyed(_: str) -> None:
        directory.remove()
        assert not directory.root.exists()
        holder.__exit__(None, None, None)

    with waiter.lock("up", destroyed, patience=10):
        waiter.prepare()
        with pytest.raises(Locked), directory.lock("down", ignore, patience=0):
            pass


def test_an_unreadable_directory_is_an_error(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    directory = Directory(loop / "x", "local", DATA)
    with pytest.raises(DirectoryUnusable):
        directory.prepare()
    with pytest.raises(DirectoryUnusable), directory.lock("up", ignore, patience=0):
        pass


def _hold(root: Path, connection: "multiprocessing.connection.Connection") -> None:
    with Directory(root, "local", DATA).lock("up", ignore, patience=5):
        connection.send("held")
        connection.recv()


def test_a_killed_holder_holds_no_longer(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    holder = context.Process(target=_hold, args=(tmp_path / "a", there))
    holder.start()
    assert here.recv() == "held"
    holder.kill()
    holder.join()
    with Directory(tmp_path / "a", "local", DATA).lock("up", ignore, patience=0):
        pass
