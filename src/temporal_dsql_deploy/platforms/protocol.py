"""The protocol that every verb speaks, whatever a Temporal cluster runs on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol

from temporal_dsql_deploy.errors import StartFailed
from temporal_dsql_deploy.persistence.database import Database


class Result:
    """Base of everything that `--json` prints; its JSON Schema is in docs/reference/schemas."""

    __slots__ = ()
    __pydantic_config__: ClassVar = {"extra": "forbid", "use_attribute_docstrings": True}


class State(StrEnum):
    """What a component says of itself, in the words of gRPC health where it speaks that."""

    SERVING = "SERVING"
    STARTING = "STARTING"
    """Not yet serving, and too young to be called unhealthy, or it says that it is starting."""
    NOT_SERVING = "NOT_SERVING"
    UNREACHABLE = "UNREACHABLE"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class Component(Result):
    """One part of a cluster: a Temporal role, the Web UI, the metrics page."""

    name: str
    """Role or page, as in topology.json."""
    state: State
    address: str = ""
    """host:port of gRPC, or the URL of a page."""
    pid: int | None = None
    """Process on this machine."""
    version: str = ""
    instance: str = ""
    """Which of several, such as `history-2`; empty where there is one only."""
    in_ring: bool | None = None
    """Whether every member that answers has it in its ring; null where there is no ring."""
    shards: int | None = None
    """History shards that it took last; null for what is no history, or not known."""
    note: str = ""
    """What to know about it, for instance how it ended."""


@dataclass(frozen=True, slots=True)
class Status(Result):
    """A cluster at one moment."""

    environment: str
    platform: str
    running: bool
    """Whether any of its processes runs."""
    healthy: bool
    """Whether every component serves, or is just starting."""
    components: list[Component]
    namespaces: list[str] = field(default_factory=list)
    since: datetime | None = None
    """When it was started, UTC."""
    facts: dict[str, str] = field(default_factory=dict)
    """What else this platform can tell, by name."""


@dataclass(frozen=True, slots=True)
class Change(Result):
    """One thing that `up` changes, or with --dry-run would change."""

    what: str
    """The thing, such as `server` or `namespace orders`."""
    action: str
    """`start`, `restart`, `stop`, `create`, `update`, `build`, `copy` or `download`."""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.action} {self.what}" + (f": {self.detail}" if self.detail else "")


@dataclass(frozen=True, slots=True)
class SqlStore:
    """A store in SQL, and the schema that the server which uses it wants."""

    database: Database
    schema: Path | None
    """Folder of the versions of its schema; None where it is not known."""


@dataclass(frozen=True, slots=True)
class LogLine(Result):
    """One line of a component's log."""

    component: str
    """Temporal role, or the process that wrote it."""
    message: str
    time: datetime | None = None
    level: str = ""
    """DEBUG, INFO, WARN or ERROR; empty for plain text."""
    fields: dict[str, Any] = field(default_factory=dict)
    """Everything else of the line."""


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which log lines are wanted."""

    component: str | None = None
    level: str | None = None
    """The least level: debug, info, warn, error."""
    tail: int = 100
    """How many of the last lines to begin with."""
    follow: bool = False


@dataclass(frozen=True, slots=True)
class Stored(Result):
    """Something that stays after `down` and goes with `destroy`."""

    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class Stopped(Result):
    """What `stop` found and did."""

    was_running: bool
    killed: bool = False
    """Whether it had to be killed after its grace period."""


@dataclass(frozen=True, slots=True)
class Page(Result):
    """A web page of a cluster."""

    environment: str
    name: str
    url: str
    shown: bool
    """Whether a browser was started for it."""


@dataclass(frozen=True, slots=True)
class Requirement(Result):
    """Something that a thing the tool can do needs from this machine."""

    name: str
    ok: bool
    found: str
    """What is there, or what is wrong with it."""
    remedy: str = ""
    """What to do about a lack."""


@dataclass(frozen=True, slots=True)
class Member(Result):
    """A process of a Temporal role that runs now, wherever it runs."""

    role: str
    address: str
    """The IP address that it has, which is the one that it should broadcast."""
    membership_port: int
    grpc_port: int
    name: str = ""
    """Of its instance, such as `history-2`."""


@dataclass(frozen=True, slots=True)
class Instance(Result):
    """A process that belongs to a cluster as it was last started, whether it runs or not."""

    name: str
    """Such as `history-2`; the component where there is only ever one."""
    component: str
    """Role, `ui` or `database`."""
    running: bool
    since: datetime | None = None
    """When it was started, UTC; null where that is not known."""
    note: str = ""
    """How it ended and what it said last; empty while it runs."""


GRACE = 30.0
"""Seconds that a component may take to stop. With every drain setting that was measured, all roles
of temporal-server 1.32.2 end within 20.5 s."""
STORES = ("database", "opensearch")
"""The components that keep data, which the roles ask: first to start, last to stop, and no verb
restarts them that can do without."""
SQL_STORES = ("default", "visibility")
"""The stores that may be in SQL, by their keys in servers.json."""
LEVELS = ["debug", "info", "warn", "error"]
"""Levels of log lines, least first."""
Report = Callable[[str], None]
"""Takes one line of progress."""


class Platform(Protocol):
    """A Temporal cluster that can be started, looked at, stopped and removed."""

    name: str

    def lock(self, verb: str, waiting: Report) -> AbstractContextManager[None]:
        """Hold the environment for a verb that changes it; `waiting` is told when another does.

        Raises Locked when the other does not finish in time.
        """

    def plan(self) -> list[Change]:
        """What `start` would do now; empty when everything runs as it is wanted."""

    def start(self, starting: Callable[[], None]) -> list[Change]:
        """Start what does not run and restart what runs with other settings; what was done.

        `starting` is called once before the first change, after everything that can be refused.
        """

    def undo(self) -> str:
        """Go back to what ran before `start`, which may be nothing; what was done, in words."""

    def plan_scale(self, replicas: Mapping[str, int]) -> list[Change]:
        """What `scale` would do now. Raises NotRunning, NotForPlatform, InvalidSetting."""

    def scale(
        self,
        replicas: Mapping[str, int],
        starting: Callable[[], None],
        serving: Callable[[list[Change]], None],
    ) -> list[Change]:
        """Run so many instances of each of these roles, and leave all else as it was last started.

        `serving` is called with all changes when new ones serve, before those that are not wanted
        any more stop: they stop when it has returned. `starting` is as for `start`, and `undo`
        undoes it. What was done.
        """

    def warnings(self) -> list[str]:
        """Settings that the running cluster has been given and has not taken, a sentence each."""

    def requirements(self) -> list[Requirement]:
        """What `start` needs from this machine, and whether it is there; nothing is changed."""

    def broken(self) -> StartFailed | None:
        """Why the cluster cannot become ready any more, None while it still can."""

    def running(self) -> bool:
        """Whether any of its processes runs."""

    def frontend(self) -> str:
        """host:port of the frontend's gRPC. Raises NotRunning."""

    def pages(self) -> dict[str, str]:
        """URLs of the web pages by name, the Web UI as `ui`. Raises NotRunning."""

    def status(self) -> Status:
        """What runs now, and how it is."""

    def members(self) -> list[Member]:
        """The processes of Temporal roles that run now; empty when none does.

        What is known to run, by the process or the task, and not what should run or what answers.
        Raises NotForPlatform where there is no ring.
        """

    def database(self) -> Database:
        """How the default store is reached from here; nothing is tried.

        Raises NotRunning where the platform runs a database and it does not run, NotForPlatform
        where the tool cannot read it.
        """

    def sql_store(self, name: str) -> SqlStore:
        """The `default` store or that of `visibility`.

        Raises as `database` does, NotForPlatform for visibility that is not in SQL.
        """

    def log_components(self) -> list[str]:
        """The names that `LogQuery.component` may have."""

    def logs(self, query: LogQuery) -> Iterator[LogLine]:
        """Lines of the logs, oldest first; endless when `query.follow`.

        Raises NotRunning when nothing has ever been logged.
        """

    def instances(self) -> list[Instance]:
        """Everything that should run, in the order of start. Raises NotRunning if it never did."""

    def restart(self, names: Sequence[str], *, grace: float) -> None:
        """Stop these instances, where they run, and start them as the cluster was last started.

        It returns when gRPC health of each role that it has started says SERVING. `grace` is in
        seconds. What can be refused is refused before anything is stopped. After an interruption,
        or a failure, some of them may not run.
        Raises StartFailed, NotReady, StopFailed, NotRunning and what `start` refuses with.
        """

    def stop(self, *, grace: float) -> Stopped:
        """Stop everything, keep the data; `grace` is in seconds."""

    def stored(self) -> list[Stored]:
        """What `remove` would delete."""

    def remove(self) -> None:
        """Delete all data of a stopped cluster."""
