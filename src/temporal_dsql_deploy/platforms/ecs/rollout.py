"""Ask ECS for a change of a service, and wait until it has come true and not something else."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import NotApplied, NotReady, RolledBack
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import definitions, evidence, services, tasks
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.services import Deployment, Service
from temporal_dsql_deploy.platforms.ecs.tasks import Task
from temporal_dsql_deploy.platforms.protocol import Report

LIMIT = 1200.0
"""Seconds: an instance may have to start, and a role in reservoir mode waits minutes for its pool;
the circuit breaker of ECS gives up after three tasks that failed."""
POLL = 5.0
SETTLING = 30.0
"""Seconds for which ECS may not yet show a deployment that it has been asked for."""
FAILED_STARTS = 3
"""Tasks of a service that may end: more will, one after another. As many as the circuit breaker of
ECS takes at the least; that watches deployments alone, and of a service that is only given more
tasks ECS starts them for ever."""
_OVERLAP = timedelta(seconds=60)
"""That clocks may differ: tasks that stopped before the wait are no evidence."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a service is to come to."""

    service: Service
    """As ECS said it was when it was asked."""
    desired: int
    """Tasks."""
    task_definition: str = ""
    """ARN; empty for any, which is right for none: 0 tasks."""
    deployment: str = ""
    """Id of the deployment that is to become that; empty for any of this task definition."""

    @classmethod
    def of(cls, asked: Service) -> "Wanted":
        """What ECS has just been asked for, as its answer says it."""
        primary = asked.primary
        return cls(
            asked, asked.desired, asked.task_definition, "" if primary is None else primary.id
        )


class Verdict(Enum):
    """What an answer of ECS says of what is wanted."""

    DONE = auto()
    NOT_YET = auto()
    OTHER = auto()
    """Something else is deployed, or not yet this."""
    ROLLED_BACK = auto()


def ask(
    service: Service,
    clients: Clients,
    *,
    desired: int | None = None,
    task_definition: str | None = None,
    force: bool = False,
) -> Wanted:
    """Call ecs:UpdateService; what is None stays. `force` makes new tasks of the same definition.

    The answer is what `wait` takes. Raises what `aws.told` makes of a refusal.
    """
    change: dict[str, Any] = {}
    if desired is not None:
        change["desiredCount"] = desired
    if task_definition is not None:
        change["taskDefinition"] = task_definition
    if force:
        change["forceNewDeployment"] = True
    with aws.calling(f"change the service {service.name} (ecs:UpdateService)"):
        said = clients.ecs.update_service(cluster=service.cluster, service=service.name, **change)
    return Wanted.of(services.parse(service.component, said["service"]))


def judge(wanted: Wanted, now: Service, there: Sequence[Task], *, checked: bool) -> Verdict:
    """What one answer of DescribeServices says, with the tasks that are wanted to run.

    `checked`: whether the task definition has a health check; without one no task is ever HEALTHY.
    """
    if wanted.desired == 0 and not wanted.task_definition:
        return Verdict.DONE if not (now.desired or now.running or there) else Verdict.NOT_YET
    if any(one.rollout == "FAILED" for one in now.deployments if _is_wanted(wanted, one)):
        return Verdict.ROLLED_BACK
    if wanted.deployment and any(_is_failure_of(wanted, one.message) for one in now.events):
        return Verdict.ROLLED_BACK
    primary = now.primary
    if primary is None or not _is_wanted(wanted, primary):
        return Verdict.OTHER
    return (
        Verdict.DONE if _stands(wanted, now, primary, there, checked=checked) else Verdict.NOT_YET
    )


def _is_wanted(wanted: Wanted, deployment: Deployment) -> bool:
    if deployment.task_definition != wanted.task_definition:
        return False
    return wanted.deployment in {"", deployment.id}


def _is_failure_of(wanted: Wanted, event: str) -> bool:
    """A deployment that has failed is soon none of a service's any more; its event stays."""
    return f"(deployment {wanted.deployment}) deployment failed" in event


def _stands(
    wanted: Wanted, now: Service, primary: Deployment, there: Sequence[Task], *, checked: bool
) -> bool:
    if (now.desired, now.running, now.pending) != (wanted.desired, wanted.desired, 0):
        return False
    if primary.rollout != "COMPLETED" or primary.running != wanted.desired:
        return False
    mine = [one for one in there if one.task_definition == wanted.task_definition]
    well = [
        one
        for one in mine
        if one.deployment in {"", primary.id}
        and one.status == "RUNNING"
        and (one.health == "HEALTHY" or not checked)
    ]
    return len(well) == len(there) == wanted.desired


def wait(  # noqa: PLR0913 - how long, by which clock, and what not
    wanted: Sequence[Wanted],
    clients: Clients,
    report: Report,
    *,
    limit: float = LIMIT,
    clock: Clock = REAL,
    without: Collection[str] = (),
) -> dict[str, list[Task]]:
    """Until each stands as it is wanted: its tasks by component.

    That is: its PRIMARY deployment is the one wanted and COMPLETED, as many tasks run as are
    wanted, and each is HEALTHY. `limit` is in seconds; `without` are ARNs of tasks that have to be
    gone. Raises RolledBack when ECS has given a deployment up or runs another than the one wanted,
    NotReady at the limit, and when tasks end again and again where ECS gives nothing up, each with
    evidence; NotApplied for a service that was deleted; and what
    `aws.told` makes of a refusal.
    """
    waiting = _Waiting(clients, report, clock, without)
    left = list(wanted)
    done: dict[str, list[Task]] = {}
    while True:
        found = waiting.look(left)
        done |= found
        left = [one for one in left if one.service.component not in found]
        if not left:
            return done
        if clock.now() - waiting.began >= limit:
            raise waiting.not_ready(left, limit)
        clock.sleep(POLL)


