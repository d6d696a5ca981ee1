"""What Docker and Compose say, as errors with something to do."""

import pytest

from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    DeployError,
    DirectoryUnusable,
    PortTaken,
    StartFailed,
)
from temporal_dsql_deploy.platforms.cluster.containers import failures

SAID: list[tuple[str, type[DeployError], str]] = [
    (
        "Cannot connect to the Docker daemon at unix:///x.sock. Is the docker daemon running?",
        BinaryUnusable,
        "systemctl start docker",
    ),
    (
        "dial unix /var/run/docker.sock: connect: permission denied",
        BinaryUnusable,
        "group docker",
    ),
    (
        "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
        BinaryUnusable,
        "group docker",
    ),
    (
        "Error response from daemon: Bind for 127.0.0.1:7233 failed: port is already allocated",
        PortTaken,
        "--port",
    ),
    (
        "listen tcp4 127.0.0.1:7233: bind: address already in use",
        PortTaken,
        "--port",
    ),
    (
        "could not find an available, non-overlapping IPv4 address pool among the defaults",
        StartFailed,
        "docker network prune",
    ),
    (
        "Error response from daemon: all predefined address pools have been fully subnetted",
        StartFailed,
        "docker network prune",
    ),
    ("write /var/lib/docker/x: no space left on device", DirectoryUnusable, "docker system df"),
    ("Error: No such image: temporal-dsql-runtime:latest", BinaryMissing, "images build"),
]


@pytest.mark.parametrize(("said", "kind", "fix"), SAID)
def test_what_is_known_says_what_to_do(said: str, kind: type[DeployError], fix: str) -> None:
    error = failures.refusal(["/usr/bin/docker", "start", "x"], f"Starting x\n\n{said}\n")
    assert type(error) is kind
    assert error.cause == said
    assert fix in error.fix


def test_what_is_not_known_is_passed_on_with_the_command() -> None:
    said = "\n".join(f"line {number}" for number in range(9))
    error = failures.refusal(["/usr/bin/docker", "start", "x"], said)
    assert type(error) is StartFailed
    assert error.message == "docker start failed"
    assert error.cause == "line 5\nline 6\nline 7\nline 8"
    assert error.fix.endswith("/usr/bin/docker start x")


def test_silence_is_told() -> None:
    assert failures.refusal(["docker", "rm"], "").cause == "it has said nothing"
