"""What one process of the Temporal-DSQL server connects and holds: never below what is measured.

Source of every number without another one: measured with the Temporal-DSQL server at cf90c57.
"""

from dataclasses import dataclass
from enum import StrEnum

POOLS = 4
"""Pools that a process makes, one after the other: for the check of the schema's version, two for
the server, one for its role. In legacy mode the first three are closed again, so that two are
open at one time; in reservoir mode the refiller of each runs until the process ends."""
POOLS_AT_ONCE = 2
SESSION_SECONDS = 3600.0
"""Aurora DSQL user guide, quotas: then DSQL closes a connection, whatever it does."""
RETRIES_PER_REFILLER = 4.0
"""Per second: a refiller waits 250 ms after a connect that failed."""
RETRIES_PER_POOL = 1.0
"""Per second, in legacy mode: reconnects of a pool are a second apart."""
RECONNECTS_IN_AN_OUTAGE = 2
"""Forced reconnects of history and of matching in 30 s of refusal; each leaves a reservoir."""


class Mode(StrEnum):
    """How a process keeps connections."""

    LEGACY = "legacy"
    """Pool warm-up and pool keeper."""
    RESERVOIR = "reservoir"


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections of one process; times in seconds. The defaults are the plugin's."""

    max_conns: int
    """Connections that its role holds at most; 1 at least."""
    mode: Mode = Mode.LEGACY
    target_ready: int | None = None
    """Ready connections in each reservoir; None for max_conns."""
    low_watermark: int | None = None
    """What a start waits for; raises the target where it is higher. None for max_conns."""
    lifetime: float = 600.0
    """Age at which a connection is closed: maxConnLifetime, or BASE_LIFETIME of a reservoir,
    which starts from 660."""
    jitter: float = 120.0
    """Up to so much is added to the lifetime, in reservoir mode."""
    guard: float = 45.0
    """One with less life left is closed too, in reservoir mode."""
    rate: int = 10
    """Connects per second of the process, unless a limiter counts for all."""
    burst: int = 100
    """Connects of the process at once, unless a limiter counts for all."""
    stagger: float = 5.0
    """Longest wait before the first connect; 0 for none."""
    fill_timeout: float = 30.0
    """How long each pool's start waits for the low watermark, in reservoir mode."""
    warmup: float = 0.0
    """Time over which the warm-up of each pool is spread, in legacy mode."""

    @property
    def target(self) -> int:
        """Connections that each reservoir keeps ready; 0 in legacy mode."""
        if self.mode is Mode.LEGACY:
            return 0
        ready = self.max_conns if self.target_ready is None else self.target_ready
        return max(ready, self.watermark)

    @property
    def watermark(self) -> int:
        """Connections that each pool's start waits for."""
        if self.mode is Mode.LEGACY or self.low_watermark is None:
            return self.max_conns
        return self.low_watermark

    @property
    def opens(self) -> int:
        """Connects of a start."""
        return (
            POOLS * self.max_conns
            if self.mode is Mode.LEGACY
            else POOLS * self.target + self.max_conns
        )

    @property
    def held(self) -> int:
        """Connections under load."""
        return POOLS * self.target + self.max_conns

    @property
    def held_at_start(self) -> int:
        """Most connections while it starts."""
        return POOLS_AT_ONCE * self.max_conns if self.mode is Mode.LEGACY else self.held

    def held_after(self, reconnects: int) -> int:
        """Connections under load after so many forced reconnects."""
        return self.held + reconnects * self.target

    @property
    def recycled_per_second(self) -> float | None:
        """Mean connects by which old connections are replaced; None where they never stop.

        What lies in a reservoir is closed a guard window before its age; what is held lives until
        DSQL closes it.
        """
        if self.mode is Mode.LEGACY:
            life = min(self.lifetime, SESSION_SECONDS)
            return self.max_conns / life if life > 0 else None
        life = min(self.lifetime + self.jitter / 2, SESSION_SECONDS) - self.guard
        if life <= 0 or self.lifetime <= self.guard:
            return None
        return POOLS * self.target / life + self.max_conns / SESSION_SECONDS

    def retries_per_second(self, reconnects: int = 0) -> float:
        """Connects that it tries while all are refused, whatever its own limit."""
        if self.mode is Mode.LEGACY:
            return RETRIES_PER_POOL
        return RETRIES_PER_REFILLER * (POOLS + reconnects)

    @property
    def opens_before_healthy(self) -> int:
        """Connects that may come before a start is over: all of legacy mode's warm-ups.

        In reservoir mode the refillers of the first pools go on while the last one waits.
        """
        if self.mode is Mode.LEGACY:
            return self.opens
        return (POOLS - 1) * self.target + self.watermark

    @property
    def last_start_seconds(self) -> float | None:
        """Longest start of reservoir mode that still succeeds or fails by itself.

        Measured 91 to 96 s with 30 s: three pools wait for their time-out. None in legacy mode.
        """
        if self.mode is Mode.LEGACY:
            return None
        return self.stagger + 3 * self.fill_timeout + 1
