"""Climb the ladder: look, repair, look again, until a probe passes or nothing is left to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    DeployError,
    NotConfirmed,
    NotForPlatform,
    NotReady,
    StartFailed,
    StoppedHalfway,
)
from temporal_dsql_deploy.operations.membership import clean
from temporal_dsql_deploy.operations.membership.look import look
from temporal_dsql_deploy.operations.probe.cluster import one_process
from temporal_dsql_deploy.operations.prove import Proof, prove
from temporal_dsql_deploy.operations.recover.decide import after_probe, decide, wrong
from temporal_dsql_deploy.operations.recover.result import (
    Action,
    Done,
    RecoverPlan,
    RecoverResult,
    Repair,
    Seen,
)
from temporal_dsql_deploy.operations.recover.seeing import see, silent_for
from temporal_dsql_deploy.operations.undone import uninterrupted
from temporal_dsql_deploy.platforms.cluster.runs import STORES
from temporal_dsql_deploy.platforms.protocol import GRACE, Platform, Report

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.probe.result import ProbeResult

_POLL = 0.25
_NO_GRACE = 2.0
"""Seconds to stop for what serves nobody, and is no store: that would have to recover too."""
Confirm = Callable[[Repair], bool]
"""Asks whether everything may be stopped."""


def plan(
    platform: Platform, environment: Environment, *, deadline: float, report: Report
) -> RecoverPlan:
    """What `recover` would do first; it changes nothing but what a probe does.

    Raises NotRunning, NotForPlatform.
    """
    _refuse_one_process(platform, environment)
    seen = see(platform)
    repair = decide(seen, waited=0, tried=[])
    probe = None
    if repair is None:
        probe = prove(platform, environment, Proof(deadline, changed=False), report)
        repair = after_probe(seen, probe, [])
    return RecoverPlan(environment.name, wrong(seen, probe), repair, probe)


def recover(
    platform: Platform,
    environment: Environment,
    *,
    deadline: float,
    confirm: Confirm,
    report: Report,
) -> RecoverResult:
    """Do the least that cures the cluster, and prove that it does.

    `deadline` is in seconds, for each check of the probe. Raises NotRunning, NotForPlatform;
    NotConfirmed where all roles would have to be stopped and that is not wanted; StoppedHalfway.
    """
    _refuse_one_process(platform, environment)
    with platform.lock("recover", report):
        ladder = _Ladder(platform, environment, report, deadline)
        with ladder.told():
            ladder.climb(confirm)
        return ladder.result()


def _refuse_one_process(platform: Platform, environment: Environment) -> None:
    if one_process(platform):
        raise NotForPlatform(
            f"environment {environment.name} has nothing to recover but one process",
            cause="the embedded server has no ring and no instances",
            fix="start it if it does not run: dsql-deploy up ENV, or: dsql-deploy restart ENV",
        )


class _Ladder:
    """How far a recovery has come."""

    def __init__(
        self, platform: Platform, environment: Environment, report: Report, deadline: float
    ) -> None:
        self._platform = platform
        self._environment = environment
        self._report = report
        self._deadline = deadline
        self._done: list[Done] = []
        self._first: list[str] | None = None
        self._left: list[str] = []
        self._probe: ProbeResult | None = None
        self._served = False

    def climb(self, confirm: Confirm) -> None:
        """Until nothing is wrong any more, or nothing is left to be done."""
        waited = None
        while True:
            seen = see(self._platform)
            waited = waited or time.monotonic()
            repair = decide(seen, waited=time.monotonic() - waited, tried=self._tried())
            self._probe = None
            if repair is None:
                self._say_serving()
                proof = Proof(self._deadline, changed=bool(self._done))
                self._probe = prove(self._platform, self._environment, proof, self._report)
                repair = after_probe(seen, self._probe, self._tried())
            self._remember(seen)
            if repair is None:
                return
            if repair.action is Action.GIVE_UP:
                return
            if repair.action is Action.WAIT:
                time.sleep(_POLL)
                continue
            if repair.action is Action.REBUILD and not confirm(repair):
                raise NotConfirmed(
                    "not all roles are stopped without a confirmation",
                    cause="; ".join(repair.why),
                    fix="say that you are sure: dsql-deploy recover ENV --yes",
                )
            self._repair(repair, seen)
            waited = None

    def _tried(self) -> list[Repair]:
        return [one.repair for one in self._done]

    def _remember(self, seen: Seen) -> None:
        self._left = wrong(seen, self._probe)
        if self._first is None:
            self._first = self._left
            for line in self._left:
                self._report(f"wrong: {line}")

    def _say_serving(self) -> None:
        if self._done and not self._served:
            self._served = True
            self._report("everything is SERVING and in the ring")

    def _repair(self, repair: Repair, seen: Seen) -> None:
        """Try it; what goes wrong with it is seen by the next look."""
        began = time.monotonic()
        self._report(str(repair))
        error = ""
        # Before it is tried: whatever happens now, something has been changed.
        self._done.append(Done(repair, 0.0))
        try:
            if repair.rows:
                self._clean()
            if repair.names:
                grace = GRACE if {*seen.serving, *STORES} & {*repair.names} else _NO_GRACE
                self._platform.restart(repair.names, grace=grace)
        except (StartFailed, NotReady) as failed:
            error = f"{failed.message}: {failed.cause}"
            self._report(error)
        self._done[-1] = Done(repair, round(time.monotonic() - began, 1), error)

    def _clean(self) -> None:
        """Delete rows by what is seen at this very moment."""
        seen = look(self._platform, self._environment.name, report=lambda _: None)
        clean.delete(self._platform, seen, silent_for=silent_for(self._platform))

    @contextmanager
    def told(self) -> Iterator[None]:
        """Once something was changed, whatever ends the climb says what stands."""
        try:
            yield
        except (DeployError, KeyboardInterrupt) as error:
            if not self._done:
                raise
            with uninterrupted():
                raise self._halfway(error) from error

    def _halfway(self, error: BaseException) -> StoppedHalfway:
        there = self._platform.instances()
        runs = [one.name for one in there if one.running]
        lines = [f"{one.name} does not run: {one.note}" for one in there if not one.running]
        lines.insert(0, f"running: {', '.join(runs) or 'nothing'}")
        if isinstance(error, DeployError):
            lines = [f"{error.message}: {error.cause}", *lines]
        return StoppedHalfway(
            "the recovery has stopped half way",
            cause="\n".join(lines),
            fix="to go on: dsql-deploy recover ENV",
        )

    def result(self) -> RecoverResult:
        """What was found, done and proved."""
        return RecoverResult(
            environment=self._environment.name,
            ok=self._probe is not None and self._probe.ok,
            wrong=self._first or [],
            repairs=self._done,
            left=self._left,
            status=self._platform.status(),
            probe=self._probe,
        )
