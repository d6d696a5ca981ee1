"""From the containers that run to those that are wanted, and back again."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import DeployError, ForeignDirectory, PortTaken
from temporal_dsql_deploy.platforms.cluster import layout
from temporal_dsql_deploy.platforms.cluster import settings as of_processes
from temporal_dsql_deploy.platforms.cluster.containers import container, images
from temporal_dsql_deploy.platforms.cluster.containers import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.containers.container import Container
from temporal_dsql_deploy.platforms.cluster.containers.deployment import Deployment
from temporal_dsql_deploy.platforms.cluster.containers.settings import ContainerSettings
from temporal_dsql_deploy.platforms.cluster.containers.starting import Starter
from temporal_dsql_deploy.platforms.processes import ports
from temporal_dsql_deploy.platforms.protocol import GRACE, Change, Report

_LOOPBACK = "127.0.0.1"
_IMAGE_OF = {layout.DATABASE: "POSTGRES_IMAGE", layout.UI: "TEMPORAL_UI_IMAGE"}
"""The variable of what is no role's."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What there was before `go`, for `undo`."""

    settings: ContainerSettings | None
    alive: set[str]
    stored: bool
    """Whether there was a database's volume."""


class Passage:
    """A change of a cluster to other settings, which can be undone."""

    def __init__(self, settings: ContainerSettings, deployment: Deployment, report: Report) -> None:
        self._settings = settings
        self._deployment = deployment
        self._report = report
        self._file = deployment.directory.root / settings_file.FILE
        self._before: _Before | None = None
        self._ending: set[str] = set()
        """Those that `go` has asked to stop, to make them anew or for good."""

    def plan(self) -> list[Change]:
        """What `go` would do. Raises PortTaken, BinaryMissing."""
        missing = images.lacking(self._deployment.engine, self._settings.images)
        changes = self._changes(self._deployment.containers())
        if changes:
            check_ports(self._settings, self._deployment.containers())
        return missing + changes

    def _changes(self, there: Mapping[str, Container]) -> list[Change]:
        last = settings_file.read(self._file)
        known = images.ids(self._deployment.engine, self._settings.images)
        # An image that is not there yet would be a part of what Compose makes its hash of.
        hashes = self._deployment.hashes(self._settings) if there and all(known.values()) else {}
        wanted = layout.names(self._settings.replicas, opensearch=False)
        names = {name for name, _, _ in wanted}
        changes = [Change(what=name, action="stop") for name in there if name not in names]
        for name, component, number in wanted:
            one = there.get(name)
            if one is None or not one.alive():
                detail = one.ended() if one else self._where(component, number)
                changes.append(Change(what=name, action="start", detail=detail))
                continue
            newer = one.image != known[_IMAGE_OF.get(component, settings_file.ROLE)]
            if newer or one.hash != hashes.get(container.service_of(component, number), one.hash):
                detail = self._difference(last, newer=newer)
                changes.append(Change(what=name, action="restart", detail=detail))
        return changes

    def _difference(self, last: ContainerSettings | None, *, newer: bool) -> str:
        """Why containers are made anew, for people."""
        environment, password = self._deployment.directory.environment, self._deployment.password
        now = self._settings.variables(environment, password)
        before = last.variables(environment, password) if last else now
        said = of_processes.differences(before, now)
        if newer and not said:
            return "its image is another one now"
        return ", ".join(said) or "its definition is another one, or another Compose made it"

    def _where(self, component: str, number: int) -> str:
        published = self._settings.ports
        if component == layout.UI:
            return f"{_LOOPBACK}:{published['ui']}"
        if component == "frontend" and number == 1:
            return f"{_LOOPBACK}:{published['frontend']}, http {published['http']}"
        return ""

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
        there = self._deployment.containers()
        missing = images.lacking(self._deployment.engine, self._settings.images)
        if not missing and not self._changes(there):
            return []
        self._deployment.directory.prepare()
        check_ports(self._settings, there)
        images.obtain(self._deployment.engine, self._settings.images, self._report)
        changes = self._changes(there)
        self._before = self._remembered(there)
        starting()
        try:
            self._deployment.write_password()
            settings_file.write(self._file, self._settings)
            self._stop(changes, "restart")
            self._deployment.create(self._settings, there.values(), only_missing=False)
            ending = _names(changes, "stop")
            wanted = layout.names(self._settings.replicas, opensearch=False)
            Starter(self._deployment, self._report).start(
                [name for name, _, _ in wanted if name not in ending]
            )
            serving(changes)
            self._stop(changes, "stop")
        except OSError as error:
            raise self._deployment.directory.unusable(error) from error
        return missing + changes

    def _remembered(self, there: Mapping[str, Container]) -> _Before:
        before = settings_file.read(self._file)
        stored = self._deployment.engine.volume(self._deployment.volume) is not None
        if stored and not self._deployment.password.exists():
            raise ForeignDirectory(
                f"there are data of this environment, and no password for them: volume "
                f"{self._deployment.volume}",
                cause=f"{self._deployment.password} is not there any more",
                fix=f"put it back, or delete the data: docker volume rm {self._deployment.volume}",
            )
        alive = {name for name, one in there.items() if one.alive()}
        return _Before(settings=before, alive=alive, stored=stored)

    def _stop(self, changes: list[Change], action: str) -> None:
        names = _names(changes, action)
        there = {name: one for name, one in self._deployment.containers().items() if name in names}
        if not there:
            return
        self._report(f"stopping {', '.join(there)}")
        self._ending |= set(there)
        self._deployment.stop(there, grace=GRACE)
        if action == "stop":
            self._deployment.engine.remove([one.id for one in there.values()])

    def undo(self) -> str:
        """Go back to what ran before `go`, which may be nothing.

        What was done, in words, and what could not be: it goes on past what fails.
        """
        assert self._before is not None  # noqa: S101 - `go` has said that it starts
        before, wrong = self._before, list[str]()
        with _told(wrong):
            there = self._deployment.containers()
            # What was asked to end may not have ended yet.
            stay = before.alive - self._ending
            begun = {name: one for name, one in there.items() if name not in stay}
            self._deployment.stop(begun, grace=GRACE)
        if before.settings is None:
            self._remove_all(before, wrong)
        else:
            self._go_back(before.settings, before.alive, wrong)
        if wrong:
            return "went back, but " + "; ".join(wrong)
        return "went back to what ran before" if before.alive else "stopped what was started"

    def _remove_all(self, before: _Before, wrong: list[str]) -> None:
        with _told(wrong):
            self._deployment.remove(self._settings, volumes=not before.stored)
        with _told(wrong):
            self._file.unlink(missing_ok=True)

    def _go_back(
        self, settings: ContainerSettings, alive: Collection[str], wrong: list[str]
    ) -> None:
        with _told(wrong):
            settings_file.write(self._file, settings)
        with _told(wrong):
            there = self._deployment.containers()
            changed = self._stopped_otherwise(settings, there)
            self._deployment.stop(changed, grace=GRACE)
            self._deployment.create(settings, (), only_missing=False)
            Starter(self._deployment, self._report).start(alive)

    def _stopped_otherwise(
        self, settings: ContainerSettings, there: Mapping[str, Container]
    ) -> dict[str, Container]:
        """Those that `create` would make anew while they run."""
        hashes = self._deployment.hashes(settings)
        return {name: one for name, one in there.items() if one.hash != hashes[one.service]}


