"""What this machine has and lacks for each thing that the tool can do."""

import sys
import webbrowser
from dataclasses import dataclass

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
    return DoctorResult(environment=environment, ok=cluster.ok, capabilities=[cluster, pages])


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
