"""What `recover` saw, decided, and did."""

from dataclasses import dataclass, field
from enum import StrEnum

from temporal_dsql_deploy.operations.membership.result import Finding
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.protocol import Instance, Result, Status


class Action(StrEnum):
    """The rungs of the ladder, the least first."""

    WAIT = "wait"
    """Look again: it may heal by itself."""
    CLEAN = "clean"
    """Delete rows of cluster_membership whose owners are proven gone."""
    START = "start"
    """Start what does not run, and restart what hangs."""
    RESTART = "restart"
    """Restart single instances."""
    REBUILD = "rebuild"
    """Stop all roles, delete all rows of membership, start them in their order."""
    GIVE_UP = "give up"
    """Nothing that is left to be done here would cure it."""


@dataclass(frozen=True, slots=True)
class Repair(Result):
    """One thing to do about what is wrong."""

    action: Action
    why: list[str]
    """What is wrong, a sentence each."""
    names: list[str] = field(default_factory=list)
    """Of the instances concerned, in the order of their start."""
    rows: int = 0
    """How many rows of cluster_membership are deleted before."""

    def __str__(self) -> str:
        parts = [f"{self.action} {', '.join(self.names)}".strip()]
        if self.rows:
            parts.append(f"delete {self.rows} rows of processes that are gone")
        return "; ".join(reversed(parts) if self.names else parts[-1:])


@dataclass(frozen=True, slots=True)
class Done(Result):
    """A repair that was tried."""

    repair: Repair
    seconds: float
    error: str = ""
    """What went wrong with it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A cluster at one moment, as far as it matters for its recovery."""

    instances: list[Instance]
    serving: frozenset[str] = frozenset()
    """Names of the instances that say SERVING."""
    starting: frozenset[str] = frozenset()
    """Of those that do not, and are too young to be called unhealthy."""
    joined: frozenset[str] = frozenset()
    """Of the roles' instances that are in the ring."""
    findings: list[Finding] = field(default_factory=list)
    """Of `membership doctor`."""
    gone: frozenset[str] = frozenset()
    """Host ids of the rows whose owners are proven gone."""
    fresh: bool = False
    """Whether one of these rows is so young that whoever starts dials it."""
    frozen: frozenset[str] = frozenset()
    """Names of members that write no heartbeat."""
    apart: frozenset[str] = frozenset()
    """Of members of a split ring, those that are not in its largest part."""
    orphans: int = 0
    """Shards that were taken last by a history that does not run."""


@dataclass(frozen=True, slots=True)
class RecoverResult(Result):
    """What `recover` found, did and proved."""

    environment: str
    ok: bool
    """Whether the probe has passed and nothing is left that does harm."""
    wrong: list[str]
    """What was wrong in the beginning, a sentence each; empty where nothing was."""
    repairs: list[Done]
    """In the order in which they were tried."""
    left: list[str]
    """What is still wrong."""
    status: Status
    probe: ProbeResult | None
    """Null where the cluster never came so far."""


@dataclass(frozen=True, slots=True)
class RecoverPlan(Result):
    """What `recover` would do first; what comes after it depends on what is seen then."""

    environment: str
    wrong: list[str]
    repair: Repair | None
    """Null where nothing is to be done."""
    probe: ProbeResult | None
    """Null where so much is wrong already that nothing was tried."""
