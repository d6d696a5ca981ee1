"""Where Terraform keeps the state: the account's bucket, which `terraform/account` makes once."""

import json
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import BackendMissing, NotConfirmed, PermissionMissing
from temporal_dsql_deploy.operations.plan.summary import HOLDS_DATA
from temporal_dsql_deploy.operations.staged.applying import Agreed, applied, take_over
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import Question, Work
from temporal_dsql_deploy.terraform import backend, outputs, values, workdir

_VALUES = "terraform.tfvars"
_ROLES = {
    "ecs.amazonaws.com": "AWSServiceRoleForECS",
    "opensearchservice.amazonaws.com": "AWSServiceRoleForAmazonOpenSearchService",
}
"""As terraform/account makes them; an account that has one refuses a second."""


def step(work: Work) -> Step:
    """Look at the backend; make the bucket and what else the account has once."""
    return Step(
        "state",
        "the bucket of Terraform's state is there, with what else an account has once",
        lambda: _look(work),
        lambda doing: _do(work, doing),
    )


def _look(work: Work) -> Seen:
    found = backend.read(work.directory)
    if found.kind != "s3":
        return Seen(True, f"the state is kept by the backend {found.kind}")
    if found.bucket is None:
        return Seen(False, f"there is no {workdir.BACKEND} in {work.directory} that names a bucket")
    if _is_there(found.bucket, found.settings.get("region") or work.region, found.identity):
        return Seen(True, f"the state is in the bucket {found.bucket}")
    return Seen(False, f"there is no bucket {found.bucket}")


def _is_there(bucket: str, region: str | None, identity: aws.Identity) -> bool:
    """Raises PermissionMissing for what may be somebody else's, and what else AWS refuses."""
    from botocore.exceptions import ClientError

    with aws.calling(f"look at the bucket {bucket} (s3:ListBucket)"):
        try:
            aws.client("s3", region, identity).head_bucket(Bucket=bucket)
        except ClientError as error:
            if aws.refusal(error) in {"404", "NoSuchBucket"}:
                return False
            # The answer to a HEAD has no body, and so no other code.
            if aws.refusal(error) == "403":
                raise PermissionMissing(
                    f"the bucket {bucket} may not be looked at (s3:ListBucket)",
                    cause="AWS answers 403 Forbidden: these credentials lack the right, or it is "
                    "somebody else's, as names of buckets are worldwide",
                    fix="use others (AWS_PROFILE), or name another: state_bucket_name of "
                    "terraform/account, bucket of backend.hcl",
                ) from error
            raise
    return True


def _do(work: Work, doing: Doing) -> str:
    folder = _account_folder(work)
    name = _bucket(work, folder)
    identity = backend.read(work.directory).identity
    if name is not None and not _is_begun(folder) and _is_there(name, work.region, identity):
        _write_backend(work, f'bucket = "{name}"\nregion = "{work.region}"\n', doing)
        return f"the account has the bucket {name}: {workdir.BACKEND} names it"
    written = _write_values(work, folder, doing)
    try:
        _apply(work, folder, doing)
    except NotConfirmed:
        if written is not None:
            written.unlink()
        raise
    said = outputs.read(
        outputs.Request(folder, work.how.terraform, work.how.provider_mirror, work.how.on_event)
    )
    _write_backend(work, str(said["backend_config"]), doing)
    return (
        f"made the bucket {said['state_bucket']} and what else the account has once; the state of "
        f"{folder} itself is a file there until you move it (its README says how)"
    )


def _account_folder(work: Work) -> Path:
    folder = work.directory.parent.parent / "account"
    if any(folder.glob("*.tf")):
        return folder
    raise BackendMissing(
        f"the bucket of the Terraform state of {work.name} is not there",
        cause=f"{work.directory} declares a backend s3, and there is no {folder} to make it with",
        fix=f"make a bucket, and name it and its region in {work.directory / workdir.BACKEND}",
    )


def _is_begun(folder: Path) -> bool:
    """Whether the account was applied from here: a run that was stopped has more to make."""
    try:
        state = json.loads((folder / "terraform.tfstate").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # One that was killed a moment ago may not have written it yet.
        return (folder / ".terraform.tfstate.lock.info").exists()
    return bool(state.get("resources"))


def _bucket(work: Work, folder: Path) -> str | None:
    """Its name by the variables of terraform/account, or by their defaults."""
    declared = backend.read(work.directory).bucket
    if declared:
        return declared
    account = aws.account()
    if not (folder / _VALUES).is_file():
        return f"temporal-terraform-state-{account}-{work.region}"
    said = _account_values(work, folder)
    own = said.get("state_bucket_name")
    return str(own) if own else f"{said['prefix']}-terraform-state-{account}-{said['region']}"


def _account_values(work: Work, folder: Path) -> dict[str, Any]:
    names = ("prefix", "region", "state_bucket_name")
    said = dict(values.read(values.Request(folder, (), work.how.terraform), names))
    if said.get("region") != work.region:
        raise BackendMissing(
            f"the bucket of the Terraform state of {work.name} is not there",
            cause=f"{folder} is of the region {said.get('region')}, and the environment is in "
            f"{work.region}",
            fix=f"apply {folder} for that region with a state of its own (see its README), then "
            f"write its output backend_config into {work.directory / workdir.BACKEND}",
        )
    return said


def _write_values(work: Work, folder: Path, doing: Doing) -> Path | None:
    """terraform.tfvars of the account, where its owner has written none: None where there is."""
    path = folder / _VALUES
    if path.exists():
        return None
    there = [service for service, role in _ROLES.items() if _has_role(role)]
    lines = [f"region     = {json.dumps(work.region)}", f"account_id = {json.dumps(aws.account())}"]
    if there:
        lacking = [service for service in _ROLES if service not in there]
        lines.append(f"# The account has the roles of {', '.join(there)} already.")
        lines.append(f"service_linked_roles = {json.dumps(lacking)}")
    doing.changing()
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    doing.report(f"state: wrote {path}")
    return path


def _has_role(name: str) -> bool:
    client = aws.client("iam")
    with aws.calling(f"look for the role {name} (iam:GetRole)"):
        try:
            client.get_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            return False
    return True


def _apply(work: Work, folder: Path, doing: Doing) -> None:
    # The lock that keeps two apart lies in the bucket that is yet to be made.
    take_over(work, folder, doing.report)
    out = work.plan_file.with_name("account-plan")
    request = workdir.Request(
        directory=folder,
        out=out,
        terraform=work.how.terraform,
        provider_mirror=work.how.provider_mirror,
        on_event=work.how.on_event,
    )
    changes = workdir.plan(request).changing()
    if not changes:
        return
    data = [f"{HOLDS_DATA[one.type][0]} {one.address}" for one in changes if one.type in HOLDS_DATA]
    question = Question(
        f"apply {folder}: what an account has once, {len(changes)} changes",
        [*data, f"and {len(changes) - len(data)} others: terraform -chdir={folder} plan"],
    )
    work.how.ask(question)
    applied(work, Agreed(folder, out, len(changes)), doing)


def _write_backend(work: Work, text: str, doing: Doing) -> None:
    path = work.directory / workdir.BACKEND
    doing.changing()
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    path.write_text(_with_others(text, before), encoding="utf-8")
    doing.report(f"state: wrote {path}")


def _with_others(text: str, before: str) -> str:
    """New settings, and those of before that are others: a profile, a role."""
    new = {line.partition("=")[0].strip() for line in text.splitlines()}
    kept = [line for line in before.splitlines() if line.partition("=")[0].strip() not in new]
    return "\n".join([text.rstrip("\n"), *kept, ""])
