"""A small DNS server: the names of private DNS namespaces, and of what else is in the VPC.

It answers A queries of names that it knows; every other name does not exist. Docker's own resolver
asks it for the containers.
"""

import ipaddress
import socketserver
import struct
import threading
from collections.abc import Callable, Sequence

from temporal_dsql_deploy.errors import StartFailed

_A, _IN = 1, 1
_HEADER = struct.Struct("!HHHHHH")
_SECONDS = 1
"""For which an answer may be kept."""
_FOUND, _NO_SUCH_NAME = 0x8580, 0x8583
"""Flags: an answer, authoritative, recursion available; the second with the code NXDOMAIN."""

Look = Callable[[str], Sequence[str] | None]
"""The addresses of a name, without its last dot; None where there is no such name."""


def answer(query: bytes, look: Look) -> bytes | None:
    """The answer to one query; None where it is none."""
    if len(query) < _HEADER.size:
        return None
    number, flags, questions, *_ = _HEADER.unpack_from(query)
    if flags & 0x8000 or questions != 1:
        return None
    name, end = _name(query, _HEADER.size)
    if end + 4 > len(query):
        return None
    kind, _ = struct.unpack_from("!HH", query, end)
    found = look(name.lower())
    records = [] if found is None or kind != _A else list(found)
    code = _NO_SUCH_NAME if found is None else _FOUND
    said = _HEADER.pack(number, code, 1, len(records), 0, 0) + query[_HEADER.size : end + 4]
    for address in records:
        packed = ipaddress.IPv4Address(address).packed
        # The name of the question, by its place in the message.
        said += struct.pack("!HHHIH", 0xC00C, _A, _IN, _SECONDS, len(packed)) + packed
    return said


def _name(query: bytes, at: int) -> tuple[str, int]:
    """The name that begins there, and where it ends."""
    labels = []
    while at < len(query) and query[at]:
        length = query[at]
        labels.append(query[at + 1 : at + 1 + length].decode("ascii", "replace"))
        at += 1 + length
    return ".".join(labels), at + 1


class _Handler(socketserver.BaseRequestHandler):
    server: "Server"

    def handle(self) -> None:
        query, connection = self.request
        if said := answer(query, self.server.look):
            connection.sendto(said, self.client_address)


class Server(socketserver.ThreadingUDPServer):
    """One that listens on UDP."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], look: Look) -> None:
        self.look = look
        super().__init__(address, _Handler)


def serve(address: str, port: int, look: Look) -> Server:
    """Answer there, in a thread. Raises StartFailed."""
    try:
        server = Server((address, port), look)
    except OSError as error:
        raise StartFailed(
            f"nothing can listen on {address}:{port}",
            cause=f"{error}; the tasks of a rehearsal ask for names there",
            fix="run it as root, and end what listens there",
        ) from error
    threading.Thread(target=server.serve_forever, daemon=True, name="dns").start()
    return server
