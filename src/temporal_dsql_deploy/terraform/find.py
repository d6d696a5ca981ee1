"""Find the Terraform to run."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable

VARIABLE = "DSQL_DEPLOY_TERRAFORM"
OLDEST = (1, 11)
"""The first release whose `terraform test` can override values of a plan."""
_GET = "get Terraform 1.11 or newer (https://developer.hashicorp.com/terraform/install)"


@dataclass(frozen=True, slots=True)
class Binary:
    """A Terraform that was found and can be used."""

    path: Path
    version: str
    """Such as `1.11.4`."""


def find(option: Path | None = None) -> Binary:
    """The Terraform of the option, of DSQL_DEPLOY_TERRAFORM, or of PATH.

    Raises BinaryMissing, or BinaryUnusable when it cannot be run or is older than 1.11.
    """
    named = option or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if named is not None:
        path = named.expanduser().absolute()
        if not path.is_file():
            raise BinaryMissing(
                f"there is no Terraform at {path}",
                cause=f"--terraform or {VARIABLE} names it",
                fix=f"{_GET}, or leave the option out to use the one on PATH",
            )
    else:
        on_path = shutil.which("terraform")
        if on_path is None:
            raise BinaryMissing(
                "Terraform was not found",
                cause="there is no `terraform` on PATH",
                fix=f"{_GET}; put it on PATH, or name it with --terraform or {VARIABLE}",
            )
        path = Path(on_path)
    return Binary(path, _checked(path))


def _checked(path: Path) -> str:
    try:
        done = subprocess.run(
            [str(path), "version", "-json"],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=30,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        )
        version = str(json.loads(done.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
        raise BinaryUnusable(
            f"{path} cannot be used", cause=f"`terraform version -json`: {error}", fix=_GET
        ) from error
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise BinaryUnusable(
            f"Terraform {version} is too old",
            cause=f"{path} is older than {'.'.join(map(str, OLDEST))}, which the modules need",
            fix=f"{_GET}, and name it with --terraform or {VARIABLE} if another one is on PATH",
        )
    return version
