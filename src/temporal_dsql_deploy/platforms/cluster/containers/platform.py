"""The platform `cluster` in containers: the protocol, spoken by Docker and Compose."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from functools import partial

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import DeployError, StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import layout, postgresql, runtimes
from temporal_dsql_deploy.platforms.cluster.containers import change, compose, engine, images
from temporal_dsql_deploy.platforms.cluster.containers import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.containers.change import Passage
from temporal_dsql_deploy.platforms.cluster.containers.container import SCHEMA, Container
from temporal_dsql_deploy.platforms.cluster.containers.deployment import SECRETS, Deployment
from temporal_dsql_deploy.platforms.cluster.containers.logs import ContainerLog
from temporal_dsql_deploy.platforms.cluster.containers.settings import ContainerSettings
from temporal_dsql_deploy.platforms.cluster.containers.starting import Look
from temporal_dsql_deploy.platforms.processes import log_lines, logs
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.protocol import (
    Change,
    Instance,
    LogLine,
    LogQuery,
    Member,
    Report,
    Requirement,
    SqlStore,
    Status,
    Stopped,
    Stored,
)
from temporal_dsql_deploy.platforms.requirement import requirement

_PATIENCE = 120.0


class ContainerPlatform:
    """Frontend, history, matching and worker, with PostgreSQL and the Web UI."""

    name = "cluster"

    def __init__(self, environment: Environment, report: Report) -> None:
        self._environment = environment
        self._report = report
        self._directory = Directory(
            runtimes.root(environment), environment.name, [settings_file.FILE, SECRETS]
        )
        self._found: Deployment | None = None
        self._look: Look | None = None
        self._going: Passage | None = None
        """The change that `undo` undoes."""

    @property
    def _deployment(self) -> Deployment:
        """Raises BinaryMissing, BinaryUnusable."""
        if self._found is None:
            found = engine.find()
            found.version()
            self._found = Deployment(found, self._directory)
        return self._found

    def lock(self, verb: str, waiting: Report) -> AbstractContextManager[None]:
        """See Platform."""
        return self._directory.lock(verb, waiting, patience=_PATIENCE)

    def plan(self) -> list[Change]:
        """See Platform. Raises as `start` does."""
        return self._passage(self._wanted()).plan()

    def _wanted(self) -> ContainerSettings:
        runtimes.refuse_another(self._environment)
        last = self._last()
        built = {} if last else images.built(self._deployment.engine)
        return settings_file.wanted(self._environment, last, built)

    def _last(self) -> ContainerSettings | None:
        return settings_file.read(self._directory.root / settings_file.FILE)

    def _passage(self, settings: ContainerSettings) -> Passage:
        return Passage(settings, self._deployment, self._report)

    def start(self, starting: Callable[[], None]) -> list[Change]:
        """See Platform. Raises PortTaken, BinaryMissing, DirectoryUnusable and their like."""
        self._going = self._passage(self._wanted())
        return self._going.go(starting)

    def undo(self) -> str:
        """See Platform."""
        assert self._going is not None  # noqa: S101 - something has said that it starts
        return self._going.undo()

    def plan_scale(self, replicas: Mapping[str, int]) -> list[Change]:
        """See Platform."""
        return self._passage(self._scaled(replicas)).plan()

    def scale(
        self,
        replicas: Mapping[str, int],
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None],
    ) -> list[Change]:
        """See Platform."""
        self._going = self._passage(self._scaled(replicas))
        return self._going.go(starting, serving)

    def _scaled(self, replicas: Mapping[str, int]) -> ContainerSettings:
        return settings_file.scaled(self._started(), replicas)

    def _started(self) -> ContainerSettings:
        """What it was last started with. Raises NotRunning."""
        self._directory.refuse_foreign()
        last = self._last()
        if last is None:
            raise self._directory.not_running("it has not been started yet")
        return last

    def instances(self) -> list[Instance]:
        """See Platform."""
        names = layout.names(self._started().replicas, opensearch=False)
        there = self._containers()
        return [_instance(name, component, there.get(name)) for name, component, _ in names]

    def restart(self, names: Sequence[str], *, grace: float) -> None:
        """See Platform."""
        change.restart(self._started(), names, self._deployment, self._report, grace=grace)

    def warnings(self) -> list[str]:
        """See Platform."""
        last = self._last()
        if last is None or not last.dynamic_config:
            return []
        said = [self._deployment.said(one) for one in self._roles().values()]
        return log_lines.refused_values(said, last.dynamic_config)

    def requirements(self) -> list[Requirement]:
        """See Platform."""
        return [
            requirement("Docker's engine", self._engine_found),
            requirement("Docker Compose", lambda: compose.find(engine.find()).version),
            requirement("docker/compose.local.yaml", lambda: str(compose.file())),
            *self._images_found(),
            requirement("data directory", self._directory.check),
            requirement("ports", self._ports_found),
        ]

    def _engine_found(self) -> str:
        return self._deployment.engine.version()

    def _images_found(self) -> list[Requirement]:
        try:
            names = self._wanted().images
        except DeployError:
            # What is wrong is told by those before.
            return []
        here = self._deployment.engine
        return [
            requirement(variable, partial(images.found, here, variable, name))
            for variable, name in names.items()
        ]

    def _ports_found(self) -> str:
        settings = self._wanted()
        change.check_ports(settings, self._containers())
        state = "in use by this environment" if self.running() else "free"
        return f"{_published(settings)}: {state}"

    def broken(self) -> StartFailed | None:
        """See Platform."""
        self._look = self._look or Look(self._deployment)
        last = self._last()
        names = layout.names(last.replicas, opensearch=False) if last else []
        return self._look.broken([name for name, _, _ in names])

    def running(self) -> bool:
        """See Platform."""
        return any(one.alive() for one in self._containers().values())

    def _containers(self) -> dict[str, Container]:
        return self._deployment.containers()

    def _roles(self) -> dict[str, Container]:
        """Those of Temporal's roles that run."""
        roles = topology.load().roles
        return {
            name: one
            for name, one in self._containers().items()
            if one.alive() and one.settings["component"] in roles
        }

    def frontend(self) -> str:
        """See Platform."""
        for one in self._alive().values():
            if one.settings["component"] == "frontend":
                return _grpc(one)
        raise self._directory.not_running("no frontend runs")

    def pages(self) -> dict[str, str]:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        there = self._alive()
        found = {}
        if layout.UI in there:
            found["ui"] = status.url(there[layout.UI])
        path = topology.load().metrics_path
        for name, one in there.items():
            if "metrics" in one.settings["ports"]:
                port = one.settings["ports"]["metrics"]
                found[f"metrics-{name}"] = f"http://{one.settings['address']}:{port}{path}"
        return found

    def _alive(self) -> dict[str, Container]:
        there = self._containers()
        alive = {name: one for name, one in there.items() if one.alive()}
        if not alive:
            raise self._directory.not_running(
                "its containers have ended" if there else "it has not been started yet"
            )
        return alive

    def status(self) -> Status:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        self._directory.refuse_foreign()
        deployment, last = self._deployment, self._last()
        facts = {"data": str(self._directory.root), "containers": deployment.project}
        there = self._containers()
        if last is not None:
            facts["server"] = last.images[settings_file.ROLE]
            facts["published"] = _published(last)
        if not there:
            return status.never(self._environment.name, facts)
        database = self._database(there)
        return status.look(self._environment.name, list(there.values()), database, facts)

    def members(self) -> list[Member]:
        """See Platform."""
        return [
            Member(
                role=one.settings["component"],
                address=one.settings["address"],
                membership_port=one.settings["ports"]["membership"],
                grpc_port=one.settings["ports"]["grpc"],
                name=name,
            )
            for name, one in self._roles().items()
        ]

    def database(self) -> Database:
        """See Platform."""
        found = self._database(self._containers())
        if found is None:
            raise self._directory.not_running("its PostgreSQL does not run")
        return found

    def sql_store(self, name: str) -> SqlStore:
        """See Platform."""
        # Which versions its schema has is in its images, and not on this machine.
        return SqlStore(replace(self.database(), name=postgresql.NAMES[name]), None)

    def _database(self, there: Mapping[str, Container]) -> Database | None:
        try:
            return self._deployment.database(there)
        except OSError as error:
            raise self._directory.unusable(error) from error

    def log_components(self) -> list[str]:
        """See Platform."""
        own = [layout.DATABASE, SCHEMA, *topology.load().roles, layout.UI]
        return list(dict.fromkeys([*own, *self._deployment.everything()]))

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """See Platform."""
        self._directory.refuse_foreign()
        there = self._deployment.everything()
        if not there:
            raise self._directory.not_running("it has not been started yet")
        sources = [
            ContainerLog(
                self._deployment.engine, one.id, _parser(name, one.settings["component"], query)
            )
            for name, one in there.items()
            if query.component in {None, name, one.settings["component"]}
        ]
        yield from logs.read(
            sources, count=query.tail, follow=query.follow, time_of=lambda line: line.time
        )

    def stop(self, *, grace: float) -> Stopped:
        """See Platform."""
        there = self._containers()
        was_running = any(one.alive() for one in there.values())
        killed = self._deployment.stop(there, grace=grace)
        return Stopped(was_running=was_running, killed=bool(killed))

    def stored(self) -> list[Stored]:
        """See Platform."""
        deployment = self._deployment
        place = deployment.engine.volume(deployment.volume)
        kept = self._directory.stored()
        if place is None:
            return kept
        size = deployment.engine.volume_bytes(deployment.volume)
        return [Stored(path=place, bytes=size), *kept]

    def remove(self) -> None:
        """See Platform."""
        last = self._last() or settings_file.wanted(self._environment, None, {})
        self._deployment.remove(last, volumes=True)
        try:
            self._directory.remove()
        except OSError as error:
            raise self._directory.unusable(error) from error


def _instance(name: str, component: str, one: Container | None) -> Instance:
    if one is None or not one.started_at:
        return Instance(name, component, running=False, note="has not been started")
    since = datetime.fromisoformat(one.started_at)
    note = "" if one.alive() else one.how()
    return Instance(name, component, running=one.alive(), since=since, note=note)


def _published(settings: ContainerSettings) -> str:
    return "on 127.0.0.1: " + ", ".join(f"{name} {port}" for name, port in settings.ports.items())


def _grpc(one: Container) -> str:
    """The first frontend is at a port of this machine, which stays the same."""
    port = one.published.get(one.settings["ports"]["grpc"])
    if port is not None:
        return f"127.0.0.1:{port}"
    return f"{one.settings['address']}:{one.settings['ports']['grpc']}"


def _parser(name: str, component: str, query: LogQuery) -> Callable[[str], LogLine | None]:
    by_level = LogQuery(level=query.level)

    def parse(text: str) -> LogLine | None:
        line = log_lines.of_process(text, component, name)
        return line if line is not None and log_lines.wanted(line, by_level) else None

    return parse
