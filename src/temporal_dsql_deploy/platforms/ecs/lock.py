"""The lock of an environment on ECS: beside the state of its Terraform, wherever that is."""

import fcntl
import getpass
import os
import platform
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from temporal_dsql_deploy.errors import Locked
from temporal_dsql_deploy.persistence import lock as object_lock
from temporal_dsql_deploy.persistence.lock import Held, Holder, Lock, Place
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity, boot_id, identify
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.terraform import backend

_LOCAL = ".dsql-deploy.lock"
"""In the folder of a configuration whose state is a file there."""


def place(directory: Path) -> Place | None:
    """The object beside the state of the Terraform in `directory`; None where that is a file.

    Raises what `aws.client` raises.
    """
    found = backend.read(directory)
    key = found.settings.get("key")
    if found.bucket is None or key is None:
        return None
    return Place.beside(found.bucket, key, found.settings.get("region"), found.identity)


@contextmanager
def held(directory: Path, verb: str, report: Report) -> Iterator[object_lock.Lock | None]:
    """Be the only one who changes the environment, for a block.

    The lock is given to it, to be checked before each step; None where the kernel keeps it. Raises
    Locked, and what AWS refuses.
    """
    found = place(directory)
    if found is None:
        _tell_of_others(directory, report)
        with _of_this_machine(directory, verb):
            yield None
        return
    with object_lock.held(Lock(found, _own(verb), _gone), report) as taken:
        yield taken


def _tell_of_others(directory: Path, report: Report) -> None:
    kind = backend.read(directory).kind
    if kind not in {"local", "s3"}:
        report(
            f"the lock holds on this machine alone: the state is kept by the backend {kind}, "
            "and only one in S3 has place for a lock that others see"
        )


def look(found: Place) -> Held | None:
    """Who has the lock, if anybody has and may still be at work."""
    there = found.read()
    return None if there is None or is_over(there) else there


def is_over(there: Held) -> bool:
    """Whether its holder is known to work no more."""
    return there.expired or _gone(there.holder)


def _own(verb: str) -> Holder:
    identity = identify(os.getpid())
    return Holder(
        token=str(uuid.uuid4()),
        who=_who(),
        verb=verb,
        since="",
        machine=_machine(),
        process=asdict(identity) if identity else None,
    )


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        # A container may run as a number that has no name.
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}, process {os.getpid()}"


def _machine() -> str:
    """Where a pid means the same process.

    Names of hosts are not unique, and the first namespace of pids has one number everywhere. So on
    Linux it is a run of the kernel and a namespace of pids in it, elsewhere a network card.
    """
    try:
        return f"{platform.node()} {boot_id()} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode():x}"


def _gone(holder: Holder) -> bool:
    """Whether it is known that its process runs no more: one of this very machine."""
    if holder.process is None or holder.machine != _machine():
        return False
    try:
        return not ProcessIdentity(**holder.process).alive()
    except TypeError:
        return False


def on_this_machine(directory: Path) -> tuple[Path, str]:
    """The file that is the lock where the state is one, and who has it; empty for nobody."""
    path = directory / _LOCAL
    if not path.is_file():
        return path, ""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return path, file.read() or "another command"
    return path, ""


@contextmanager
def _of_this_machine(directory: Path, verb: str) -> Iterator[None]:
    """A state that is a file is one machine's own, and so is this lock."""
    descriptor = os.open(directory / _LOCAL, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            said = os.pread(descriptor, 500, 0).decode(errors="replace")
            raise Locked(
                f"the environment is being changed by {said or 'another command'}",
                cause=f"it has locked {directory / _LOCAL}",
                fix="wait until it is done; the lock goes with its process",
            ) from error
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"dsql-deploy {verb} by {_who()}".encode(), 0)
        yield
    finally:
        os.close(descriptor)
