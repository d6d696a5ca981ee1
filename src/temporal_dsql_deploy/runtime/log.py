"""Lines of the entrypoint in the form of the server's: one JSON document each."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Any

from .output import LogFile


def say(level: str, message: str, file: LogFile | None = None, **fields: Any) -> None:
    """Write one line to stdout, and to the log file where there is one."""
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    line = {"level": level, "ts": now.replace("+00:00", "Z"), "msg": message, **fields}
    text = json.dumps(line) + "\n"
    sys.stdout.write(text)
    sys.stdout.flush()
    if file is not None:
        file.write(text.encode())
