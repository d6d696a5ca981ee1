"""What a rehearsal was, and what it was not."""

from dataclasses import dataclass

from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class StandIn(Result):
    """Something that played a part of AWS."""

    instead_of: str
    what: str
    cannot_show: str


@dataclass(frozen=True, slots=True)
class DeniedDial(Result):
    """A connection that security groups refused."""

    source: str
    """Address."""
    target: str
    port: int
    attempts: int


@dataclass(frozen=True, slots=True)
class RehearsePlan(Result):
    """What a rehearsal would stand on; nothing was started."""

    environment: str
    vpc: str
    """CIDR."""
    stand_ins: list[StandIn]
    overrides: list[str]
    """What differs from the environment's own Terraform and variables."""


@dataclass(frozen=True, slots=True)
class RehearseResult(Result):
    """A rehearsal that has come to its end, or stands."""

    environment: str
    ok: bool
    """Whether the probe saw that all works."""
    seconds: dict[str, float]
    """How long each part took, by its name."""
    stand_ins: list[StandIn]
    overrides: list[str]
    """What differs from the environment's own Terraform and variables."""
    denied: list[DeniedDial]
    """Connections that security groups refused."""
    probe: ProbeResult | None
    """Null where it was not reached."""
    standing: dict[str, str] | None
    """With --keep: the variables by which all verbs talk to it; null where all is gone."""


@dataclass(frozen=True, slots=True)
class ServiceHealing(Result):
    """One service after a fault."""

    component: str
    desired: int
    """Tasks."""
    running: int
    seconds: float | None
    """Until it was steady and stayed so; null where it was not."""


@dataclass(frozen=True, slots=True)
class FaultResult(Result):
    """What faults have done to a rehearsal that stands."""

    environment: str
    ok: bool
    """Whether all is well again: every service is steady, and the probe is right."""
    faults: list[str]
    """As they were asked for; empty for `none`."""
    hit: list[str]
    """ARNs of tasks and ids of instances that were hit."""
    lasting: list[str]
    """Those of them that hold until --fault none."""
    services: list[ServiceHealing]
    seconds: float | None
    """Until every service was steady; null where one was not."""
    stopped: list[str]
    """Tasks that have stopped since, and why."""
    events: list[str]
    """What ECS has said since."""
    causes: list[str]
    """Why it is not well, from tasks, logs and events."""
    probe: ProbeResult | None
    """Null where it was not reached, or could not be made."""
