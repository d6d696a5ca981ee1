"""The platform `cluster` in containers: the protocol, spoken by Docker and Compose."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import DeployError, StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import layout, postgresql, runtimes
from temporal_dsql_deploy.platforms.cluster.changing import ChangingPlatform, parser
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
    Instance,
    LogLine,
    LogQuery,
    Report,
    Requirement,
    SqlStore,
    Status,
    Stopped,
    Stored,
)
from temporal_dsql_deploy.platforms.requirement import requirement


class ContainerPlatform(ChangingPlatform[ContainerSettings, Container]):
    """Frontend, history, matching and worker, with PostgreSQL and the Web UI."""

    def __init__(self, environment: Environment, report: Report) -> None:
        kept = [settings_file.FILE, SECRETS]
        root = runtimes.root(environment)
        super().__init__(environment, report, Directory(root, environment.name, kept))
        self._found: Deployment | None = None
        self._look: Look | None = None

    @property
    def _deployment(self) -> Deployment:
        """Raises BinaryMissing, BinaryUnusable."""
        if self._found is None:
            found = engine.find()
            found.version()
            self._found = Deployment(found, self._directory)
        return self._found

    def _wanted(self) -> ContainerSettings:
        runtimes.refuse_another(self._environment)
        last = self._last()
        built = {} if last else images.built(self._deployment.engine)
        return settings_file.wanted(self._environment, last, built)

    def _last(self) -> ContainerSettings | None:
        return settings_file.read(self._directory.root / settings_file.FILE)

    def _passage(self, settings: ContainerSettings) -> Passage:
        return Passage(settings, self._deployment, self._report)

    def _scaled(self, replicas: Mapping[str, int]) -> ContainerSettings:
        return settings_file.scaled(self._started(), replicas)

    def instances(self) -> list[Instance]:
        """See Platform."""
        names = layout.names(self._started().replicas, opensearch=False)
        there = self._there()
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
        change.check_ports(settings, self._there())
        state = "in use by this environment" if self.running() else "free"
        return f"{_published(settings)}: {state}"

    def broken(self) -> StartFailed | None:
        """See Platform."""
        self._look = self._look or Look(self._deployment)
        last = self._last()
        names = layout.names(last.replicas, opensearch=False) if last else []
        return self._look.broken([name for name, _, _ in names])

    def _there(self) -> dict[str, Container]:
        return self._deployment.containers()

    def _roles(self) -> dict[str, Container]:
        roles = topology.load().roles
        return {
            name: one
            for name, one in self._there().items()
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
        there = self._there()
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
        there = self._there()
        if last is not None:
            facts["server"] = last.images[settings_file.ROLE]
            facts["published"] = _published(last)
        if not there:
            return status.never(self._environment.name, facts)
        database = self._database(there)
        return status.look(self._environment.name, list(there.values()), database, facts)

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
                self._deployment.engine, one.id, parser(name, one.settings["component"], query)
            )
            for name, one in there.items()
            if query.component in {None, name, one.settings["component"]}
        ]
        yield from logs.read(
            sources, count=query.tail, follow=query.follow, time_of=lambda line: line.time
        )

    def stop(self, *, grace: float) -> Stopped:
        """See Platform."""
        there = self._there()
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
