"""What `topology.json` holds, as types: durations are Go duration strings, `source` cites."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """Something that calls or is called: a role, the UI, or what stands outside the cluster."""

    name: str
    does: str
    """One sentence."""
    ports: Mapping[str, int]
    """TCP ports it listens on, by name: grpc, membership, http, https, postgresql."""
    source: str


@dataclass(frozen=True, slots=True)
class Role(Component):
    """One of the four services of a Temporal server."""

    health_service: str
    """The name to ask gRPC health for; the unnamed service says SERVING too early."""


@dataclass(frozen=True, slots=True)
class Membership:
    """The gossip ring by which processes find one another."""

    ring: str
    """Who is in it, one sentence."""
    max_join_duration: str
    """Duration for global.membership.maxJoinDuration: a bad restart healed in 26 s, not 42 s."""
    start_limit: str
    """Duration after which a process that could not join or start ends."""
    heartbeat_window: str
    """Duration for which the row of a dead process still counts as a member to join."""
    closed_symptom: str
    """What is seen when all membership ports between different roles are closed."""
    source: str


@dataclass(frozen=True, slots=True)
class Traffic:
    """One connection of the traffic matrix: who dials whom, on which port."""

    from_: str
    to: str
    """Names of roles, components or externals, as is `from_`."""
    port_name: str
    """A key of the ports of `to`."""
    needed: bool
    """Whether a firewall must let it pass."""
    seen: bool
    """Whether it was seen in use; otherwise it is known from the source only, or not to exist."""
    provoked_by: str
    closed_symptom: str | None
    """What is seen when it is closed; None where that was not tried."""
    source: str


@dataclass(frozen=True, slots=True)
class AwsTraffic:
    """One connection that only a deployment on AWS has, besides those of `Traffic`."""

    from_: str
    to: str
    """Names of parties, as is `from_`."""
    port_name: str
    """A key of the ports of `to`; `metrics` for the Prometheus page of a role."""
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Aws:
    """What only a deployment on AWS has."""

    components: Mapping[str, Component]
    """Parties besides roles, UI and externals."""
    traffic: tuple[AwsTraffic, ...]
    """All of it is needed where both ends are there."""
    apis: Mapping[str, tuple[str, ...]]
    """AWS APIs by the party that calls them, by the names of their VPC endpoints: ecr.api, logs."""
    apis_source: str
    source: str


@dataclass(frozen=True, slots=True)
class Step:
    """A component's place in the order of starting or stopping."""

    component: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class EmptyDatabase:
    """Why the first start of all must be of one role alone."""

    fact: str
    joined_log: str
    """The message that a role logs when the others may start."""
    symptom: str
    source: str


@dataclass(frozen=True, slots=True)
class DrainKey:
    """A dynamic config key that makes a stop gentle."""

    key: str
    default: str
    """Duration that the server has by itself."""
    recommended: str
    """Duration that was measured to work; set where it differs from the default."""
    does: str


@dataclass(frozen=True, slots=True)
class RoleDrain:
    """How one role stops."""

    keys: tuple[DrainKey, ...]
    measured: str
    """What the recommended values do."""


@dataclass(frozen=True, slots=True)
class Drain:
    """How roles are stopped without failing the calls that they serve."""

    stop_timeout_seconds: int
    """Seconds from SIGTERM to SIGKILL that fit every setting."""
    stop_timeout_why: str
    roles: Mapping[str, RoleDrain]
    """By name of role."""
    source: str


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable that the DSQL plugin reads."""

    name: str
    type: str
    """int, bool, duration, string or host."""
    default: int | bool | str | None
    """None where there is none, or where `computed_default` says how it is found."""
    computed_default: str | None
    minimum: int | str | None
    """Smallest value that does what it says: int, or duration; None where none is known."""
    maximum: int | str | None
    unit: str | None
    meaning: str
    mode: str
    """The mode of the plugin that reads it: both, legacy or reservoir."""
    required: bool
    requires: tuple[str, ...]
    """Variables without which it has no effect: they have a value, bools are true."""
    source: str


@dataclass(frozen=True, slots=True)
class RuntimeVariable:
    """An environment variable that the container's entrypoint reads."""

    name: str
    type: str
    """int, bool, duration, string, host, address, host_port or json."""
    required: bool
    """Whether it must be set, where `only_with` holds."""
    default: str | None
    """None where there is none."""
    meaning: str
    choices: tuple[str, ...] = ()
    """The only values; empty where there are others."""
    minimum: int | str | None = None
    maximum: int | str | None = None
    """int, or duration; None where none is known."""
    only_with: str | None = None
    """NAME=VALUE of another variable without which this one is not read."""
    secret: bool = False
    """Whether its value is never shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the plugin should check about its environment and does not."""

    id: str
    sentence: str
    otherwise: str
    """What the server does with an environment that breaks it."""


@dataclass(frozen=True, slots=True)
class Topology:
    """All of `topology.json`."""

    roles: Mapping[str, Role]
    """By name, in the order in which they start."""
    components: Mapping[str, Component]
    """What a cluster has besides roles: the UI."""
    externals: Mapping[str, Component]
    """What a cluster calls or is called by: client, database, visibility."""
    metrics_port: int
    """Of every role's Prometheus page."""
    metrics_path: str
    opensearch_ports: Mapping[str, int]
    """Of an OpenSearch that is a process on this machine; a domain is one of the externals."""
    embedded_ui_port_offset: int
    """The embedded server's UI listens so far above its frontend's gRPC port."""
    membership: Membership
    traffic: tuple[Traffic, ...]
    start_order: tuple[Step, ...]
    stop_order: tuple[Step, ...]
    one_role_first_on_empty_database: EmptyDatabase
    drain: Drain
    aws: Aws
    runtime: Mapping[str, RuntimeVariable]
    """What the entrypoint reads beside the plugin's, by name of the variable."""
    environment: Mapping[str, Variable]
    """By name of the variable."""
    rules: tuple[Rule, ...]
    """What must hold over the environment."""

    @property
    def ui_port(self) -> int:
        """HTTP port of the UI, except the embedded server's."""
        return self.components["ui"].ports["http"]
