"""Start a cluster again, instance by instance, so that somebody serves all the time."""

import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from temporal_dsql_deploy import interrupts, topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import DeployError, NotRunning, StoppedHalfway
from temporal_dsql_deploy.operations import readiness
from temporal_dsql_deploy.operations.joined import SECONDS, taken_now, until_joined
from temporal_dsql_deploy.operations.membership.look import HISTORY
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.prove import Proof, prove
from temporal_dsql_deploy.platforms.protocol import (
    STORES,
    Change,
    Instance,
    Platform,
    Report,
    Result,
    State,
    Status,
)

_UI = "ui"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be restarted, and with how much patience."""

    chosen: Sequence[str]
    """Roles and instances; everything where there is none."""
    grace: float
    """Seconds that each may take to stop."""
    deadline: float
    """Seconds for each check of the probe."""
    options: Sequence[str] = ()
    """Of the command line, for the command that goes on."""


@dataclass(frozen=True, slots=True)
class Restarted(Result):
    """An instance that was stopped and has come back."""

    name: str
    seconds: float
    """From the order to stop until it served, was in every ring and had its shards."""


@dataclass(frozen=True, slots=True)
class RestartResult(Result):
    """What `restart` did and proved."""

    environment: str
    restarted: list[Restarted]
    """In the order in which it was done."""
    status: Status
    probe: ProbeResult


@dataclass(frozen=True, slots=True)
class RestartPlan(Result):
    """What `restart` would do, in this order."""

    environment: str
    changes: list[Change]


def choices(platform: Platform) -> list[str]:
    """What can be restarted by name: roles and the like, then single instances.

    Raises NotRunning.
    """
    there = _instances(platform)
    return list(dict.fromkeys([*(one.component for one in there), *(one.name for one in there)]))


def _instances(platform: Platform) -> list[Instance]:
    """All but the stores, which all others need all the time."""
    if not platform.running():
        platform.frontend()
    return [one for one in platform.instances() if one.component not in STORES]


def plan(platform: Platform, environment: str, chosen: Collection[str]) -> RestartPlan:
    """What `restart` would do; it changes nothing. Raises NotRunning."""
    changes = [
        Change(what=one.name, action="restart" if one.running else "start", detail=one.note)
        for one in _in_order(platform, chosen)
    ]
    return RestartPlan(environment=environment, changes=changes)


def _in_order(platform: Platform, chosen: Collection[str]) -> list[Instance]:
    """Those chosen, all where none is: what does not serve, then the rest in the order of start.

    Who is asked comes before who asks, so each finds those it needs restarted already. What does
    not serve comes first, for whoever serves in its place must not be stopped meanwhile.
    """
    wanted = [
        one
        for one in _instances(platform)
        if not chosen or one.name in chosen or one.component in chosen
    ]
    serving = {
        part.instance or part.name
        for part in platform.status().components
        if part.state is State.SERVING
    }
    return sorted(wanted, key=lambda one: one.running and one.name in serving)


def restart(
    platform: Platform, environment: Environment, request: Request, report: Report
) -> RestartResult:
    """Restart what is asked for, one instance after the other, and probe the cluster.

    Raises NotRunning, and StoppedHalfway at the first that does not come back.
    """
    with platform.lock("restart", report):
        wanted = _in_order(platform, request.chosen)
        _refuse_missing(wanted, request.chosen)
        rolling = _Rolling(platform, wanted, report, request)
        for instance in wanted:
            with rolling.told(instance):
                rolling.restart(instance)
        result = prove(platform, environment, Proof(request.deadline), report)
        return RestartResult(
            environment=environment.name,
            restarted=rolling.done,
            status=platform.status(),
            probe=result,
        )


def _refuse_missing(wanted: Collection[Instance], chosen: Collection[str]) -> None:
    """What was there when it was chosen may be gone once another verb has let go of the lock."""
    there = {name for one in wanted for name in (one.name, one.component)}
    missing = [name for name in chosen if name not in there]
    if missing or not wanted:
        raise NotRunning(
            f"there is no {' and no '.join(missing) or 'instance'} to be restarted any more",
            cause="another command has changed the cluster meanwhile",
            fix="see what there is: dsql-deploy status ENV",
        )


class _Rolling:
    """How far a restart has come."""

    def __init__(
        self, platform: Platform, wanted: Sequence[Instance], report: Report, request: Request
    ) -> None:
        self._platform = platform
        self._wanted = wanted
        self._report = report
        self._grace = request.grace
        self._options = request.options
        self.done: list[Restarted] = []

    def restart(self, instance: Instance) -> None:
        """Returns when it does all that it did before."""
        began = time.monotonic()
        self._report(f"{'restart' if instance.running else 'start'} {instance.name}")
        before = taken_now(self._platform) if instance.component == HISTORY else None
        self._platform.restart([instance.name], grace=self._grace)
        if instance.component in topology.load().roles:
            until_joined(self._platform, [instance.name], before)
        elif instance.component == _UI:
            interrupts.run(readiness.wait_for_ui(self._platform, seconds=SECONDS))
        else:
            interrupts.run(readiness.wait_for_frontend(self._platform, seconds=SECONDS))
        self._say_done(instance, began)

    def _say_done(self, instance: Instance, began: float) -> None:
        self.done.append(Restarted(instance.name, round(time.monotonic() - began, 1)))
        self._report(f"{instance.name} is back after {self.done[-1].seconds} s")

    @contextmanager
    def told(self, instance: Instance) -> Iterator[None]:
        """Whatever goes wrong with an instance, it is said how it is and how the others are."""
        try:
            yield
        except (DeployError, KeyboardInterrupt) as error:
            with interrupts.uninterrupted():
                now = self._now(instance)
                if isinstance(error, DeployError) and not self.done and now == instance:
                    # It was refused before anything was stopped.
                    raise
                if isinstance(error, KeyboardInterrupt) and _may_be_ending(now, instance):
                    self._report(f"interrupted; {instance.name} is started again first")
                    began = time.monotonic()
                    with suppress(DeployError):
                        # How it is then is told with the rest.
                        self._platform.restart([instance.name], grace=self._grace)
                        self._say_done(instance, began)
                raise self._halfway(instance, error) from error

    def _now(self, instance: Instance) -> Instance:
        return next(one for one in self._platform.instances() if one.name == instance.name)

    def _halfway(self, instance: Instance, error: BaseException) -> StoppedHalfway:
        done = [one.name for one in self.done]
        left = [one.name for one in self._wanted if one.name not in {*done, instance.name}]
        now = self._now(instance)
        lines = [
            f"{instance.name}: {'runs' if now.running else now.note}",
            f"restarted: {', '.join(done) or 'none'}",
            f"not touched: {', '.join(left) or 'none'}",
        ]
        message, fix = "the restart was interrupted", "to go on"
        if isinstance(error, DeployError):
            message = f"{instance.name} has not come back"
            lines = [error.message, error.cause, *lines]
            left.insert(0, instance.name)
            fix = f"{error.fix}; then" if error.fix else fix
        again = f"dsql-deploy restart ENV {' '.join([*left, *self._options])}"
        fix = f"{fix}: {again if left else 'dsql-deploy probe ENV'}"
        return StoppedHalfway(message, cause="\n".join(lines), fix=fix)


def _may_be_ending(now: Instance, before: Instance) -> bool:
    """Whether an instance does not run, or has perhaps been told to stop and runs a little yet."""
    return not now.running or now.since == before.since
