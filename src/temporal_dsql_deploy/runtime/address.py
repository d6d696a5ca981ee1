"""The address that a role tells the ring: found, and refused where others could not reach it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .contract import load
from .values import is_loopback, parse_address
from .variables import Fault, Settings

METADATA = "ECS_CONTAINER_METADATA_URI_V4"
TASK = "ECS task metadata"
_EXPLICIT = "TEMPORAL_BROADCAST_ADDRESS"
_BIND = "BIND_ON_IP"
_METADATA_SECONDS = 2.0
_METADATA_TRIES = 3
# Documentation addresses (RFC 5737, 3849): nothing is sent, only the route to them is looked up.
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
_FIX = (
    f"Set {_EXPLICIT} to the IP address by which the other roles reach this one; on ECS use the "
    "network mode awsvpc."
)


@dataclass(frozen=True)
class Broadcast:
    """The address that this role tells the others."""

    address: str
    """A literal IP: the ring takes no host name."""
    source: str
    """Where it was found."""


@dataclass(frozen=True)
class World:
    """How the machine is asked."""

    fetch: Callable[[str], bytes]
    host_addresses: Callable[[], list[str]]
    """Addresses that the host name has; empty where it has none."""
    routed_address: Callable[[], str | None]
    """The first global address: the one by which this machine reaches others."""


def find(settings: Settings, environ: Mapping[str, str], world: World) -> Broadcast | Fault:
    """The broadcast address, or why there is none that others could reach.

    In this order: the variable, the address that the role binds to when that is one address, the
    ECS task metadata, the host name, the first global address. A loopback address is taken only
    where the role also listens on loopback alone, which no other machine could ever reach, and
    never on ECS, where each task has a loopback of its own.
    """
    bind = settings.text(_BIND)
    on_ecs = METADATA in environ
    explicit = settings.optional(_EXPLICIT)
    if explicit is not None:
        return _judged(Broadcast(str(explicit), _EXPLICIT), bind, on_ecs)
    if not parse_address(bind).is_unspecified:
        return _judged(Broadcast(bind, _BIND), bind, on_ecs)
    for found in _candidates(environ, world):
        if _is_global(found.address):
            return found
    what = (
        "no address by which other roles could reach this one was found: neither by the ECS task "
        "metadata nor the host name nor a route; with a loopback address they would call themselves"
    )
    return Fault(_EXPLICIT, what, _FIX)


def _judged(found: Broadcast, bind: str, on_ecs: bool) -> Broadcast | Fault:  # noqa: FBT001
    address = parse_address(found.address)
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        what = f"{found.source} is {found.address}, which is no address of a machine"
        return Fault(found.source, what, _FIX)
    if on_ecs and (address.is_loopback or is_loopback(bind)):
        name = found.source if address.is_loopback else _BIND
        what = f"{name} is a loopback address, and each task on ECS has a loopback of its own"
        return Fault(name, what, f"Leave {name} out.")
    if address.is_loopback != is_loopback(bind):
        what = (
            f"{found.source} is {found.address}, {_BIND} is {bind}: a cluster is on loopback as a "
            "whole or not at all, or its roles call themselves in place of one another"
        )
        return Fault(found.source, what, f"Let both be loopback addresses, or neither. {_FIX}")
    return found


def _candidates(environ: Mapping[str, str], world: World) -> Iterator[Broadcast]:
    if environ.get(METADATA):
        for address in _of_task(environ[METADATA], world):
            yield Broadcast(address, TASK)
    for address in world.host_addresses():
        yield Broadcast(address, "host name")
    routed = world.routed_address()
    if routed is not None:
        yield Broadcast(routed, "first global address")


def _of_task(uri: str, world: World) -> list[str]:
    """Addresses of this very container, IPv4 first; empty where the metadata does not tell."""
    for _ in range(_METADATA_TRIES):
        try:
            document = json.loads(world.fetch(uri))
            networks = document["Networks"]
            return [
                str(address)
                for kind in ("IPv4Addresses", "IPv6Addresses")
                for network in networks
                for address in network.get(kind) or ()
            ]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return []


def _is_global(text: str) -> bool:
    """Whether other machines may reach an address; private networks count."""
    try:
        address = parse_address(text)
    except ValueError:
        return False
    return not (
        address.is_loopback
        or address.is_unspecified
        or address.is_link_local
        or address.is_multicast
    )


def this_machine() -> World:
    """The machine that this runs on."""
    return World(_fetch, _host_addresses, _routed_address)


def _fetch(uri: str) -> bytes:
    import urllib.request

    # No proxy: the agent answers on a link-local address of the instance.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(uri, timeout=_METADATA_SECONDS) as answer:
        return bytes(answer.read())


def _host_addresses() -> list[str]:
    try:
        found = socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    addresses = [str(entry[4][0]) for entry in sorted(found, key=lambda each: each[0])]
    return list(dict.fromkeys(addresses))


def _routed_address() -> str | None:
    port = load().metrics_port  # Any will do: nothing is sent.
    for family, elsewhere in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((elsewhere, port))
                return str(probe.getsockname()[0])
        except OSError:
            continue
    return None
