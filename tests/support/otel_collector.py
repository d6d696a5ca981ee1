"""The real collector, and a server that stands in for what it talks to: the page of metrics, the
metadata endpoint of ECS, AMP and Loki."""

import gzip
import hashlib
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts import collector
from tests.support import signature as signatures
from tests.support.deploy import free_ports
from tests.support.wire import Message, unsnapped

REMOTE_WRITE = "/workspaces/ws-test/api/v1/remote_write"
LOGS = "/otlp/v1/logs"
KEY_ID = "AKIDEXAMPLE"
SECRET = "a secret access key"  # noqa: S105
PATIENCE = 60.0
"""Seconds until something that should come is given up."""

PAGE = """\
# HELP service_requests service_requests counter
# TYPE service_requests counter
service_requests{namespace="default",operation="StartWorkflowExecution",service_name="history"} 3
# HELP service_latency service_latency histogram
# TYPE service_latency histogram
service_latency_bucket{operation="StartWorkflowExecution",service_name="history",le="0.1"} 2
service_latency_bucket{operation="StartWorkflowExecution",service_name="history",le="+Inf"} 3
service_latency_sum{operation="StartWorkflowExecution",service_name="history"} 0.5
service_latency_count{operation="StartWorkflowExecution",service_name="history"} 3
# HELP numshards_gauge numshards_gauge gauge
# TYPE numshards_gauge gauge
numshards_gauge{service_name="history"} 4
"""
"""As Temporal's tally reporter writes it: counters without `_total`, labels of its own."""

Series = dict[str, str]


@dataclass(frozen=True)
class Request:
    """What was sent to AMP or Loki."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class LogLine:
    """A line as it came to Loki."""

    body: str
    time_ns: int
    severity: str
    severity_number: int
    attributes: int
    resource: Mapping[str, str]


class World:
    """What is around a collector, on one port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.arrived: dict[str, queue.Queue[Request]] = {
            REMOTE_WRITE: queue.Queue(),
            LOGS: queue.Queue(),
        }

    def forget(self) -> None:
        """Forget what has arrived."""
        for requests in self.arrived.values():
            while not requests.empty():
                requests.get()

    def metadata_uri(self, task: str) -> str:
        """The metadata endpoint of a task."""
        return f"http://127.0.0.1:{self.port}/v4/{task}"

    def writes(self) -> Iterator[tuple[Request, list[Series]]]:
        """Remote writes and their series, as they come; AssertionError when no more do."""
        for request in self._requests(REMOTE_WRITE):
            written = Message(unsnapped(request.body)).messages(1)
            yield (
                request,
                [{label.text(1): label.text(2) for label in one.messages(1)} for one in written],
            )

    def lines(self) -> Iterator[LogLine]:
        """Log lines as they come; AssertionError when no more do."""
        for request in self._requests(LOGS):
            packed = request.headers.get("Content-Encoding") == "gzip"
            body = gzip.decompress(request.body) if packed else request.body
            for resource_logs in Message(body).messages(1):
                resource = {
                    pair.text(1): pair.message(2).text(1)
                    for pair in resource_logs.message(1).messages(1)
                }
                for scope in resource_logs.messages(2):
                    for record in scope.messages(2):
                        yield LogLine(
                            body=record.message(5).text(1),
                            time_ns=record.number(1),
                            severity=record.text(3),
                            severity_number=record.number(2),
                            attributes=len(record.messages(6)),
                            resource=resource,
                        )

    def _requests(self, path: str) -> Iterator[Request]:
        until = time.monotonic() + PATIENCE
        try:
            while (left := until - time.monotonic()) > 0:
                yield self.arrived[path].get(timeout=left)
        except queue.Empty:
            pass
        raise AssertionError(f"what was waited for did not come to {path}")


@contextmanager
def world() -> Iterator[World]:
    """A server that answers and remembers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, PAGE.encode(), "text/plain; version=0.0.4")
            elif match := re.fullmatch(r"/v4/(\w+)(/task)?", self.path):
                content = _task(match[1]) if match[2] else _container(match[1])
                self._answer(200, json.dumps(content).encode(), "application/json")
            else:
                self._answer(404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.arrived[self.path].put(Request(self.path, dict(self.headers), body))
            self._answer(200, b"", "application/x-protobuf")

        def _answer(self, status: int, content: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        here = World(server.server_port)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield here
        finally:
            server.shutdown()
            thread.join()


def _task(task: str) -> dict[str, Any]:
    """What ECS says of a task (developer guide, task metadata endpoint version 4)."""
    return {
        "Cluster": "arn:aws:ecs:eu-west-1:123456789012:cluster/temporal-dev-cluster",
        "TaskARN": f"arn:aws:ecs:eu-west-1:123456789012:task/temporal-dev-cluster/{task}",
        "Family": "temporal-dev-temporal-history",
        "Revision": "7",
        "ServiceName": "temporal-dev-temporal-history",
        "DesiredStatus": "RUNNING",
        "KnownStatus": "RUNNING",
        "AvailabilityZone": "eu-west-1a",
        "LaunchType": "EC2",
        "Containers": [_container(task)],
    }


def _container(task: str) -> dict[str, Any]:
    return {
        "DockerId": f"{task}-collector",
        "Name": "otel-collector",
        "DockerName": "otel-collector",
        "Image": "otel/opentelemetry-collector-contrib:0.155.0",
        "KnownStatus": "RUNNING",
        "Type": "NORMAL",
        "LogDriver": "awslogs",
        "LogOptions": {"awslogs-group": "/ecs/temporal-dev/temporal-history"},
    }


@contextmanager
def running(
    definition: Mapping[str, Any], configuration: str, metadata_uri: str
) -> Iterator["subprocess.Popen[str]"]:
    """The collector with the command line and the environment that its container has.

    Only the port of its health check is another one, because two of them run on one machine here.
    """
    (port,) = free_ports(1)
    given = {pair["name"]: pair["value"] for pair in definition["environment"]}
    (secret,) = definition["secrets"]
    process = subprocess.Popen(
        [
            str(collector.path()),
            *definition["command"],
            f"--config=yaml:extensions::health_check::endpoint: 127.0.0.1:{port}",
        ],
        env={**environment(), **given, secret["name"]: configuration}
        | {"ECS_CONTAINER_METADATA_URI_V4": metadata_uri},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
        if said:
            print(said)  # noqa: T201


def validate(configuration: str, folder: Path) -> str:
    """What the collector has against a configuration; empty when nothing."""
    file = folder / "collector.yaml"
    file.write_text(configuration)
    done = subprocess.run(
        [str(collector.path()), "validate", f"--config={file}"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr or "no reason given"


def environment() -> dict[str, str]:
    """Credentials that mean nothing, and no other way to any."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def signature_is_right(request: Request, region: str, service: str) -> bool:
    """Whether AWS would take the signature (AWS Signature Version 4, header form)."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers["authorization"],
    )
    assert match, headers["authorization"]
    key_id, day, signed_region, signed_service, names, signature = match.groups()
    assert (key_id, signed_region, signed_service) == (KEY_ID, region, service)
    canonical = "\n".join(
        [
            "POST",
            quote(request.path, safe="/-_.~"),
            "",
            *(f"{name}:{headers[name].strip()}" for name in names.split(";")),
            "",
            names,
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    return signature == signatures.signature(SECRET, scope, headers["x-amz-date"], canonical)
