"""Many sets of variables in one run: a root that calls the environment once for each of them.

What a run costs before it plans (schemas, validation, the provider's checksum) is then paid once.
The wrapper stands beside the environment, so that relative paths lead to the same places, and
declares its variables again, so that files of variables and TF_VAR_... work as they did.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.terraform import commands
from temporal_dsql_deploy.terraform.hcl import escaped
from temporal_dsql_deploy.terraform.invented import Overrides
from temporal_dsql_deploy.terraform.run import Terraform

_WRAPPER = "dsql-deploy-batch"
_MODULE = "dsql-deploy-batched"
_CASES = "dsql_deploy_cases"
_TESTS = "batch-"
_WRITTEN = (".terraform", ".terraform.lock.hcl")
_BLOCK = re.compile(r'(\w+)((?:[ \t]+"[^"\n]*")*)[ \t]*\{')
_BACKEND = re.compile(
    r'^[ \t]+(?:backend[ \t]+"\w+"|cloud)[ \t]*\{(?:[ \t]*\}|.*?^  \})[ \t]*\n',
    re.MULTILINE | re.DOTALL,
)
_DEFAULT = re.compile(r"^[ \t]+default[ \t]*=", re.MULTILINE)
_SENSITIVE = re.compile(r"^[ \t]+sensitive[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_ONLY_IN_A_ROOT = re.compile(
    # Or something else there than in a module.
    r'\bephemeral\b|\bpath\.(?:module|root|cwd)\b|\bsource[ \t]*=[ \t]*"\.[\\/]|\balias[ \t]*='
)
_KINDS = frozenset(
    {"terraform", "provider", "variable", "output", "locals", "module", "resource", "data", "moved"}
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block at the top of a file."""

    kind: str
    labels: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One set of variables of a batch."""

    variables: Mapping[str, Any]
    overrides: Overrides
    """By the address that a resource has in the environment itself."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The wrapper of an environment, initialised."""

    terraform: Terraform
    declared: frozenset[str]
    """Variables of the environment."""
    needed: frozenset[str]
    """Those without a default that some case gives, and so every case of a batch has to."""

    def fits(self, variables: Iterable[str]) -> bool:
        """Whether a case that gives these variables can be planned here."""
        return self.needed <= set(variables) <= self.declared

    def plans(
        self,
        entries: Sequence[Entry],
        data: Mapping[str, Mapping[str, Any]],
        var_files: Sequence[Path],
    ) -> list[dict[str, Any]] | None:
        """A `test_plan` message for each entry, as if it had been planned alone.

        None where Terraform refuses one of them, or has anything to say: whom that concerns is
        found out by planning fewer.
        """
        folder = Path(tempfile.mkdtemp(prefix=_TESTS, dir=self.terraform.directory))
        (folder / "batch.tftest.json").write_text(document(entries, data))
        command = commands.test(test_directory=folder.name, var_files=var_files)
        result = self.terraform.attempt(command, keep=lambda said: said.type == "test_plan")
        if result.code != 0 or result.diagnostics:
            return None
        planned = next((said for said in result.messages if said.type == "test_plan"), None)
        return split(planned.body["test_plan"], len(entries)) if planned else None


