"""What the servers' own logs tell of closed paths: pure reading of log lines."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.probe.paths import Pair
from temporal_dsql_deploy.platforms.protocol import LogLine

_DIAL = "network dial error"
"""Of temporal-server 1.32.2 (common/rpc/dial_tracer.go), 20 s after a packet that was dropped."""
_SDK = "error creating sdk client"
"""Of a role that reaches no frontend with the SDK (common/sdk/factory.go), about every 7 s."""
_JOIN = "unable to bootstrap ringpop"
_DATABASE = "sql handle: unable to refresh database connection pool"
_SILENCE = ("i/o timeout", "deadline exceeded", "no route to host", "network is unreachable")
"""How a dial ends behind a closed path; a process that is gone refuses instead."""
_TARGET = re.compile(r"dial tcp (\[[^\]]+\]|[^:/\s]+):(\d+)")


@dataclass(frozen=True, slots=True)
class Dial:
    """A connection that a role could not open."""

    pair: Pair
    line: str
    """What it logged."""
    alive: bool = True
    """Whether a process runs at the address now, where that is known."""


def dials(lines: Iterable[LogLine], members: Mapping[str, str]) -> list[Dial]:
    """The silent dials in log lines, each pair once for each text.

    `members` has the role of each gRPC host:port; an address that is not there, as of an instance
    that is gone, is known by its port where that is a standard one.
    """
    found = dict.fromkeys(dial for line in lines for dial in _dials(line, members))
    return list(found)


def _dials(line: LogLine, members: Mapping[str, str]) -> Iterable[Dial]:
    caller = role_of(line.component)
    text = _text(line)
    if caller is None or not any(words in text for words in _SILENCE):
        return
    if line.message == _SDK:
        yield Dial(Pair(caller, "frontend"), text)
    if line.message == _DIAL:
        for host, port in _TARGET.findall(text):
            callee = _callee(f"{host}:{port}", int(port), members)
            if callee is not None:
                yield Dial(Pair(caller, *callee), text, alive=_runs(host, members))


def _text(line: LogLine) -> str:
    """Message and error of a line."""
    error = line.fields.get("error") or line.fields.get("connectErr") or ""
    return f"{line.message}: {error}"


def _callee(address: str, port: int, members: Mapping[str, str]) -> tuple[str, str] | None:
    """The role and the port name behind an address; None where it is no role's."""
    if address in members:
        return members[address], "grpc"
    for role in topology.load().roles.values():
        for name, number in role.ports.items():
            if number == port and name != "membership":
                return role.name, name
    return None


def _runs(host: str, members: Mapping[str, str]) -> bool:
    return not members or any(address.rpartition(":")[0] == host for address in members)


def role_of(component: str) -> str | None:
    """The role of a component, which may be one of several instances: history-2."""
    roles = topology.load().roles
    return next((role for role in roles if component == role or _instance(component, role)), None)


def _instance(component: str, role: str) -> bool:
    return component.startswith(f"{role}-")


def notes(lines: Iterable[LogLine]) -> list[str]:
    """Causes of failed checks, in the logs, that are no closed path between two roles."""
    told = {(line.message.partition(".")[0], role_of(line.component)) for line in lines}
    apart = sorted({role for message, role in told if message == _JOIN and role})
    without = sorted({role for message, role in told if message == _DATABASE and role})
    found = []
    if apart:
        found.append(
            f"{', '.join(apart)}: cannot join the ring (`{_JOIN}`): look at the membership ports, "
            "and for stale rows with: dsql-deploy membership doctor ENV"
        )
    if without:
        found.append(f"{', '.join(without)}: cannot reach the database (`{_DATABASE}`)")
    return found


def database_is_away(lines: Iterable[LogLine]) -> bool:
    """Whether a role says that it has lost the database: then everything hangs, at no path."""
    return any(line.message == _DATABASE for line in lines)
