"""What Terraform's errors mean, in the words of this tool: what failed, why, what to do next."""

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import (
    BackendMissing,
    BinaryUnusable,
    ConfigurationRejected,
    CredentialsExpired,
    CredentialsMissing,
    DeployError,
    MissingError,
    NotInitialised,
    PermissionMissing,
    Protected,
    ProviderMissing,
    StateLocked,
    TerraformFailed,
    VariableRejected,
    WrongAccount,
)
from temporal_dsql_deploy.terraform.messages import Diagnostic
from temporal_dsql_deploy.terraform.variables import UNDECLARED, declared

_SHOWN = 3
_LOCK = re.compile(r"\b(ID|Who|Operation|Created):\s*(\S.*?)\s*(?=\b[A-Z]\w+:(?:\s|$)|\n|$)")
_WIDTH = 100
"""Characters of a line of somebody's that are repeated."""


@dataclass(frozen=True, slots=True)
class Context:
    """What was being done."""

    verb: str
    """Terraform's subcommand."""
    directory: Path


def translate(
    diagnostics: Sequence[Diagnostic], context: Context, *, output: str = ""
) -> DeployError:
    """The error that a failed run of Terraform is.

    `output` is what it wrote outside its stream of messages.
    """
    errors = [found for found in diagnostics if found.severity == "error"]
    # It ended before its stream of messages began, for instance on an option, or has none.
    said = _line(output)
    told = errors or ([Diagnostic("error", said)] if said else [])
    for make, patterns in _RULES.items():
        fitting = [
            found
            for found in told
            if re.search("|".join(patterns), f"{found.summary}\n{found.detail}", re.IGNORECASE)
        ]
        if fitting and make in (_variable, _precondition):
            return _together([make(found, context) for found in fitting])
        if fitting:
            return make(fitting[0], context)
    if errors:
        return _plain(errors, context)
    return TerraformFailed(
        f"terraform {context.verb} failed",
        cause=said or "it gave no reason",
        fix=f"see what it says by hand: {_terraform(context, context.verb)}",
    )


def warnings(diagnostics: Iterable[Diagnostic], directory: Path) -> tuple[str, ...]:
    """Terraform's warnings of a directory, each in one line."""
    found = [
        f"{_sentence(one)}{f' ({directory / one.place})' if one.place else ''}"
        for one in diagnostics
        if one.severity == "warning" and one.summary not in UNDECLARED
    ]
    return tuple(dict.fromkeys(found))


def _together(refused: Sequence[DeployError]) -> DeployError:
    """All values that are refused as one error: they can be corrected in one go."""
    if len(refused) == 1:
        return refused[0]
    messages, causes, fixes = (
        "; ".join(dict.fromkeys(part.rstrip(".") for part in parts))
        for parts in zip(*((one.message, one.cause, one.fix) for one in refused), strict=True)
    )
    return VariableRejected(messages, cause=causes, fix=fixes)


def _plain(errors: Sequence[Diagnostic], context: Context) -> DeployError:
    first = errors[0]
    subject = first.address or first.place
    others = [_sentence(found) for found in errors[1:]]
    more = f" (and {len(others)} more)" if others else ""
    cause = "; ".join([_sentence(first), *others[: _SHOWN - 1]])
    if first.place and not first.address:
        return ConfigurationRejected(
            f"{_path(first, context)} is not right{more}",
            cause=cause,
            fix="correct the line that is named",
        )
    return TerraformFailed(
        f"terraform {context.verb} failed" + (f" at {subject}" if subject else "") + more,
        cause=cause,
        fix="correct what is named and run the same command again; it goes on where it was",
    )


def _lock(found: Diagnostic, context: Context) -> DeployError:
    # Of a subcommand without a stream of messages all is one line.
    info = dict(_LOCK.findall(f"{found.summary} {found.detail}"))
    who = info.get("Who", "somebody")
    since = f" since {info['Created']}" if "Created" in info else ""
    operation = info.get("Operation", "").removeprefix("OperationType").lower()
    unlock = _terraform(context, "force-unlock", info.get("ID", "ID"))
    return StateLocked(
        f"the Terraform state of {context.directory.name} is locked by {who}{since}",
        cause=f"a terraform {operation} holds it" if operation else _sentence(found),
        fix=f"wait until that is done; if it runs no more, give the lock back: {unlock}",
        lock=info,
    )


