"""The real Terraform on a copy of the repository's, against the emulated AWS."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.rehearsal import overrides
from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from temporal_dsql_deploy.rehearsal.overrides import LOCAL_STATE, OVERRIDE, PARALLELISM, Keeps
from temporal_dsql_deploy.terraform import commands, find, mirror
from temporal_dsql_deploy.terraform.run import Result, Terraform

ROOT = Path(__file__).parents[2]


def copy(folder: Path, *, whole: bool = False, protected: bool = False) -> Path:
    """A copy of what Terraform reads of this repository, overridden for the emulated AWS.

    Unless it is to be `whole`, rules about the life of objects in buckets are left out; unless it
    is to be `protected`, prevent_destroy is lifted.
    """
    roots = [ROOT / "terraform/account", *sorted((ROOT / "terraform/envs").iterdir())]
    overrides.copy(roots, folder, Keeps(lifecycle=whole, protection=protected))
    return folder / "terraform"


def override(directory: Path, *, whole: bool) -> None:
    """Write an override file for what a configuration has that needs one."""
    overrides.override(directory, Keeps(lifecycle=whole), root=True)


class Environment:
    """One configuration with its own state, in a folder of a copy.

    What Terraform refuses is an AssertionError with all of its reasons.
    """

    def __init__(self, terraform: Terraform, variables: Mapping[str, Any] | None = None) -> None:
        self.terraform = terraform
        self._variables = variables

    def run(self, command: commands.Command) -> Result:
        """Run a subcommand."""
        try:
            return self.terraform.run(command)
        except DeployError as error:
            raise AssertionError(f"{error.message}: {error.cause}") from error

    def apply(self, **variables: Any) -> list[str]:
        """Apply; the changes that it made, as `address: action`."""
        changes = self.plan(**variables)
        self.run(commands.apply(self._plan))
        return changes

    def plan(self, **variables: Any) -> list[str]:
        """What an apply would change."""
        given = {**(self._variables or {}), **variables}
        result = self.run(commands.plan(out=self._plan, variables=given))
        return [
            f"{change['resource']['addr']}: {change['action']}"
            for message in result.messages
            if message.type == "planned_change"
            and (change := message.body["change"])["action"] not in {"noop", "read"}
        ]

    def destroy(self, **variables: Any) -> None:
        """Destroy everything; AssertionError when something is left in the state."""
        given = {**(self._variables or {}), **variables}
        self.run(commands.destroy(variables=given))
        assert self.resources() == []

    def resources(self) -> list[str]:
        """Addresses of what is in the state, data sources left out."""
        state = self.terraform.document(commands.show())
        return sorted(_addresses(state.get("values", {}).get("root_module", {})))

    @property
    def _plan(self) -> Path:
        return self.terraform.directory / "tfplan"


def _addresses(module: Mapping[str, Any]) -> Iterator[str]:
    yield from (each["address"] for each in module.get("resources", []) if each["mode"] != "data")
    for child in module.get("child_modules", []):
        yield from _addresses(child)


@contextmanager
def environment(
    directory: Path,
    aws: EmulatedAws,
    variables: Mapping[str, Any] | None = None,
    *,
    backend: str | None = None,
) -> Iterator[Environment]:
    """The configuration in `directory`, initialised, as long as the block lasts.

    Its state is in a file, or with `backend`, the text of backend.hcl, in the bucket named there.
    """
    example = directory / "terraform.tfvars.example"
    if example.exists():
        shutil.copy(example, directory / "terraform.tfvars")
    with mirror.configured(mirror.find()) as providers:
        environ = {**aws.environment(), **providers, **PARALLELISM}
        terraform = Terraform(find.find(), directory, environ)
        made = Environment(terraform, variables)
        if backend:
            overridden = directory / OVERRIDE
            overridden.write_text(overridden.read_text().replace(LOCAL_STATE, ""))
            (directory / "backend.hcl").write_text(backend)
        made.run(commands.init(backend_config=directory / "backend.hcl" if backend else None))
        yield made
