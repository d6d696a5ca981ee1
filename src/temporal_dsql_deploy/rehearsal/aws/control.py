"""What tests and rehearsals ask of the emulated AWS itself, beside its services.

POST /rehearsal/faults with one fault as JSON; `temporal_dsql_deploy.rehearsal.faults` is the client
and says what there is. Faults of calls are here; those of containers are handed on.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = "/rehearsal/faults"
THROTTLED, TIMED_OUT, EXPIRED = "API throttled", "API times out", "credentials expired"
RECORD, STOP_AFTER, CLEAR = "record", "stop after write", "clear"
_READS = (
    "Assume",
    "BatchGet",
    "Describe",
    "Filter",
    "GET ",
    "Get",
    "HEAD ",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Simulate",
    "Validate",
)
"""What actions that change nothing begin with."""
_OWN = "127."
"""Callers on this machine: the tool and Terraform, not the programs in containers."""

Others = Callable[[Mapping[str, Any]], dict[str, Any]]


@dataclass(slots=True)
class _CallFault:
    kind: str
    service: str
    """Empty for all."""
    action: str
    """Empty for all."""
    left: float
    """Calls that it still meets."""
    before: int = 0
    """Calls that go well first."""
    seconds: float = 0.0
    done: bool = False
    """Whether the call is done all the same, and only its answer is lost."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What happens to a call."""

    kind: str
    seconds: float = 0.0
    done: bool = False


@dataclass(frozen=True, slots=True)
class _Stop:
    write: int
    pid: int
    signal: int
    answered: bool


class Control:
    """Faults of calls, and the record of those that change something."""

    def __init__(self) -> None:
        self._others: Others | None = None
        self._faults: list[_CallFault] = []
        self._record: Path | None = None
        self._writes = 0
        self._stop: _Stop | None = None
        self._lock = threading.Lock()

    def hand_to(self, others: Others) -> None:
        """Let faults of containers be somebody's."""
        self._others = others

    def ask(self, body: bytes) -> tuple[int, dict[str, Any]]:
        """Take one fault; HTTP status and answer."""
        try:
            asked = json.loads(body)
            return 200, self._taken(asked)
        except (ValueError, KeyError, TypeError) as error:
            return 400, {"error": f"no fault of this kind: {error!r}"}

    def trouble(self, service: str, action: str, caller: str) -> Trouble | None:
        """What happens to a call of one who is on this machine."""
        if not caller.startswith(_OWN):
            return None
        with self._lock:
            for fault in self._faults:
                if fault.service not in {"", service} or fault.action not in {"", action}:
                    continue
                if fault.before > 0:
                    fault.before -= 1
                    continue
                if fault.left > 0:
                    fault.left -= 1
                    return Trouble(fault.kind, fault.seconds, fault.done)
        return None

    def done(self, service: str, action: str, caller: str) -> Callable[[], None] | None:
        """A call was carried out; what is to be done once it has been answered."""
        if not caller.startswith(_OWN) or action.startswith(_READS):
            return None
        with self._lock:
            self._writes += 1
            if self._record is not None:
                line = {"write": self._writes, "service": service, "action": action}
                with self._record.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
            stop = self._stop
            if stop is None or stop.write != self._writes:
                return None
            self._stop = None
        if not stop.answered:
            _send(stop)
            return None
        return lambda: _send(stop)

    def _taken(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        kind = asked["fault"]
        if kind in {THROTTLED, TIMED_OUT, EXPIRED}:
            fault = _CallFault(
                kind,
                str(asked.get("service", "")),
                str(asked.get("action", "")),
                float(asked.get("count", "inf" if kind == EXPIRED else 1)),
                int(asked.get("after", 0)),
                float(asked.get("seconds", 0)),
                done=bool(asked.get("done", False)),
            )
            with self._lock:
                self._faults.append(fault)
            return {}
        if kind == RECORD:
            with self._lock:
                self._record, self._writes = Path(asked["path"]), 0
            return {}
        if kind == STOP_AFTER:
            stop = _Stop(
                int(asked["write"]),
                int(asked["pid"]),
                int(asked["signal"]),
                bool(asked.get("answered", True)),
            )
            with self._lock:
                self._stop, self._writes = stop, 0
            return {}
        if kind == CLEAR:
            with self._lock:
                self._faults.clear()
                self._record = self._stop = None
            return self._others(asked) if self._others else {}
        if self._others is None:
            raise KeyError(f"{kind}, without containers")
        return self._others(asked)


def _send(stop: _Stop) -> None:
    try:
        os.kill(stop.pid, stop.signal)
    except ProcessLookupError:
        # It has ended by itself.
        return


def hold(trouble: Trouble) -> None:
    """Let the caller wait."""
    time.sleep(trouble.seconds)