class _Waiting:
    """How far a wait has come."""

    def __init__(
        self, clients: Clients, report: Report, clock: Clock, without: Collection[str]
    ) -> None:
        self._clients = clients
        self._report = report
        self._clock = clock
        self._without = without
        self._since = datetime.now(UTC) - _OVERLAP
        self._said: dict[str, str] = {}
        self._ended: set[str] = set()
        """Tasks that were told of."""
        self._now: dict[str, Service] = {}
        self.began = clock.now()

    def look(self, left: Sequence[Wanted]) -> dict[str, list[Task]]:
        """The tasks of those that stand as wanted. Raises RolledBack."""
        names = {one.service.name: one.service.component for one in left}
        self._now = services.described(left[0].service.cluster, names, self._clients)
        there = tasks.look(list(self._now.values()), self._clients)
        found: dict[str, list[Task]] = {}
        for wanted in left:
            component = wanted.service.component
            now = self._now.get(component)
            if now is None:
                if not wanted.desired:
                    found[component] = []
                elif self._clock.now() - self.began > SETTLING:
                    raise _gone(wanted)
                continue
            mine = there[component]
            self._tell(wanted, now, mine)
            checked = _is_checked(wanted, self._clients)
            verdict = judge(wanted, now, mine, checked=checked)
            if verdict is Verdict.DONE and not any(one.arn in self._without for one in mine):
                found[component] = mine
            elif verdict is Verdict.ROLLED_BACK or (
                verdict is Verdict.OTHER and self._clock.now() - self.began > SETTLING
            ):
                raise self._rolled_back(wanted, now)
            elif wanted.desired and component not in found:
                self._tell_of_ended(wanted, now)
        return found

    def _tell_of_ended(self, wanted: Wanted, now: Service) -> None:
        """Raises NotReady for the last of too many."""
        ended = [
            one
            for one in tasks.look([now], self._clients, wanted=tasks.STOPPED)[now.component]
            if one.failed and one.task_definition == wanted.task_definition
            if wanted.deployment in {"", one.deployment}
            if one.stopped is None or one.stopped >= self._since
        ]
        for one in ended:
            if one.arn not in self._ended:
                self._ended.add(one.arn)
                self._report(f"{now.component}: task {one.id} has ended: {one.why}")
        primary = now.primary
        # Where another is PRIMARY, the circuit breaker has rolled back: that is told as such.
        rolling = primary is not None and not (
            primary.rollout == "COMPLETED" and _is_wanted(wanted, primary)
        )
        watched = rolling and now.circuit_breaker
        if len(ended) >= FAILED_STARTS and not watched:
            raise NotReady(
                f"{now.component}: {len(ended)} tasks have ended, one after another",
                cause="\n".join(self._evidence(wanted)),
                fix="correct what they say, then try again; until then ECS starts more of them: "
                f"dsql-deploy scale ENV {now.component}=0",
            )

    def _tell(self, wanted: Wanted, now: Service, there: Sequence[Task]) -> None:
        healthy = sum(one.health == "HEALTHY" for one in there)
        rollout = now.primary.rollout if now.primary else "no deployment"
        said = f"{now.running} of {wanted.desired} run, {healthy} healthy, {rollout}"
        if said != self._said.get(now.component):
            self._said[now.component] = said
            self._report(f"{now.component}: {said}")

    def not_ready(self, left: Sequence[Wanted], limit: float) -> NotReady:
        """What the end of the time is told as."""
        names = [one.service.component for one in left]
        return NotReady(
            f"{', '.join(names)}: not as wanted within {limit:g} s",
            cause="\n".join(line for one in left for line in self._evidence(one)),
            fix="correct what it says, then try again; ECS goes on by itself meanwhile: "
            "dsql-deploy status ENV",
        )

    def _rolled_back(self, wanted: Wanted, now: Service) -> RolledBack:
        primary = now.primary
        runs = "nothing" if primary is None else _revision(primary.task_definition)
        reasons = [one.reason for one in now.deployments if one.reason]
        lines = [
            f"wanted: {_revision(wanted.task_definition)} {wanted.deployment}".rstrip(),
            f"deployed now: {runs} {'' if primary is None else primary.id}".rstrip(),
            *dict.fromkeys(reasons),
            *self._evidence(wanted),
        ]
        return RolledBack(
            f"ECS does not deploy {now.component} as it was asked to",
            cause="\n".join(lines),
            fix="correct what its tasks say, apply, then try again",
        )

    def _evidence(self, wanted: Wanted) -> list[str]:
        component = wanted.service.component
        now = self._now.get(component)
        if now is None:
            return evidence.sentences(evidence.Evidence(component))
        return evidence.sentences(evidence.gather(now, self._clients, self._since))


def _gone(wanted: Wanted) -> NotApplied:
    return NotApplied(
        f"ECS has no service {wanted.service.name} any more",
        cause="somebody has deleted it while it was waited for",
        fix="let the apply make it anew: dsql-deploy up ENV",
    )


def _is_checked(wanted: Wanted, clients: Clients) -> bool:
    found = wanted.task_definition
    return not found or definitions.is_checked(found, clients)


def _revision(task_definition: str) -> str:
    """family:revision."""
    return task_definition.rpartition("/")[2]
