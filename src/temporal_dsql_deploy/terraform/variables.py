"""Which variables a configuration declares, and which ones files give values to."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

AUTOMATIC = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
"""Files that Terraform reads by itself, as patterns."""
VARIABLE = "TF_VAR_"
"""What the names of variables of the environment begin with that give values."""
UNDECLARED = ("Value for undeclared variable", "Values for undeclared variables")
"""Terraform's own warnings of what `undeclared` finds; `terraform test` does not give them."""
_DECLARED = re.compile(r'^\s*variable\s+"?([\w-]+)"?\s*\{', re.MULTILINE)
# What may hold an equals sign that is no assignment comes first.
_TOKEN = re.compile(
    r"#[^\n]*|//[^\n]*|/\*.*?\*/"
    r'|"(?:\\.|[^"\\])*"'
    r"|<<-?(?P<end>\w+)\n.*?^[ \t]*(?P=end)$"
    r"|(?P<open>[\[{(])|(?P<close>[\]})])"
    r"|(?P<name>[A-Za-z_][\w-]*)(?=[ \t]*=(?![=>]))",
    re.DOTALL | re.MULTILINE,
)


def automatic(folder: Path) -> list[Path]:
    """Files of values that Terraform reads in a folder by itself."""
    return [path for pattern in AUTOMATIC for path in sorted(folder.glob(pattern))]


def of_environment(folder: Path, environment: Mapping[str, str]) -> set[str]:
    """Variables of the module in a folder that the environment gives values to."""
    return {name for name in declared(folder) if f"{VARIABLE}{name}" in environment}


def declared(folder: Path) -> set[str]:
    """Names of the variables of the module in a folder."""
    found = {name for path in folder.glob("*.tf") for name in _DECLARED.findall(_text(path))}
    for path in folder.glob("*.tf.json"):
        found.update(_keys(_json(path).get("variable")))
    return found


def given(path: Path) -> dict[str, int]:
    """Variables that a file of values names, and in which line; 0 where that is not known."""
    if path.suffix == ".json":
        return dict.fromkeys(_keys(_json(path)), 0)
    text = _text(path)
    found: dict[str, int] = {}
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += bool(token["open"]) - bool(token["close"])
        if token["name"] and depth == 0:
            found.setdefault(token["name"], text.count("\n", 0, token.start()) + 1)
    return found


def undeclared(folder: Path, files: Iterable[Path]) -> Iterator[str]:
    """A sentence for each value that is given to a variable that does not exist.

    Terraform goes on without such a value, so a slip of the pen is easily overlooked.
    """
    names = declared(folder)
    for path in files:
        for name, line in given(path).items():
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                yield (
                    f"{path}{f':{line}' if line else ''} gives {name} a value, and {folder.name} "
                    "has no such variable: it changes nothing"
                    + (f"; did you mean {near[0]}?" if near else "")
                )


def _keys(value: object) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []


def _json(path: Path) -> dict[str, object]:
    try:
        made = json.loads(_text(path))
    except ValueError:
        # Terraform says what is wrong with it, and where.
        return {}
    return made if isinstance(made, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
