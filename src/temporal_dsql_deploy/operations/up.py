"""From whatever is there to a running, probed cluster."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotReady
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.protocol import Change, Platform, Report, Result, Status


@dataclass(frozen=True, slots=True)
class UpResult(Result):
    """What `up` found, did and proved."""

    environment: str
    changes: list[Change]
    """Empty when everything was as it should be."""
    warnings: list[str]
    """Settings that the server has not taken."""
    status: Status
    probe: ProbeResult


@dataclass(frozen=True, slots=True)
class UpPlan(Result):
    """What `up` would do."""

    environment: str
    changes: list[Change]


def up(
    platform: Platform, environment: Environment, *, deadline: float, report: Report
) -> UpResult:
    """Start and reconcile the cluster, wait for it, probe it.

    What this call starts it also stops again when it fails or is interrupted before the cluster is
    ready; a failed probe leaves everything standing, to be looked at.
    """
    with platform.lock("up", report):
        with _undone_on_failure(platform, report) as starting:
            if platform.running() and platform.plan():
                from temporal_dsql_deploy.operations.settle import plan as plan_settling

                # What the server cannot change is refused before it is restarted for the rest.
                with suppress(NotReady):
                    plan_settling(platform, environment)
            changes = platform.start(starting)
            for change in changes:
                report(f"{change.action} {change.what}")
            # The SDK takes as long to import as the server to start: it is imported meanwhile.
            from temporal_dsql_deploy.operations.probe.cluster import one_process, probe_platform
            from temporal_dsql_deploy.operations.settle import settle

            changes += asyncio.run(settle(platform, environment, report))
        try:
            result = probe_platform(
                platform,
                environment.probe_namespace,
                deadline=deadline,
                report=lambda line: report(f"probe: {line}"),
                # What else it tries are the paths between processes.
                thorough=not one_process(platform),
            )
        except KeyboardInterrupt:
            report("the cluster is ready and stays; only its probe was cut off")
            raise
        return UpResult(
            environment=environment.name,
            changes=changes,
            warnings=platform.warnings(),
            status=platform.status(),
            probe=result,
        )


def plan(platform: Platform, environment: Environment) -> UpPlan:
    """What `up` would change; it changes nothing."""
    from temporal_dsql_deploy.operations import settle

    changes = platform.plan() + settle.plan(platform, environment)
    return UpPlan(environment=environment.name, changes=changes)


@contextmanager
def _undone_on_failure(platform: Platform, report: Report) -> Iterator[Callable[[], None]]:
    """Stop the cluster if the block fails after it called what it is given."""
    mine = False

    def starting() -> None:
        nonlocal mine
        mine = True

    try:
        yield starting
    except BaseException as error:
        if mine:
            with _uninterrupted():
                report("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
                report(platform.undo())
        raise


@contextmanager
def _uninterrupted() -> Iterator[None]:
    def ignore(_number: int, _frame: FrameType | None) -> Any:
        return None

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, ignore) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
