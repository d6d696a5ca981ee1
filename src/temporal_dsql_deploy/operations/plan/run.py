"""Get the plan of an environment and summarise it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import MissingError, NotForPlatform, WrongAccount
from temporal_dsql_deploy.operations.plan import place
from temporal_dsql_deploy.operations.plan.result import PlanResult, Source
from temporal_dsql_deploy.operations.plan.summary import summarise
from temporal_dsql_deploy.plan import Plan, read_plan
from temporal_dsql_deploy.plan.reader import read_document
from temporal_dsql_deploy.terraform import variables
from temporal_dsql_deploy.terraform.run import OnEvent, ignore

EXAMPLE_VARIABLES = "terraform.tfvars.example"


@dataclass(frozen=True, slots=True)
class How:
    """How to get the plan."""

    offline: bool = False
    """By known values, without AWS."""
    out: Path | None = None
    """Where to keep the plan file."""
    var_files: Sequence[Path] = ()
    terraform: Path | None = None
    provider_mirror: Path | None = None
    on_event: OnEvent = ignore
    """Is told how far Terraform is."""


def plan(environment: Environment, how: How) -> PlanResult:
    """Plan an environment on AWS.

    Raises NotForPlatform for an environment without Terraform, and what running Terraform raises.
    """
    if how.offline:
        return _offline(environment, how)
    made = _real(environment, how)
    result = summarise(made, environment.name, Source.TERRAFORM, plan_file=_absolute(how.out))
    notes = [*place.warnings(environment), *_ignored(environment, how), *made.warnings]
    return replace(result, notes=notes)


def from_file(name: str, path: Path) -> PlanResult:
    """Summarise a plan in a file of `terraform show -json`, `-` for stdin. Raises NotAPlan."""
    return summarise(read_plan(*read_document(path)), name, Source.FILE)


def _real(environment: Environment, how: How) -> Plan:
    from temporal_dsql_deploy.terraform import workdir

    request = workdir.Request(
        directory=_folder(environment),
        var_files=[*environment.var_files, *how.var_files],
        out=how.out,
        check=lambda made: _check_account(environment, made),
        terraform=how.terraform,
        provider_mirror=how.provider_mirror,
        on_event=how.on_event,
    )
    return workdir.plan(request)


def _absolute(path: Path | None) -> Path | None:
    # Terraform runs in another folder than this command.
    return path.expanduser().absolute() if path else None


def _offline(environment: Environment, how: How) -> PlanResult:
    made, notes = known_plan(environment, how)
    notes = ["nothing is compared with AWS: ids and ARNs are invented, and all is created", *notes]
    notes = [*place.warnings(environment), *notes]
    return replace(summarise(made, environment.name, Source.KNOWN_VALUES), notes=notes)


def known_plan(
    environment: Environment, how: How, *, revealed: bool = False
) -> tuple[Plan, list[str]]:
    """The plan of an environment for an empty account, with known values, and notes about it.

    With `revealed` what is sensitive is there, for who looks into it and prints nothing of it.
    Raises NotForPlatform for an environment without Terraform, and what planning raises.
    """
    from temporal_dsql_deploy.terraform import known

    folder = _folder(environment)
    var_files = [*environment.var_files, *how.var_files]
    notes = _ignored(environment, how)
    example = folder / EXAMPLE_VARIABLES
    values = variables.automatic(folder) or variables.of_environment(folder, os.environ)
    if not values and example.is_file():
        on_top = ", ".join(str(path) for path in var_files)
        notes.append(
            f"{folder} has no terraform.tfvars: the values are those of {example}"
            + (f", with {on_top} on top" if on_top else "")
        )
        notes += variables.undeclared(folder, [example])
        var_files = [example, *var_files]
    settings = known.Settings(
        terraform=how.terraform,
        provider_mirror=how.provider_mirror,
        var_files=var_files,
        account=environment.account or known.ACCOUNT,
        revealed=revealed,
        on_event=how.on_event,
    )
    made = known.plan(folder, settings=settings)
    return made, [*notes, *made.warnings]


def _ignored(environment: Environment, how: How) -> list[str]:
    """Values that are given to variables that do not exist."""
    folder = _folder(environment)
    files = [*variables.automatic(folder), *environment.var_files, *how.var_files]
    return list(variables.undeclared(folder, files))


def _folder(environment: Environment) -> Path:
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} has no Terraform to plan",
            cause=f"its platform is {environment.platform}",
            fix="see what `up` would do to it: dsql-deploy up ENV --dry-run",
        )
    folder = environment.terraform
    if any(folder.glob("*.tf")) or any(folder.glob("*.tf.json")):
        return folder
    there = folder.is_dir()
    raise MissingError(
        f"there is no {'Terraform in' if there else 'folder'} {folder}",
        cause="the Terraform of the environment should be in it"
        + (", and it has no file *.tf" if there else ""),
        fix="correct the path, `terraform` in the file of the environment",
    )


def _check_account(environment: Environment, made: Plan) -> None:
    """The account of the environment's file against the one that was planned for."""
    planned = {
        str(found["account_id"])
        for found in made.data("aws_caller_identity")
        if found["account_id"]
    }
    if environment.account and planned and planned != {environment.account}:
        raise WrongAccount(
            f"the plan is for account {', '.join(sorted(planned))}, and environment "
            f"{environment.name} is pinned to {environment.account}",
            cause="the AWS credentials are of the one, the environment's file names the other",
            fix="use credentials of the environment's account (AWS_PROFILE), or correct `account` "
            "in its file",
        )
