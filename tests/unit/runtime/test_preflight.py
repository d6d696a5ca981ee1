"""Stores that cannot be used, each played by a local socket, and what is said of them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from temporal_dsql_deploy.runtime import preflight
from temporal_dsql_deploy.runtime.reach import Target, Tls
from temporal_dsql_deploy.runtime.rules import validate
from tests.support import certificate
from tests.unit.checks.contract.good import DOMAIN, ENDPOINT, INDEX
from tests.unit.runtime.good import DSQL, POSTGRESQL

HOST = "localhost"
Talk = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `right` and `other`, each with a key and a certificate for localhost or another."""
    folder = tmp_path_factory.mktemp("keys")
    certificate.write(folder / "right", HOST)
    certificate.write(folder / "other", "other.example")
    return folder


@contextmanager
def listening(talk: Talk | None) -> Iterator[int]:
    """A port whose first caller is talked to; nobody is answered where `talk` is None."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            try:
                connection, _ = server.accept()
                with connection:
                    connection.settimeout(10)
                    if talk:
                        talk(connection)
                    else:
                        connection.recv(4096)
                        connection.recv(4096)
            except OSError:
                return  # The caller has gone, as it should in some of these.

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        # Closing a socket does not wake up who waits for a caller; a call does.
        with socket.socket() as last:
            last.connect_ex(server.getsockname())
        thread.join()


def tls(folder: Path, then: Talk | None = None) -> Talk:
    """Talks TLS with the key in a folder."""

    def talk(connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        with context.wrap_socket(connection, server_side=True) as secure:
            if then:
                then(secure)

    return talk


def postgresql(answer: bytes, then: Talk | None = None) -> Talk:
    """A PostgreSQL that answers the question for TLS."""

    def talk(connection: socket.socket) -> None:
        assert connection.recv(8) == bytes.fromhex("0000000804d2162f")
        connection.sendall(answer)
        if then:
            then(connection)

    return talk


def http(status: str) -> Talk:
    """Answers a request with a status line."""

    def talk(connection: socket.socket) -> None:
        assert connection.recv(4096).startswith(b"HEAD /temporal_visibility_v1_x HTTP/1.1\r\n")
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return talk


def database(port: int, trusted: Path | None = None, host: str = HOST) -> Target:
    authority = None if trusted is None else str(trusted / "certificate.pem")
    encryption = Tls(verify=True, ca_file=authority) if trusted else None
    return Target("database", "postgresql", host, port, "TEMPORAL_SQL_HOST", encryption)


def search(port: int, *, signed: bool = False, user: str | None = None) -> Target:
    return Target(
        "visibility",
        "http",
        HOST,
        port,
        "TEMPORAL_ELASTICSEARCH_HOST",
        None,
        index="temporal_visibility_v1_x",
        signed=signed,
        user=user,
        password="sesame" if user else None,
    )


def said(target: Target, seconds: float = 5.0) -> tuple[str, str] | None:
    """The step and the cause of what is wrong with a target; None where nothing is."""
    (result,) = preflight.run([target], seconds)
    found = result.finding
    if found is None:
        return None
    assert found.fix.endswith(".")
    return found.step, found.cause


def test_a_store_that_answers_is_reachable(keys: Path) -> None:
    with listening(postgresql(b"N")) as port:
        assert said(database(port)) is None
    with listening(postgresql(b"S")) as port:
        assert said(database(port)) is None
    with listening(postgresql(b"S", tls(keys / "right"))) as port:
        assert said(database(port, keys / "right")) is None
    with listening(http("200 OK")) as port:
        assert said(search(port)) is None


def test_a_name_that_does_not_resolve_is_named() -> None:
    step, cause = said(database(5432, host="nowhere.invalid")) or ("", "")
    assert step == "dns"
    assert cause.startswith("the name nowhere.invalid does not resolve: ")


def test_a_name_server_that_is_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[object]:
        answered.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    found = said(database(5432, host="db.example"), seconds=0.1)
    answered.set()
    assert found == ("dns", "the name db.example was not resolved in time")


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert said(database(port)) == (
        "tcp",
        f"localhost:{port} refuses connections: nothing listens there",
    )


def test_a_host_that_drops_packets_is_named() -> None:
    # A queue of connections that is full drops what comes next, as a security group does.
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        found = said(database(port, host="127.0.0.1"), seconds=0.3)
        for one in waiting:
            one.close()
    assert found == ("tcp", f"127.0.0.1:{port} does not answer: packets are dropped")


def test_a_port_that_says_nothing_is_named() -> None:
    with listening(None) as port:
        step, cause = said(database(port), seconds=0.3) or ("", "")
    assert (step, cause) == (
        "answer",
        f"localhost:{port} takes the connection and says nothing (answer)",
    )


def test_what_is_no_postgresql_is_named() -> None:
    with listening(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request")) as port:
        assert said(database(port)) == ("answer", f"localhost:{port} does not speak PostgreSQL")
    with listening(lambda _: None) as port:
        assert (said(database(port)) or ("",))[0] == "answer"


def test_a_database_without_tls_is_named(keys: Path) -> None:
    with listening(postgresql(b"N")) as port:
        assert said(database(port, keys / "right")) == (
            "tls",
            f"localhost:{port} does not offer TLS",
        )


def test_a_certificate_of_another_host_is_named(keys: Path) -> None:
    with listening(postgresql(b"S", tls(keys / "other"))) as port:
        step, cause = said(database(port, keys / "other")) or ("", "")
    assert step == "tls"
    assert cause.startswith(f"the certificate of localhost:{port} is refused: Hostname mismatch")


def test_a_certificate_of_nobody_that_is_trusted_is_named(keys: Path) -> None:
    with listening(postgresql(b"S", tls(keys / "right"))) as port:
        step, cause = said(database(port, keys / "other")) or ("", "")
    assert step == "tls"
    assert "self-signed certificate" in cause or "self signed certificate" in cause


def test_a_certificate_is_not_checked_where_that_is_off(keys: Path) -> None:
    with listening(postgresql(b"S", tls(keys / "other"))) as port:
        target = database(port)
        unchecked = Target(**{**vars(target), "tls": Tls(verify=False)})
        assert said(unchecked) is None


@pytest.mark.parametrize(
    ("status", "signed", "cause"),
    [
        ("403 Forbidden", True, None),
        ("403 Forbidden", False, "answers 403: it wants a signature or a password"),
        ("401 Unauthorized", False, "answers 401: it wants a signature or a password"),
        ("404 Not Found", False, "has no index temporal_visibility_v1_x"),
        ("503 Service Unavailable", True, "answers 503"),
    ],
)
def test_what_the_index_answers_is_judged(status: str, signed: bool, cause: str | None) -> None:  # noqa: FBT001
    with listening(http(status)) as port:
        found = said(search(port, signed=signed))
    assert found == (cause and ("answer", f"localhost:{port} {cause}"))


def test_what_is_no_http_is_named() -> None:
    with listening(lambda connection: connection.sendall(b"\x15\x03\x03")) as port:
        step, cause = said(search(port)) or ("", "")
    assert (step, cause) == ("answer", f"localhost:{port} does not speak HTTP without TLS")


def test_a_password_is_sent_and_not_shown() -> None:
    seen: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with listening(talk) as port:
        target = search(port, user="temporal")
        assert said(target) is None
    assert b"\r\nAuthorization: Basic dGVtcG9yYWw6c2VzYW1l\r\n" in seen[0]
    assert "sesame" not in repr(target)


def test_all_stores_are_tried_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def talk(connection: socket.socket) -> None:
        connection.recv(8)
        both.wait()
        connection.sendall(b"N")

    with listening(talk) as one, listening(talk) as two:
        results = preflight.run([database(one), database(two)], 5)
    assert [result.finding for result in results] == [None, None]


def test_targets_are_what_the_server_will_dial() -> None:
    database_, visibility = preflight.targets(validate(DSQL)[0])
    assert (database_.host, database_.port, database_.tls) == (ENDPOINT, 5432, Tls(verify=True))
    assert (visibility.host, visibility.port, visibility.index) == (DOMAIN, 443, INDEX)
    assert visibility.signed
    (only,) = preflight.targets(validate(POSTGRESQL)[0])
    assert (only.name, only.host, only.tls) == ("database", "127.0.0.1", None)
    elsewhere = {**POSTGRESQL, "TEMPORAL_VISIBILITY_SQL_HOST": "other.example"}
    assert [one.host for one in preflight.targets(validate(elsewhere)[0])] == [
        "127.0.0.1",
        "other.example",
    ]
