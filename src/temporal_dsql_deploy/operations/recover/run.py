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
    NotRunning,
    StartFailed,
    StoppedHalfway,
)
from temporal_dsql_deploy.interrupts import uninterrupted
from temporal_dsql_deploy.operations.membership import clean
from temporal_dsql_deploy.operations.membership.look import look
from temporal_dsql_deploy.operations.probe.cluster import one_process
from temporal_dsql_deploy.operations.prove import Proof, prove
from temporal_dsql_deploy.operations.recover.decide import (
    after_probe,
    decide,
    harm,
    symptoms,
    wrong,
)
from temporal_dsql_deploy.operations.recover.result import (
    Action,
    Done,
    RecoverPlan,
    RecoverResult,
    Repair,
    Seen,
)
from temporal_dsql_deploy.operations.recover.seeing import see, silent_for
from temporal_dsql_deploy.platforms.protocol import GRACE, STORES, Platform, Report

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.probe.result import ProbeResult

_POLL = 0.25
_NO_GRACE = 2.0
"""Seconds to stop for what serves nobody, and is no store: that would have to recover too."""
Confirm = Callable[[Repair], bool] | None
"""Asks whether everything may be stopped; None where it may without a question."""


def plan(
    platform: Platform, environment: Environment, *, deadline: float, report: Report
) -> RecoverPlan:
    """What `recover` would do first; it changes nothing but what a probe does.

    Raises NotRunning, NotForPlatform.
    """
    _refuse_one_process(platform, environment)
    seen = see(platform)
    repair = decide(seen, {}, [])
    probe = None
    if repair is None:
        proof = Proof(deadline, changed=False)
        probe = prove(platform, environment, proof, report)
        if not probe.ok:
            # It may have been chance.
            probe = prove(platform, environment, proof, report)
        repair = after_probe(seen, probe, 0.0, [])
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
        self._harm = False
        self._probe: ProbeResult | None = None
        self._served = False
        self._since: dict[str, float] = {}
        """By symptom when it was seen first, of those that have been seen ever since."""
        self._failing: float | None = None
        """Since when probes have failed."""
        self._sure = False
        """Whether the question was answered with yes, and nothing was changed since."""

    def climb(self, confirm: Confirm) -> None:
        """Until nothing is wrong any more, or nothing is left to be done."""
        while True:
            seen = see(self._platform)
            try:
                repair = self._next(seen)
            except NotRunning as error:
                # What was asked by a probe ended meanwhile: the next look sees it.
                self._report(f"{error.message}: {error.cause}")
                time.sleep(_POLL)
                continue
            self._remember(seen, repair)
            if repair is None or repair.action is Action.GIVE_UP:
                return
            if repair.action is Action.WAIT:
                time.sleep(_POLL)
            elif repair.action is Action.REBUILD and confirm and not self._sure:
                self._ask(confirm, repair)
            else:
                self._repair(repair, seen)

    def _next(self, seen: Seen) -> Repair | None:
        """What to do now. Raises NotRunning where no frontend runs that could be probed."""
        self._probe = None
        repair = decide(seen, self._ages(seen), self._tried())
        if repair is not None:
            return repair
        self._say_serving()
        failing = self._failing
        # The first is repeated as long as what was changed may be why it fails.
        proof = Proof(self._deadline, changed=bool(self._done) and failing is None)
        self._probe = prove(self._platform, self._environment, proof, self._report)
        now = time.monotonic()
        self._failing = None if self._probe.ok else failing or now
        age = None if failing is None else now - failing
        return after_probe(seen, self._probe, age, self._tried())

    def _ages(self, seen: Seen) -> dict[str, float]:
        now = time.monotonic()
        self._since = {one: self._since.get(one, now) for one in symptoms(seen)}
        return {one: now - since for one, since in self._since.items()}

    def _ask(self, confirm: Callable[[Repair], bool], repair: Repair) -> None:
        """Whoever is asked may take long to answer, so after a yes it is looked at once more."""
        if not confirm(repair):
            raise NotConfirmed(
                "not all roles are stopped without a confirmation",
                cause="; ".join(repair.why),
                fix="say that you are sure: dsql-deploy recover ENV --yes",
            )
        self._sure = True
        self._report("look once more whether that is still so")

    def _tried(self) -> list[Repair]:
        return [one.repair for one in self._done]

    def _remember(self, seen: Seen, repair: Repair | None) -> None:
        self._harm = harm(seen)
        self._left = wrong(seen, self._probe)
        if repair is not None and repair.action is Action.GIVE_UP:
            # With why nothing is to be done about it.
            self._left = repair.why
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
        error = ""
        # Before it is told or tried: whatever happens now, something may have been changed.
        self._done.append(Done(repair, 0.0))
        self._report(str(repair))
        cleaned = False
        try:
            if repair.rows:
                cleaned = bool(self._clean())
            if repair.names:
                grace = GRACE if {*seen.serving, *STORES} & {*repair.names} else _NO_GRACE
                self._platform.restart(repair.names, grace=grace)
        except (StartFailed, NotReady) as failed:
            error = f"{failed.message}: {failed.cause}"
            self._report(error)
        except DeployError:
            if not cleaned and self._untouched(repair, seen):
                # It was refused.
                self._done.pop()
            raise
        self._done[-1] = Done(repair, round(time.monotonic() - began, 1), error)
        self._since, self._failing, self._sure = {}, None, False

    def _untouched(self, repair: Repair, seen: Seen) -> bool:
        now = {one.name: one for one in self._platform.instances()}
        return all(now.get(one.name) == one for one in seen.instances if one.name in repair.names)

    def _clean(self) -> set[str]:
        """Delete rows by what is seen at this very moment."""
        seen = look(self._platform, self._environment.name, report=lambda _: None)
        return clean.delete(self._platform, seen, silent_for=silent_for(self._platform))

    @contextmanager
    def told(self) -> Iterator[None]:
        """Once something was changed, whatever ends the climb says what stands."""
        try:
            yield
        except (DeployError, KeyboardInterrupt) as error:
            if not self._done:
                raise
            if isinstance(error, NotConfirmed):
                cause = f"{error.cause}\n{self._said_tried()}"
                raise NotConfirmed(error.message, cause=cause, fix=error.fix) from error
            with uninterrupted():
                raise self._halfway(error) from error

    def _said_tried(self) -> str:
        return f"tried: {'; '.join(str(one.repair) for one in self._done)}"

    def _halfway(self, error: BaseException) -> StoppedHalfway:
        there = self._platform.instances()
        runs = [one.name for one in there if one.running]
        lines = [f"{one.name} does not run: {one.note}" for one in there if not one.running]
        lines = [f"running: {', '.join(runs) or 'nothing'}", *lines, self._said_tried()]
        fix = "to go on"
        if isinstance(error, DeployError):
            lines.insert(0, f"{error.message}: {error.cause}")
            fix = f"{error.fix}; then" if error.fix else fix
        return StoppedHalfway(
            "the recovery has stopped half way",
            cause="\n".join(lines),
            fix=f"{fix}: dsql-deploy recover ENV",
        )

    def result(self) -> RecoverResult:
        """What was found, done and proved."""
        return RecoverResult(
            environment=self._environment.name,
            ok=self._probe is not None and self._probe.ok and not self._harm,
            wrong=self._first or [],
            repairs=self._done,
            left=self._left,
            status=self._platform.status(),
            probe=self._probe,
        )
