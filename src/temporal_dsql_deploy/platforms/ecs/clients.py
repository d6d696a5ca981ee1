"""AWS's services that a cluster on ECS is asked through."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy import aws


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients of boto3 in one region, each made when it is asked for first.

    Each may raise CredentialsMissing, MissingError then.
    """

    region: str
    made: dict[str, Any] = field(default_factory=dict)
    """Those that are there, by the name of the service."""
    definitions: dict[str, Any] = field(default_factory=dict)
    """The containers of task definitions that were read, by ARN; see `definitions`."""

    @classmethod
    def of(cls, region: str) -> "Clients":
        """Of the region of a cluster; nothing is made or asked yet."""
        return cls(region)

    @property
    def ecs(self) -> Any:
        """Amazon ECS."""
        return self._client("ecs")

    @property
    def logs(self) -> Any:
        """CloudWatch Logs."""
        return self._client("logs")

    @property
    def ec2(self) -> Any:
        """Amazon EC2."""
        return self._client("ec2")

    @property
    def autoscaling(self) -> Any:
        """EC2 Auto Scaling."""
        return self._client("autoscaling")

    def _client(self, service: str) -> Any:
        if service not in self.made:
            self.made[service] = aws.client(service, self.region)
        return self.made[service]


def batches(names: Sequence[str], size: int) -> Iterator[list[str]]:
    """They, in lists of `size` at most: calls of AWS take no more at once."""
    for start in range(0, len(names), size):
        yield list(names[start : start + size])
