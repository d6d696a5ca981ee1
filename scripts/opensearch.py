"""Download OpenSearch and build the tool that makes its index, once for each version.

`dsql-deploy up cluster --visibility opensearch` does the same where they are missing; tests have
them there before.
"""

import sys
from pathlib import Path

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.cluster import build, opensearch_download


def main() -> None:
    """Get what is missing; print the folder of OpenSearch."""
    try:
        print(obtain())
    except DeployError as error:
        sys.exit(f"error: {error.message}\ncause: {error.cause}\nfix: {error.fix}")


def is_there() -> bool:
    """Whether both are."""
    return opensearch_download.is_there() and build.is_built(build.elasticsearch_tool())


def obtain() -> Path:
    """The folder of OpenSearch; gets first what is missing. Raises DeployError."""
    build.build(build.elasticsearch_tool(), say)
    return opensearch_download.obtain(say)


def say(text: str) -> None:
    """Tell how far it is, apart from the path that is the result."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
