"""A folder of Temporal's versioned schema: `versioned/vX.Y` with a manifest and SQL files each."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import SchemaUnusable
from temporal_dsql_deploy.persistence.schema import statements

_VERSION = re.compile(r"v?(\d+)\.(\d+)")
_FOLDER = "versioned"


@dataclass(frozen=True, slots=True, order=True)
class Number:
    """The number of a version: 1.9 comes before 1.10."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> "Number":
        """Of `1.9` or `v1.9`. Raises ValueError."""
        found = _VERSION.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no version such as 1.9")
        return cls(int(found[1]), int(found[2]))


NOTHING = Number(0, 0)
"""What a database has that has the tables of versions and nothing else."""


@dataclass(frozen=True, slots=True)
class Version:
    """One step of a schema."""

    number: Number
    least: Number
    """The oldest version whose servers can use it, as its manifest says."""
    description: str
    digest: str
    """MD5 of its manifest, which Temporal's tools write down too."""
    statements: tuple[str, ...]


def read(folder: Path) -> list[Version]:
    """All versions of a schema, oldest first.

    `folder` is that of one schema, such as `schema/dsql/temporal` of a source tree.
    Raises SchemaUnusable, which names the file.
    """
    versioned = folder if folder.name == _FOLDER else folder / _FOLDER
    if not versioned.is_dir():
        raise _no_schema(folder)
    try:
        found = [_read(each) for each in versioned.iterdir() if _VERSION.fullmatch(each.name)]
    except OSError as error:
        raise _unusable(versioned, f"{error.strerror}: {error.filename}") from error
    if not found:
        raise _unusable(versioned, "it has no folder such as v1.0")
    return sorted(found, key=lambda version: version.number)


def _read(folder: Path) -> Version:
    manifest_path = folder / "manifest.json"
    raw = manifest_path.read_bytes()
    try:
        manifest = json.loads(raw)
        number = Number.parse(_text(manifest, "CurrVersion"))
        least = Number.parse(_text(manifest, "MinCompatibleVersion"))
        files = [str(name) for name in manifest.get("SchemaUpdateCqlFiles") or []]
    except (ValueError, AttributeError, TypeError) as error:
        raise _unusable(manifest_path, str(error)) from error
    if number != Number.parse(folder.name):
        raise _unusable(manifest_path, f"it says version {number}, and its folder {folder.name}")
    return Version(
        number=number,
        least=least,
        description=str(manifest.get("Description", "")),
        digest=hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        statements=tuple(line for name in files for line in _statements(folder / name)),
    )


def _text(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest.get(key)
    if not isinstance(value, str):
        raise ValueError(f"it has no {key}")
    return value


def _statements(path: Path) -> list[str]:
    try:
        return statements.split(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _unusable(path, f"it cannot be read as SQL: {error}") from error


def _no_schema(folder: Path) -> SchemaUnusable:
    if not folder.is_dir():
        return _unusable(folder, "there is no such folder")
    found = ", ".join(str(each.parent) for each in sorted(folder.glob(f"*/{_FOLDER}")))
    inside = f"; {found} would be" if found else ""
    return _unusable(folder, f"it has no folder {_FOLDER}{inside}")


def _unusable(path: Path, cause: str) -> SchemaUnusable:
    return SchemaUnusable(
        f"{path} is no schema of Temporal",
        cause=cause,
        fix="name the folder of a schema, such as schema/dsql/temporal of the server's source tree",
    )


def objects(versions: Sequence[Version]) -> set[tuple[str, str]]:
    """Tables and indexes that a database has once all these have been applied.

    A table takes its indexes with it; what is made inside of a procedure is not seen.
    """
    found: dict[tuple[str, str], str] = {}
    for version in versions:
        for statement in version.statements:
            if made := statements.creates(statement):
                found[made] = statements.table_of(statement)
            elif gone := statements.drops(statement):
                found.pop(gone, None)
                found = {key: table for key, table in found.items() if ("table", table) != gone}
    return set(found)
