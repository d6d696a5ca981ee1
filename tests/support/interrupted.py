"""`up` on ECS that is stopped at a write to AWS, and what stands after the next one.

Each round has an account of its own, empty but for the bucket of the state.
"""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.rehearsal import faults
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION, EmulatedAws
from temporal_dsql_deploy.rehearsal.faults import Faults, Write
from tests.support.aws import client
from tests.support.deploy import Deploy

NAME = "small"
BUCKET = f"{NAME}-terraform-state"
ROOT = Path(__file__).parent / "small_root"
_UP = ("up", NAME, "--yes", "--only", "apply", "--json")
_LIMIT = 600.0
_LOCK_KEYS = ("dsql-deploy-lock", "tflock")


class Account:
    """An empty account with one environment, and the command line that brings it up."""

    def __init__(self, aws: EmulatedAws, folder: Path) -> None:
        self.aws = aws
        self.faults = Faults(aws.url)
        self.root = folder / "root"
        self.command = Deploy(folder / "command")
        shutil.copytree(ROOT, self.root, symlinks=True)
        (self.root / "terraform.tfvars").write_text(
            f'account_id = "{ACCOUNT}"\nregion = "{REGION}"\n'
        )
        (self.root / "backend.hcl").write_text(f'bucket = "{BUCKET}"\nregion = "{REGION}"\n')
        self.command.write_environment(
            f'platform = "ecs"\nterraform = "{self.root}"\n[unused]\n', NAME
        ).write_text(f'platform = "ecs"\nterraform = "{self.root}"\n')
        self.command.environment = {
            name: value
            for name, value in self.command.environment.items()
            if not name.startswith("AWS_")
        }
        self.command.environment |= aws.environment()
        client(aws, "s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )

    def up(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """To the end, whatever that is."""
        return self.command.run(*_UP, check=False, timeout=_LIMIT, **variables)

    def recorded(self, path: Path) -> list[Write]:
        """The writes of one `up` that nothing disturbs."""
        self.faults.record(path)
        done = self.up()
        assert done.returncode == 0, done.stderr
        return faults.writes(path.read_text().splitlines())

    def stopped(self, write: int, number: signal.Signals, *, answered: bool) -> tuple[int, str]:
        """One `up` that gets a signal at a write; its exit code, and what it said."""
        process = self.command.start(*_UP)
        self.faults.stop_after(write, process.pid, number, answered=answered)
        _, said = process.communicate(timeout=_LIMIT)
        return process.returncode, said
