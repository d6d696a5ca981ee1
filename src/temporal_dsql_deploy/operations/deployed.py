"""What stands on AWS of an environment, as the outputs of its Terraform tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotApplied, NotForPlatform, WrongAccount
from temporal_dsql_deploy.terraform import outputs
from temporal_dsql_deploy.terraform.run import OnEvent, ignore


@dataclass(frozen=True, slots=True)
class Deployed:
    """One environment on ECS."""

    environment: str
    account: str
    """12 digits."""
    region: str
    project: str
    """Prefix of every name."""
    outputs: Mapping[str, Any]

    def output(self, name: str) -> Any:
        """An output that has a value. Raises NotApplied for what is not there, or is off."""
        value = self.outputs.get(name)
        if value is None:
            raise NotApplied(
                f"environment {self.environment} has no {name}",
                cause="the output is null in its Terraform state: the part is off, or not applied",
                fix="see what an apply would make: dsql-deploy plan ENV",
            )
        return value


@dataclass(frozen=True, slots=True)
class How:
    """The Terraform that is asked."""

    terraform: Path | None = None
    provider_mirror: Path | None = None
    on_event: OnEvent = ignore


def find(environment: Environment, how: How | None = None) -> Deployed:
    """What stands of it; the credentials have to be of its account.

    Raises NotForPlatform, NotApplied, WrongAccount, and what Terraform and AWS raise.
    """
    how = how or How()
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} is not on AWS",
            cause=f"its platform is {environment.platform}",
            fix="name one on ECS: dev, bench, prod, or one of your own",
        )
    request = outputs.Request(
        environment.terraform, how.terraform, how.provider_mirror, how.on_event
    )
    values = outputs.read(request)
    needed = ("aws_account_id", "region", "project_name")
    lacking = [name for name in needed if not values.get(name)]
    if lacking:
        raise NotApplied(
            f"nothing of environment {environment.name} stands on AWS",
            cause=f"the state of {environment.terraform} has no output {lacking[0]}",
            fix="apply it first: dsql-deploy plan ENV, then terraform apply in that folder",
        )
    account, region, project = (str(values[name]) for name in needed)
    if environment.account not in {None, account}:
        raise WrongAccount(
            f"environment {environment.name} is pinned to account {environment.account}, and "
            f"stands in {account}",
            cause=f"the one is in its file, the other in the state of {environment.terraform}",
            fix="correct `account` in its file, or the folder or backend of its Terraform",
        )
    aws.check_account(environment.name, account)
    return Deployed(environment.name, account, region, project, values)
