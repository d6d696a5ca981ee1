"""What this machine has and lacks for each thing that the tool can do."""

import configparser
import os
import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.protocol import Platform, Requirement, Result


@dataclass(frozen=True, slots=True)
class Capability(Result):
    """One thing that the tool can do, and what it takes."""

    name: str
    verbs: list[str]
    """The commands that need it."""
    ok: bool
    requirements: list[Requirement]


@dataclass(frozen=True, slots=True)
class DoctorResult(Result):
    """The state of this machine."""

    environment: str
    ok: bool
    """Whether the environment itself can be started and used here."""
    capabilities: list[Capability]


def doctor(platform: Platform, environment: str) -> DoctorResult:
    """Look at everything; nothing is changed, and nothing that is missing is an error."""
    cluster = _capability(
        f"run environment {environment}",
        ["up", "down", "status", "logs", "probe", "destroy"],
        [_system(), *platform.requirements()],
    )
    pages = _capability("show pages in a browser", ["open"], [_browser()])
    terraform = [_terraform(), _providers()]
    offline = _capability(
        "plan environments on AWS without an account", ["plan --offline", "diagram"], terraform
    )
    online = _capability(
        "plan environments on AWS", ["plan"], [*terraform, credentials(os.environ)]
    )
    return DoctorResult(
        environment=environment, ok=cluster.ok, capabilities=[cluster, pages, offline, online]
    )


def _capability(name: str, verbs: list[str], requirements: list[Requirement]) -> Capability:
    ok = all(requirement.ok for requirement in requirements)
    return Capability(name=name, verbs=verbs, ok=ok, requirements=requirements)


def _system() -> Requirement:
    known = {"linux": "Linux", "darwin": "macOS"}
    found = known.get(sys.platform, sys.platform)
    return Requirement(
        name="operating system",
        ok=sys.platform in known,
        found=found,
        remedy="" if sys.platform in known else "use Linux, macOS or WSL 2",
    )


def _browser() -> Requirement:
    try:
        found = webbrowser.get().name
    except webbrowser.Error:
        return Requirement(
            name="web browser",
            ok=False,
            found="none that can be started from here",
            remedy="open the URL that `dsql-deploy open` prints on the machine you sit at",
        )
    return Requirement(name="web browser", ok=True, found=found)


def _terraform() -> Requirement:
    from temporal_dsql_deploy.terraform import find

    try:
        found = find.find()
    except DeployError as error:
        return Requirement(
            name="Terraform", ok=False, found=f"{error.message}: {error.cause}", remedy=error.fix
        )
    return Requirement(name="Terraform", ok=True, found=f"{found.version} ({found.path})")


def _providers() -> Requirement:
    from temporal_dsql_deploy.terraform import mirror

    try:
        found = mirror.find()
    except DeployError as error:
        return Requirement(
            name="providers", ok=False, found=f"{error.message}: {error.cause}", remedy=error.fix
        )
    # Whether the network lets one through is not tried: nothing here takes long.
    return Requirement(name="providers", ok=True, found=f"from {found.words}")


def credentials(environ: Mapping[str, str]) -> Requirement:
    """Whether there are AWS credentials to try; AWS is not asked whether they work."""
    found = _credentials(environ)
    return Requirement(
        name="AWS credentials",
        ok=bool(found),
        found=found or "none in the environment or the files of the AWS CLI",
        remedy=""
        if found
        else "aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; on an "
        "EC2 instance with a role there is nothing to do",
    )


def _credentials(environ: Mapping[str, str]) -> str:
    if environ.get("AWS_ACCESS_KEY_ID") and environ.get("AWS_SECRET_ACCESS_KEY"):
        return "AWS_ACCESS_KEY_ID of the environment; not tried"
    for variable in (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ):
        if environ.get(variable):
            return f"{variable} of the environment; not tried"
    profile = environ.get("AWS_PROFILE") or "default"
    folder = Path(environ.get("HOME") or "/") / ".aws"
    files = (
        (environ.get("AWS_SHARED_CREDENTIALS_FILE") or folder / "credentials", profile),
        (
            environ.get("AWS_CONFIG_FILE") or folder / "config",
            profile if profile == "default" else f"profile {profile}",
        ),
    )
    for path, section in files:
        if _gives(Path(path), section):
            return f"profile {profile} of {path}; not tried"
    return ""


_GIVES = (
    "aws_access_key_id",
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "login_session",
)
"""Settings of a profile that credentials come from."""


def _gives(path: Path, section: str) -> bool:
    profiles = configparser.RawConfigParser(strict=False)
    try:
        profiles.read(path)
    except (OSError, configparser.Error, UnicodeDecodeError):
        return False
    return any(profiles.has_option(section, setting) for setting in _GIVES)
