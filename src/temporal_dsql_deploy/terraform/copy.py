"""A directory of Terraform laid out elsewhere, where one may write beside it."""

from collections.abc import Collection, Mapping
from pathlib import Path

_LEVELS = 5
"""How far up relative references may lead: `../../modules/x`, `file("../../../y")`."""
_WRITTEN = {".terraform", ".terraform.lock.hcl", "terraform.tfstate", "terraform.tfstate.backup"}
_TESTS = (".tftest.hcl", ".tftest.json")


def lay_out(directory: Path, below: Path, files: Mapping[str, str] | None = None) -> Path:
    """`directory` below the folder `below`; returns where Terraform is to run.

    Everything is linked to, so nothing has to be known of what the configuration refers to: the
    folders above it are there under their names, with all that is in them. `files` are written in
    place of, or beside, its own; with them `directory` need not exist. What Terraform itself has
    written there (`.terraform`, states) and test files are left out.
    """
    # As the file system has it: a reference leads up from where the directory really is.
    source = directory.resolve()
    chain = [source, *source.parents][:_LEVELS][::-1]
    here = below
    for level, deeper in zip(chain, [*chain[1:], None], strict=True):
        here /= level.name or "root"
        here.mkdir()
        _link(level, here, leave_out={deeper.name} if deeper else {*_WRITTEN, *(files or ())})
    for name, text in (files or {}).items():
        (here / name).write_text(text)
    return here


def _link(source: Path, here: Path, *, leave_out: Collection[str]) -> None:
    try:
        entries = list(source.iterdir())
    except OSError:
        # Not there, or not ours to look into: Terraform says so if it needs what is in it.
        return
    for entry in entries:
        if entry.name not in leave_out and not entry.name.endswith(_TESTS):
            (here / entry.name).symlink_to(entry)
