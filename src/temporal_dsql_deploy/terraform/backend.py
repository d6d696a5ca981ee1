"""Where the state of a configuration is: its backend, as its files and `terraform init` say it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.aws import Identity
from temporal_dsql_deploy.terraform.workdir import BACKEND

_COMMENT = re.compile(r"(?m)^[ \t]*(?:#|//)[^\n]*$|/\*.*?\*/", re.DOTALL)
_BLOCK = re.compile(r'\bbackend\s+"([\w-]+)"\s*\{')
_SETTING = re.compile(r'(?m)^\s*(\w+)\s*=\s*(?:"([^"\n]*)"|(\S+))\s*$')


@dataclass(frozen=True, slots=True)
class Backend:
    """The backend of a root module."""

    kind: str
    """`s3`, `local`, or another of Terraform's; `local` where none is declared."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What is said of it, as text: bucket, key, region."""

    @property
    def bucket(self) -> str | None:
        """The bucket of the state; None where it is in none, or not said yet."""
        return self.settings.get("bucket") if self.kind == "s3" else None

    @property
    def identity(self) -> Identity:
        """What Terraform itself reads and writes a state in S3 with."""
        said = self.settings
        return Identity(said.get("profile"), said.get("role_arn"), said.get("external_id"))


def read(directory: Path) -> Backend:
    """The backend that `terraform init` has set up, else the one that the files declare.

    Where they differ Terraform itself says so. `backend.hcl` beside the files is a part of them.
    """
    declared = _declared(directory)
    own = directory / BACKEND
    text = own.read_text(encoding="utf-8", errors="replace") if own.is_file() else ""
    declared = Backend(declared.kind, {**declared.settings, **_settings(text)})
    made = _initialised(directory)
    return made if made is not None and made.kind == declared.kind else declared


def _initialised(directory: Path) -> Backend | None:
    try:
        said = json.loads((directory / ".terraform" / "terraform.tfstate").read_text())
        found = said["backend"]
        return Backend(str(found["type"]), _flat(found["config"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _declared(directory: Path) -> Backend:
    found = Backend("local")
    for path in _in_order(directory):
        text = path.read_text(encoding="utf-8", errors="replace")
        made = _of_json(text) if path.suffix == ".json" else _of_hcl(text)
        found = made or found
    return found


def _in_order(directory: Path) -> Iterator[Path]:
    """Files as Terraform merges them: overrides last, in the order of their names."""
    files = sorted([*directory.glob("*.tf"), *directory.glob("*.tf.json")])
    yield from sorted(files, key=lambda path: bool(re.search(r"(^|_)override\.tf", path.name)))


def _of_hcl(text: str) -> Backend | None:
    plain = _COMMENT.sub("", text)
    opened = _BLOCK.search(plain)
    if opened is None:
        return None
    return Backend(opened[1], _settings(_body(plain, opened.end())))


def _body(text: str, start: int) -> str:
    """What is between a brace before `start` and the one that closes it."""
    depth = 1
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return "\n".join(part.strip() for part in text[start:place].splitlines())
    return text[start:]


def _settings(text: str) -> dict[str, str]:
    return {one[1]: one[2] or one[3] or "" for one in _SETTING.finditer(_COMMENT.sub("", text))}


def _of_json(text: str) -> Backend | None:
    try:
        blocks: Any = json.loads(text).get("terraform", {})
        found: Any = blocks[0] if isinstance(blocks, list) else blocks
        (kind, said), *_ = found["backend"].items()
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return Backend(kind, _flat(dict(said or {})))


def _flat(config: Mapping[str, Any]) -> dict[str, str]:
    """What is said, and what is said within it: `assume_role` has the role."""
    said: dict[str, str] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            said |= _flat(value)
        elif value is not None:
            said[name] = str(value)
    return said
