"""Stop a cluster, and remove what it has stored."""

from dataclasses import dataclass

from temporal_dsql_deploy.platforms.protocol import Platform, Report, Result, Stopped, Stored


@dataclass(frozen=True, slots=True)
class DownResult(Result):
    """What `down` found and did."""

    environment: str
    stopped: Stopped
    kept: list[Stored]
    """What `up` goes on with."""


@dataclass(frozen=True, slots=True)
class DestroyResult(Result):
    """What `destroy` removed, or with --dry-run would remove."""

    environment: str
    stopped: Stopped
    removed: list[Stored]


def down(
    platform: Platform, environment: str, *, grace: float, dry_run: bool, report: Report
) -> DownResult:
    """Stop everything gracefully and keep the data; `grace` is in seconds."""
    stored = platform.stored()
    if dry_run or not stored:
        found = Stopped(was_running=platform.running())
        return DownResult(environment=environment, stopped=found, kept=stored)
    with platform.lock("down", report):
        stopped = platform.stop(grace=grace)
        return DownResult(environment=environment, stopped=stopped, kept=platform.stored())


def destroy(
    platform: Platform, environment: str, *, grace: float, dry_run: bool, report: Report
) -> DestroyResult:
    """Stop everything and delete the data. The caller has asked whether that is wanted."""
    stored = platform.stored()
    if dry_run or not stored:
        found = Stopped(was_running=platform.running())
        return DestroyResult(environment=environment, stopped=found, removed=stored)
    with platform.lock("destroy", report):
        stopped = platform.stop(grace=grace)
        removed = platform.stored()
        platform.remove()
        return DestroyResult(environment=environment, stopped=stopped, removed=removed)
