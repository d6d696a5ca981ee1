"""One call to a TChannel peer, which is what the membership port of a Temporal role speaks.

TChannel protocol version 2, its JSON argument scheme, one call per connection: the little that
asking a member takes (uber/tchannel docs/protocol.md; temporalio/tchannel-go messages.go,
fragmenting_reader.go).
"""

import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_VERSION = 2
_INIT_REQ, _INIT_RES, _CALL_REQ, _CALL_RES, _CALL_RES_CONTINUE, _ERROR = 1, 2, 3, 4, 0x14, 0xFF
_HEADER = struct.Struct(">HBxI8x")
"""Size of the frame with this header, type, id."""
_TRACING = bytes(25)
_MORE_FRAGMENTS = 1
_CHECKSUM_BYTES = {0: 0, 1: 4, 2: 4, 3: 4}
_MOST = 64 * 2**20
"""Bytes of an answer: the view of ten thousand members has two million."""
_CALL = 2


class CallFailed(Exception):
    """The peer did not answer, or answered with an error."""

    def __init__(self, reason: str, *, connected: bool) -> None:
        super().__init__(reason)
        self.connected = connected
        """Whether something listens there."""


def call(host: str, port: int, service: str, method: str, *, seconds: float) -> Any:
    """The JSON document that `method` of `service` answers to an empty argument.

    Raises CallFailed, after `seconds` at the latest.
    """
    until = time.monotonic() + seconds
    try:
        connection = socket.create_connection((host, port), timeout=seconds)
    except OSError as error:
        raise CallFailed(_reason(error, seconds), connected=False) from error
    with connection:
        try:
            peer = _Peer(connection, until)
            peer.send(_INIT_REQ, 1, _init())
            peer.expect(_INIT_RES)
            peer.send(_CALL_REQ, _CALL, _request(service, method, seconds))
            return _document(peer)
        except OSError as error:
            raise CallFailed(_reason(error, seconds), connected=True) from error
        except (ValueError, IndexError, struct.error) as error:
            raise CallFailed(f"what answers is no TChannel: {error}", connected=True) from error


def _reason(error: OSError, seconds: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {seconds:g} s"
    return (error.strerror or str(error)).lower()


@dataclass
class _Peer:
    """Frames to and from the other end, until a moment of time.monotonic."""

    connection: socket.socket
    until: float

    def send(self, kind: int, number: int, body: bytes) -> None:
        self._limit()
        self.connection.sendall(_HEADER.pack(_HEADER.size + len(body), kind, number) + body)

    def expect(self, *kinds: int) -> tuple[int, bytes]:
        """The next frame: its type and body. Raises CallFailed when it is an error."""
        size, kind, _ = _HEADER.unpack(self._read(_HEADER.size))
        body = self._read(size - _HEADER.size)
        if kind == _ERROR:
            raise CallFailed(_error_text(body), connected=True)
        if kind not in kinds:
            raise ValueError(f"a frame of type {kind}")
        return kind, body

    def _read(self, count: int) -> bytes:
        if count < 0:
            raise ValueError("a frame shorter than its header")
        read = bytearray()
        while len(read) < count:
            self._limit()
            some = self.connection.recv(count - len(read))
            if not some:
                raise ConnectionResetError(None, "it closed the connection")
            read += some
        return bytes(read)

    def _limit(self) -> None:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)


def _init() -> bytes:
    # 0.0.0.0:0 is the address of those who listen for nothing.
    told = {"host_port": "0.0.0.0:0", "process_name": "dsql-deploy"}
    pairs = (_text(part, ">H") for pair in told.items() for part in pair)
    return struct.pack(">HH", _VERSION, len(told)) + b"".join(pairs)


def _request(service: str, method: str, seconds: float) -> bytes:
    headers = {"as": "json", "cn": "dsql-deploy"}
    told = b"".join(_text(part, ">B") for pair in headers.items() for part in pair)
    no_flags, no_checksum = b"\0", b"\0"
    return b"".join(
        [
            no_flags,
            struct.pack(">I", max(1, int(seconds * 1000))),
            _TRACING,
            _text(service, ">B"),
            bytes([len(headers)]),
            told,
            no_checksum,
            *(_text(argument, ">H") for argument in (method, "{}", "{}")),
        ]
    )


def _text(text: str, length: str) -> bytes:
    encoded = text.encode()
    return struct.pack(length, len(encoded)) + encoded


def _error_text(body: bytes) -> str:
    start = 1 + len(_TRACING)
    (length,) = struct.unpack_from(">H", body, start)
    return body[start + 2 : start + 2 + length].decode(errors="replace")


def _document(peer: _Peer) -> Any:
    """The third argument of the answer, put together from its fragments."""
    arguments: list[bytearray] = [bytearray()]
    failed = False
    more = True
    first = True
    while more:
        _, body = peer.expect(_CALL_RES if first else _CALL_RES_CONTINUE)
        more = bool(body[0] & _MORE_FRAGMENTS)
        at = 1
        if first:
            failed = body[1] != 0
            at = _after_headers(body)
        for number, chunk in enumerate(_chunks(body, at)):
            if number:
                arguments.append(bytearray())
            arguments[-1] += chunk
        first = False
        if sum(map(len, arguments)) > _MOST:
            raise ValueError("an answer without end")
    document = json.loads(arguments[2].decode())
    if failed:
        raise CallFailed(str(document), connected=True)
    return document


def _after_headers(body: bytes) -> int:
    """Where the checksum of a first fragment stands."""
    at = 2 + len(_TRACING)
    texts = 2 * body[at]
    at += 1
    for _ in range(texts):
        at += 1 + body[at]
    return at


def _chunks(body: bytes, at: int) -> Iterator[bytes]:
    """The parts of arguments in a fragment; the first goes on with the argument before."""
    at += 1 + _CHECKSUM_BYTES.get(body[at], 0)
    while at < len(body):
        (length,) = struct.unpack_from(">H", body, at)
        yield body[at + 2 : at + 2 + length]
        at += 2 + length
