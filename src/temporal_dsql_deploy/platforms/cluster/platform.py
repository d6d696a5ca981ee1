"""The platform `cluster`: the protocol, spoken by the four roles as processes on this machine."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.find import state_directory
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import PortTaken, StartFailed
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import build, layout, parts, programs, runs
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.parts import Part
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings, Found
from temporal_dsql_deploy.platforms.cluster.starting import Starter, opensearch_ready, until_ready
from temporal_dsql_deploy.platforms.processes import log_lines, logs, ports, record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import (
    GRACE,
    Change,
    LogLine,
    LogQuery,
    Member,
    Report,
    Requirement,
    Status,
    Stopped,
    Stored,
)
from temporal_dsql_deploy.platforms.requirement import requirement

_PATIENCE = 120.0
_SETTINGS = "cluster.json"


@dataclass(frozen=True, slots=True)
class _Before:
    """What there was before `start`, for `undo`."""

    settings: ClusterSettings | None
    runs: dict[str, Record]
    alive: set[str]
    ending: set[str]
    """Those that `start` stops, to restart them or for good."""


class ClusterPlatform:
    """Frontend, history, matching and worker, with PostgreSQL and the Web UI."""

    name = "cluster"

    def __init__(self, environment: Environment, report: Report) -> None:
        self._environment = environment
        self._report = report
        root = environment.data_dir or state_directory(environment.name)
        self._directory = Directory(
            root.expanduser().absolute(),
            environment.name,
            [f"{parts.DATA}*", layout.OPENSEARCH, _SETTINGS],
        )
        self._settings = self._directory.root / _SETTINGS
        self._before: _Before | None = None

    def lock(self, verb: str, waiting: Report) -> AbstractContextManager[None]:
        """See Platform."""
        return self._directory.lock(verb, waiting, patience=_PATIENCE)

    def plan(self) -> list[Change]:
        """See Platform. Raises as `start` does."""
        settings, wanted = self._wanted()
        changes = self._changes(wanted)
        if not changes:
            return []
        self._check_ports(wanted)
        return programs.lacking(_found(settings)) + changes

    def _wanted(self) -> tuple[ClusterSettings, list[Part]]:
        last = settings_file.read(self._settings)
        settings = settings_file.wanted(
            self._environment,
            programs.find(self._environment, last),
            last=last,
            running=self.running(),
            is_free=ports.is_free,
        )
        return settings, parts.all_parts(self._environment.name, settings, self._directory)

    def _changes(self, wanted: list[Part]) -> list[Change]:
        there = runs.alive(self._runs())
        names = {part.place.name for part in wanted}
        changes = [Change(what=name, action="stop") for name in there if name not in names]
        for part in wanted:
            run = there.get(part.place.name)
            if run is None:
                changes.append(Change(what=part.place.name, action="start", detail=_where(part)))
            elif differences := _differences(run, part):
                detail = ", ".join(differences)
                changes.append(Change(what=part.place.name, action="restart", detail=detail))
        return changes

    def start(self, starting: Callable[[], None]) -> list[Change]:
        """See Platform. Raises PortTaken, BinaryMissing, DirectoryUnusable and their like."""
        settings, wanted = self._wanted()
        changes = self._changes(wanted)
        if not changes:
            return []
        self._directory.prepare()
        self._check_ports(wanted)
        built = programs.lacking(_found(settings))
        programs.obtain(_found(settings), self._report)
        starter = Starter(settings, self._directory, self._report)
        starter.check()
        there = self._runs()
        last = settings_file.read(self._settings)
        ending = {change.what for change in changes if change.action in {"stop", "restart"}}
        self._before = _Before(last, there, set(runs.alive(there)), ending)
        starting()
        try:
            settings_file.write(self._settings, settings)
            self._make_way(changes)
            ready = {name for name, run in self._runs().items() if run.alive()}
            starter.start([part for part in wanted if part.place.name not in ready])
        except OSError as error:
            raise self._directory.unusable(error) from error
        return built + changes

    def _make_way(self, changes: list[Change]) -> None:
        """Stop what is to be restarted, and what is not wanted any more."""
        ending = self._before.ending if self._before else set()
        there = {name: run for name, run in self._runs().items() if name in ending}
        if there:
            self._report(f"stopping {', '.join(there)}")
            runs.stop(there, self._directory, grace=GRACE)
        for change in changes:
            if change.action == "stop":
                self._directory.record(change.what).unlink(missing_ok=True)

    def undo(self) -> str:
        """See Platform."""
        assert self._before is not None  # noqa: S101 - `start` has said that it starts
        before = self._before
        there = self._runs()
        started = [name for name, run in there.items() if before.runs.get(name) != run]
        # What was asked to end may not have ended yet.
        ending = {name: run for name, run in there.items() if name in {*started, *before.ending}}
        runs.stop(ending, self._directory, grace=GRACE)
        if before.settings is None:
            self._settings.unlink(missing_ok=True)
        else:
            settings_file.write(self._settings, before.settings)
        for name in started:
            self._directory.record(name).unlink(missing_ok=True)
        for name, run in before.runs.items():
            record.write(self._directory.record(name), run)
            if name in before.alive and not run.alive():
                component = parts.started(name, run.command, run.settings, self._directory)
                supervisor.start(component)
                if name == layout.DATABASE:
                    until_ready(self._directory)
                elif name == layout.OPENSEARCH:
                    opensearch_ready(self._directory)
        return "went back to what ran before" if before.alive else "stopped what was started"

    def _check_ports(self, wanted: list[Part]) -> None:
        own = {
            (run.settings["address"], port)
            for run in runs.alive(self._runs()).values()
            for port in run.settings["ports"].values()
        }
        for part in wanted:
            for name, port in part.place.ports.items():
                if (part.place.address, port) not in own:
                    _check_port(part.place, name, port)

    def warnings(self) -> list[str]:
        """See Platform."""
        last = settings_file.read(self._settings)
        values = last.dynamic_config if last else {}
        if not values:
            return []
        servers = runs.roles(runs.alive(self._runs())).values()
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
        if path.parent == build.server().folder:
            return build.outlook(build.server())
        return f"{programs.server_version(path)}, {path}"

    def _postgresql_found(self) -> str:
        settings, _ = self._wanted()
        return Starter(settings, self._directory, self._report).postgresql_found()

    def _opensearch_required(self) -> list[Requirement]:
        last = settings_file.read(self._settings)
        if settings_file.visibility(self._environment, last) != settings_file.OPENSEARCH:
            return []
        environment = self._environment
        return [
            requirement("OpenSearch", lambda: programs.opensearch_found(environment)),
            requirement("Java", lambda: programs.java_found(environment)),
            requirement("temporal-elasticsearch-tool", lambda: programs.tool_found(environment)),
        ]

    def _addresses_found(self) -> str:
        settings, wanted = self._wanted()
        self._check_ports(wanted)
        state = "in use by this environment" if self.running() else "free"
        if settings.network == layout.SHARED:
            return f"127.0.0.1 with ports of their own: {state}"
        return f"127.{settings.network}.ROLE.INSTANCE: {state}"

    def broken(self) -> StartFailed | None:
        """See Platform."""
        return runs.broken(self._runs().values(), self._directory)

    def running(self) -> bool:
        """See Platform."""
        return bool(runs.alive(self._runs()))

    def _runs(self) -> dict[str, Record]:
        return runs.read(self._directory)

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
        there = runs.alive(self._runs())
        if not there:
            raise self._directory.not_running(
                "its processes have ended" if self._runs() else "it has not been started yet"
            )
        return there

    def status(self) -> Status:
        """See Platform."""
        from temporal_dsql_deploy.platforms.cluster import status

        self._directory.refuse_foreign()
        facts = {"data": str(self._directory.root), "logs": str(self._directory.logs)}
        last = settings_file.read(self._settings)
        if last is not None:
            facts["server"] = last.server
        there = self._runs()
        if not there:
            return status.never(self._environment.name, facts)
        database = self._database(there)
        return status.look(self._environment.name, list(there.values()), database, facts)

    def members(self) -> list[Member]:
        """See Platform."""
        return [
            Member(
                role=run.settings["component"],
                address=run.settings["address"],
                membership_port=run.settings["ports"]["membership"],
                grpc_port=run.settings["ports"]["grpc"],
            )
            for run in runs.roles(runs.alive(self._runs())).values()
        ]

    def database(self) -> Database:
        """See Platform."""
        found = self._database(self._runs())
        if found is None:
            raise self._directory.not_running("its PostgreSQL does not run")
        return found

    def _database(self, there: dict[str, Record]) -> Database | None:
        run = there.get(layout.DATABASE)
        if run is None or not run.alive():
            return None
        return parts.database(run.settings, self._directory)

    def log_components(self) -> list[str]:
        """See Platform."""
        own = [*runs.STORES, *topology.load().roles, layout.UI]
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
            logs.Tail(self._directory.log(name), _parser(name, component, query))
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
        killed = runs.stop(self._runs(), self._directory, grace=grace)
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


def _parser(name: str, component: str, query: LogQuery) -> Callable[[str], LogLine | None]:
    by_level = LogQuery(level=query.level)

    def parse(text: str) -> LogLine | None:
        line = log_lines.of_process(text, component, name)
        return line if line is not None and log_lines.wanted(line, by_level) else None

    return parse


def _differences(run: Record, part: Part) -> list[str]:
    """What a restart would change."""
    old = {**run.settings["told"], **run.settings["variables"]}
    return settings_file.differences(old, {**part.told, **part.variables})


def _found(settings: ClusterSettings) -> Found:
    return settings.found()


def _where(part: Part) -> str:
    listed = ", ".join(f"{name} {port}" for name, port in part.place.ports.items())
    return f"{part.place.address}, {listed}"


def _check_port(place: layout.Place, name: str, port: int) -> None:
    what = f"{place.address}:{port}, which is to be the {name} port of {place.name},"
    fix = "stop that process, or choose another network or port in the environment's file"
    try:
        if ports.is_free(port, place.address):
            return
    except OSError as error:
        raise PortTaken(f"{what} cannot be used", cause=str(error.strerror), fix=fix) from error
    holder = ports.holder(port, place.address)
    raise PortTaken(f"{what} is taken", cause=f"{holder} listens there", fix=fix)
