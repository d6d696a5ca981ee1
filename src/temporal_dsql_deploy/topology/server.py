"""What `servers.json` holds, as types: what depends on the version of a server."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SchemaRoute:
    """How one store gets its schema."""

    version: str | None
    """What the store says afterwards; None where nothing checks it."""
    commands: tuple[tuple[str, ...], ...]
    """Command lines in order, with placeholders such as {endpoint}; repeatable."""
    note: str


@dataclass(frozen=True, slots=True)
class Schema:
    """How both stores get their schema."""

    default: SchemaRoute
    visibility: SchemaRoute
    source: str


@dataclass(frozen=True, slots=True)
class DynamicConfigKey:
    """A dynamic config key that matters for this server."""

    key: str
    default: int | bool | str
    """What it is when nothing is set."""
    recommended: int | str | None
    """What to set; None to leave it alone. Sizes are bytes."""
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that panels and rules may use."""

    name: str
    type: str
    """counter, gauge or histogram."""
    labels: tuple[str, ...]
    """Some may be missing from this list, none of these from the page."""
    tells: str


@dataclass(frozen=True, slots=True)
class MisleadingMetric:
    """A metric that is on the page and does not say what its name says."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of a server."""

    framework: str
    """global.metrics.prometheus.framework that the names are those of."""
    naming: str
    usable: tuple[Metric, ...]
    never: tuple[str, ...]
    """Names, or patterns with *, that documents mention and that never appear."""
    misleading: tuple[MisleadingMetric, ...]
    source: str


@dataclass(frozen=True, slots=True)
class KnownException:
    """Where this server does not do what a Temporal server does, or what its documents say."""

    id: str
    what: str
    symptom: str | None
    """What is seen; None where nothing shows it."""
    remedy: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Server:
    """One server that the tool can run or deploy."""

    name: str
    what: str
    version: str
    """Of the program that is started."""
    minimum_version: str
    """The oldest that works, of the same program."""
    minimum_why: str
    server_version: str
    """Of the Temporal server in it, as it says itself."""
    ui_version: str | None
    commit: str | None
    origin: str
    """Where it comes from."""
    history_shards: int | None
    """A number that cannot be changed, or None."""
    ringpop: bool
    """Whether its processes find one another by gossip."""
    default_plugins: tuple[str, ...]
    """pluginName of the default store."""
    visibility_plugins: tuple[str, ...]
    """pluginName of the visibility store; elasticsearch is a data store of its own kind."""
    health_roles: tuple[str, ...]
    """Roles that answer gRPC health for their name in topology.json."""
    schema: Schema
    dynamic_config: tuple[DynamicConfigKey, ...]
    """Besides the drain keys of topology.json."""
    unregistered_keys: tuple[str, ...]
    """Keys that documents of this server name and that it ignores."""
    metrics: Metrics
    exceptions: Mapping[str, KnownException]
    """By id."""
