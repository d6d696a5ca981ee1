"""What a probe has found."""

from dataclasses import dataclass
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