def _variable(found: Diagnostic, context: Context) -> DeployError:
    name = re.search(r'input variable "([^"]+)"|required variable "([^"]+)"', found.detail)
    if name:
        given = context.directory / "terraform.tfvars"
        variable = name[1] or name[2]
        return VariableRejected(
            f"the Terraform variable {variable} has no value",
            cause=f"{_path(found, context)} declares it without a default",
            fix=f"give it one in {given} or with --var-file; terraform.tfvars.example, where there "
            "is one beside it, shows how",
        )
    said, _, checked = found.detail.partition("This was checked by the validation rule at ")
    where = checked.strip().rstrip(".").partition(",")[0]
    line = found.code.partition("\n")[0][:_WIDTH]
    return VariableRejected(
        f"{_line(said) or found.summary}",
        cause="the value"
        + (f" given at {_path(found, context)}" if found.place else "")
        + (f" ({line})" if line else "")
        + " is refused"
        + (f" by the rule at {context.directory / where}" if where else ""),
        fix=f"change {_root_variable(found, context)}, in terraform.tfvars, a --var-file or the "
        "module's block",
    )


def _root_variable(found: Diagnostic, context: Context) -> str:
    """What to change: a module's variable may have another name than the root's."""
    named = re.search(r"\bvar\.([A-Za-z_][\w-]*)", found.code)
    if named and named[1] in declared(context.directory):
        return f"the variable {named[1]}"
    return "the value"


def _precondition(found: Diagnostic, context: Context) -> DeployError:
    rule = _path(found, context)
    return VariableRejected(
        _line(found.detail).removesuffix("This check failed, but has an invalid error message."),
        cause=f"{found.address or 'the configuration'} is guarded by {rule}",
        fix="change the values that the message names, in terraform.tfvars or a --var-file",
    )


def _provider(found: Diagnostic, _context: Context) -> DeployError:
    name = re.search(r"provider ((?:[\w.-]+/)?[\w-]+/[\w-]+)", found.detail)
    return ProviderMissing(
        f"Terraform cannot get the provider {name[1] if name else 'that is needed'}",
        cause=_line(found.detail.partition("\n\nTo see which")[0]),
        fix="without a network, name a mirror that holds it: --provider-mirror FOLDER or "
        "DSQL_DEPLOY_PROVIDER_MIRROR; with one, it is made by: terraform providers mirror FOLDER",
    )


def _lock_file(found: Diagnostic, context: Context) -> DeployError:
    return ProviderMissing(
        "the provider that was found is not the one that .terraform.lock.hcl names",
        cause=_line(found.detail),
        fix="take the version of the lock file into the mirror, or change the lock file: "
        + _terraform(context, "init", "-upgrade"),
    )


def _expired(found: Diagnostic, _context: Context) -> DeployError:
    return CredentialsExpired(
        "the AWS credentials have expired",
        cause=_sentence(found),
        fix="get new ones (with IAM Identity Center: aws sso login), then try again",
    )


def _credentials(found: Diagnostic, _context: Context) -> DeployError:
    return CredentialsMissing(
        "there are no AWS credentials that work",
        cause=_sentence(found),
        fix="give some: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY; without an AWS account: dsql-deploy plan ENV --offline",
    )


def _account(found: Diagnostic, _context: Context) -> DeployError:
    said = f"{found.summary} {found.detail}"
    account = re.search(r"account ID not allowed: (\d+)", said, re.I)
    return WrongAccount(
        f"the AWS credentials are of account {account[1] if account else 'another account'}, "
        "which is not this environment's",
        cause="allowed_account_ids of the provider names the account of the environment",
        fix="use credentials of that account (AWS_PROFILE), or correct account_id in "
        "terraform.tfvars",
    )


def _permission(found: Diagnostic, _context: Context) -> DeployError:
    action = re.search(r"not authorized to perform: ([\w-]+:\w+)", found.detail + found.summary)
    subject = f" for {found.address}" if found.address else ""
    return PermissionMissing(
        f"AWS does not allow {action[1] if action else 'something that is needed'}{subject}",
        cause=_sentence(found),
        fix="let these credentials do it, or use others; what was done already stays, and the "
        "same command goes on",
    )


def _backend(found: Diagnostic, context: Context) -> DeployError:
    folder = context.directory
    example = folder / "backend.hcl.example"
    if (folder / "backend.hcl").is_file() or not example.is_file():
        fix = f"correct bucket and region in {folder / 'backend.hcl'}"
    else:
        fix = f"copy {example} to backend.hcl beside it, and give it your bucket and region"
    return BackendMissing(
        f"the place of the Terraform state of {context.directory.name} is not there",
        cause=_sentence(found),
        fix=f"{fix}; where the account has none yet: dsql-deploy up ENV --only state makes it, and "
        "writes that file",
    )


def _not_initialised(found: Diagnostic, context: Context) -> DeployError:
    again = _terraform(context, "init")
    if re.search("backend configuration changed", found.summary, re.IGNORECASE):
        again = (
            f"{_terraform(context, 'init', '-migrate-state')} takes the state along, "
            "-reconfigure leaves it where it was"
        )
    return NotInitialised(
        f"{context.directory} is not initialised, or no longer", cause=_sentence(found), fix=again
    )


