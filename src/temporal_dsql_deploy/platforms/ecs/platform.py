"""The platform `ecs`: the protocol, spoken by the services of an ECS cluster."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotForPlatform, NotRunning, StartFailed
from temporal_dsql_deploy.persistence import dsql
from temporal_dsql_deploy.persistence.database import Database, of_dsql
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import logs, seen, status
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.replacing import Replacing, silent
from temporal_dsql_deploy.platforms.ecs.seen import Seen
from temporal_dsql_deploy.platforms.ecs.slots import Slots
from temporal_dsql_deploy.platforms.protocol import (
    Change,
    Instance,
    LogLine,
    LogQuery,
    Member,
    Report,
    Requirement,
    SqlStore,
    State,
    Status,
    Stopped,
    Stored,
)

if TYPE_CHECKING:
    from temporal_dsql_deploy.persistence.lock import Lock

_FRESH = 2.0
"""Seconds for which an answer of ECS is good: whoever polls asks several times a second, and ECS
gives an account some twenty calls a second."""


class EcsPlatform:
    """The services of one environment.

    `direct` says that this machine reaches the tasks themselves: it stands in the VPC, or on its
    Client VPN. Without it, what has to dial them raises NotForPlatform.
    """

    name = "ecs"

    def __init__(  # noqa: PLR0913 - who is told, and by which clock
        self,
        environment: Environment,
        deployed: Deployed,
        clients: Clients,
        *,
        direct: bool = False,
        report: Report = silent,
        clock: Clock = REAL,
    ) -> None:
        self._environment = environment
        self.deployed = deployed
        self.clients = clients
        self.direct = direct
        self._report = report
        self._clock = clock
        self._slots = Slots()
        self._last: tuple[float, Seen] | None = None
        self._taken: Lock | None = None

    def seen(self) -> Seen:
        """What ECS says, two seconds old at most."""
        now = self._clock.now()
        if self._last is None or now - self._last[0] > _FRESH:
            self._last = now, seen.look(self.deployed, self.clients, self._slots)
        return self._last[1]

    @contextmanager
    def lock(self, verb: str, waiting: Report) -> Iterator[None]:
        """See Platform; a task inside the VPC runs for a command that holds it already."""
        from temporal_dsql_deploy.platforms.ecs import lock

        directory = self._environment.terraform
        if directory is None:
            yield
            return
        with lock.held(directory, verb, waiting) as self._taken:
            yield

    def check_lock(self) -> None:
        """Between two changes. Raises Locked where the lock was lost meanwhile."""
        if self._taken is not None:
            self._taken.check()

    def plan(self) -> list[Change]:
        """See Platform. Raises NotForPlatform."""
        self._refuse("is not started by the platform alone", "dsql-deploy up ENV")

    def start(self, starting: Callable[[], None]) -> list[Change]:
        """See Platform. Raises NotForPlatform."""
        del starting
        self._refuse("is not started by the platform alone", "dsql-deploy up ENV")

    def undo(self) -> str:
        """See Platform. Raises NotForPlatform."""
        self._refuse("keeps no record of what ran before", "dsql-deploy up ENV")

    def plan_scale(self, replicas: Mapping[str, int]) -> list[Change]:
        """See Platform."""
        found = self.seen().services
        for role in replicas:
            self.deployed.service(role)
        return [
            Change(what=role, action="update", detail=f"{found[role].desired} to {count} tasks")
            for role, count in replicas.items()
            if role in found and found[role].desired != count
        ]

    def scale(
        self,
        replicas: Mapping[str, int],
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None],
    ) -> list[Change]:
        """See Platform; `undo` undoes nothing here."""
        changes = self.plan_scale(replicas)
        if changes:
            starting()
            self._replacing().scale({one.what: replicas[one.what] for one in changes})
            serving(changes)
        return changes

    def warnings(self) -> list[str]:
        """See Platform; ECS does not tell."""
        return []

    def requirements(self) -> list[Requirement]:
        """See Platform; this machine runs nothing of it."""
        return []

    def broken(self) -> StartFailed | None:
        """See Platform; ECS goes on trying."""
        return None

    def running(self) -> bool:
        """See Platform."""
        return any(one.running for one in self.seen().places)

    def frontend(self) -> str:
        """See Platform. Raises NotForPlatform where it cannot be dialled from here."""
        self._refuse_from_outside()
        for one in sorted(self.seen().of("frontend"), key=lambda one: one.state != State.SERVING):
            if one.running and one.task and one.task.address:
                return f"{one.task.address}:{topology.load().roles['frontend'].ports['grpc']}"
        raise NotRunning(
            f"environment {self._environment.name} has no frontend that runs",
            cause="; ".join(one.note for one in self.seen().instances() if "front" in one.name)
            or "no task of it is wanted",
            fix="see what runs: dsql-deploy status ENV; start it: dsql-deploy up ENV",
        )

    def pages(self) -> dict[str, str]:
        """See Platform. Raises NotForPlatform where they cannot be dialled from here."""
        self._refuse_from_outside()
        port = topology.load().components["ui"].ports["http"]
        found = [one.task for one in self.seen().of("ui") if one.running and one.task]
        return {"ui": f"http://{found[0].address}:{port}"} if found else {}

    def status(self) -> Status:
        """See Platform."""
        now = self.seen()
        inside = status.Inside()
        facts: Mapping[str, str] = status.troubles(now, self.clients)
        if self.direct:
            inside = status.ask_inside(now.members(), self.database())
        else:
            facts = {**facts, **status.outside_facts(self.deployed, self.clients)}
        return status.status(self._environment.name, now, inside, facts)

    def members(self) -> list[Member]:
        """See Platform."""
        return self.seen().members()

    def database(self) -> Database:
        """See Platform. Raises NotForPlatform where it cannot be dialled from here."""
        self._refuse_from_outside()
        host = str(self.deployed.output("dsql_cluster_endpoint"))
        return of_dsql(dsql.Endpoint.parse(host))

    def sql_store(self, name: str) -> SqlStore:
        """See Platform. Raises NotForPlatform for visibility, which is in OpenSearch."""
        if name != "default":
            self._refuse("has its visibility in OpenSearch", "dsql-deploy visibility status ENV")
        return SqlStore(self.database(), None)

    def log_components(self) -> list[str]:
        """See Platform."""
        return self.deployed.components

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """See Platform."""
        now = self.seen()
        wanted = {
            component: service.task_definition
            for component, service in now.services.items()
            if query.component in {None, component}
        }
        names = {one.task.id: one.name for one in now.places if one.task}
        found = logs.sources(wanted, self.clients)
        return logs.Reader(found, self.clients, query, names, self._clock).lines()

    def instances(self) -> list[Instance]:
        """See Platform."""
        return self.seen().instances()

    def restart(self, names: Sequence[str], *, grace: float) -> None:
        """See Platform; how long a task may take to stop is in its definition."""
        del grace
        self._replacing().restart(self.seen(), names)
        self._last = None

    def renew(self, name: str) -> None:
        """New tasks of a component by a deployment, or another task in the place of this name.

        Raises RolledBack, NotReady.
        """
        if name in self.deployed.components:
            self._replacing().renew(name)
        else:
            self._replacing().restart(self.seen(), [name])
        self._last = None

    def stop(self, *, grace: float) -> Stopped:
        """See Platform; how long a task may take to stop is in its definition."""
        del grace
        was_running = self.running()
        self._replacing().stop(self.deployed.components)
        self._last = None
        return Stopped(was_running=was_running)

    def stored(self) -> list[Stored]:
        """See Platform; the data are in DSQL and OpenSearch, which are Terraform's."""
        return []

    def remove(self) -> None:
        """See Platform. Raises NotForPlatform."""
        self._refuse("is removed by its Terraform", "dsql-deploy destroy ENV")

    def _replacing(self) -> Replacing:
        self._last = None
        return Replacing(self.deployed, self.clients, self._clock, self._report)

    def _refuse_from_outside(self) -> None:
        if not self.direct:
            raise NotForPlatform(
                f"the tasks of environment {self._environment.name} cannot be dialled from here",
                cause="they have private addresses in its VPC",
                fix="from a machine that is in the VPC or on its Client VPN: --direct",
            )

    def _refuse(self, why: str, instead: str) -> NoReturn:
        raise NotForPlatform(
            f"environment {self._environment.name} {why}",
            cause="its platform is ecs",
            fix=instead,
        )