@contextmanager
def _told(wrong: list[str]) -> Iterator[None]:
    """Go on past what fails, and remember it in words."""
    try:
        yield
    except DeployError as error:
        wrong.append(f"{error.message}: {error.cause}")
    except OSError as error:
        wrong.append(str(error))


def _names(changes: list[Change], action: str) -> set[str]:
    return {change.what for change in changes if change.action == action}


def check_ports(settings: ContainerSettings, there: Mapping[str, Container]) -> None:
    """Raise PortTaken where somebody else listens on a port that these publish."""
    own = {port for one in there.values() if one.alive() for port in one.published.values()}
    for name, port in settings.ports.items():
        if port in own or ports.is_free(port, _LOOPBACK):
            continue
        holder = ports.holder(port, _LOOPBACK)
        raise PortTaken(
            f"{_LOOPBACK}:{port}, which is to be the {name} port, is taken",
            cause=f"{holder} listens there",
            fix="stop that process, or choose another port: --port, --http-port, --ui-port",
        )


def restart(
    settings: ContainerSettings,
    names: Collection[str],
    deployment: Deployment,
    report: Report,
    *,
    grace: float,
) -> None:
    """Stop these, where they run, and start them with these settings; see Platform."""
    there = deployment.containers()
    starter = Starter(deployment, report)
    components = {one for name, one, _ in _listed(settings) if name in names}
    try:
        if layout.DATABASE not in components and components & set(topology.load().roles):
            # A role that starts while its store is away ends at once.
            starter.until_ready()
        deployment.create(settings, there.values(), only_missing=True)
        ending = {name: one for name, one in there.items() if name in names}
        for name in deployment.stop(ending, grace=grace):
            report(f"{name} has not stopped within {grace:g} s and was killed")
        starter.start(names)
    except OSError as error:
        raise deployment.directory.unusable(error) from error


def _listed(settings: ContainerSettings) -> list[tuple[str, str, int]]:
    return layout.names(settings.replicas, opensearch=False)
