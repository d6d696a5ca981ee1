"""The ring as one of its members sees it, asked at that member's membership port.

Ringpop answers `/admin/stats` there, and changes nothing by it (temporalio/ringpop-go
handlers.go). Unlike `tdbg membership list-gossip`, which asks a frontend and the database, it is
each member's own view, and is answered while the database is down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.platforms import tchannel
from temporal_dsql_deploy.platforms.protocol import Result

_SERVICE = "ringpop"
_STATS = "/admin/stats"
_REACHABLE = {"alive", "suspect"}
_NO_HANDLER = "no handler for service"


@dataclass(frozen=True, slots=True)
class Seen(Result):
    """A member as another sees it."""

    address: str
    """host:port of the membership port."""
    status: str
    """`alive`, `suspect`, `faulty`, `leave` or `tombstone`, in ringpop's words."""
    role: str = ""
    """Empty until the member has joined."""
    grpc: str = ""
    """host:port of gRPC; empty until the member has joined."""

    @property
    def reachable(self) -> bool:
        """Whether it is in the hash ring of its role, once it has one (swim/memberlist.go)."""
        return self.status in _REACHABLE


class NoView(Exception):
    """A member did not say what it sees."""

    def __init__(self, reason: str, *, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected
        """Whether something listens at its membership port."""


def view(host: str, port: int, *, seconds: float) -> list[Seen]:
    """Everybody that the member at this membership port knows, itself among them, by address.

    Raises NoView, after `seconds` at the latest.
    """
    try:
        stats = tchannel.call(host, port, _SERVICE, _STATS, seconds=seconds)
    except tchannel.CallFailed as error:
        reason = str(error)
        if _NO_HANDLER in reason:
            reason = "it has not begun to join the ring"
        raise NoView(reason, connected=error.connected) from error
    try:
        return parse(stats)
    except (KeyError, TypeError, ValueError) as error:
        raise NoView(f"its answer is not understood: {error!r}", connected=True) from error


def parse(stats: Any) -> list[Seen]:
    """The members in an answer to `/admin/stats`. Raises KeyError, TypeError, ValueError."""
    return [_seen(member) for member in stats["membership"]["members"]]


def _seen(member: dict[str, Any]) -> Seen:
    address = str(member["address"])
    # Set once it has joined, the role last (common/membership/ringpop/monitor.go).
    labels = member.get("labels") or {}
    role, port = str(labels.get("serviceName", "")), labels.get("servicePort")
    grpc = f"{address.rpartition(':')[0]}:{int(port)}" if role and port else ""
    return Seen(address=address, status=str(member["status"]), role=role, grpc=grpc)


def host_and_port(address: str) -> tuple[str, int]:
    """The two of a member's host:port, to be dialled; the host without brackets."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def reachable(members: Sequence[Seen]) -> set[str]:
    """Addresses of those that a view holds reachable."""
    return {member.address for member in members if member.reachable}
