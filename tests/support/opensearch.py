"""A real OpenSearch for tests, and before it what stands before a domain on AWS: who has not signed
is answered 403, as is who has signed wrongly."""

import hashlib
import json
import os
import re
import signal
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from temporal_dsql_deploy.errors import StartFailed
from temporal_dsql_deploy.platforms.cluster import opensearch, opensearch_download, programs
from temporal_dsql_deploy.platforms.cluster.layout import Place
from tests.support import signature as signatures
from tests.support.deploy import free_ports

REGION = "eu-west-1"
KEY = "AKIDEXAMPLE"
SECRET = "a secret access key"  # noqa: S105
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
Answer = Callable[[str, str], tuple[int, bytes] | None]


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of an empty cluster of one node; it ends with the block."""
    distribution = opensearch.find(None)
    java = programs.find_java(opensearch_download.folder())
    http, transport = free_ports(2)
    ports = {"http": http, "transport": transport}
    place = Place("opensearch", "opensearch", "127.0.0.1", ports)
    configuration, data = folder / "configuration", folder / "data"
    opensearch.prepare(distribution, configuration, data)
    variables = opensearch.variables(str(java.home), configuration)
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            opensearch.command(distribution, data, place),
            env={**os.environ, **variables},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{http}"

    def broken() -> StartFailed | None:
        ended = process.poll()
        return StartFailed(f"ended with {ended}", cause=log.read_text()) if ended else None

    try:
        opensearch.until_ready(url, broken)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ask(url: str, method: str, path: str, body: Any = None) -> Any:
    """The document that an OpenSearch answers with, past everything that stands before it."""
    request = urllib.request.Request(f"{url}{path}", method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


class Gate:
    """An endpoint that passes on what is signed for `es`, and says what it was asked."""

    def __init__(self, behind: str = "") -> None:
        self.behind = behind
        self.calls: list[str] = []
        """Methods and paths that were let in."""
        self.refused = 0
        self.verifies = True
        """Whether it asks for a signature."""
        self.answer: Answer = lambda _method, _path: None
        """What is answered in the place of the one behind, where it is not None."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def changes(self) -> list[str]:
        """The calls that change something."""
        harmless = ("GET ", "POST /_cluster/allocation", "HEAD ")
        return [
            call
            for call in self.calls
            if not call.startswith(harmless) and not call.endswith("/_refresh")
        ]

    def __enter__(self) -> "Gate":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        wrong = refusal(method, path, headers, body)
        if wrong is not None and self.verifies:
            self.refused += 1
            return 403, json.dumps({"message": wrong}).encode()
        self.calls.append(f"{method} {path}")
        answered = self.answer(method, path)
        return answered or _forward(self.behind, method, path, body)


def _forward(behind: str, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    request = urllib.request.Request(f"{behind}{path}", data=body or None, method=method)
    if body:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            status, said = gate.respond(
                self.command, self.path, self.headers, self.rfile.read(length)
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def refusal(method: str, path: str, headers: Any, body: bytes) -> str | None:
    """What AWS says of a request that it does not let in; None for one that is signed right.

    AWS makes the canonical request anew from what it was sent: a query is decoded, and encoded
    strictly.
    """
    pattern = r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)"
    found = re.fullmatch(pattern, headers.get("Authorization", ""))
    if found is None:
        return "User: anonymous is not authorized to perform: es:ESHttpGet"
    key, scope, signed, given = found.groups()
    if key != KEY:
        return "The security token included in the request is invalid."
    if scope.split("/")[1:] != [REGION, "es", "aws4_request"]:
        return f"Credential should be scoped to a valid region, not {scope}"
    split = urlsplit(path)
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(split.query, keep_blank_values=True)
    )
    canonical = "\n".join(
        [
            method,
            quote(split.path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers[name].split())}" for name in signed.split(";")),
            "",
            signed,
            hashlib.sha256(body).hexdigest(),
        ]
    )
    if given != signatures.signature(SECRET, scope, headers["X-Amz-Date"], canonical):
        return "The request signature we calculated does not match the signature you provided."
    return None
