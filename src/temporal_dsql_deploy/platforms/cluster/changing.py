"""What both runtimes of the platform `cluster` do alike: changes that can be undone."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster.run import Run
from temporal_dsql_deploy.platforms.processes import log_lines
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.protocol import Change, LogLine, LogQuery, Member, Report

_PATIENCE = 120.0
S = TypeVar("S")
"""What a cluster is started with."""
R = TypeVar("R", bound=Run)


class Passage(Protocol):
    """A change from what runs to what is wanted."""

    def plan(self) -> list[Change]:
        """What it would do."""

    def go(
        self,
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None] = ...,
    ) -> list[Change]:
        """Do it; what was done."""

    def undo(self) -> str:
        """Go back; what was done, in words."""


class ChangingPlatform(ABC, Generic[S, R]):
    """The four roles, PostgreSQL and the Web UI, whatever each of them runs as."""

    name = "cluster"

    def __init__(self, environment: Environment, report: Report, directory: Directory) -> None:
        self._environment = environment
        self._report = report
        self._directory = directory
        self._going: Passage | None = None
        """The change that `undo` undoes."""

    @abstractmethod
    def _wanted(self) -> S:
        """What it is to be started with."""

    @abstractmethod
    def _last(self) -> S | None:
        """What it was last started with."""

    @abstractmethod
    def _scaled(self, replicas: Mapping[str, int]) -> S:
        """What it was last started with, but for the numbers of instances. Raises NotRunning."""

    @abstractmethod
    def _passage(self, settings: S) -> Passage:
        """The change from what runs to this."""

    @abstractmethod
    def _there(self) -> Mapping[str, R]:
        """All that was started, by the names of instances, whether it runs or not."""

    @abstractmethod
    def _roles(self) -> Mapping[str, R]:
        """Those of Temporal's roles that run."""

    @abstractmethod
    def _database(self, there: Mapping[str, R]) -> Database | None:
        """How the database is reached; None where it does not run."""

    def lock(self, verb: str, waiting: Report) -> AbstractContextManager[None]:
        """See Platform."""
        return self._directory.lock(verb, waiting, patience=_PATIENCE)

    def plan(self) -> list[Change]:
        """See Platform. Raises as `start` does."""
        return self._passage(self._wanted()).plan()

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

    def _started(self) -> S:
        """What it was last started with. Raises NotRunning."""
        self._directory.refuse_foreign()
        last = self._last()
        if last is None:
            raise self._directory.not_running("it has not been started yet")
        return last

    def running(self) -> bool:
        """See Platform."""
        return any(one.alive() for one in self._there().values())

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
        found = self._database(self._there())
        if found is None:
            raise self._directory.not_running("its PostgreSQL does not run")
        return found


def parser(name: str, component: str, query: LogQuery) -> Callable[[str], LogLine | None]:
    """Reads a line of one instance's log; None for what is not wanted."""
    by_level = LogQuery(level=query.level)

    def parse(text: str) -> LogLine | None:
        line = log_lines.of_process(text, component, name)
        return line if line is not None and log_lines.wanted(line, by_level) else None

    return parse
