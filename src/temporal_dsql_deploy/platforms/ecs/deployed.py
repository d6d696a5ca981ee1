"""What stands on AWS of an environment, by the names of its Terraform's outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.errors import NotApplied


@dataclass(frozen=True, slots=True)
class Deployed:
    """One environment on ECS."""

    environment: str
    account: str
    """12 digits."""
    region: str
    project: str
    """Prefix of every name."""
    outputs: Mapping[str, Any]

    def output(self, name: str) -> Any:
        """An output that has a value. Raises NotApplied for what is not there, or is off."""
        value = self.outputs.get(name)
        if value is None:
            raise NotApplied(
                f"environment {self.environment} has no {name}",
                cause="the output is null in its Terraform state: the part is off, or not applied",
                fix="see what an apply would make: dsql-deploy plan ENV",
            )
        return value

    @property
    def cluster(self) -> str:
        """Name of the ECS cluster. Raises NotApplied."""
        return str(self.output("ecs_cluster_name"))

    @property
    def components(self) -> list[str]:
        """Those that are services, in the order in which they are started. Raises NotApplied."""
        services = self.output("services")
        return [name for name in self.output("start_order") if name in services]

    def service(self, component: str) -> Mapping[str, Any]:
        """What the outputs say of a component's service. Raises NotApplied."""
        found: Mapping[str, Any] | None = self.output("services").get(component)
        if found is None:
            raise NotApplied(
                f"environment {self.environment} has no service of {component}",
                cause=f"its services: {', '.join(self.components)}",
                fix="switch it on in the variables of its Terraform, then apply",
            )
        return found
