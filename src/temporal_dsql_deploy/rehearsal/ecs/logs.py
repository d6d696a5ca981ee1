"""What containers print, into the emulated CloudWatch Logs, as the driver awslogs does it.

Docker keeps it in files of this machine, of which the newest lines are read again and again.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

Write = Callable[[str, str, str, Sequence[tuple[int, str]]], None]
"""Region, group, stream, and lines with their times in milliseconds of the epoch."""
_SECONDS = 0.5


@dataclass(slots=True)
class Source:
    """The log file of one container, and where its lines go."""

    path: Path
    region: str
    group: str
    stream: str
    _at: int = 0
    _part: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self) -> list[tuple[int, str]]:
        """Whole lines that were not read before."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._at)
                raw = file.read()
        except OSError:
            return []
        whole = raw[: raw.rfind(b"\n") + 1]
        self._at += len(whole)
        found = []
        for line in whole.splitlines():
            said = json.loads(line)
            # A long line comes in pieces.
            self._part += said["log"]
            if self._part.endswith("\n"):
                found.append((_milliseconds(said["time"]), self._part.rstrip("\n")))
                self._part = ""
        return found

    def ship(self, write: Write) -> None:
        """Send on what is new. Several threads may ask for it."""
        with self._lock:
            lines = [line for line in self.read() if line[1]]
            if lines:
                write(self.region, self.group, self.stream, lines)


class Shipper:
    """Sends on what all containers print."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._sources: dict[str, Source] = {}
        self._ended = threading.Event()
        threading.Thread(target=self._go, daemon=True, name="logs").start()

    def add(self, container: str, source: Source) -> None:
        """Follow a container, by Docker's id."""
        self._sources[container] = source

    def end(self, container: str) -> None:
        """It has ended: its last lines, and no more."""
        if source := self._sources.pop(container, None):
            source.ship(self._write)

    def close(self) -> None:
        """Follow none any more."""
        self._ended.set()

    def _go(self) -> None:
        while not self._ended.wait(_SECONDS):
            for source in list(self._sources.values()):
                source.ship(self._write)


def _milliseconds(time: str) -> int:
    # Nanoseconds are more than Python reads.
    whole, _, rest = time.rstrip("Z").partition(".")
    seconds = datetime.fromisoformat(f"{whole}+00:00").timestamp()
    return int(seconds * 1000 + int((rest or "0")[:3].ljust(3, "0")))
