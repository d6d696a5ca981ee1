"""From what runs to what is wanted, and back again."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import DeployError, PortTaken
from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.cluster import layout, parts, programs, runs, runtimes
from temporal_dsql_deploy.platforms.cluster import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.parts import DYNAMIC_CONFIG, Part
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.cluster.starting import Starter, opensearch_ready, until_ready
from temporal_dsql_deploy.platforms.processes import ports, record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import GRACE, Change, Report

SETTINGS = runtimes.SETTINGS[runtimes.PROCESSES]


@dataclass(frozen=True, slots=True)
class _Before:
    """What there was before `go`, for `undo`."""

    settings: ClusterSettings | None
    runs: dict[str, Record]
    alive: set[str]
    dynamic: dict[Path, str]
    """What stood in the files that `go` writes anew."""


class Passage:
    """A change of a cluster to other settings, which can be undone."""

    def __init__(self, settings: ClusterSettings, directory: Directory, report: Report) -> None:
        self._settings = settings
        self._directory = directory
        self._report = report
        self._wanted = parts.all_parts(directory.environment, settings, directory)
        self._file = directory.root / SETTINGS
        self._before: _Before | None = None
        self._ending: set[str] = set()
        """Those that `go` has asked to stop, to restart them or for good."""

    def plan(self) -> list[Change]:
        """What `go` would do. Raises PortTaken."""
        changes = self._changes()
        if not changes:
            return []
        check_ports(self._wanted, runs.read(self._directory))
        return programs.lacking(self._settings.found()) + changes

    def _changes(self) -> list[Change]:
        there = runs.alive(runs.read(self._directory))
        names = {part.place.name for part in self._wanted}
        changes = [Change(what=name, action="stop") for name in there if name not in names]
        for part in self._wanted:
            name, run = part.place.name, there.get(part.place.name)
            if run is None:
                changes.append(Change(what=name, action="start", detail=_where(part)))
            elif differences := _differences(run, part):
                changes.append(Change(what=name, action="restart", detail=", ".join(differences)))
            elif self._drains_otherwise(part):
                detail = "how it drains when it stops, within 10 s and without a restart"
                changes.append(Change(what=name, action="update", detail=detail))
        return changes

    def _drains_otherwise(self, part: Part) -> bool:
        wanted = parts.dynamic_file(part, self._directory)
        return wanted is not None and _text(wanted[0]) not in ("", wanted[1])

    def go(
        self,
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None] = lambda _: None,
    ) -> list[Change]:
        """Do it; what was done. `starting` is called before the first change.

        What is new serves before anything goes that is not wanted any more, and `serving` is called
        in between with all changes.
        Raises PortTaken, BinaryMissing, DirectoryUnusable, StartFailed, NotReady and their like.
        """
        changes = self._changes()
        if not changes:
            return []
        self._directory.prepare()
        check_ports(self._wanted, runs.read(self._directory))
        built = programs.lacking(self._settings.found())
        programs.obtain(self._settings.found(), self._report)
        starter = Starter(self._settings, self._directory, self._report)
        starter.check()
        self._before = self._remembered(changes)
        starting()
        try:
            settings_file.write(self._file, self._settings)
            self._stop(changes, "restart")
            ready = runs.alive(runs.read(self._directory))
            starter.start([part for part in self._wanted if part.place.name not in ready])
            self._update(changes)
            serving(changes)
            self._stop(changes, "stop")
        except OSError as error:
            raise self._directory.unusable(error) from error
        return built + changes

    def _remembered(self, changes: list[Change]) -> _Before:
        there = runs.read(self._directory)
        return _Before(
            settings=settings_file.read(self._file),
            runs=there,
            alive=set(runs.alive(there)),
            dynamic={path: _text(path) for path in self._updates(changes)},
        )

    def _updates(self, changes: list[Change]) -> dict[Path, str]:
        concerned = _names(changes, "update")
        made = [
            parts.dynamic_file(part, self._directory)
            for part in self._wanted
            if part.place.name in concerned
        ]
        return dict(one for one in made if one is not None)

    def _update(self, changes: list[Change]) -> None:
        for path, text in self._updates(changes).items():
            files.write(path, text)

    def _stop(self, changes: list[Change], action: str) -> None:
        ending = _names(changes, action)
        there = {name: run for name, run in runs.read(self._directory).items() if name in ending}
        if there:
            self._report(f"stopping {', '.join(there)}")
            self._ending |= set(there)
            runs.stop(there, self._directory, grace=GRACE)
        if action == "stop":
            for name in ending:
                self._directory.record(name).unlink(missing_ok=True)

    def undo(self) -> str:
        """Go back to what ran before `go`, which may be nothing.

        What was done, in words, and what could not be: it goes on past what fails.
        """
        assert self._before is not None  # noqa: S101 - `go` has said that it starts
        before, wrong = self._before, list[str]()
        there = runs.read(self._directory)
        started = [name for name, run in there.items() if before.runs.get(name) != run]
        # What was asked to end may not have ended yet.
        ending = {name: run for name, run in there.items() if name in {*started, *self._ending}}
        with _told(wrong):
            runs.stop(ending, self._directory, grace=GRACE)
        # What does not end keeps its record: nobody would know of it otherwise.
        stuck = runs.alive({name: there[name] for name in started})
        with _told(wrong):
            self._write_back(before, set(started) - set(stuck))
        again: list[Record] = []
        for name, run in before.runs.items():
            if name in stuck:
                continue
            with _told(wrong, f"{name} does not run: "):
                record.write(self._directory.record(name), run)
                if name in before.alive and not run.alive():
                    again.append(self._start_again(run))
                    self._wait_for_store(name)
        roles = list(runs.roles({run.component: run for run in again}).values())
        for error in runs.not_serving(roles, self._directory).values():
            wrong.append(_sentence(error))
        if wrong:
            return "went back, but " + "; ".join(wrong)
        return "went back to what ran before" if before.alive else "stopped what was started"

    def _write_back(self, before: _Before, ended: set[str]) -> None:
        if before.settings is None:
            self._file.unlink(missing_ok=True)
        else:
            settings_file.write(self._file, before.settings)
        for path, text in before.dynamic.items():
            files.write(path, text)
        for name in ended:
            self._directory.record(name).unlink(missing_ok=True)

    def _start_again(self, run: Record) -> Record:
        name = run.component
        try:
            made = parts.started(name, run.command, run.settings, self._directory)
            return supervisor.start(made)
        except DeployError:
            # Without its record nobody would miss it.
            record.write(self._directory.record(name), run)
            raise

    def _wait_for_store(self, name: str) -> None:
        if name == layout.DATABASE:
            until_ready(self._directory)
        elif name == layout.OPENSEARCH:
            opensearch_ready(self._directory)


@contextmanager
def _told(wrong: list[str], before: str = "") -> Iterator[None]:
    """Go on past what fails, and remember it in words."""
    try:
        yield
    except (DeployError, OSError) as error:
        wrong.append(before + _sentence(error))


def _sentence(error: Exception) -> str:
    if isinstance(error, DeployError):
        return f"{error.message}: {error.cause}"
    return str(error)


def _names(changes: list[Change], action: str) -> set[str]:
    return {change.what for change in changes if change.action == action}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _differences(run: Record, part: Part) -> list[str]:
    """What a restart would change."""
    role = part.place.component
    old = {**run.settings["told"], **_needing_a_restart(run.settings["variables"], role)}
    return settings_file.differences(old, {**part.told, **_needing_a_restart(part.variables, role)})


def _needing_a_restart(variables: Mapping[str, str], role: str) -> dict[str, Any]:
    """Variables without the drains: a server reads those when it stops, from a file of its own."""
    drain = topology.load().drain.roles.get(role)
    if drain is None or DYNAMIC_CONFIG not in variables:
        return dict(variables)
    drains = {key.key.lower() for key in drain.keys}
    given = json.loads(variables[DYNAMIC_CONFIG]).items()
    others = {key: value for key, value in given if key.lower() not in drains}
    return {name: text for name, text in variables.items() if name != DYNAMIC_CONFIG} | others


def _where(part: Part) -> str:
    listed = ", ".join(f"{name} {port}" for name, port in part.place.ports.items())
    return f"{part.place.address}, {listed}"


def check_ports(wanted: list[Part], there: Mapping[str, Record]) -> None:
    """Raise PortTaken where somebody else listens on a port of these."""
    own = {
        (run.settings["address"], port)
        for run in runs.alive(there).values()
        for port in run.settings["ports"].values()
    }
    for part in wanted:
        for name, port in part.place.ports.items():
            if (part.place.address, port) not in own:
                _check_port(part.place, name, port)


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