def wrapped(terraform: Terraform, given: Sequence[Iterable[str]]) -> Batch | None:
    """The wrapper of the environment that `terraform` runs in, for sets of variables by name.

    None where the environment as a module would mean something else than by itself.
    """
    here = terraform.directory
    texts = [path.read_text("utf-8", "replace") for path in sorted(here.glob("*.tf"))]
    found = [block for text in texts for block in blocks(text)]
    special = any(here.glob("*.tf.json")) or any(here.glob("*override.tf"))
    if special or not found or not all(map(is_for_both, found)):
        return None
    variables = [block for block in found if block.kind == "variable"]
    required = {block.labels[0] for block in variables if not _DEFAULT.search(block.text)}
    needed = frozenset(required & {name for names in given for name in names})
    module, wrapper = here.parent / _MODULE, here.parent / _WRAPPER
    _write(module, here, of_module(found))
    _write(wrapper, here, of_wrapper(found, needed))
    made = replace(terraform, directory=wrapper)
    if made.attempt(commands.init(backend=False, test_directory=_TESTS)).code != 0:
        return None
    return Batch(made, frozenset(block.labels[0] for block in variables), needed)


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a file that is laid out as `terraform fmt` does; kind "" is what is not."""
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        if not line.strip() or line.startswith(("#", "//")):
            continue
        opened = _BLOCK.match(line)
        if not opened:
            yield Block("", (), line)
            continue
        body = [line]
        if not line.rstrip().endswith("}"):
            for following in lines:
                body.append(following)
                if following.startswith("}"):
                    break
        labels = tuple(re.findall(r'"([^"]*)"', opened[2]))
        yield Block(opened[1], labels, "".join(body))


def of_module(found: Iterable[Block]) -> str:
    """The environment without what only a root may have."""
    kept = [block for block in found if block.kind != "provider"]
    return "\n".join(_without_backend(block.text) for block in kept)


def of_wrapper(found: Sequence[Block], needed: frozenset[str]) -> str:
    """The root; for `needed` see Batch."""
    variables = [block for block in found if block.kind == "variable"]
    names = [block.labels[0] for block in variables]
    arguments = (f"  {name} = try(each.value.{name}, var.{name})" for name in names)
    return "\n".join(
        [
            *(_without_backend(block.text) for block in found if block.kind == "terraform"),
            f'variable "{_CASES}" {{\n  type = any\n}}',
            *(_given(block) if block.labels[0] in needed else block.text for block in variables),
            'module "case" {',
            f'  source   = "../{_MODULE}"',
            f"  for_each = var.{_CASES}",
            *arguments,
            "}",
            *(_output(block) for block in found if block.kind == "output"),
            "",
        ]
    )


def document(entries: Sequence[Entry], data: Mapping[str, Mapping[str, Any]]) -> str:
    """A test file that plans the wrapper once; see `known.document`."""
    made = {
        "mock_provider": {
            "aws": {"mock_data": {kind: {"defaults": values} for kind, values in data.items()}}
        },
        "override_resource": [
            {"target": f"{_prefix(index)}{address}", "override_during": "plan", "values": values}
            for index, entry in enumerate(entries)
            for address, values in entry.overrides.items()
        ],
        "run": {
            "plan": {
                "command": "plan",
                "variables": {_CASES: {_key(i): dict(e.variables) for i, e in enumerate(entries)}},
            }
        },
    }
    return json.dumps(escaped(made))


def split(plan: Mapping[str, Any], count: int) -> list[dict[str, Any]]:
    """The `test_plan` of the wrapper, as the messages that `count` environments would have sent."""
    changes: dict[str, list[dict[str, Any]]] = {_prefix(index): [] for index in range(count)}
    for change in plan.get("resource_changes") or []:
        prefix = change["address"][: len(_prefix(0))]
        changes[prefix].append(_unwrapped(change, prefix))
    outputs = plan.get("output_changes") or {}
    return [
        {
            "type": "test_plan",
            "test_plan": {
                **plan,
                "resource_changes": changes[_prefix(index)],
                "output_changes": {
                    name: _part(change, _key(index)) for name, change in outputs.items()
                },
            },
        }
        for index in range(count)
    ]


def _unwrapped(change: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """A change of a resource with the addresses that it has without the wrapper."""
    made = dict(change)
    for name in ("address", "previous_address"):
        if name in made:
            made[name] = made[name].removeprefix(prefix)
    module = made.pop("module_address").removeprefix(prefix)
    if f"{module}." != prefix:
        made["module_address"] = module
    return made


def _part(change: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What concerns one case in a change of an output."""
    return {
        name: value.get(key) if name.startswith("after") and isinstance(value, Mapping) else value
        for name, value in change.items()
    }


def is_for_both(block: Block) -> bool:
    """Whether a block means the same in a module that is called as in a root."""
    if block.kind not in _KINDS or _ONLY_IN_A_ROOT.search(block.text):
        return False
    if block.kind == "provider":
        # That one is mocked, so that nothing of its block counts.
        return block.labels == ("aws",)
    return block.kind != "output" or all(said == "true" for said in _SENSITIVE.findall(block.text))


def _write(folder: Path, like: Path, text: str) -> None:
    """A copy of an environment's folder, linked to, with `text` as its configuration."""
    folder.mkdir()
    for entry in like.iterdir():
        if entry.suffix != ".tf" and entry.name not in _WRITTEN:
            (folder / entry.name).symlink_to(entry.resolve())
    (folder / "main.tf").write_text(text)


def _without_backend(text: str) -> str:
    return _BACKEND.sub("", text)


def _given(block: Block) -> str:
    """A variable that files may set and no case looks at."""
    return f'variable "{block.labels[0]}" {{\n  type    = any\n  default = null\n}}'


def _output(block: Block) -> str:
    name = block.labels[0]
    sensitive = "\n  sensitive = true" if _SENSITIVE.search(block.text) else ""
    value = f"{{ for key, case in module.case : key => case.{name} }}"
    return f'output "{name}" {{\n  value = {value}{sensitive}\n}}'


def _key(index: int) -> str:
    return f"{index:04}"


def _prefix(index: int) -> str:
    return f'module.case["{_key(index)}"].'
