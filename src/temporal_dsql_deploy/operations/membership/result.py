"""What is known of a cluster's membership, and what is concluded from it."""

from dataclasses import dataclass, field
from datetime import datetime

from temporal_dsql_deploy.platforms.protocol import Member, Result
from temporal_dsql_deploy.platforms.ring import Seen, reachable


@dataclass(frozen=True, slots=True)
class Row(Result):
    """A row of the table cluster_membership."""

    role: str
    address: str
    """host:port of the membership port that the process broadcasts."""
    host_id: str
    """A UUID, new for each process."""
    age: float
    """Seconds since its heartbeat, by the database's clock."""
    started: datetime
    """UTC, by the clock of the process, as is `heartbeat`."""
    heartbeat: datetime
    expiry: datetime


@dataclass(frozen=True, slots=True)
class Port(Result):
    """A membership port that was asked for its view of the ring."""

    address: str
    """host:port."""
    listens: bool
    """Whether something took the connection."""
    seen: list[Seen] | None
    """Everybody that the member there knows; None where it did not say."""
    error: str = ""
    """Why it did not say."""

    @property
    def own(self) -> Seen | None:
        """The member that asked itself about itself; None where it has another address."""
        return next((one for one in self.seen or [] if one.address == self.address), None)

    @property
    def joined(self) -> bool:
        """Whether it has joined: a member has a role from then on."""
        return self.own is not None and bool(self.own.role)


@dataclass(frozen=True, slots=True)
class Look(Result):
    """The membership of a cluster at one moment."""

    environment: str
    at: datetime
    rows: list[Row]
    ports: list[Port]
    """Of all rows, all processes that run, and all members that another one holds reachable."""
    running: list[Member]
    """What the platform knows to run."""
    shards: dict[str, int] | None = None
    """How many shards each history took last, by host:port of its gRPC; None where unknown."""
    database_error: str = ""
    """Why there are no rows."""

    def port(self, address: str) -> Port | None:
        """The port with this address, if it was asked."""
        return next((port for port in self.ports if port.address == address), None)

    def members(self) -> dict[str, Seen]:
        """Everybody with a role whom any member holds reachable, by address."""
        views = (port.seen or [] for port in self.ports)
        return {one.address: one for view in views for one in view if one.reachable and one.role}

    def holders(self, address: str) -> list[str]:
        """Addresses of the members, other than itself, that hold this one reachable."""
        return [
            port.address
            for port in self.ports
            if port.seen and port.address != address and address in reachable(port.seen)
        ]


@dataclass(frozen=True, slots=True)
class Finding(Result):
    """Something that is not as it should be; `dsql-deploy explain CODE` says more."""

    code: str
    problem: bool
    """Whether it harms; otherwise it is worth knowing."""
    summary: str
    evidence: list[str]
    fix: str


@dataclass(frozen=True, slots=True)
class DoctorResult(Result):
    """What is wrong with the membership of a cluster."""

    environment: str
    ok: bool
    """Whether no finding is a problem."""
    at: datetime
    members: int
    """How many are in the ring."""
    rows: int
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Fate(Result):
    """What becomes of a row."""

    role: str
    address: str
    host_id: str
    age: float
    kept_because: str = ""
    """Empty where its owner is proven gone."""


@dataclass(frozen=True, slots=True)
class CleanResult(Result):
    """Which rows were deleted, or would be."""

    environment: str
    dry_run: bool
    deleted: list[Fate] = field(default_factory=list)
    """With `dry_run`, those that would be."""
    kept: list[Fate] = field(default_factory=list)
