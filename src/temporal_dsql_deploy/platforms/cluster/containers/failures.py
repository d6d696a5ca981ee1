"""What Docker and Compose say when something fails, as errors that say what to do."""

import re
from collections.abc import Sequence

from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    DeployError,
    DirectoryUnusable,
    PortTaken,
    StartFailed,
)

_INSTEAD = "or run processes: dsql-deploy up ENV --runtime processes"
_LAST_LINES = 4
_KNOWN: Sequence[tuple[str, type[DeployError], str, str]] = (
    (
        r"permission denied.*(docker|podman).*|dial unix.*permission denied",
        BinaryUnusable,
        "Docker's engine refuses this user",
        f"add the user to the group docker and log in again, {_INSTEAD}",
    ),
    (
        r"cannot connect to the docker daemon|daemon running|failed to connect to the docker api",
        BinaryUnusable,
        "Docker's engine does not answer",
        f"start it (systemctl start docker), or name another one with DOCKER_HOST, {_INSTEAD}",
    ),
    (
        r"port is already allocated|address already in use",
        PortTaken,
        "a port of this machine is taken",
        "stop who listens there, or choose others: --port, --http-port, --ui-port",
    ),
    (
        r"non-overlapping ipv4 address pool|address pools have been fully subnetted",
        StartFailed,
        "Docker has no network left for this cluster",
        "docker network prune removes those that nobody uses; or give the engine more pools",
    ),
    (
        r"no space left on device",
        DirectoryUnusable,
        "the disk of Docker's engine is full",
        "see what takes it: docker system df",
    ),
    (
        r"no such image|pull access denied|manifest unknown|repository does not exist",
        BinaryMissing,
        "an image is not there",
        "build those of this tool: dsql-deploy images build ENV",
    ),
)
"""What is said, in small letters; the error, its message and its fix."""


def refusal(words: Sequence[str], said: str) -> DeployError:
    """The error for a command of these words that has failed and said this."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    for pattern, kind, message, fix in _KNOWN:
        for line in lines:
            if re.search(pattern, line.lower()):
                return kind(message, cause=line, fix=fix)
    return StartFailed(
        f"{words[0].rpartition('/')[2]} {_verb(words)} failed",
        cause="\n".join(lines[-_LAST_LINES:]) or "it has said nothing",
        fix=f"see it by hand: {' '.join(words)}",
    )


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words[1:] if not word.startswith("-")), "")
