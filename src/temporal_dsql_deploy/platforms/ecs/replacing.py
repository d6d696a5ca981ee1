"""Other tasks: more or fewer, none, or new ones in the place of those that run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import rollout, services
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.rollout import LIMIT, Wanted
from temporal_dsql_deploy.platforms.ecs.seen import Place, Seen
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.protocol import Report


def silent(_: str) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Replacing:
    """Changes of the services of one environment, each waited for.

    All raise RolledBack, NotReady, and what `aws.told` makes of a refusal.
    """

    deployed: Deployed
    clients: Clients
    clock: Clock = REAL
    report: Report = silent
    limit: float = LIMIT
    """Seconds, for each wait."""

    def scale(self, replicas: Mapping[str, int]) -> None:
        """So many tasks of each of these components, all at once."""
        found = self._look(list(replicas))
        wanted = [
            rollout.ask(service, self.clients, desired=replicas[name])
            for name, service in found.items()
        ]
        self._wait(wanted)

    def stop(self, components: Sequence[str]) -> None:
        """None of these, the last to be started first."""
        for name in reversed([one for one in self.deployed.components if one in components]):
            self.stop_one(name)

    def stop_one(self, component: str) -> None:
        """None of it."""
        for service in self._look([component]).values():
            if service.desired or service.running:
                asked = rollout.ask(service, self.clients, desired=0)
                self.report(f"stop {component}")
                self._wait([Wanted(asked.service, 0)])

    def start(self, counts: Mapping[str, int]) -> None:
        """So many of each, in their order of start, each waited for before the next."""
        for name in self.deployed.components:
            if name in counts:
                self.report(f"start {name}")
                self.scale({name: counts[name]})

    def renew(self, component: str) -> None:
        """New tasks of the same task definition, by a deployment: ECS stops the old ones when it
        may."""
        for service in self._look([component]).values():
            self._wait([rollout.ask(service, self.clients, force=True)])

    def restart(self, seen: Seen, names: Collection[str]) -> None:
        """Stop what runs in these places, and wait for what ECS starts in them.

        A component of which every place is named goes to none and comes back. All such stop before
        any is started, in their order of start: as roles that make a new ring have to.
        """
        whole = self._whole(seen, names)
        self.stop(list(whole))
        self.start(whole)
        rest = [one for one in seen.places if one.name in names and one.component not in whole]
        for place in rest:
            self._end(place)
        self._until_back(seen, rest)

    def _whole(self, seen: Seen, names: Collection[str]) -> dict[str, int]:
        """The components of which every place is named, and how many tasks each is to have."""
        found = {}
        for component, service in seen.services.items():
            places = seen.of(component)
            if places and all(one.name in names for one in places):
                found[component] = service.desired or self.replicas(component)
        return found

    def replicas(self, component: str) -> int:
        """Tasks that its Terraform says it has while it runs."""
        return int(self.deployed.service(component)["replicas"])

    def _end(self, place: Place) -> None:
        if place.task is None:
            return
        with aws.calling(f"stop a task of {place.component} (ecs:StopTask)"):
            self.clients.ecs.stop_task(
                cluster=self.deployed.cluster,
                task=place.task.arn,
                reason="dsql-deploy starts it again",
            )

    def _until_back(self, seen: Seen, places: Sequence[Place]) -> None:
        """Until their services have all their tasks, and those that were stopped are gone."""
        gone = {one.task.arn for one in places if one.task}
        components = dict.fromkeys(one.component for one in places)
        self._wait([Wanted.of(seen.services[name]) for name in components], without=gone)

    def _look(self, components: Sequence[str]) -> dict[str, Service]:
        return services.look(self.deployed, self.clients, components)

    def _wait(self, wanted: Sequence[Wanted], without: Collection[str] = ()) -> None:
        if wanted:
            rollout.wait(
                wanted,
                self.clients,
                self.report,
                limit=self.limit,
                clock=self.clock,
                without=without,
            )
