"""Which connections between parties are needed, which are allowed, by topology.json."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.reach.parties import Parties
from temporal_dsql_deploy.topology import Traffic

HTTPS = 443
Flow = tuple[str, str, int]
"""Who, whom, TCP port."""
_MEMBERSHIP = "membership"
_COLLECTOR = re.compile(
    r"otel|opentelemetry|collector|alloy|promtail|fluent-?bit|fluentd|vector|grafana-agent"
)
"""Images of what may stand beside a task and push its logs and metrics."""


@dataclass(frozen=True, slots=True)
class Want:
    """A connection that may be open."""

    needed: bool
    """Whether it must be; otherwise nothing in the plan says that it is used."""
    port_name: str
    symptom: str
    """What is seen where it is closed."""


def wants(parties: Parties) -> Mapping[Flow, Want]:
    """All connections that topology.json has between roles, components, stores and ways in."""
    found = {
        (row.from_, row.to, ports_of(row.to)[row.port_name]): Want(
            True, row.port_name, row.closed_symptom or _symptom(row)
        )
        for row in topology.load().traffic
        if row.needed
    }
    for row in topology.load().aws.traffic:
        port = ports_of(row.to)[row.port_name]
        needed = row.to != "loki" or row.from_ == "grafana" or _collects(parties, row.from_)
        said = f"{row.from_} does not get through to {row.to} ({row.why}); every role stays SERVING"
        found[row.from_, row.to, port] = Want(needed, row.port_name, f"{said}.")
    grpc = ports_of("frontend")["grpc"]
    said = "Applications that come by the load balancer time out; every role stays SERVING."
    found["client", "load-balancer", grpc] = Want(True, "grpc", said)
    loki = ports_of("loki")["http"]
    for party in parties.known:
        if (party.name, "loki", loki) not in found and _collects(parties, party.name):
            said = f"The logs of {party.name} do not come to Loki; nothing else shows it."
            found[party.name, "loki", loki] = Want(True, "http", said)
    return found


@cache
def ports_of(party: str) -> Mapping[str, int]:
    """TCP ports that a party listens on, by name; none where it is called by nobody."""
    known = topology.load()
    if party.startswith("endpoint "):
        return {"https": HTTPS}
    if party == "load-balancer":
        return {"grpc": known.roles["frontend"].ports["grpc"]}
    if party in known.roles:
        return {**known.roles[party].ports, "metrics": known.metrics_port}
    others = {**known.components, **known.externals, **known.aws.components}
    return others[party].ports if party in others else {}


def _symptom(row: Traffic) -> str:
    if row.port_name == _MEMBERSHIP:
        # docs/results/2026-11-22-closed-paths.md has every direction, closed alone.
        return (
            f"Nothing fails with this direction alone closed: what {row.to} does not hear of "
            f"{row.from_}, it hears from a third member."
        )
    return (
        f"What needs it hangs or fails ({row.provoked_by}): {row.from_} logs a time-out on its "
        f"way to {row.to}, and no health check shows it."
    )


def _collects(parties: Parties, name: str) -> bool:
    """Whether a collector stands beside the main container of such a party."""
    return any(
        _COLLECTOR.search(sidecar.image.lower())
        for party in parties.of(name)
        for task in party.tasks
        for sidecar in task.sidecars
    )
