"""What a rehearsal of an environment will be: its copy, its values, who plays what."""

import json
import resource
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import MissingError, NotForPlatform
from temporal_dsql_deploy.images.engine import Engine
from temporal_dsql_deploy.operations.staged.before import named
from temporal_dsql_deploy.operations.staged.work import WAIT, How, Work
from temporal_dsql_deploy.platforms.cluster.containers import engine as containers
from temporal_dsql_deploy.rehearsal import images, overrides, substitution
from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT
from temporal_dsql_deploy.rehearsal.images import Chosen
from temporal_dsql_deploy.rehearsal.network.bridge import Network
from temporal_dsql_deploy.rehearsal.result import RehearsePlan, StandIn
from temporal_dsql_deploy.terraform import values, variables
from temporal_dsql_deploy.terraform.run import OnEvent, ignore

_OWN = "zz-rehearsal.auto.tfvars.json"
"""Values of the rehearsal's own: the last of the files that Terraform reads by itself."""
_EXAMPLE, _VALUES = "terraform.tfvars.example", "terraform.tfvars"
_SYS_RESOURCE = 24
"""Bit of linux/capability.h."""
_READ = ("project_name", "region", "vpc_cidr")


@dataclass(frozen=True, slots=True)
class Request:
    """What to rehearse."""

    environment: Environment
    var_files: Sequence[Path] = ()
    terraform: Path | None = None
    """The program; None for the one of `find.find`."""
    provider_mirror: Path | None = None
    """None for the one of `mirror.find`."""
    on_event: OnEvent = ignore
    wait: float | None = None
    """Seconds for hosts and for each component; None for those of `up`."""
    keep: bool = False
    """Whether it is to stand, however far it comes."""

    def how(self) -> How:
        """For the steps of the deployment: nothing is spent, so nobody is asked."""
        return How(
            ask=lambda _: None,
            show=lambda _: None,
            terraform=self.terraform,
            provider_mirror=self.provider_mirror,
            on_event=self.on_event,
            wait=WAIT if self.wait is None else self.wait,
            stays=self.keep,
        )


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment that can be rehearsed."""

    environment: Environment
    """It, with the copy of its Terraform."""
    directory: Path
    """Of that copy."""
    network: Network
    architecture: str
    """Of this machine, as Docker has it: `amd64`, `arm64`."""
    chosen: Chosen
    overrides: list[str] = field(default_factory=list)
    limits: Mapping[str, int] = field(default_factory=dict)
    """By the name of a ulimit: the most that this machine lets a container have."""

    @property
    def stand_ins(self) -> list[StandIn]:
        """All that plays a part of AWS."""
        return [*substitution.STAND_INS, *self.chosen.stand_ins]

    def plan(self) -> RehearsePlan:
        """For who only asks."""
        return RehearsePlan(
            self.environment.name, self.network.cidr, self.stand_ins, self.overrides
        )


def prepare(request: Request, folder: Path) -> Prepared:
    """Copy the Terraform into `folder`, and find what plays what.

    Raises NotForPlatform, MissingError, ImageUnusable, BinaryMissing, BinaryUnusable, OSError, and
    what Terraform says of variables.
    """
    source = _source(request.environment)
    shutil.rmtree(folder, ignore_errors=True)
    copied = overrides.copy(_roots(source), folder)
    directory = copied.roots[source]
    said = [*copied.differences, *_give_values(source, directory)]
    var_files = [path.absolute() for path in (*request.environment.var_files, *request.var_files)]
    found = values.read(values.Request(directory, var_files, request.terraform), _READ)
    _check(source, found)
    environment = replace(
        request.environment, terraform=directory, var_files=tuple(var_files), account=None
    )
    network = Network(environment.name, str(found["vpc_cidr"]))
    docker = containers.find()
    architecture = docker.architecture()
    wanted = named(Work(environment, request.how(), folder))
    chosen = images.choose(wanted, Engine("docker", docker.path), architecture)
    limits = _limits()
    said += [f"ulimit {name}: at most {most}, this machine's" for name, most in limits.items()]
    return Prepared(environment, directory, network, architecture, chosen, said, limits)


def _limits() -> dict[str, int]:
    """Of this machine, where root may not raise them (capabilities(7), CAP_SYS_RESOURCE)."""
    status = Path("/proc/self/status").read_text()
    held = int(
        next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), 16
    )
    if held >> _SYS_RESOURCE & 1:
        return {}
    return {"nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1]}


def _source(environment: Environment) -> Path:
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} is not on AWS",
            cause=f"its platform is {environment.platform}",
            fix="rehearse one on ECS: dev, bench, prod, or one of your own",
        )
    return environment.terraform.expanduser().resolve()


def _roots(source: Path) -> list[Path]:
    """The environment, and what the account has once where it lies beside."""
    account = source.parent.parent / "account"
    return [source, *([account] if any(account.glob("*.tf")) else [])]


def _give_values(source: Path, directory: Path) -> list[str]:
    """Give the copy the values of the original, and those of a rehearsal; what was changed."""
    given = variables.automatic(source)
    for path in given:
        shutil.copy(path, directory / path.name)
    said = []
    example = source / _EXAMPLE
    if not given and example.is_file():
        shutil.copy(example, directory / _VALUES)
        said.append(f"variables: those of {_EXAMPLE}, as there is no {_VALUES}")
    if "account_id" in variables.declared(directory):
        (directory / _OWN).write_text(json.dumps({"account_id": ACCOUNT}))
        said.append(f"account_id: {ACCOUNT}, the account of the emulated AWS")
    return said


def _check(source: Path, found: Mapping[str, Any]) -> None:
    if lacking := [name for name in _READ if not found.get(name)]:
        raise MissingError(
            f"the Terraform in {source} has no value of {lacking[0]}",
            cause="a rehearsal reads the variables that terraform/envs/dev has",
            fix="give its root module those variables",
        )
