"""Print `terraform state mv` for `moved` blocks, and `state rm` for `removed` ones.

For those who move a part of a state only, or between state files: `moved` blocks move within one
state. Addresses that a state does not have are left out when that state is given, as `state mv`
refuses them.

    scripts/state_mv.py terraform/migration/from-flat/*.tf --state flat.tfstate --state-out new
"""

import argparse
import json
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_MOVED = re.compile(r"^moved \{\s*from\s*=\s*(\S+)\s*to\s*=\s*(\S+)\s*\}", re.MULTILINE)
_REMOVED = re.compile(r"^removed \{\s*from\s*=\s*(\S+)\s", re.MULTILINE)


def moves(text: str) -> list[tuple[str, str]]:
    """The addresses `from` and `to` of each `moved` block, in their order."""
    return [(match[1], match[2]) for match in _MOVED.finditer(text)]


def removals(text: str) -> list[str]:
    """The address of each `removed` block."""
    return [match[1] for match in _REMOVED.finditer(text)]


def addresses(state: Any) -> set[str]:
    """What a state document has: every instance, and every resource that has instances."""
    found = set()
    for resource in state.get("resources", ()):
        module = f"{resource['module']}." if "module" in resource else ""
        address = f"{module}{resource['type']}.{resource['name']}"
        for instance in resource["instances"]:
            key = instance.get("index_key")
            found |= {address, address if key is None else f"{address}[{json.dumps(key)}]"}
    return found


def commands(
    texts: Iterable[str],
    *,
    present: set[str] | None = None,
    state: Path | None = None,
    state_out: Path | None = None,
) -> list[str]:
    """The command lines; with `present`, for these addresses only."""
    texts = list(texts)
    source = [f"-state={state}"] if state else []
    target = [f"-state-out={state_out}"] if state_out else []
    lines = [
        ["terraform", "state", "mv", *source, *target, before, after]
        for text in texts
        for before, after in moves(text)
        if present is None or before in present
    ]
    lines += [
        ["terraform", "state", "rm", *source, address]
        for text in texts
        for address in removals(text)
        if present is None or address in present
    ]
    return [shlex.join(line) for line in lines]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="files with moved and removed blocks")
    parser.add_argument("--state", type=Path, help="state file, from `terraform state pull`")
    parser.add_argument("--state-out", type=Path, help="state file to move into")
    given = parser.parse_args(arguments)
    present = addresses(json.loads(given.state.read_text())) if given.state else None
    texts = [path.read_text() for path in given.files]
    for line in commands(texts, present=present, state=given.state, state_out=given.state_out):
        print(line)


if __name__ == "__main__":
    main()