def _protected(found: Diagnostic, _context: Context) -> DeployError:
    named = re.search(r"Resource (\S+) has lifecycle\.prevent_destroy", found.detail)
    subject = named[1] if named else found.address or "a resource"
    return Protected(
        f"{subject} is protected against being deleted",
        cause=_sentence(found),
        fix="keep it, or take its protection away first (deletion_protection, prevent_destroy), "
        "apply that, and try again; back its data up before",
    )


def _not_empty(found: Diagnostic, _context: Context) -> DeployError:
    return Protected(
        f"{found.address or 'a bucket'} is not deleted because it is not empty",
        cause=_sentence(found),
        fix="empty it, after a copy of what is to stay, and try again",
    )


def _exists(found: Diagnostic, context: Context) -> DeployError:
    address = found.address or "ADDRESS"
    return TerraformFailed(
        f"{found.address or 'something'} exists already, and is in no state",
        cause=_sentence(found),
        fix="where it is this environment's, as an apply that was killed has left it, take it over "
        f"with its name or id: {_terraform(context, 'import', address, 'ID')}; else remove it, or "
        "give the environment another project_name",
    )


def _version(found: Diagnostic, _context: Context) -> DeployError:
    return BinaryUnusable(
        "this Terraform does not fit the configuration",
        cause=f"{_sentence(found)} ({found.place})",
        fix="use a Terraform that required_version allows, with --terraform or "
        "DSQL_DEPLOY_TERRAFORM",
    )


def _unreachable(found: Diagnostic, _context: Context) -> DeployError:
    return MissingError(
        "AWS cannot be reached",
        cause=_sentence(found),
        fix="see to the network, the proxy and the region; without AWS: "
        "dsql-deploy plan ENV --offline",
    )


def _module(found: Diagnostic, context: Context) -> DeployError:
    return ConfigurationRejected(
        f"{_path(found, context)} calls a module that is not there",
        cause=_sentence(found),
        fix="correct its `source`, or bring the folder that it names",
    )


_Make = Callable[[Diagnostic, Context], DeployError]
_RULES: dict[_Make, tuple[str, ...]] = {
    _lock: ("error (acquiring|locking).* state", "state lock"),
    _version: ("unsupported terraform core version",),
    _provider: ("failed to query available provider packages", "failed to install provider"),
    _lock_file: ("doesn't match any of the checksums", "locked provider .* does not match"),
    _not_initialised: (
        "backend initialization required",
        "backend configuration changed",
        "module not installed",
        "module source has changed",
        "missing required provider",
        "required plugins are not installed",
        "inconsistent dependency lock file",
    ),
    _backend: (
        "required by the backend",
        "missing region value",
        "invalid backend configuration",
        "S3 bucket .*does not exist",
        "NoSuchBucket",
    ),
    _module: ("unreadable module directory", "module not found"),
    _account: ("account ID not allowed",),
    _expired: ("ExpiredToken", "token .*expired", "RequestExpired", "session has expired"),
    _credentials: (
        "no valid credential sources?",
        "failed to refresh cached credentials",
        "failed to (get|load) .*(profile|credentials)",
        "security token included in the request is invalid",
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "AuthFailure",
        "SignatureDoesNotMatch",
    ),
    _permission: ("not authorized to perform", "AccessDenied", "UnauthorizedOperation"),
    _variable: ("no value for required variable", "invalid value for (input )?variable"),
    _precondition: ("resource (pre|post)condition failed", "check block assertion failed"),
    _protected: ("prevent_destroy", "deletion.?protection"),
    _not_empty: ("BucketNotEmpty",),
    _exists: (
        "AlreadyExists",
        "already exists",
        "AlreadyOwnedByYou",
        "creation of .* was not idempotent",
    ),
    _unreachable: (
        "dial tcp",
        "no such host",
        "i/o timeout",
        "connection refused",
        "request send failed",
    ),
}
"""The first that fits one of the errors wins: what hides other errors comes first."""


def _sentence(found: Diagnostic) -> str:
    """Summary and detail in one line."""
    detail = _line(found.detail)
    return f"{_line(found.summary)}: {detail}" if detail else _line(found.summary)


def _line(text: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return " ".join(re.sub(r"^[╷│╵]", "", line).strip() for line in plain.splitlines()).strip()


def _path(found: Diagnostic, context: Context) -> str:
    """The place of a diagnostic, as one can open it."""
    return str(context.directory / found.place) if found.place else str(context.directory)


def _terraform(context: Context, *words: str) -> str:
    return shlex.join(["terraform", f"-chdir={context.directory}", *words])
