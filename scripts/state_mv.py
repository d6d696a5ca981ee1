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
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

_TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|//[^\n]*|/\*.*?\*/|[{}]', re.DOTALL)
_BLOCK = re.compile(r"^[ \t]*(moved|removed)\s*\{", re.MULTILINE)
_ARGUMENT = re.compile(r"^[{ \t]*(from|to)[ \t]*=[ \t]*(.*?)[ \t}]*$", re.MULTILINE)
_STEP = r'[A-Za-z_][\w-]*(?:\[(?:\d+|"(?:\\.|[^"\\])*")\])?'
_ADDRESS = re.compile(rf"{_STEP}(?:\.{_STEP})+")


def moves(text: str) -> list[tuple[str, str]]:
    """The addresses `from` and `to` of each `moved` block, in their order."""
    return [(found["from"], found["to"]) for kind, found in _understood(text) if kind == "moved"]


def removals(text: str) -> list[str]:
    """The address of each `removed` block."""
    return [found["from"] for kind, found in _understood(text) if kind == "removed"]


def not_understood(text: str) -> int:
    """How many `moved` and `removed` blocks there are beside those of `moves` and `removals`."""
    return len(_BLOCK.findall(_bare(text))) - len(_understood(text))


def _understood(text: str) -> list[tuple[str, dict[str, str]]]:
    """Kind and addresses of the blocks, in their order."""
    text = _bare(text)
    made = []
    for block in _BLOCK.finditer(text):
        found = dict(_ARGUMENT.findall(_body(text, block.end())))
        wanted = {"from", "to"} if block[1] == "moved" else {"from"}
        if found.keys() == wanted and all(map(_ADDRESS.fullmatch, found.values())):
            made.append((block[1], found))
    return made


def _bare(text: str) -> str:
    """A file of Terraform without its comments."""
    return _TOKEN.sub(lambda token: "" if token[0][0] in "#/" else token[0], text)


def _body(text: str, start: int) -> str:
    """What stands in the block that opens before `start`, up to the first block in it."""
    depth, end = 1, len(text)
    for token in _TOKEN.finditer(text, start):
        depth += (token[0] == "{") - (token[0] == "}")
        if depth != 1:
            end = token.start()
            break
    rest = text[end + 1 :].partition("}")[2] if depth > 1 else ""
    after = _body(rest, 0) if rest else ""
    return f"{text[start:end]}\n{after}"


def addresses(state: Any) -> set[str]:
    """What a state document has: every instance, and every resource that has instances."""
    found = set()
    for resource in state.get("resources", ()):
        module = f"{resource['module']}." if "module" in resource else ""
        data = "data." if resource.get("mode") == "data" else ""
        address = f"{module}{data}{resource['type']}.{resource['name']}"
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


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        sys.exit(f"{path} cannot be read: {reason}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="files with moved and removed blocks")
    parser.add_argument("--state", type=Path, help="state file, from `terraform state pull`")
    parser.add_argument("--state-out", type=Path, help="state file to move into")
    given = parser.parse_args(arguments)
    try:
        present = addresses(json.loads(_read(given.state))) if given.state else None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"{given.state} is no state of Terraform: {error}")
    texts = [_read(path) for path in given.files]
    strange = {path: not_understood(text) for path, text in zip(given.files, texts, strict=True)}
    if any(strange.values()):
        sys.exit(
            "\n".join(
                f"{path}: {count} moved or removed blocks are not understood"
                for path, count in strange.items()
                if count
            )
        )
    for line in commands(texts, present=present, state=given.state, state_out=given.state_out):
        print(line)


if __name__ == "__main__":
    main()
