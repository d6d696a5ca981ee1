"""The values that a configuration's variables have, without a plan of the configuration.

Terraform itself says them, of the blocks of these variables alone: it takes a third of a second and
neither providers, modules, a backend nor AWS, where a plan takes all of them and ten times as long.
"""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import MissingError
from temporal_dsql_deploy.terraform import commands, find, scratch
from temporal_dsql_deploy.terraform.run import Terraform
from temporal_dsql_deploy.terraform.variables import automatic

# As `terraform fmt` writes it: a block ends on its line, or with a brace at the left edge.
_VARIABLE = re.compile(
    r'^variable\s+"(?P<name>[\w-]+)"\s*\{(?:[^\n]*\}[ \t]*$|.*?^\})', re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Request:
    """Whose variables."""

    directory: Path
    var_files: Sequence[Path] = ()
    terraform: Path | None = None
    """The program; None for the one of `find.find`."""


def read(request: Request, names: Collection[str]) -> Mapping[str, Any]:
    """The values of the variables called `names`, of those that the root module has.

    They are what an apply would take: of files, of TF_VAR_ variables, or defaults. One that is null
    is left out. Raises what `failures` makes of Terraform's errors, BinaryMissing, BinaryUnusable,
    MissingError without a folder.
    """
    source = request.directory.expanduser().absolute()
    if not source.is_dir():
        raise MissingError(
            f"there is no folder {source}",
            cause="the Terraform of the environment should be in it",
            fix="correct the path, `terraform` in the file of the environment",
        )
    files = [path.expanduser().absolute() for path in request.var_files]
    with scratch.folder() as folder:
        # Under its own name, which Terraform's errors tell.
        here = folder / source.name
        here.mkdir()
        blocks = _blocks(source, names)
        (here / "variables.tf").write_text("\n".join(blocks.values()), encoding="utf-8")
        in_json = _in_json(source, names)
        # What a plan says of a variable is what was given: defaults within it come with its use.
        used = {
            name: {"value": f"${{var.{name}}}", "sensitive": True} for name in (*blocks, *in_json)
        }
        # Terraform takes no empty block.
        more = {kind: one for kind, one in (("variable", in_json), ("output", used)) if one}
        (here / "variables.tf.json").write_text(json.dumps(more))
        for path in automatic(source):
            (here / path.name).symlink_to(path)
        # Neither another place of .terraform nor another workspace is meant for this copy.
        apart = {"TF_DATA_DIR": "", "TF_WORKSPACE": ""}
        terraform = Terraform(find.find(request.terraform), here, apart)
        out = here / "plan"
        terraform.run(commands.plan(out=out, var_files=files))
        said = terraform.document(commands.show(out))["planned_values"].get("outputs", {})
    return {name: one["value"] for name, one in said.items() if one.get("value") is not None}


def _blocks(source: Path, names: Collection[str]) -> dict[str, str]:
    """The declarations of these variables, as they stand there."""
    found: dict[str, str] = {}
    for path in sorted(source.glob("*.tf")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for block in _VARIABLE.finditer(text):
            if block["name"] in names:
                found[block["name"]] = block[0]
    return found


def _in_json(source: Path, names: Collection[str]) -> dict[str, Any]:
    """The declarations of these variables in files of Terraform's JSON syntax."""
    found: dict[str, Any] = {}
    for path in sorted(source.glob("*.tf.json")):
        try:
            made = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        except ValueError:
            # Whoever plans is told of it by Terraform; here it may have nothing to say.
            continue
        declared = made.get("variable") if isinstance(made, Mapping) else None
        if isinstance(declared, Mapping):
            found |= {name: one for name, one in declared.items() if name in names}
    return found
