"""The thread that keeps every service as it is wanted, finds places, and looks after instances."""

import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

from temporal_dsql_deploy.rehearsal.ecs import deployments, documents, health, words, world
from temporal_dsql_deploy.rehearsal.ecs.decide import FAILED, Actions, Aim, Rollout, Seen, decide
from temporal_dsql_deploy.rehearsal.ecs.model import (
    ACTIVE,
    BY_SERVICE,
    DRAINING,
    EC2,
    EXITED,
    FAILED_TO_START,
    FARGATE,
    INACTIVE,
    LOST,
    PROVISIONING,
    RUNNING,
    STOPPED,
    Alias,
    Deployment,
    Instance,
    Service,
    Task,
)
from temporal_dsql_deploy.rehearsal.ecs.placing import Host, Misfit, Wish, place
from temporal_dsql_deploy.rehearsal.ecs.words import Events

if TYPE_CHECKING:
    from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs

_MINIMUM, _MAXIMUM = 100, 200
"""Percentages of a service that names none (ECS API, DeploymentConfiguration)."""
_RULES_SECONDS = 1.0


class Scheduler:
    """Looks again and again, and does what is to be done next."""

    def __init__(self, ecs: "Ecs") -> None:
        self._ecs = ecs
        self._chance = Random(0)  # noqa: S311 - of places, not of secrets
        self._judged: set[str] = set()
        """Tasks whose end was counted."""
        self._rules_at = 0.0

    def tick(self) -> None:
        """Look once."""
        ecs = self._ecs
        with ecs.lock:
            self._count_ends()
            for service in list(ecs.services.values()):
                self._serve(service)
            for region in self._regions():
                self._look_after(region)
            self._place_all()
            self._forget()
            for service in list(ecs.services.values()):
                deployments.show(service, ecs.of_service(service.arn))
        self._lead()
        self._raise_walls()

    def _regions(self) -> list[str]:
        arns = [*self._ecs.services, *(task.arn for task in self._ecs.tasks.values())]
        return sorted({world.region_of(arn) for arn in arns} | set(self._ecs.fleets))

    def _count_ends(self) -> None:
        """What tasks that have become ready, or have ended, mean for their deployments."""
        for task in self._ecs.tasks.values():
            service = self._ecs.services.get(task.service)
            if service is None:
                continue
            own = next((one for one in service.deployments if one.id == task.deployment), None)
            if own is None:
                continue
            if task.ready and not task.been_ready:
                task.been_ready = True
                own.failures = 0
            if task.desired == STOPPED and task.id not in self._judged:
                self._judged.add(task.id)
                self._judge(service, own, task)

    def _judge(self, service: Service, own: Deployment, task: Task) -> None:
        unwell = task.stopped_reason == words.HEALTH
        failed = task.stop_code in {FAILED_TO_START, EXITED} and not task.been_ready
        if failed or unwell:
            own.failures += 1
            service.last_failure = time.monotonic()
        if task.stop_code == FAILED_TO_START:
            service.tell(Events(service.name).unstarted(task.stopped_reason), lasts=True)

    def _serve(self, service: Service) -> None:
        if service.status == DRAINING:
            self._drain(service)
        if service.status != ACTIVE:
            return
        actions = decide(_aim(service, self._ecs.of_service(service.arn)), time.monotonic())
        if actions.fail:
            deployments.fail(service, actions.roll_back_to)
            return
        self._stop(service, actions)
        for _ in range(actions.start):
            self._make(service)
        service.deployments = [one for one in service.deployments if one.id not in actions.gone]
        if actions.complete:
            deployments.complete(service)
        self._tell(service, actions)

    def _drain(self, service: Service) -> None:
        tasks = self._ecs.of_service(service.arn)
        for task in tasks:
            self._ecs.stop(task, BY_SERVICE, words.scaled(service.primary.id))
        if not tasks:
            service.status = INACTIVE
            self._ecs.namespaces.take_back(service.arn)

    def _stop(self, service: Service, actions: Actions) -> None:
        ecs, events = self._ecs, Events(service.name)
        for identity in actions.replace:
            service.tell(events.unhealthy(identity))
            ecs.stop(ecs.tasks[identity], BY_SERVICE, words.HEALTH)
        for identity in actions.stop:
            ecs.stop(ecs.tasks[identity], BY_SERVICE, words.scaled(service.primary.id))
        if actions.stop:
            service.tell(events.stopped(actions.stop))

    def _tell(self, service: Service, actions: Actions) -> None:
        events = Events(service.name)
        if actions.throttled:
            service.tell(events.throttled(), lasts=True)
        if actions.stuck:
            service.tell(events.stuck(), lasts=True)
        if actions.steady and not service.was_steady:
            service.said.clear()
            service.tell(events.steady())
        service.was_steady = actions.steady

    def _make(self, service: Service) -> Task:
        primary = service.primary
        asked = primary.asked
        strategy = asked.get("capacityProviderStrategy") or []
        providers = tuple(one["capacityProvider"] for one in strategy)
        launch = FARGATE if _on_fargate(providers, asked.get("launchType")) else EC2
        return self._ecs.make_task(
            primary.definition,
            service.cluster,
            launch=launch,
            group=f"service:{service.name}",
            network=primary.network,
            service=service.arn,
            deployment=primary.id,
            providers=providers if launch == EC2 else (),
            tags=_tags(service),
        )

    def _look_after(self, region: str) -> None:
        for instance in self._ecs.fleet(region).look(time.monotonic()):
            for task in self._ecs.on(instance):
                self._ecs.stop(task, LOST, words.lost(instance.id), abrupt=True)

    def _place_all(self) -> None:
        """Find a place for every task that waits for one; where there is none, ask for more."""
        waiting = [
            one
            for one in self._ecs.tasks.values()
            if one.status == PROVISIONING
            and one.desired == RUNNING
            and one.id not in self._ecs.lives
        ]
        unplaced = [task for task in waiting if not self._place(task)]
        self._tell_started([task for task in waiting if task.id in self._ecs.lives])
        for region in {world.region_of(task.arn) for task in unplaced}:
            here = [task for task in unplaced if world.region_of(task.arn) == region]
            providers = list(dict.fromkeys(name for task in here for name in task.providers))
            if providers:
                cluster = here[0].cluster
                wishes = [self.wish(task) for task in here if task.providers]
                hosts = [self._host(one, "") for one in self._ecs.fleet(region).of(cluster)]
                self._ecs.fleet(region).grow(wishes, hosts, providers)

    def _tell_started(self, tasks: Sequence[Task]) -> None:
        for arn in dict.fromkeys(task.service for task in tasks):
            if service := self._ecs.services.get(arn):
                own = [task.id for task in tasks if task.service == arn]
                service.tell(Events(service.name).started(own))

    def _place(self, task: Task) -> bool:
        found = self.find_place(task)
        if isinstance(found, Misfit):
            self._no_place(task, found)
            return False
        if isinstance(found, Instance):
            task.instance, task.zone = found.arn, found.zone
            task.provider = found.provider if task.providers else ""
        self._enter(task)
        return True

    def find_place(self, task: Task) -> Instance | Misfit | None:
        """The instance that carries a task; None on Fargate, or what is short."""
        if task.launch == FARGATE:
            return None
        region = world.region_of(task.arn)
        instances = self._ecs.fleet(region).of(task.cluster)
        hosts = [self._host(one, task.service) for one in instances]
        found = place(self.wish(task), hosts, self._chance)
        if isinstance(found, Misfit):
            return found
        return next(one for one in instances if one.arn == found.arn)

    def wish(self, task: Task) -> Wish:
        """What a task asks for."""
        region = world.region_of(task.arn)
        service = self._ecs.services.get(task.service)
        asked: Mapping[str, Any] = service.asked if service else {}
        own = [
            (one["type"], one.get("expression", ""))
            for one in asked.get("placementConstraints") or []
        ]
        groups = None
        if task.providers:
            found = [world.provider(region, name) for name in task.providers]
            groups = frozenset(one.group for one in found if one)
        ids = list(task.network.get("subnets") or [])
        zones = frozenset(one.zone for one in world.subnets(region, ids)) if ids else None
        return Wish(
            task.definition.room,
            groups,
            zones,
            tuple(
                (one["type"], one.get("field", "")) for one in asked.get("placementStrategy") or []
            ),
            (*own, *task.definition.constraints),
        )

    def _host(self, instance: Instance, service: str) -> Host:
        there = self._ecs.on(instance)
        return Host(
            instance.arn,
            instance.group,
            instance.zone,
            documents.remaining(instance, there),
            tuple(instance.attributes.items()),
            sum(bool(service) and one.service == service for one in there),
        )

    def _no_place(self, task: Task, found: Misfit) -> None:
        service = self._ecs.services.get(task.service)
        if service is not None:
            said = Events(service.name).unplaced(
                found.closest, found.short, provider=bool(task.providers)
            )
            service.tell(said, lasts=True)
        if not task.providers:
            # Who names no capacity provider does not wait: the scheduler tries again.
            del self._ecs.tasks[task.id]
        elif time.time() > task.created + self._ecs.settings().second("placement"):
            reason = (
                f"RESOURCE:{found.short}" if found.short not in {"", "ATTRIBUTE"} else "ATTRIBUTE"
            )
            self._ecs.stop(task, FAILED_TO_START, reason)

    def _enter(self, task: Task) -> None:
        """Give it a subnet of its zone and the names that it knows, and let it begin."""
        region = world.region_of(task.arn)
        subnets = world.subnets(region, list(task.network.get("subnets") or []))
        usable = [one for one in subnets if one.zone not in self._ecs.faults.zones]
        fit = [one for one in usable if not task.zone or one.zone == task.zone]
        if subnets and not fit:
            return
        if fit:
            chosen = self._chance.choice(fit)
            task.subnet, task.zone = chosen.id, chosen.zone
        self._ecs.begin(task, self._names(task))

    def _names(self, task: Task) -> Mapping[str, Alias]:
        service = self._ecs.services.get(task.service)
        if service is None:
            return {}
        own = next((one for one in service.deployments if one.id == task.deployment), None)
        return own.names if own else {}

    def _forget(self) -> None:
        """Tasks that have stopped long ago."""
        kept = self._ecs.settings().second("stopped_task_kept")
        gone = [
            one.id
            for one in self._ecs.tasks.values()
            if one.status == STOPPED and one.stopped and time.time() > one.stopped + kept
        ]
        for identity in gone:
            del self._ecs.tasks[identity]
            self._judged.discard(identity)

    def _lead(self) -> None:
        """Tell the proxies where names lead now."""
        lives = [one for one in list(self._ecs.lives.values()) if one.proxy is not None]
        if not lives:
            return
        with self._ecs.lock:
            running = self._ecs.running()
        for life in lives:
            if life.proxy is not None:
                life.proxy.tell(running)

    def _raise_walls(self) -> None:
        """Let the security groups hold as they are now."""
        now = time.monotonic()
        if now < self._rules_at:
            return
        self._rules_at = now + _RULES_SECONDS
        found = [rule for region in self._regions() for rule in world.security_group_rules(region)]
        walls = self._ecs.walls
        walls.write(found)
        for address, groups in self._ecs.settings().worn.items():
            if walls.groups.worn.get(address) != frozenset(groups):
                walls.put(address, groups)


