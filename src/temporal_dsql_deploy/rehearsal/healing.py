"""Let faults happen to a rehearsal that stands, and watch until it is well or will not be."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporal_dsql_deploy.errors import DeployError, NotRunning, UnknownChoice
from temporal_dsql_deploy.operations import deployed as finding
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.staged.up import Probe
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.platforms.ecs import definitions, evidence, rollout, services, tasks
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.rollout import FAILED_STARTS, Verdict, Wanted
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.ecs.tasks import Task
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.rehearsal import requested
from temporal_dsql_deploy.rehearsal.faults import Faults
from temporal_dsql_deploy.rehearsal.prepare import Request
from temporal_dsql_deploy.rehearsal.requested import Requested, Where
from temporal_dsql_deploy.rehearsal.result import FaultResult, ServiceHealing
from temporal_dsql_deploy.rehearsal.standing import Standing, speaking_to
from temporal_dsql_deploy.rehearsal.stores import Stores, find

LIMIT = 300.0
"""Seconds in which a cluster is well again, or is taken for one that will not be."""
_POLL = 1.0
_HELD = 5.0
"""Seconds that all have to be steady: ECS may not have seen yet what has happened."""
_PROBES = 3
"""The ring and the shards settle some seconds after the tasks are healthy."""


@dataclass(slots=True)
class _Watch:
    """One service, as far as it was watched."""

    service: Service
    steady_at: float | None = None
    """Seconds after the fault."""
    said: str = ""
    """What was reported last."""


def run(
    request: Request, asked: Sequence[Requested], probe: Probe, report: Report, *, limit: float
) -> FaultResult:
    """Let faults happen to what stands of an environment, or take all away where none is asked.

    Raises NotRunning where nothing stands, UnknownChoice and InvalidSetting for what cannot be
    hit, Locked, and what Terraform raises.
    """
    standing = Standing(request.environment.name)
    with standing.directory.lock("rehearse --fault", report, patience=2.0):
        variables = standing.stands()
        if variables is None:
            raise NotRunning(
                f"no rehearsal of {request.environment.name} stands",
                cause="its emulated AWS does not run",
                fix="let one stand: dsql-deploy rehearse ENV --keep",
            )
        with speaking_to(variables):
            return _Healing(request, standing, variables["AWS_ENDPOINT_URL"], report).run(
                asked, probe, limit
            )


class _Healing:
    def __init__(self, request: Request, standing: Standing, url: str, report: Report) -> None:
        self._environment = standing.rehearsed(request.environment)
        self._how = request.how()
        self._report = report
        self._stores = Stores(standing.directory, find())
        self._faults = Faults(url)
        how = finding.How(request.terraform, request.provider_mirror)
        self._deployed = finding.find(self._environment, how)
        self._clients = Clients.of(self._deployed.region)
        self._since = datetime.now(UTC)

    def run(self, asked: Sequence[Requested], probe: Probe, limit: float) -> FaultResult:
        self._since = datetime.now(UTC)
        began = time.monotonic()
        if not asked:
            self._faults.clear()
            self._stores.close()
            self._report("all faults are taken away")
        hit = [one for each in asked for one in self._do(each)]
        watched = self._until_steady(set(hit), began, limit)
        steady = all(one.steady_at is not None for one in watched.values())
        tries = 1 if any(one.kind.lasting for one in asked) else _PROBES
        proof, trouble = self._probe(probe, tries) if steady else (None, "")
        well = steady and proof is not None and proof.ok
        causes = [] if well else self._causes(watched, trouble)
        seconds = [one.steady_at or 0.0 for one in watched.values()]
        return FaultResult(
            environment=self._environment.name,
            ok=well,
            faults=[str(one) for one in asked],
            hit=hit,
            lasting=[str(one) for one in asked if one.kind.lasting],
            services=[_healing(name, one) for name, one in watched.items()],
            seconds=max(seconds, default=0.0) if steady else None,
            stopped=[line for one in watched.values() for line in self._stopped(one.service)],
            events=[line for one in watched.values() for line in self._events(one.service)],
            causes=causes,
            probe=proof,
        )

    def _do(self, asked: Requested) -> list[str]:
        where = Where(
            self._faults,
            lambda: self._stores.close(database=True),
            lambda component: service_name(self._deployed, component),
        )
        hit = requested.do(asked, where)
        self._report(": ".join(filter(None, (str(asked), asked.what, ", ".join(hit)))))
        return hit

    def _until_steady(self, hit: set[str], began: float, limit: float) -> dict[str, _Watch]:
        """Every service, watched until all have been steady for a while, or will not be."""
        found: dict[str, _Watch] = {}
        while True:
            passed = time.monotonic() - began
            there = services.look(self._deployed, self._clients)
            running = tasks.look(list(there.values()), self._clients)
            for component, service in there.items():
                one = found.setdefault(component, _Watch(service))
                one.service = service
                self._judge(one, running[component], hit, passed)
            steady = [one.steady_at for one in found.values()]
            at = [second for second in steady if second is not None]
            if len(at) == len(steady) and passed - max(at, default=0.0) >= _HELD:
                return found
            if passed >= limit or self._is_hopeless(found, hit):
                return found
            time.sleep(_POLL)

    def _judge(self, one: _Watch, running: Sequence[Task], hit: set[str], passed: float) -> None:
        service = one.service
        steady = self._is_steady(service, running, hit)
        if not steady:
            one.steady_at = None
        elif one.steady_at is None:
            one.steady_at = round(passed, 1)
        said = f"{service.running} of {service.desired} run, {'' if steady else 'not '}steady"
        # At first all are as they were.
        if said != one.said and (one.said or not steady):
            self._report(f"{service.component}: {said}")
        one.said = said

    def _is_steady(self, service: Service, running: Sequence[Task], hit: set[str]) -> bool:
        if any(one.arn in hit for one in running):
            return False
        checked = definitions.is_checked(service.task_definition, self._clients)
        verdict = rollout.judge(Wanted.of(service), service, running, checked=checked)
        return verdict is Verdict.DONE

    def _is_hopeless(self, found: Mapping[str, _Watch], hit: set[str]) -> bool:
        return any(
            sum(task.failed and task.arn not in hit for task in self._ended(one.service))
            >= FAILED_STARTS
            for one in found.values()
            if one.steady_at is None
        )

    def _ended(self, service: Service) -> list[Task]:
        """Its tasks that have stopped since the fault, the oldest first."""
        found = tasks.look([service], self._clients, wanted=tasks.STOPPED)[service.component]
        ended = [one for one in found if one.stopped is not None and one.stopped >= self._since]
        return sorted(ended, key=lambda one: one.stopped or self._since)

    def _stopped(self, service: Service) -> list[str]:
        return [
            f"{service.component}: task {one.id}: {one.stopped_reason or 'no reason'}; {one.why}"
            for one in self._ended(service)
        ]

    def _events(self, service: Service) -> list[str]:
        new = [one for one in service.events if one.at >= self._since]
        return [f"{service.component}: {one.message}" for one in reversed(new)]

    def _probe(self, probe: Probe, tries: int) -> tuple[ProbeResult | None, str]:
        """The last result, and why there is none."""
        with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
            work = Work(self._environment, self._how, Path(folder))
            for left in reversed(range(tries)):
                try:
                    result = probe(work, True)
                except DeployError as error:
                    return None, f"it cannot be probed: {error.message}: {error.cause}"
                if result.ok or not left:
                    return result, ""
                self._report("the probe failed; once more")
        raise AssertionError("a probe is tried once at least")

    def _causes(self, watched: Mapping[str, _Watch], trouble: str) -> list[str]:
        ill = [one.service for one in watched.values() if one.steady_at is None]
        # Tasks that run on without what they need tell it in their logs alone.
        asked = ill or [one.service for one in watched.values()]
        found = [evidence.gather(one, self._clients, self._since) for one in asked]
        said = [line for one in found for line in evidence.sentences(one)]
        return list(dict.fromkeys([*filter(None, [trouble]), *said]))


def _healing(component: str, one: _Watch) -> ServiceHealing:
    return ServiceHealing(component, one.service.desired, one.service.running, one.steady_at)


def service_name(deployed: Deployed, component: str) -> str:
    """Name of a component's service. Raises UnknownChoice."""
    if component in deployed.components:
        return str(deployed.service(component)["service_name"])
    raise UnknownChoice(
        f"there is no service {component!r}",
        cause=f"known are: {', '.join(deployed.components)}",
        fix="name one of them",
    )
