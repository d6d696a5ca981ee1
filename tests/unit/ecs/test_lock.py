"""Whose process a lock names: only one of this very machine is judged."""

import os
import uuid
from dataclasses import asdict
from pathlib import Path

import pytest

from temporal_dsql_deploy.persistence.lock import Holder
from temporal_dsql_deploy.platforms.ecs import lock
from temporal_dsql_deploy.platforms.processes import identity


def _holder(machine: str, pid: int, started: str) -> Holder:
    return Holder(
        "t", "ann@host, process 1", "up", "", machine, {"pid": pid, "start_time": started}
    )


def test_a_machine_of_the_same_name_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    here = lock._machine()
    monkeypatch.setattr(lock, "boot_id", lambda: "7e5d0000-another-run-of-a-kernel")
    there = lock._machine()
    assert there != here
    # It works there, and no process of this machine is it.
    monkeypatch.undo()
    assert not lock._gone(_holder(there, os.getpid(), "of that machine"))
    assert lock._gone(_holder(here, os.getpid(), "of one that had this pid before"))


def test_a_process_that_runs_here_is_not_gone() -> None:
    own = identity.identify(os.getpid())
    assert own is not None
    assert not lock._gone(Holder("t", "", "up", "", lock._machine(), asdict(own)))


def test_without_a_boot_id_it_is_told_by_its_network_card(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        return Path("/nowhere/boot_id").read_text()

    monkeypatch.setattr(lock, "boot_id", none)
    first = lock._machine()
    monkeypatch.setattr(uuid, "getnode", lambda: 0x0242AC110002)
    assert lock._machine() != first
    assert lock._machine().endswith(" 242ac110002")


@pytest.mark.parametrize(("kind", "told"), [("local", False), ("gcs", True)])
def test_a_lock_that_others_do_not_see_is_said_to_be_one(
    tmp_path: Path, kind: str, *, told: bool
) -> None:
    (tmp_path / "main.tf").write_text(f'terraform {{\n  backend "{kind}" {{\n  }}\n}}\n')
    said: list[str] = []
    with lock.held(tmp_path, "up", said.append) as taken:
        assert taken is None
    assert bool(said) == told
    assert not told or f"backend {kind}" in said[0]
