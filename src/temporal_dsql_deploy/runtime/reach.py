"""One store, step by step as a client does it: its name, a connection, TLS, an answer."""

from __future__ import annotations

import base64
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .values import join_host_port

if TYPE_CHECKING:
    import ssl

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
"""PostgreSQL's question for TLS (protocol documentation, SSLRequest)."""
_GROUP = "the security group of the store, and the one of this role"


@dataclass(frozen=True)
class Tls:
    """How the store's certificate is checked."""

    verify: bool
    """Whether it must name the host."""
    ca_file: str | None = None
    """Certificates to trust, None for those of the system."""


@dataclass(frozen=True)
class Target:
    """A store to reach."""

    name: str
    """database or visibility."""
    protocol: str
    """postgresql or http."""
    host: str
    port: int
    variable: str
    """The environment variable that names the host."""
    tls: Tls | None
    index: str = ""
    """Of http: the visibility index."""
    signed: bool = False
    """Of http: whether the server signs its requests, as nothing here does."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Finding:
    """Why a store cannot be used."""

    step: str
    """dns, tcp, tls or answer."""
    cause: str
    fix: str


class Progress:
    """How far an attempt has come, for who waits for it."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        """By time.monotonic."""
        self.step = "dns"

    def left(self) -> float:
        """Seconds until the deadline, above 0, which a socket would take for no limit."""
        return max(0.01, self.deadline - time.monotonic())


class _Refused(Exception):
    """A step that failed, with its finding."""

    def __init__(self, step: str, cause: str, fix: str) -> None:
        super().__init__(cause)
        self.finding = Finding(step, cause, fix)


def attempt(target: Target, progress: Progress) -> Finding | None:
    """What stands in the way of a target; None where it answers as it should."""
    try:
        addresses = _resolve(target)
        progress.step = "tcp"
        with _connect(target, addresses, progress) as connection:
            connection.settimeout(progress.left())
            if target.protocol == "postgresql":
                _ask_postgresql(target, connection, progress)
            else:
                _ask_http(target, connection, progress)
    except _Refused as refused:
        return refused.finding
    except TimeoutError:
        return silent(target, progress)
    except OSError as error:
        cause = f"the connection to {_place(target)} broke: {_reason(error)}"
        return Finding(progress.step, cause, f"See whether {target.variable} names the right host.")
    return None


def silent(target: Target, progress: Progress) -> Finding:
    """The finding for a target that has said nothing in time."""
    if progress.step == "dns":
        cause = f"the name {target.host} was not resolved in time"
        fix = "See to the way to the name server: DNS support of the VPC, port 53 over UDP and TCP."
    elif progress.step == "tcp":
        cause = f"{_place(target)} does not answer: packets are dropped"
        fix = f"Open port {target.port}: {_GROUP}; a route, and the DSQL or VPC endpoint."
    else:
        cause = f"{_place(target)} takes the connection and says nothing ({progress.step})"
        fix = f"See whether {target.variable} and its port are those of the store."
    return Finding(progress.step, cause, fix)


def _resolve(target: Target) -> list[tuple[int, tuple[object, ...]]]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        cause = f"the name {target.host} does not resolve: {_reason(error)}"
        fix = f"Correct {target.variable}, or make the private DNS name that it means."
        raise _Refused("dns", cause, fix) from None
    return [(entry[0], entry[4]) for entry in found]


def _connect(
    target: Target, addresses: list[tuple[int, tuple[object, ...]]], progress: Progress
) -> socket.socket:
    """A connection to the first address that takes one; the error of the last one otherwise."""
    share = len(addresses)
    problem: OSError | None = None
    for number, (family, address) in enumerate(addresses):
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(progress.left() / (share - number))
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            problem = error
            continue
        return connection
    # socket.timeout is a TimeoutError of its own before Python 3.10.
    if isinstance(problem, (TimeoutError, socket.timeout)):
        raise TimeoutError
    if isinstance(problem, ConnectionRefusedError):
        cause = f"{_place(target)} refuses connections: nothing listens there"
        raise _Refused("tcp", cause, "Correct the port, or start the store.")
    cause = f"{_place(target)} cannot be reached: {_reason(problem)}"
    raise _Refused("tcp", cause, f"See to the route: {_GROUP}, the subnet's route table.")


def _ask_postgresql(target: Target, connection: socket.socket, progress: Progress) -> None:
    """Whether it is a PostgreSQL, by its one letter, and TLS where that is wanted."""
    progress.step = "answer"
    connection.sendall(_SSL_REQUEST)
    answer = _receive(connection)
    if answer not in (b"S", b"N"):
        cause = f"{_place(target)} does not speak PostgreSQL"
        raise _Refused("answer", cause, f"Correct {target.variable} or its port.")
    if target.tls is None:
        return
    if answer == b"N":
        cause = f"{_place(target)} does not offer TLS"
        raise _Refused("tls", cause, "Switch TLS on in the database, or off here.")
    _encrypted(target, target.tls, connection, progress).close()


def _ask_http(target: Target, connection: socket.socket, progress: Progress) -> None:
    """Whether the index is there, or the store says that it wants a signature."""
    if target.tls is not None:
        connection = _encrypted(target, target.tls, connection, progress)
    progress.step = "answer"
    try:
        connection.settimeout(progress.left())
        connection.sendall(_request(target))
        _judge(target, _status(_receive(connection, 512)))
    finally:
        connection.close()


def _receive(connection: socket.socket, size: int = 1) -> bytes:
    try:
        return connection.recv(size)
    except socket.timeout:
        raise TimeoutError from None


def _request(target: Target) -> bytes:
    lines = [f"HEAD /{target.index} HTTP/1.1", f"Host: {_place(target)}", "Connection: close"]
    if target.user is not None:
        credentials = base64.b64encode(f"{target.user}:{target.password or ''}".encode()).decode()
        lines.append(f"Authorization: Basic {credentials}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _status(answer: bytes) -> int | None:
    """The status of an HTTP answer; None for what is none."""
    words = answer.split(b" ", 2)
    right = words[0].startswith(b"HTTP/") and len(words) > 1 and words[1][:3].isdigit()
    return int(words[1][:3]) if right else None


def _judge(target: Target, status: int | None) -> None:
    place = _place(target)
    if status is None:
        cause = f"{place} does not speak HTTP{'' if target.tls else ' without TLS'}"
        raise _Refused("answer", cause, f"Correct {target.variable}, its port or its scheme.")
    if status in (401, 403):
        if target.signed:
            return  # Nothing is signed here; that it asks for a signature is the right answer.
        cause = f"{place} answers {status}: it wants a signature or a password"
        fix = "Set TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING to true, or user and password."
        raise _Refused("answer", cause, fix)
    if status == 404:
        cause = f"{place} has no index {target.index}"
        fix = "Make it: first the schema's template, then the index (temporal-elasticsearch-tool)."
        raise _Refused("answer", cause, fix)
    if status >= 400:
        cause = f"{place} answers {status}"
        raise _Refused("answer", cause, "See to the health of the OpenSearch domain.")


def _encrypted(
    target: Target, tls: Tls, connection: socket.socket, progress: Progress
) -> ssl.SSLSocket:
    import ssl

    progress.step = "tls"
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
        # Nor does Go take a name from there.
        context.hostname_checks_common_name = False
        if not tls.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_REQUIRED if tls.ca_file else ssl.CERT_NONE
        connection.settimeout(progress.left())
        return context.wrap_socket(connection, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        cause = f"the certificate of {_place(target)} is refused: {error.verify_message}"
        fix = "Name the host that the certificate is for, or the authority that signed it (CA file)"
        raise _Refused("tls", cause, f"{fix}.") from None
    except socket.timeout:
        raise TimeoutError from None
    except ssl.SSLError as error:
        cause = f"{_place(target)} does not agree on TLS: {error.reason or error}"
        raise _Refused("tls", cause, "See whether the port speaks TLS, 1.2 or newer.") from None


def _place(target: Target) -> str:
    return join_host_port(target.host, target.port)


def _reason(error: BaseException | None) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
