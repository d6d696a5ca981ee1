"""PostgreSQL in the place of Aurora DSQL: TLS alone, an IAM token for a password, INDEX ASYNC.

Like DSQL it verifies the signature of the token and for whom it is, which it then forgets: the
PostgreSQL behind it trusts everybody. DDL beside other statements in one transaction is refused by
nobody here. Nobody says whether DSQL cancels a statement when it is asked to; this does not.
"""

import hashlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote

import psycopg

from tests.support import certificate, postgresql
from tests.support import signature as signatures

HOST = "abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws"
REGION = "eu-west-1"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
PORT = 5432
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_CANCEL_REQUEST = struct.pack("!i", 80877102)
_ASYNC = re.compile(rb"\s*(CREATE (?:UNIQUE )?INDEX )ASYNC (.*?)\x00?", re.IGNORECASE | re.DOTALL)
_SET_UP = """
CREATE ROLE admin SUPERUSER LOGIN;
CREATE ROLE reader LOGIN;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE SCHEMA sys;
CREATE TABLE sys.jobs (job_id TEXT DEFAULT gen_random_uuid()::text, status TEXT, details TEXT);
CREATE FUNCTION sys.run_async(statement TEXT) RETURNS TEXT LANGUAGE plpgsql AS $$
DECLARE job TEXT;
BEGIN
    EXECUTE statement;
    INSERT INTO sys.jobs (status) VALUES ('completed') RETURNING job_id INTO job;
    RETURN job;
END $$;
"""


@dataclass
class Cluster:
    """One that runs."""

    address: str
    authority: Path
    """File of the certificate to trust."""
    behind: str
    """How libpq reaches the PostgreSQL behind it, which trusts everybody."""
    users: list[str] = field(default_factory=list)
    """Who came in, in turn."""

    @property
    def environment(self) -> dict[str, str]:
        """What libpq and AWS's SDK need to come in."""
        return {"PGHOSTADDR": self.address, **CREDENTIALS}


@contextmanager
def running(folder: Path, address: str) -> Iterator[Cluster]:
    """A cluster with the host name HOST, on a loopback address where nobody has port 5432."""
    certificate.write(folder / "tls", HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls" / "certificate.pem", folder / "tls" / "key.pem")
    with postgresql.running() as behind, socket.create_server((address, PORT)) as server:
        where = f"host=127.0.0.1 port={behind} user={postgresql.USER} dbname=postgres"
        cluster = Cluster(address, folder / "tls" / "certificate.pem", where)
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(_SET_UP)
        accepting = threading.Thread(target=_accept, args=(server, context, behind, cluster))
        accepting.start()
        try:
            yield cluster
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join()


def _accept(server: socket.socket, context: ssl.SSLContext, behind: int, cluster: Cluster) -> None:
    with suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(
                target=_serve, args=(client, context, behind, cluster), daemon=True
            ).start()


def _serve(client: socket.socket, context: ssl.SSLContext, behind: int, cluster: Cluster) -> None:
    with client, suppress(OSError, EOFError):
        if _exactly(client, 8) != _SSL_REQUEST:
            return
        client.sendall(b"S")
        with context.wrap_socket(client, server_side=True) as secure:
            startup = _startup(secure)
            if startup[4:8] == _CANCEL_REQUEST:
                return
            user = _parameters(startup)["user"]
            secure.sendall(b"R" + struct.pack("!ii", 8, 3))
            token = _message(secure)[5:].rstrip(b"\x00").decode()
            if not allowed(token, user):
                secure.sendall(_error("28000", "unable to accept connection, access denied"))
                return
            cluster.users.append(user)
            with socket.create_connection(("127.0.0.1", behind)) as database:
                database.sendall(startup)
                _relay(secure, database)


def _startup(client: ssl.SSLSocket) -> bytes:
    length = _exactly(client, 4)
    return length + _exactly(client, struct.unpack("!i", length)[0] - 4)


def _parameters(startup: bytes) -> dict[str, str]:
    words = startup[8:].decode().split("\x00")
    return dict(zip(words[::2], words[1::2], strict=False))


def _relay(client: ssl.SSLSocket, database: socket.socket) -> None:
    """What the client says, with INDEX ASYNC as a call, and all answers."""

    def answers() -> None:
        with suppress(OSError):
            while data := database.recv(65536):
                client.sendall(data)

    answering = threading.Thread(target=answers, daemon=True)
    answering.start()
    with suppress(EOFError):
        while True:
            database.sendall(_with_jobs(_message(client)))
    database.shutdown(socket.SHUT_WR)
    answering.join()


def _with_jobs(message: bytes) -> bytes:
    found = _ASYNC.fullmatch(message[5:]) if message[:1] == b"Q" else None
    if found is None:
        return message
    statement = (found[1] + found[2]).replace(b"'", b"''")
    text = b"SELECT sys.run_async('" + statement + b"') AS job_id\x00"
    return b"Q" + struct.pack("!i", len(text) + 4) + text


def _message(client: ssl.SSLSocket) -> bytes:
    head = _exactly(client, 5)
    return head + _exactly(client, struct.unpack("!i", head[1:])[0] - 4)


def _exactly(client: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = client.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _error(state: str, text: str) -> bytes:
    fields = f"SFATAL\x00VFATAL\x00C{state}\x00M{text}\x00\x00".encode()
    return b"E" + struct.pack("!i", len(fields) + 4) + fields


def allowed(token: str, user: str) -> bool:
    """Whether a token was signed with the right key, for this host and this user."""
    where, _, query = token.partition("/?")
    given = dict(parse_qsl(query))
    action = "DbConnectAdmin" if user == "admin" else "DbConnect"
    if where != HOST or given.get("Action") != action:
        return False
    signature = given.pop("X-Amz-Signature")
    key, _, scope = given["X-Amz-Credential"].partition("/")
    if key != KEY or scope.partition("/")[2] != f"{REGION}/dsql/aws4_request":
        return False
    canonical = "&".join(f"{quote(k, '')}={quote(v, '')}" for k, v in sorted(given.items()))
    nothing = hashlib.sha256(b"").hexdigest()
    request = f"GET\n/\n{canonical}\nhost:{HOST}\n\nhost\n{nothing}"
    return signature == signatures.signature(SECRET, scope, given["X-Amz-Date"], request)