def _aim(service: Service, tasks: Sequence[Task]) -> Aim:
    asked = service.asked.get("deploymentConfiguration") or {}
    breaker = asked.get("deploymentCircuitBreaker") or {}
    last = service.last_completed
    primary = service.primary
    minimum, maximum = asked.get("minimumHealthyPercent"), asked.get("maximumPercent")
    return Aim(
        desired=service.desired,
        primary=Rollout(primary.id, primary.state, primary.failures),
        others=[
            Rollout(one.id, one.state, one.failures)
            for one in service.deployments
            if one is not primary
        ],
        tasks=[
            Seen(
                one.id,
                one.deployment,
                stops=one.desired == STOPPED,
                healthy=one.ready,
                unhealthy=one.health == health.UNHEALTHY,
            )
            for one in tasks
        ],
        minimum_percent=_MINIMUM if minimum is None else minimum,
        maximum_percent=_MAXIMUM if maximum is None else maximum,
        breaker=bool(breaker.get("enable")),
        roll_back=bool(breaker.get("rollback")),
        last_completed=last.id if last and last.id != primary.id and last.state != FAILED else "",
        last_failure=service.last_failure,
    )


def _on_fargate(providers: Sequence[str], launch: object) -> bool:
    return launch == FARGATE or any(name.startswith("FARGATE") for name in providers)


def _tags(service: Service) -> Sequence[Mapping[str, str]]:
    if service.asked.get("propagateTags") != "SERVICE":
        return ()
    tags: Sequence[Mapping[str, str]] = service.asked.get("tags") or ()
    return tags
