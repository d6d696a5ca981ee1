"""What the configurations say when they refuse: every `error_message` there is."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.terraform.readme import ROOT

TERRAFORM = ROOT / "terraform"


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    path: Path
    line: int
    text: str
    """As it stands there, with a `…` for each interpolation."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.text}"


def of(directory: Path, files: str = "*.tf") -> list[Said]:
    """The messages of one directory."""
    found = []
    for path in sorted(directory.glob(files)):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if "error_message" in line:
                _, _, value = line.partition("=")
                text = value.strip()
                # One line, one literal: another form has to be read here first.
                assert text.startswith('"'), f"{path}:{number}"
                assert text.endswith('"'), f"{path}:{number}"
                found.append(Said(path, number, _plain(text[1:-1])))
    return found


def directories() -> list[Path]:
    """All that have a message."""
    return sorted({path.parent for path in TERRAFORM.rglob("*.tf") if of(path.parent, path.name)})


def says(text: str, because: str) -> bool:
    """Whether a text has this in it, from the beginning of a word on."""
    return re.search(rf"(?<![\w.]){re.escape(because)}", text) is not None


def _plain(literal: str) -> str:
    """A literal without its interpolations, which may have braces and quotes of their own."""
    kept, depth, at = "", 0, 0
    while at < len(literal):
        if literal.startswith("${", at) and not literal.startswith("$${", at - 1):
            kept += "" if depth else "…"
            depth += 1
            at += 2
            continue
        depth -= depth > 0 and literal[at] == "}"
        if not depth and not (kept.endswith("…") and literal[at] == "}"):
            kept += literal[at]
        at += 1
    return kept.replace('\\"', '"')
