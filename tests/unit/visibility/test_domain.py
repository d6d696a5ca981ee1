"""Calls of a domain: what is signed is let in, and what goes wrong is told as what it is."""

import json
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.errors import (
    CredentialsExpired,
    CredentialsMissing,
    DeployError,
    InvalidSetting,
    NotReady,
    OpenSearchUnusable,
    PermissionMissing,
)
from temporal_dsql_deploy.visibility import calls, domain
from temporal_dsql_deploy.visibility.calls import Call
from temporal_dsql_deploy.visibility.domain import Domain
from tests.support import certificate
from tests.support.deploy import free_ports
from tests.support.opensearch import KEY, REGION, SECRET, Gate

OURS = Credentials(KEY, SECRET)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def gate() -> Iterator[Gate]:
    with Gate() as made:
        made.answer = lambda method, path: (200, json.dumps([method, path]).encode())
        yield made


@given(
    name=st.text(st.characters(categories=["Ll", "Nd"], include_characters="_-+ ,%é"), min_size=1),
    body=st.none() | st.dictionaries(st.text(), json_values, max_size=3),
)
def test_whatever_is_asked_is_signed_as_aws_reckons_it(
    gate: Gate, name: str, body: dict[str, object] | None
) -> None:
    ours = Domain(gate.url, REGION, OURS)
    for call in (calls.look(name), calls.shards(), calls.indices(), calls.create(name, body)):
        assert ours.ask(call) == [call.method, call.path]


def test_what_is_signed_wrongly_is_not_let_in(gate: Gate) -> None:
    for credentials, region in (
        (Credentials(KEY, "another"), REGION),
        (OURS, "us-east-1"),
        (Credentials("ANOTHER", SECRET), REGION),
    ):
        with pytest.raises((CredentialsMissing, PermissionMissing)):
            Domain(gate.url, region, credentials).ask(calls.health())
    with pytest.raises(PermissionMissing, match="lets nobody in"):
        Domain(gate.url).ask(calls.health())


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (
            403,
            '{"message":"The security token included in the request is expired"}',
            CredentialsExpired,
        ),
        (403, '{"message":"Signature expired: 2026 is now earlier than 2026"}', CredentialsExpired),
        (
            403,
            '{"message":"The security token included in the request is invalid."}',
            CredentialsMissing,
        ),
        (403, '{"Message":"User: arn:aws:iam::1:user/x is not authorized"}', PermissionMissing),
        (
            403,
            '{"error":{"type":"security_exception","reason":"no permissions"}}',
            PermissionMissing,
        ),
        (401, "Unauthorized", PermissionMissing),
        (429, '{"error":"429 Too Many Requests"}', NotReady),
        (503, "<html><h1>503 Service Unavailable</h1></html>", NotReady),
        (504, "", NotReady),
        (400, '{"error":{"reason":"mapper [CloseTime] cannot be changed"}}', OpenSearchUnusable),
        (404, '{"error":{"reason":"no such index [x]"}}', OpenSearchUnusable),
        (500, "[]", OpenSearchUnusable),
        (200, "<html>a page</html>", OpenSearchUnusable),
    ],
)
def test_an_answer_is_told_as_what_it_is(status: int, said: str, kind: type[DeployError]) -> None:
    with Gate() as gate:
        gate.answer = lambda *_: (status, said.encode())
        with pytest.raises(kind) as told:
            Domain(gate.url, REGION, OURS).ask(calls.health())
    assert type(told.value) is kind
    assert told.value.cause
    assert told.value.fix
    assert SECRET not in f"{told.value.message}{told.value.cause}{told.value.fix}"


def test_what_is_not_there_is_found_not_to_be(gate: Gate) -> None:
    with Gate() as empty:
        empty.answer = lambda *_: (404, b'{"error": "no"}')
        assert Domain(empty.url, REGION, OURS).find(calls.template()) is None
    assert Domain(gate.url, REGION, OURS).find(calls.template())


