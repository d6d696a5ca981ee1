"""One call to a TChannel peer: fragments, errors, and answers that are none."""

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.platforms import tchannel
from temporal_dsql_deploy.platforms.tchannel import CallFailed

INIT_RES, CALL_RES, CALL_RES_CONTINUE, ERROR = 2, 4, 0x14, 0xFF
TRACING = bytes(25)


def frame(kind: int, body: bytes) -> bytes:
    return struct.pack(">HBxI8x", 16 + len(body), kind, 1) + body


INITIAL = frame(INIT_RES, struct.pack(">HH", 2, 0))


@contextmanager
def peer(said: bytes) -> Iterator[int]:
    """The port of one who says this to whoever connects, whatever he is asked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()


def ask(said: bytes) -> Any:
    with peer(said) as port:
        return tchannel.call("127.0.0.1", port, "ringpop", "/admin/stats", seconds=5)


def answer(document: Any, cuts: list[int], *, code: int = 0) -> bytes:
    """An answer in fragments: its three arguments, cut at these places of the third."""
    encoded = json.dumps(document).encode()
    places = sorted({min(cut, len(encoded)) for cut in cuts})
    starts, ends = [0, *places], [*places, len(encoded)]
    pieces = [encoded[start:end] for start, end in zip(starts, ends, strict=True)]
    frames = b""
    for number, piece in enumerate(pieces):
        flags = bytes([number < len(pieces) - 1])
        chunk = struct.pack(">H", len(piece)) + piece
        if number:
            frames += frame(CALL_RES_CONTINUE, flags + b"\0" + chunk)
            continue
        headers = b"\x01\x02as\x04json"
        before = struct.pack(">H", 0) + struct.pack(">H", 2) + b"{}"
        checksum = b"\x01crc!"
        start = flags + bytes([code]) + TRACING + headers + checksum
        frames += frame(CALL_RES, start + before + chunk)
    return frames


@given(
    document=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    ),
    cuts=st.lists(st.integers(0, 200), max_size=5),
)
def test_an_answer_is_put_together_from_its_fragments(document: Any, cuts: list[int]) -> None:
    assert ask(INITIAL + answer(document, cuts)) == document


def test_an_error_says_what_the_peer_said() -> None:
    text = b'no handler for service "ringpop" and method "/admin/stats"'
    said = frame(ERROR, b"\x06" + TRACING + struct.pack(">H", len(text)) + text)
    with pytest.raises(CallFailed, match="no handler for service") as caught:
        ask(INITIAL + said)
    assert caught.value.connected


def test_an_application_error_is_a_failure() -> None:
    with pytest.raises(CallFailed, match="not bootstrapped"):
        ask(INITIAL + answer({"message": "not bootstrapped"}, [], code=1))


@given(said=st.binary(max_size=200), prefix=st.sampled_from([b"", INITIAL]))
def test_whatever_is_said_is_an_answer_or_a_failure(said: bytes, prefix: bytes) -> None:
    with pytest.raises(CallFailed) as caught:
        ask(prefix + said)
    assert caught.value.connected
    assert str(caught.value)


def test_a_port_on_which_nobody_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(CallFailed, match="connection refused") as caught:
        tchannel.call("127.0.0.1", port, "ringpop", "/admin/stats", seconds=5)
    assert not caught.value.connected


def test_a_silent_peer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CallFailed, match=r"no answer within 0\.05 s") as caught:
            tchannel.call("127.0.0.1", port, "ringpop", "/admin/stats", seconds=0.05)
    assert caught.value.connected
