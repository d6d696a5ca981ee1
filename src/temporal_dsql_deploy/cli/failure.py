"""What an error is with --json."""

from dataclasses import dataclass
from typing import Self

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class Reason(Result):
    """What failed, why, and what to do next."""

    code: str
    """Stays the same over versions; docs/reference/errors.md lists them."""
    exit_code: int
    message: str
    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class Failure(Result):
    """The document on stderr of a verb that ends with an error."""

    error: Reason

    @classmethod
    def of(cls, error: DeployError, *, fix: str) -> Self:
        """The document of an error; `fix` is its remedy as this user has to type it."""
        return cls(Reason(error.code, error.exit_code, error.message, error.cause, fix))
