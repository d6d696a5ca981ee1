"""A copy of an environment's Terraform, with override files for what the emulated AWS cannot do.

Terraform merges a file `*_override.tf` into the blocks of the others (Terraform language, override
files): what is rehearsed is the configuration as it is, and what differs stands in one file each.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

OVERRIDE = "emulated_override.tf"
LOCAL_STATE = """\
terraform {
  backend "local" {}
}
"""
PARALLELISM = {f"TF_CLI_ARGS_{verb}": "-parallelism=40" for verb in ("apply", "destroy")}
"""Variables for Terraform: an apply mostly waits, for times that are the provider's."""

# The provider first sleeps for ten minutes, but looks once more when its time is up.
_AT_ONCE = {
    "aws_opensearch_domain": ("create", "update", "delete"),
    "aws_opensearch_domain_policy": ("update", "delete"),
}
_LEFT_OUT = ("aws_s3_bucket_lifecycle_configuration",)
"""The provider takes 55 seconds of looking at each, whatever it sees."""
_RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n(.*?)^\}', re.MULTILINE | re.DOTALL)
_PREVENT = re.compile(r"^\s*prevent_destroy\s*=\s*true", re.MULTILINE)
_MEANINGS = {
    "timeouts {": "the provider does not wait for it to be ready",
    "count = 0": "left out",
    "for_each = {}": "left out",
    "prevent_destroy = false": "may be destroyed",
}
_SOURCE = re.compile(r'^\s*source\s*=\s*"(\.\.?/[^"]*)"', re.MULTILINE)
_FILE = re.compile(r'"\$\{path\.(?:module|root)\}/(\.\./[^"$]+)"')
_IGNORED = shutil.ignore_patterns(
    ".terraform*", "*.tfstate*", "*.tfvars", "*.tfvars.json", "backend.hcl", "tfplan"
)


@dataclass(frozen=True, slots=True)
class Keeps:
    """What of the configuration is left as it is."""

    lifecycle: bool = False
    """Rules about the life of objects in buckets."""
    protection: bool = False
    """prevent_destroy."""
    backend: bool = False
    """The place of the state; else it is a file beside the configuration."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Root modules somewhere else."""

    roots: Mapping[Path, Path]
    """Where each is now, by where it came from, both absolute."""
    differences: list[str]
    """What the override files say, for a person."""


def copy(directories: Iterable[Path], folder: Path, keeps: Keeps | None = None) -> Copy:
    """Copies of root modules below `folder`, overridden for the emulated AWS. Raises OSError.

    With them come the modules that they call, and the files outside that these read, each in the
    same place as seen from the others. States and values of variables stay behind.
    """
    roots = [directory.resolve() for directory in directories]
    found = set(roots)
    for root in roots:
        found |= set(_modules(root))
    files = {one for directory in found for one in _files(directory)}
    base = Path(os.path.commonpath([*found, *(one.parent for one in files)]))
    for directory in sorted(found):
        target = folder / directory.relative_to(base)
        shutil.copytree(directory, target, ignore=_IGNORED, dirs_exist_ok=True)
    for one in files:
        target = folder / one.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(one, target)
    copies = {directory: folder / directory.relative_to(base) for directory in sorted(found)}
    for directory, copied in copies.items():
        override(copied, keeps or Keeps(), root=directory in roots)
    return Copy({root: copies[root] for root in roots}, _words(copies.values()))


def _modules(directory: Path) -> Iterator[Path]:
    """All modules in folders that a module calls, and that those call."""
    waiting, seen = [directory], {directory}
    while waiting:
        here = waiting.pop()
        for path in here.glob("*.tf"):
            for source in _SOURCE.findall(path.read_text()):
                called = (here / source).resolve()
                if called.is_dir() and called not in seen:
                    seen.add(called)
                    waiting.append(called)
                    yield called


def _files(directory: Path) -> Iterator[Path]:
    """The files outside of it that a module reads."""
    for path in directory.glob("*.tf"):
        for said in _FILE.findall(path.read_text()):
            if (one := (directory / said).resolve()).is_file():
                yield one


def override(directory: Path, keeps: Keeps, *, root: bool) -> None:
    """Write an override file for what a module has that needs one; `root` has a backend."""
    blocks = [
        overridden
        for path in sorted(directory.glob("*.tf"))
        if path.name != OVERRIDE
        for kind, name, body in _RESOURCE.findall(path.read_text())
        if (overridden := _overridden(kind, name, body, keeps))
    ]
    if root and not keeps.backend:
        blocks.append(LOCAL_STATE)
    if blocks:
        (directory / OVERRIDE).write_text("\n".join(blocks))


def _overridden(kind: str, name: str, body: str, keeps: Keeps) -> str:
    lines = []
    if kind in _AT_ONCE:
        lines += ["  timeouts {", *(f'    {verb} = "1s"' for verb in _AT_ONCE[kind]), "  }"]
    if kind in _LEFT_OUT and not keeps.lifecycle:
        lines.append("  for_each = {}" if "  for_each" in body else "  count = 0")
    if not keeps.protection and _PREVENT.search(body):
        lines += ["  lifecycle {", "    prevent_destroy = false", "  }"]
    return "\n".join([f'resource "{kind}" "{name}" {{', *lines, "}", ""]) if lines else ""


def _words(directories: Iterable[Path]) -> list[str]:
    """What the override files say, each thing once."""
    files = (directory / OVERRIDE for directory in directories)
    text = "\n".join(file.read_text() for file in files if file.is_file())
    said = set()
    for kind, name, body in _RESOURCE.findall(text):
        for words, meaning in _MEANINGS.items():
            if words in body:
                said.add(f"{kind}.{name}: {meaning}")
    if LOCAL_STATE in text:
        said.add("the Terraform state: a file of the rehearsal, not the backend's bucket")
    return sorted(said)
