"""Build the stock Temporal server, its tools and the Web UI, once for each version, into the cache.

`dsql-deploy up cluster` does the same where they are missing; tests have them built before.
"""

import sys
from pathlib import Path

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.cluster import build as building


def main() -> None:
    """Build what is missing; print the folder of the server."""
    try:
        print(build())
    except DeployError as error:
        sys.exit(f"error: {error.message}\ncause: {error.cause}\nfix: {error.fix}")


def folder() -> Path:
    """Where the server and its tools are, or would be."""
    return building.server().folder


def is_built() -> bool:
    """Whether all of them are there, and the Web UI's server."""
    return all(building.is_built(module) for module in (building.server(), building.ui()))


def build() -> Path:
    """The folder of the server; builds first what is missing. Raises BinaryMissing."""
    for module in (building.server(), building.ui()):
        building.build(module, say)
    return folder()


def say(text: str) -> None:
    """Tell how far it is, apart from the path that is the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
