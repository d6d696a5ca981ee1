"""The task metadata endpoint, version 4, as the agent serves it to each container.

ECS developer guide, task-metadata-endpoint-v4-response: GET on the container's URI answers with
the container, on URI/task with the task.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from temporal_dsql_deploy.rehearsal.ecs.model import Container, Task

PATH = "/v4/"
Find = Callable[[str], tuple[Task, Container] | None]
"""The container of a token, and its task."""


def container(task: Task, one: Container) -> dict[str, Any]:
    """What a container is told of itself."""
    said = {
        "DockerId": one.runtime_id,
        "Name": one.part.name,
        "DockerName": f"ecs-{task.id}-{one.part.name}",
        "Image": one.part.image,
        "ImageID": one.digest,
        "Labels": _labels(task, one),
        "DesiredStatus": task.desired,
        "KnownStatus": one.status,
        "Type": "NORMAL",
        "ContainerARN": one.arn,
        "Networks": [
            {
                "NetworkMode": "awsvpc",
                "IPv4Addresses": [task.address],
                "AttachmentIndex": 0,
                "PrivateDNSName": f"ip-{task.address.replace('.', '-')}.ec2.internal",
            }
        ],
    }
    if one.checked:
        said["Health"] = {"status": one.health}
    return said


def task(of: Task) -> dict[str, Any]:
    """What a container is told of its task."""
    return {
        "Cluster": of.cluster,
        "TaskARN": of.arn,
        "Family": of.definition.family,
        "Revision": str(of.definition.revision),
        "ServiceName": of.service.rpartition("/")[2],
        "DesiredStatus": of.desired,
        "KnownStatus": of.status,
        "AvailabilityZone": of.zone,
        "LaunchType": of.launch,
        "Limits": {"CPU": of.definition.room.cpu / 1024, "Memory": of.definition.room.memory_mib},
        "Containers": [container(of, one) for one in of.containers],
    }


def _labels(of: Task, one: Container) -> dict[str, str]:
    return {
        "com.amazonaws.ecs.cluster": of.cluster,
        "com.amazonaws.ecs.container-name": one.part.name,
        "com.amazonaws.ecs.task-arn": of.arn,
        "com.amazonaws.ecs.task-definition-family": of.definition.family,
        "com.amazonaws.ecs.task-definition-version": str(of.definition.revision),
    }


def document(path: str, find: Find) -> dict[str, Any] | None:
    """What is at a path; None where nothing is."""
    if not path.startswith(PATH):
        return None
    token, _, rest = path.removeprefix(PATH).partition("/")
    found = find(token)
    if found is None:
        return None
    if rest == "task":
        return task(found[0])
    return container(*found) if rest == "" else None


def serve(address: str, find: Find) -> ThreadingHTTPServer:
    """Answer on a free port of an address, in a thread."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = document(self.path, find)
            body = json.dumps(found if found is not None else {"error": "not found"}).encode()
            self.send_response(200 if found is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer((address, 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True, name="metadata").start()
    return server
