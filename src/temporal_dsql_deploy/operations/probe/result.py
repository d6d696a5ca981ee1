"""What a probe has found."""

from dataclasses import dataclass, field
from datetime import datetime

from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class CheckResult(Result):
    """How one check went."""

    name: str
    ok: bool
    seconds: float
    """How long it took, or how long it was waited for."""
    error: str = ""
    """What went wrong."""
    meaning: str = ""
    """What that means, and where to look."""
    silent: bool = False
    """Whether it failed because no answer came in time, as behind a path that is closed."""
    left_out: str = ""
    """Why it was not tried, or not to its end; such a check is `ok`."""


@dataclass(frozen=True, slots=True)
class ClosedPath(Result):
    """A path between two roles that is closed, or so it looks."""

    caller: str
    """The role that opens the connection."""
    callee: str
    port_name: str
    """grpc or http, as in topology.json."""
    port: int
    """The callee's standard port of that name."""
    certain: bool
    """Whether a log has it, or nothing else explains the checks and no role is down."""
    checks: list[str] = field(default_factory=list)
    """The failed checks that take it."""
    log: list[str] = field(default_factory=list)
    """What the caller has logged about it."""


@dataclass(frozen=True, slots=True)
class ProbeResult(Result):
    """How a cluster did, from end to end."""

    address: str
    """The frontend that was asked."""
    namespace: str
    task_queue: str
    """Also the prefix of all workflow ids of this probe."""
    ok: bool
    at: datetime
    seconds: float
    checks: list[CheckResult]
    paths: list[ClosedPath] = field(default_factory=list)
    """Closed paths that explain the failed checks; empty where all roles are one process."""
    notes: list[str] = field(default_factory=list)
    """What else explains them: a role that does not run, a database that is away."""
