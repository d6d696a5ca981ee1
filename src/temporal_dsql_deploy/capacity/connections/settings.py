"""What the DSQL plugin makes of its environment, the silent defaults too."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.capacity.connections.pool import Mode, Pool

MAX_CONNS = ("TEMPORAL_SQL_MAX_CONNS", "SQL_MAX_CONNS")
MAX_CONN_LIFETIME = ("TEMPORAL_SQL_MAX_CONN_LIFETIME", "SQL_MAX_CONN_LIFETIME")
"""Names by which the images' entrypoints write the configuration; ours first."""
RATE = "DSQL_CONNECTION_RATE_LIMIT"
BURST = "DSQL_CONNECTION_BURST_LIMIT"
DEFAULT_MAX_CONNS = 100
"""What the server takes for 0 or less. Measured with the Temporal-DSQL server at cf90c57."""
DEFAULT_LIFETIME = 600.0
_TRUE = {"1", "t", "T", "true", "TRUE", "True"}
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
_INT = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Settings:
    """The plugin's settings in one container."""

    pool: Pool
    sized: bool
    """Whether the environment says how many connections a pool has; else it is taken for the
    server's default, and what rests on the size is a guess."""
    limiter: bool = False
    limiter_table: str = ""
    limiter_limit: int = 100
    limiter_max_wait: float = 30.0
    lease: bool = False
    lease_table: str = ""
    lease_limit: int = 10_000
    endpoint: str = ""
    region: str = ""
    defaulted: Mapping[str, str] = field(default_factory=dict)
    """By variable that has a value which the plugin cannot read: that value."""

    @property
    def limits_together(self) -> bool:
        """Whether the limiter in DynamoDB is in force; without its table it is not."""
        return self.limiter and bool(self.limiter_table)


def read(environment: Mapping[str, str]) -> Settings:
    """The settings in an environment; a value that the plugin cannot read becomes its default."""
    reader = _Reader(environment)
    return Settings(
        pool=reader.pool(),
        sized=any(name in environment for name in MAX_CONNS),
        limiter=reader.boolean("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED"),
        limiter_table=environment.get("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE", ""),
        limiter_limit=reader.positive("DSQL_DISTRIBUTED_RATE_LIMITER_LIMIT", 100),
        limiter_max_wait=reader.duration("DSQL_DISTRIBUTED_RATE_LIMITER_MAX_WAIT"),
        lease=reader.boolean("DSQL_DISTRIBUTED_CONN_LEASE_ENABLED"),
        lease_table=environment.get("DSQL_DISTRIBUTED_CONN_LEASE_TABLE", ""),
        lease_limit=reader.positive("DSQL_DISTRIBUTED_CONN_LIMIT", 10_000),
        endpoint=environment.get("CLUSTER_ENDPOINT", ""),
        region=environment.get("AWS_REGION", ""),
        defaulted=reader.defaulted,
    )


class _Reader:
    """Reads as the plugin does, and keeps what it could not read."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.defaulted: dict[str, str] = {}

    def pool(self) -> Pool:
        """The pool, of the default size where nothing says another."""
        name = next((one for one in MAX_CONNS if one in self.environment), "")
        conns = self.positive(name, DEFAULT_MAX_CONNS)
        reservoir = self.boolean("DSQL_RESERVOIR_ENABLED")
        ready = self.positive("DSQL_RESERVOIR_TARGET_READY", conns)
        staggered = self.boolean("DSQL_STAGGERED_STARTUP")
        return Pool(
            max_conns=conns,
            mode=Mode.RESERVOIR if reservoir else Mode.LEGACY,
            target_ready=ready,
            low_watermark=self.positive("DSQL_RESERVOIR_LOW_WATERMARK", conns),
            lifetime=self._lifetime(reservoir=reservoir),
            jitter=max(0.0, self.duration("DSQL_RESERVOIR_LIFETIME_JITTER")),
            guard=max(0.0, self.duration("DSQL_RESERVOIR_GUARD_WINDOW")),
            rate=max(0, self.integer(RATE, _default(RATE))),
            burst=max(0, self.integer(BURST, _default(BURST))),
            stagger=self.duration("DSQL_STAGGERED_STARTUP_MAX_DELAY") if staggered else 0.0,
            fill_timeout=self.duration("DSQL_RESERVOIR_INITIAL_FILL_TIMEOUT"),
            warmup=self.duration("DSQL_POOL_WARMUP_STAGGER_DURATION", _warmup(conns)),
        )

    def _lifetime(self, *, reservoir: bool) -> float:
        if reservoir:
            name, default = "DSQL_RESERVOIR_BASE_LIFETIME", 660.0
        else:
            name = next((one for one in MAX_CONN_LIFETIME if one in self.environment), "")
            default = DEFAULT_LIFETIME
        found = self.duration(name, default)
        return found if found > 0 else default

    def integer(self, name: str, default: int) -> int:
        """An int as Go reads it."""
        text = self.environment.get(name, "")
        if _INT.fullmatch(text):
            return int(text)
        self._not_read(name)
        return default

    def positive(self, name: str, default: int) -> int:
        """An int that the plugin takes for its default where it is below 1."""
        found = self.integer(name, default)
        if found < 1:
            self._not_read(name)
        return found if found >= 1 else default

    def boolean(self, name: str) -> bool:
        """A bool as Go reads it."""
        text = self.environment.get(name, "")
        if text not in _TRUE | _FALSE:
            self._not_read(name)
            return topology.load().environment[name].default is True
        return text in _TRUE

    def duration(self, name: str, default: float | None = None) -> float:
        """Seconds of a duration as Go writes it."""
        try:
            return topology.parse_duration(self.environment.get(name, ""))
        except ValueError:
            self._not_read(name)
        if default is not None:
            return default
        return topology.parse_duration(str(topology.load().environment[name].default))

    def _not_read(self, name: str) -> None:
        if self.environment.get(name):
            self.defaulted[name] = self.environment[name]


def _default(name: str) -> int:
    """The plugin's default for a number."""
    value = topology.load().environment[name].default
    return value if isinstance(value, int) else 0


def _warmup(conns: int) -> float:
    """Time over which the plugin spreads the warm-up of a pool; its source, pool_warmup.go."""
    if conns <= 100:
        return 0.0
    return 120.0 if conns <= 500 else max(180.0, ceil(conns / 50))
