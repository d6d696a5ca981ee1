"""Find what stands on AWS of an environment: the outputs of its Terraform tell it."""

from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotApplied, NotForPlatform, WrongAccount
from temporal_dsql_deploy.platforms.ecs import carried
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.terraform import outputs
from temporal_dsql_deploy.terraform.run import OnEvent, ignore


@dataclass(frozen=True, slots=True)
class How:
    """The Terraform that is asked."""

    terraform: Path | None = None
    provider_mirror: Path | None = None
    on_event: OnEvent = ignore


def find(environment: Environment, how: How | None = None) -> Deployed:
    """What stands of it; the credentials have to be of its account.

    Inside its VPC, in a task that was told by a variable, neither Terraform nor AWS is asked.

    Raises NotForPlatform, NotApplied, WrongAccount, and what Terraform and AWS raise.
    """
    if told := carried.here(environment.name):
        return told
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
