"""Checksums of what is kept in the cache: of when it came there, compared before it is used."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from temporal_dsql_deploy.errors import BinaryUnusable
from temporal_dsql_deploy.platforms import files

_FILE = "SHA256.json"
_CHUNK = 1024 * 1024


def of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write(folder: Path, names: Iterable[str]) -> None:
    """Keep the checksums of these files of a folder; the last thing to do with them."""
    kept = {name: of(folder / name) for name in names}
    files.write(folder / _FILE, json.dumps(kept, indent=2) + "\n")


def are_there(folder: Path) -> bool:
    """Whether checksums are kept, which means that the folder is complete."""
    return (folder / _FILE).is_file()


def names(folder: Path) -> list[str]:
    """The files that checksums are kept of."""
    return list(json.loads((folder / _FILE).read_text(encoding="utf-8")))


def verify(folder: Path, wanted: Iterable[str], *, made: str) -> None:
    """Compare files with the checksums that are kept; `made` is how they came to be there.

    Raises BinaryUnusable.
    """
    kept = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    for name in wanted:
        expected, path = str(kept.get(name)), folder / name
        found = of(path) if path.is_file() else "missing"
        if expected != found:
            raise BinaryUnusable(
                f"{path} is not what was {made}",
                cause=f"its SHA-256 is {found[:12]}…, and was {expected[:12]}…",
                fix=f"delete {folder}, and it is {made} again",
            )
