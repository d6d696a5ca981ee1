"""Something that a platform needs from this machine, found or not."""

from collections.abc import Callable

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.protocol import Requirement


def requirement(name: str, find: Callable[[], str]) -> Requirement:
    """What `find` says is there, or the error that it raises, as a lack with its remedy."""
    try:
        return Requirement(name=name, ok=True, found=find())
    except DeployError as error:
        found = f"{error.message}: {error.cause}"
        return Requirement(name=name, ok=False, found=found, remedy=error.fix)
