"""A state that Terraform could not write: it is told of, and made the state by the next command.

So it is where credentials expire within an apply. Without that file all that was made is in no
state, and would be made twice.
"""

import shlex
import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from temporal_dsql_deploy.errors import StateLocked, TerraformFailed
from temporal_dsql_deploy.terraform import commands
from temporal_dsql_deploy.terraform.run import Terraform, ready
from temporal_dsql_deploy.terraform.workdir import Request

_NAME = "errored.tfstate"
"""Terraform's."""


def check(directory: Path) -> None:
    """Raises TerraformFailed where there is one."""
    left = directory / _NAME
    if not left.is_file():
        return
    terraform = f"terraform -chdir={shlex.quote(str(directory))}"
    raise TerraformFailed(
        f"Terraform could not write its state, and has left it in {left}",
        cause="an apply was cut off from the place of the state, as by credentials that expired: "
        "what it has made is known by that file alone",
        fix="with credentials that work run the same command again: it makes that the state, and "
        f"goes on (by hand: {terraform} state push {_NAME}, then remove the file)",
    )


def hand_in(request: Request) -> bool:
    """Make the state what could not be written, where there is such; whether there was.

    Raises StateLocked where another holds it, and TerraformFailed where somebody has gone on from
    the old state.
    """
    directory = request.directory.expanduser().absolute()
    left = directory / _NAME
    if not left.is_file():
        return False
    with ready(request.terraform, request.provider_mirror, request.on_event) as found:
        binary, variables = found
        terraform = Terraform(binary, directory, variables, request.on_event)
        try:
            _push(terraform)
        except StateLocked as error:
            if not _is_of(error.lock, left):
                raise
            terraform.run(commands.unlock(error.lock["ID"]))
            _push(terraform)
    left.unlink()
    return True


def _push(terraform: Terraform) -> None:
    try:
        terraform.run(commands.push(_NAME))
    except TerraformFailed as error:
        raise TerraformFailed(
            f"{terraform.directory / _NAME} cannot be made the state",
            cause=error.cause,
            fix="it knows what an apply has made; where others have gone on since, import what "
            "they lack (terraform import), then remove the file",
        ) from error


def _is_of(lock: Mapping[str, str], left: Path) -> bool:
    """Whether that lock is of who has left the file: it could not give it back either.

    It held the lock while it wrote the file, so one that was taken on this machine before that is
    its own.
    """
    _, _, host = lock.get("Who", "").rpartition("@")
    if host != socket.gethostname() or "ID" not in lock:
        return False
    return _seconds(lock.get("Created", "")) <= left.stat().st_mtime


def _seconds(created: str) -> float:
    """Since the epoch, of Terraform's 2026-11-23 00:58:01.794817224 +0000 UTC."""
    try:
        when = datetime.strptime(created[:19] + "+0000", "%Y-%m-%d %H:%M:%S%z")
    except ValueError:
        return float("inf")
    return when.timestamp()
