"""Files that others read while they are written."""

import os
from pathlib import Path


def write(path: Path, text: str) -> None:
    """The whole file in one step, or none: a reader never sees half of it. Raises OSError."""
    # Two processes may write the same one.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
