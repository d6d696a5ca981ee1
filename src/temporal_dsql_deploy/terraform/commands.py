"""Command lines of Terraform, as data: what would be run can be shown and tested."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.terraform.hcl import literal

Command = list[str]
"""Arguments after `terraform`."""


def init(
    *,
    backend: bool = True,
    backend_config: Path | None = None,
    test_directory: str | None = None,
    reconfigure: bool = False,
) -> Command:
    """Install providers and modules, and set up the backend unless told not to."""
    command = ["init", "-json", "-input=false"]
    if not backend:
        command.append("-backend=false")
    if backend_config:
        command.append(f"-backend-config={backend_config}")
    if reconfigure:
        command.append("-reconfigure")
    if test_directory:
        command.append(f"-test-directory={test_directory}")
    return command


def validate() -> Command:
    """Check the configuration without looking at anything else."""
    return ["validate", "-json"]


def plan(
    *,
    out: Path,
    var_files: Iterable[Path] = (),
    variables: Mapping[str, Any] | None = None,
    refresh: bool = True,
    destroy: bool = False,
) -> Command:
    """Plan into the file `out`."""
    command = ["plan", "-json", "-input=false", f"-out={out}", *_given(var_files, variables)]
    if not refresh:
        command.append("-refresh=false")
    if destroy:
        command.append("-destroy")
    return command


def targets(addresses: Iterable[str]) -> Command:
    """Options of `plan`: these alone, and what they depend on, or is to be destroyed with them."""
    return [f"-target={address}" for address in addresses]


def apply(plan_file: Path) -> Command:
    """Do what a plan says, and nothing else; a plan of `destroy` destroys."""
    return ["apply", "-json", "-input=false", str(plan_file)]


def untaint(address: str) -> Command:
    """Take what was made half way as it is: the next plan changes what it lacks."""
    return ["untaint", address]


def push(state: str) -> Command:
    """Make a file the state; refused for one of another lineage, or older than what is there."""
    return ["state", "push", state]


def unlock(lock: str) -> Command:
    """Give a lock of the state back, by its ID, whoever holds it."""
    return ["force-unlock", "-force", lock]


def destroy(
    *, var_files: Iterable[Path] = (), variables: Mapping[str, Any] | None = None
) -> Command:
    """Destroy everything without a question."""
    given = _given(var_files, variables)
    return ["destroy", "-json", "-input=false", "-auto-approve", *given]


def show(plan_file: Path | None = None) -> Command:
    """Print a plan, or the state, as JSON."""
    return ["show", "-json", *([str(plan_file)] if plan_file else [])]


def output() -> Command:
    """Print the outputs of the state as JSON."""
    return ["output", "-json"]


def test(*, test_directory: str, var_files: Iterable[Path]) -> Command:
    """Run the test files of a folder of the configuration, with their plans as messages."""
    given = _given(var_files, None)
    return ["test", "-json", "-verbose", f"-test-directory={test_directory}", *given]


def _given(var_files: Iterable[Path], variables: Mapping[str, Any] | None) -> Sequence[str]:
    files = [f"-var-file={path}" for path in var_files]
    return [*files, *(f"-var={name}={literal(value)}" for name, value in (variables or {}).items())]
