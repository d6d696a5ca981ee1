"""The first gate: the right account, a region that is one, and a Terraform that can be used."""

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import InvalidSetting, MissingError
from temporal_dsql_deploy.operations.staged.steps import Seen, Step
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.terraform import find


def step(work: Work) -> Step:
    """Look at the account and the tools."""
    return Step(
        "account",
        "the credentials are of the environment's account, and the tools are there",
        lambda: _look(work),
        always=True,
    )


def _look(work: Work) -> Seen:
    """Raises MissingError, InvalidSetting, WrongAccount, BinaryMissing, BinaryUnusable."""
    terraform = find.find(work.how.terraform)
    region = work.region
    if region is None:
        raise MissingError(
            f"the AWS region of environment {work.name} is not known",
            cause=f"the Terraform in {work.directory} has no variable `region`",
            fix="give its root module one, as terraform/envs/dev has it",
        )
    _check_region(region)
    pinned = work.environment.account or work.place.get("account_id")
    if pinned:
        aws.check_account(work.name, str(pinned))
    account = str(pinned or aws.account())
    note = "" if pinned else ", which neither its file nor account_id pins"
    return Seen(True, f"account {account}{note}; {region}; Terraform {terraform.version}")


def _check_region(region: str) -> None:
    """Refuse a name that AWS's SDK does not know: its calls would fail as if AWS were away."""
    import difflib

    known = aws.regions()
    if region in known:
        return
    near = difflib.get_close_matches(region, known, n=1)
    raise InvalidSetting(
        f"there is no AWS region {region!r}",
        cause="AWS's SDK, which is asked, knows no such region with Amazon ECS",
        fix=(f"did you mean {near[0]}? " if near else "")
        + "correct `region` in terraform.tfvars or a --var-file; a region that is newer than the "
        "SDK needs a newer boto3",
    )
