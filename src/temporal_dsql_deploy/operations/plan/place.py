"""Where the state of an environment is kept, and whether that is another environment's place."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.environments import find
from temporal_dsql_deploy.environments.model import BUILT_IN, Environment
from temporal_dsql_deploy.errors import DeployError

_BACKEND = re.compile(r'^\s*backend\s+"s3"\s*\{(?P<body>[^{}]*)\}', re.MULTILINE)
_GUIDE = "docs/guides/terraform.md, An environment of your own"


@dataclass(frozen=True, slots=True)
class Place:
    """Of a state, in S3; empty where it is not written down."""

    bucket: str
    key: str
    file: Path
    """Where the key is written."""


def place(folder: Path) -> Place | None:
    """Where the configuration in a folder keeps its state; None without a key in S3."""
    texts = {path: _text(path) for path in sorted(folder.glob("*.tf"))}
    blocks = {path: found["body"] for path, text in texts.items() for found in _blocks(text)}
    settings = folder / "backend.hcl"
    if blocks and settings.is_file():
        # What is given to `terraform init` wins over the block.
        blocks[settings] = _text(settings)
    keys = [(path, key) for path, body in blocks.items() if (key := _value("key", body))]
    if not keys:
        return None
    buckets = [bucket for body in blocks.values() if (bucket := _value("bucket", body))]
    file, key = keys[-1]
    return Place(buckets[-1] if buckets else "", key, file)


def warnings(environment: Environment) -> Iterator[str]:
    """What speaks for a folder that was copied from another environment, and not changed since."""
    own = place(environment.terraform) if environment.terraform else None
    if own is None:
        return
    others = dict(_others(environment.name))
    same = [name for name, other in others.items() if other.key == own.key and _meet(own, other)]
    # Of its own name nothing is meant: the key of `dev-2` is not one of `dev`.
    rest = own.key.replace(environment.name, "")
    built_in = [name for name, platform in BUILT_IN.items() if platform == "ecs"]
    named = [name for name in built_in if name != environment.name and _has(rest, name)]
    for name in dict.fromkeys([*same, *named]):
        if name in same:
            found = f"is that of environment {name} too: they would share one state"
        else:
            found = f"names environment {name}"
        yield (
            f"the key of the state, {own.key} in {own.file}, {found}; a copy of {name} is to have "
            f"a key, environment_name, tags and index of its own: {_GUIDE}"
        )


def _others(name: str) -> Iterator[tuple[str, Place]]:
    for other in find.known():
        # An environment that cannot be used is no place either.
        with contextlib.suppress(DeployError):
            folder = find.find(other).terraform if other != name else None
            there = place(folder) if folder else None
            if there:
                yield other, there


def _meet(one: Place, other: Place) -> bool:
    """Whether two states may be in one bucket."""
    return not one.bucket or not other.bucket or one.bucket == other.bucket


def _has(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])", text))


def _blocks(text: str) -> Iterator[re.Match[str]]:
    return _BACKEND.finditer(text)


def _value(name: str, body: str) -> str:
    found = re.search(rf'^\s*{name}\s*=\s*"([^"]*)"', body, re.MULTILINE)
    return found[1] if found else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
