"""A cluster in whose membership nothing is wrong; tests spoil one thing of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.membership.result import Look, Port, Row
from temporal_dsql_deploy.platforms.protocol import Member
from temporal_dsql_deploy.platforms.ring import Seen

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ROLES = topology.load().roles


def member(role: str, number: int = 1) -> Member:
    """The process of a role, in a network where the number of the host is that of the instance."""
    ports = ROLES[role].ports
    host = f"10.0.{list(ROLES).index(role)}.{number}"
    return Member(role, host, ports["membership"], ports["grpc"])


def address(role: str, number: int = 1) -> str:
    one = member(role, number)
    return f"{one.address}:{one.membership_port}"


def grpc(role: str, number: int = 1) -> str:
    one = member(role, number)
    return f"{one.address}:{one.grpc_port}"


def seen(role: str, number: int = 1, status: str = "alive") -> Seen:
    return Seen(address(role, number), status, role, grpc(role, number))


def row(role: str, number: int = 1, age: float = 5.0) -> Row:
    at = NOW - timedelta(seconds=age)
    return Row(
        role=role,
        address=address(role, number),
        host_id=f"{role}-{number}",
        age=age,
        started=NOW - timedelta(hours=1),
        heartbeat=at,
        expiry=at + timedelta(hours=48),
    )


def healthy() -> Look:
    """One instance of each role, all seen by all."""
    everybody = [seen(role) for role in ROLES]
    return Look(
        environment="cluster",
        at=NOW,
        rows=[row(role) for role in ROLES],
        ports=[Port(address(role), listens=True, seen=everybody) for role in ROLES],
        running=[member(role) for role in ROLES],
        shards={grpc("history"): 64},
    )


def gone(address: str) -> Port:
    """A port of somebody who is dead."""
    return Port(address, listens=False, seen=None, error="connection refused")


def with_port(look: Look, port: Port) -> Look:
    """The same with this port in the place of the one with its address."""
    others = [one for one in look.ports if one.address != port.address]
    return replace(look, ports=[*others, port])


def killed(look: Look, role: str, number: int = 1, *, age: float, known: bool = False) -> Look:
    """The same after a process has died, `age` seconds after its last heartbeat.

    `known`: the platform has not noticed.
    """
    dead = address(role, number)
    status = "suspect" if age < 6 else "faulty"
    views = [
        replace(port, seen=[replace(s, status=status) if s.address == dead else s for s in view])
        if (view := port.seen) is not None
        else port
        for port in look.ports
    ]
    rows = [one for one in look.rows if one.address != dead]
    running = [one for one in look.running if known or one != member(role, number)]
    died = replace(look, rows=[*rows, row(role, number, age)], ports=views, running=running)
    return with_port(died, gone(dead))
