"""The pid file of a component: what runs, as whom, since when, and how it ended."""

import json
import signal
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.processes.identity import ProcessIdentity

_STOPPED = {0, 128 + signal.SIGTERM}
"""Exit codes of what has ended because it was asked to: Java's is the second."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    """Exit code, or minus the signal's number, as `subprocess` has it."""
    at: str
    """UTC, ISO 8601."""

    def describe(self) -> str:
        """For a sentence: `exited with code 1`, `was killed by signal 9`, `was stopped`."""
        if self.code in _STOPPED:
            return "was stopped"
        if self.code < 0:
            return f"was killed by signal {-self.code}"
        return f"exited with code {self.code}"


@dataclass(frozen=True, slots=True)
class Record:
    """One run of one component, as its keeper wrote it."""

    component: str
    process: ProcessIdentity
    keeper: ProcessIdentity
    command: list[str]
    log: str
    log_start: int
    """How many bytes of the log were there before this run."""
    started_at: str
    """UTC, ISO 8601."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What the platform wants to know again of this run, for instance its ports."""
    stop_signal: int = signal.SIGTERM
    """What asks it to end."""
    exit: Exit | None = None
    """None while it runs, and when its keeper was killed too."""

    @property
    def pid(self) -> int:
        """Process on this machine, which may have ended."""
        return self.process.pid

    def alive(self) -> bool:
        """Whether that very process still runs."""
        return self.exit is None and self.process.alive()

    def ended(self) -> str:
        """How it has ended and when, for people."""
        if self.exit is None:
            return "was killed with its keeper"
        return f"{self.exit.describe()} at {clock(self.exit.at)}"


def clock(at: str) -> str:
    """A time of a record as this machine's clock shows it."""
    return datetime.fromisoformat(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def read(path: Path) -> Record | None:
    """The record in `path`; None when there is none or it is not one (a torn or foreign file)."""
    try:
        data = json.loads(path.read_text())
        ended = data["exit"]
        return Record(
            component=data["component"],
            process=ProcessIdentity(**data["process"]),
            keeper=ProcessIdentity(**data["keeper"]),
            command=data["command"],
            log=data["log"],
            log_start=data["log_start"],
            started_at=data["started_at"],
            settings=data["settings"],
            stop_signal=data.get("stop_signal", signal.SIGTERM),
            exit=Exit(**ended) if ended else None,
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write(path: Path, record: Record) -> None:
    """Replace the record in one step. Raises OSError."""
    files.write(path, json.dumps(asdict(record), indent=2))
