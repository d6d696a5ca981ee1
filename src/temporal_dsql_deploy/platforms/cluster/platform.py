"""The platform `cluster`: the protocol, spoken by the four roles as processes on this machine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import NotForPlatform, StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import (
    build,
    change,
    layout,
    parts,
    postgresql,
    programs,
    restarting,
    runs,
    runtimes,
)
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.change import Passage
from temporal_dsql_deploy.platforms.cluster.changing import ChangingPlatform, parser
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.cluster.starting import Starter
from temporal_dsql_deploy.platforms.processes import log_lines, logs, ports
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import (
    STORES,
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


class ClusterPlatform(ChangingPlatform[ClusterSettings, Record]):
    """Frontend, history, matching and worker, with PostgreSQL and the Web UI."""

    def __init__(self, environment: Environment, report: Report) -> None:
        kept = [f"{parts.DATA}*", layout.OPENSEARCH, change.SETTINGS]
        root = runtimes.root(environment)
        super().__init__(environment, report, Directory(root, environment.name, kept))

    def _wanted(self) -> ClusterSettings:
        runtimes.refuse_another(self._environment)
        last = self._last()
        return settings_file.wanted(
            self._environment,
            programs.find(self._environment, last),
            last=last,
            running=self.running(),
            is_free=ports.is_free,
        )

    def _last(self) -> ClusterSettings | None:
        return settings_file.read(self._directory.root / change.SETTINGS)

    def _passage(self, settings: ClusterSettings) -> Passage:
        return Passage(settings, self._directory, self._report)

    def _scaled(self, replicas: Mapping[str, int]) -> ClusterSettings:
        return settings_file.scaled(self._started(), replicas, is_free=ports.is_free)

    def instances(self) -> list[Instance]:
        """See Platform."""
        return restarting.instances(self._started(), self._directory)

    def restart(self, names: Sequence[str], *, grace: float) -> None:
        """See Platform."""
        restarting.restart(self._started(), names, self._directory, self._report, grace=grace)

    def warnings(self) -> list[str]:
        """See Platform."""
        last = self._last()
        values = last.dynamic_config if last else {}
        if not values:
            return []
        servers = self._roles().values()
        said = [logs.since(Path(run.log), run.log_start) for run in servers]
        return log_lines.refused_values(said, values)

    def requirements(self) -> list[Requirement]:
        """See Platform."""
        return [
            requirement("temporal-server", self._server_found),
            requirement("Web UI", lambda: build.outlook(build.ui())),
            requirement("PostgreSQL", self._postgresql_found),
            *self._opensearch_required(),
            requirement("data directory", self._directory.check),
            requirement("addresses", self._addresses_found),
        ]

    def _server_found(self) -> str:
        path = programs.find_server(self._environment.temporal_server)
        if programs.is_stock(path):
            return build.outlook(build.server())
        return f"{programs.server_version(path)}, {path}"

    def _postgresql_found(self) -> str:
        return Starter(self._wanted(), self._directory, self._report).postgresql_found()

    def _opensearch_required(self) -> list[Requirement]:
        environment = self._environment
        if settings_file.visibility(environment, self._last()) != settings_file.OPENSEARCH:
            return []
        return [
            requirement("OpenSearch", lambda: programs.opensearch_found(environment)),
            requirement("Java", lambda: programs.java_found(environment)),
            requirement("temporal-elasticsearch-tool", lambda: programs.tool_found(environment)),
        ]

    def _addresses_found(self) -> str:
        settings = self._wanted()
        wanted = parts.all_parts(self._environment.name, settings, self._directory)
        change.check_ports(wanted, self._there())
        state = "in use by this environment" if self.running() else "free"
        if settings.network == layout.SHARED:
            return f"127.0.0.1 with ports of their own: {state}"
        return f"127.{settings.network}.ROLE.INSTANCE: {state}"

    def broken(self) -> StartFailed | None:
        """See Platform."""
        return runs.broken(self._there().values(), self._directory)

    def _there(self) -> dict[str, Record]:
        return runs.read(self._directory)

    def _roles(self) -> dict[str, Record]:
        return runs.roles(runs.alive(self._there()))

    def frontend(self) -> str:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        for run in self._alive().values():
            if run.settings["component"] == "frontend":
                return status.grpc(run)
        raise self._directory.not_running("no frontend runs")

    def pages(self) -> dict[str, str]:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        there = self._alive()
        found = {}
        if layout.UI in there:
            found["ui"] = status.url(there[layout.UI])
        if layout.OPENSEARCH in there:
            found["opensearch"] = status.url(there[layout.OPENSEARCH])
        path = topology.load().metrics_path
        for name, run in runs.roles(there).items():
            port = run.settings["ports"]["metrics"]
            found[f"metrics-{name}"] = f"http://{run.settings['address']}:{port}{path}"
        return found

    def _alive(self) -> dict[str, Record]:
        there = runs.alive(self._there())
        if not there:
            raise self._directory.not_running(
                "its processes have ended" if self._there() else "it has not been started yet"
            )
        return there

    def status(self) -> Status:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        self._directory.refuse_foreign()
        facts = {"data": str(self._directory.root), "logs": str(self._directory.logs)}
        last = self._last()
        if last is not None:
            facts["server"] = last.server
        there = self._there()
        if not there:
            return status.never(self._environment.name, facts)
        database = self._database(there)
        return status.look(self._environment.name, list(there.values()), database, facts)

    def sql_store(self, name: str) -> SqlStore:
        """See Platform."""
        database = self.database()
        started = self._started()
        if name == "visibility" and started.with_opensearch:
            raise NotForPlatform(
                f"visibility of environment {self._environment.name} is not in SQL",
                cause="it was last started with --visibility opensearch",
                fix="name the other store, or leave --store out",
            )
        return SqlStore(
            replace(database, name=postgresql.NAMES[name]),
            programs.schema(Path(started.server), name, self._report),
        )

    def _database(self, there: Mapping[str, Record]) -> Database | None:
        run = there.get(layout.DATABASE)
        if run is None or not run.alive():
            return None
        return parts.database(run.settings, self._directory)

    def log_components(self) -> list[str]:
        """See Platform."""
        own = [*STORES, *topology.load().roles, layout.UI]
        return list(dict.fromkeys([*own, *self._logged()]))

    def _logged(self) -> dict[str, str]:
        """Names of processes that have a log, with their components."""
        found = {}
        for path in sorted(self._directory.logs.glob("*.log")):
            component = path.stem.rpartition("-")[0] or path.stem
            found[path.stem] = component
        return found

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """See Platform."""
        self._directory.refuse_foreign()
        logged = self._logged()
        if not logged:
            raise self._directory.not_running("it has not been started yet")
        tails = [
            logs.Tail(self._directory.log(name), parser(name, component, query))
            for name, component in logged.items()
            if query.component in {None, name, component}
        ]
        try:
            yield from logs.read(
                tails, count=query.tail, follow=query.follow, time_of=lambda line: line.time
            )
        except OSError as error:
            raise self._directory.unusable(error) from error

    def stop(self, *, grace: float) -> Stopped:
        """See Platform."""
        was_running = self.running()
        killed = runs.stop(self._there(), self._directory, grace=grace)
        return Stopped(was_running=was_running, killed=bool(killed))

    def stored(self) -> list[Stored]:
        """See Platform."""
        return self._directory.stored()

    def remove(self) -> None:
        """See Platform."""
        try:
            self._directory.remove()
        except OSError as error:
            raise self._directory.unusable(error) from error
