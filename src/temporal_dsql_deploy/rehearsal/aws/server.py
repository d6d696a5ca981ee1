"""The emulated AWS as a process of its own, which ends with the one who started it."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from temporal_dsql_deploy.errors import StartFailed

REGION = "eu-west-1"
ACCOUNT = "123456789012"
"""The account that moto takes every caller for."""
_PATIENCE = 60.0
"""Seconds that it has to remove its containers."""


class EmulatedAws:
    """One emulated AWS account with all its regions; what is in it is gone when it stops."""

    def __init__(self, log: Path, *, containers: Path | None = None, stays: bool = False) -> None:
        self.log = log
        """What it complained of."""
        self._containers = containers
        """Settings with which its ECS starts containers (rehearsal.settings); None for none."""
        self._stays = stays
        """Whether it goes on when the one who started it ends: SIGTERM ends it then."""
        self._process: subprocess.Popen[str] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """The endpoint of every service."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process, while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start it and wait until it listens. Raises StartFailed."""
        command = [sys.executable, "-m", "temporal_dsql_deploy.rehearsal.aws", "--port", "0"]
        if self._containers is not None:
            command += ["--containers", str(self._containers)]
        if self._stays:
            command += ["--stays"]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # An interrupt at the terminal is for the one who uses it, who may have to clean up.
                start_new_session=True,
            )
        assert self._process.stdout is not None  # noqa: S101 - given as a pipe
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            self.stop()
            raise StartFailed(
                "the emulated AWS did not start",
                cause=f"its log ends with: {self.log.read_text().strip()[-500:]}",
                fix="install the extra of which it is part: "
                "pip install 'temporal-dsql-deploy[rehearsal]'",
            )
        self._port = int(line)
        return self

    def stop(self) -> None:
        """Stop it; fine when it does not run."""
        if self._process is None:
            return
        if self._containers is not None:
            self._end_containers(self._process)
        self._process.kill()
        self._process.communicate()
        self._process = None

    def _end_containers(self, process: "subprocess.Popen[str]") -> None:
        """Let it remove what it has started."""
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_PATIENCE)

    def environment(self) -> dict[str, str]:
        """What Terraform, the AWS command line and boto3 need to talk to it and to nobody else."""
        return variables(self.url)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def variables(url: str) -> dict[str, str]:
    """What Terraform, the AWS command line and boto3 need to talk to that endpoint alone."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "emulated",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A profile of the user would lead elsewhere.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
