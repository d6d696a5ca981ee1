"""Where the secret of an environment is: Terraform's variables say it, before and after an apply.

The secret has to be there before the first apply, so no output can tell. A plan with known values
could, and takes seconds, the providers and values for all variables; the variables alone are told
by Terraform in a third of a second, of the same files, and are what the next apply will use.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting, MissingError, NotForPlatform
from temporal_dsql_deploy.terraform import values

_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
"""Secrets Manager API reference, CreateSecret."""
_VARIABLES = (
    "account_id",
    "existing_ecs_cluster",
    "grafana_admin_secret_name",
    "kms_key_arn",
    "project_name",
    "region",
    "tags",
)


@dataclass(frozen=True, slots=True)
class How:
    """What the user says of the place, and the Terraform that is asked for the rest."""

    region: str | None = None
    name: str | None = None
    """With the region too, Terraform is not asked."""
    kms_key: str | None = None
    var_files: Sequence[Path] = ()
    terraform: Path | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """One secret of one environment."""

    environment: str
    region: str
    name: str
    kms_key: str | None = None
    """The key of a secret that is made; None for AWS's own of Secrets Manager."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of a secret that is made."""
    restart: str = ""
    """The command after which Grafana has a new administrator."""
    notes: tuple[str, ...] = ()
    """What speaks against it."""


def find(environment: Environment, how: How) -> Place:
    """The place of the secret; the credentials have to be of the environment's account.

    Raises NotForPlatform, MissingError where the variables do not tell it, WrongAccount, and what
    Terraform and AWS raise.
    """
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} is not on AWS",
            cause=f"its platform is {environment.platform}",
            fix="name one on ECS: dev, bench, prod, or one of your own",
        )
    said = _variables(environment, how)
    account = environment.account or said.get("account_id")
    if account:
        aws.check_account(environment.name, str(account))
    return place(environment.name, how, said)


def place(environment: str, how: How, said: Mapping[str, Any]) -> Place:
    """The place of which the user and the variables speak. Raises MissingError, InvalidSetting."""
    project = said.get("project_name")
    wanted = said.get("grafana_admin_secret_name") or (project and f"{project}/grafana/admin")
    region, name = how.region or said.get("region"), how.name or wanted
    for what, value, option in (
        ("the region", region, "--region REGION"),
        ("the name", name, "--name NAME"),
    ):
        if not value:
            raise MissingError(
                f"{what} of the secret of environment {environment} is not known",
                cause="its Terraform has no variable that tells it: region, project_name",
                fix=f"say it: {option}",
            )
    _check("--region", _REGION, str(region), "such as eu-west-1")
    _check("--name", _NAME, str(name), "letters, digits and / _ + = . @ -, at most 512 of them")
    kms_key = how.kms_key or said.get("kms_key_arn")
    return Place(
        environment=environment,
        region=str(region),
        name=str(name),
        kms_key=str(kms_key) if kms_key else None,
        tags=_tags(environment, said),
        restart=_restart(str(region), said),
        notes=tuple(_notes(how, said, str(wanted or ""))),
    )


def _check(option: str, pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise InvalidSetting(
            f"{text!r} is not right",
            cause=f"it is {what}",
            fix=f"correct {option}, or the variable that says it",
        )


def _variables(environment: Environment, how: How) -> Mapping[str, Any]:
    if (how.region and how.name) or environment.terraform is None:
        return {}
    files = [*environment.var_files, *how.var_files]
    return values.read(values.Request(environment.terraform, files, how.terraform), _VARIABLES)


def _tags(environment: str, said: Mapping[str, Any]) -> dict[str, str]:
    """As the provider's default_tags in terraform/envs, but made by another."""
    project = {"Project": str(said["project_name"])} if said.get("project_name") else {}
    own = {"Environment": environment, "ManagedBy": "dsql-deploy"}
    given = said.get("tags")
    return {**project, **own, **(given if isinstance(given, Mapping) else {})}


def _restart(region: str, said: Mapping[str, Any]) -> str:
    """A deployment anew: new tasks of the same definition."""
    project = said.get("project_name")
    brought = said.get("existing_ecs_cluster")
    cluster = brought.get("name") if isinstance(brought, Mapping) else None
    cluster = cluster or (f"{project}-cluster" if project else "CLUSTER")
    service = f"{project}-grafana" if project else "SERVICE"
    return (
        f"aws ecs update-service --force-new-deployment --region {region} --cluster {cluster} "
        f"--service {service}"
    )


def _notes(how: How, said: Mapping[str, Any], wanted: str) -> list[str]:
    notes = []
    if wanted and how.name not in (None, wanted):
        notes.append(
            f"Terraform reads the secret {wanted}: to use {how.name}, set "
            f'grafana_admin_secret_name = "{how.name}" in terraform.tfvars'
        )
    region = said.get("region")
    if region and how.region not in (None, region):
        notes.append(f"the environment is in {region}, where Grafana finds no secret of another")
    own = said.get("kms_key_arn")
    if how.kms_key not in (None, own):
        notes.append(
            "Grafana's execution role may decrypt with the environment's key alone (kms_key_arn): "
            f"let it kms:Decrypt on {how.kms_key}, or its task does not start"
        )
    return notes