def test_a_domain_that_does_not_answer_is_said_to_be_out_of_reach() -> None:
    (port,) = free_ports(1)
    away = Domain(f"https://127.0.0.1:{port}", REGION, OURS)
    with pytest.raises(OpenSearchUnusable, match="cannot be reached from here") as told:
        away.ask(calls.health())
    assert "Connection refused" in told.value.cause
    assert "dsql-deploy visibility setup ENV --as-task" in told.value.fix
    unknown = Domain("https://vpc-x.eu-west-1.es.amazonaws.invalid", REGION, OURS)
    with pytest.raises(OpenSearchUnusable) as told:
        unknown.ask(calls.health())
    assert "its name is not known here" in told.value.cause


def test_a_private_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(2, 1, 6, "", ("10.1.2.3", 0))]

    def late(*_: object, **__: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(urllib.request.OpenerDirector, "open", late)
    away = Domain("https://vpc-x.eu-west-1.es.amazonaws.com", REGION, OURS)
    with pytest.raises(OpenSearchUnusable) as told:
        away.ask(calls.health())
    assert "has not answered within 10 s" in told.value.cause
    assert "10.1.2.3 is private" in told.value.cause


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"hello": 1}')

    def log_message(self, *_: object) -> None:
        pass


def test_the_certificate_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate.write(tmp_path / "tls", "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = tmp_path / "tls" / "certificate.pem"
    context.load_cert_chain(own, tmp_path / "tls" / "key.pem")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    secure = Domain(f"https://localhost:{server.server_address[1]}", REGION, OURS)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    try:
        with pytest.raises(OpenSearchUnusable, match="not trusted here"):
            secure.ask(calls.information())
        monkeypatch.setenv("AWS_CA_BUNDLE", str(own))
        assert secure.ask(calls.information()) == {"hello": 1}
    finally:
        server.shutdown()
        server.server_close()
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "nowhere.pem"))
    with pytest.raises(InvalidSetting, match=r"nowhere\.pem cannot be used"):
        secure.ask(calls.information())


@pytest.mark.parametrize(
    ("text", "url", "region"),
    [
        (
            "vpc-x.eu-west-1.es.amazonaws.com",
            "https://vpc-x.eu-west-1.es.amazonaws.com",
            "eu-west-1",
        ),
        ("https://S-x.aos.us-east-2.on.aws/", "https://s-x.aos.us-east-2.on.aws", "us-east-2"),
        (
            "https://s.cn-north-1.es.amazonaws.com.cn",
            "https://s.cn-north-1.es.amazonaws.com.cn",
            "cn-north-1",
        ),
        ("search.example.com:8443", "https://search.example.com:8443", None),
        ("http://127.0.0.1:9200", "http://127.0.0.1:9200", None),
        ("http://localhost:9200", "http://localhost:9200", None),
    ],
)
def test_an_endpoint_tells_url_and_region(text: str, url: str, region: str | None) -> None:
    assert domain.parse(text) == url
    assert domain.region_of(url) == region


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("http://vpc-x.eu-west-1.es.amazonaws.com", "in the clear"),
        ("https://x.eu-west-1.aoss.amazonaws.com", "Serverless"),
        ("https://x/index", "no URL"),
        ("https://user:password@x", "no URL"),
        ("ftp://x", "no URL"),
        ("https://x:port", "no URL"),
        ("", "no URL"),
    ],
)
def test_an_endpoint_that_cannot_be_one_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidSetting, match=why) as told:
        domain.parse(text)
    assert "password" not in f"{told.value.message}{told.value.cause}{told.value.fix}"


@given(text=st.text() | st.text().map(lambda text: f"https://{text}"))
def test_whatever_is_given_is_an_endpoint_or_refused(text: str) -> None:
    try:
        url = domain.parse(text)
    except InvalidSetting:
        return
    assert domain.parse(url) == url


def test_a_call_reads_as_in_the_console() -> None:
    assert str(calls.delete("a/b")) == "DELETE /a%2Fb"
    assert str(Call("PUT", "/a", {"b": None})) == 'PUT /a {"b": null}'
