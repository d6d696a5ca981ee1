"""How a service's rolling deployment goes, from its percentages."""

from temporal_dsql_deploy.capacity.scenarios import Deployment, deployment
from temporal_dsql_deploy.checks.fit.measures import whole
from temporal_dsql_deploy.plan.model import Resource

LEAST = "deployment_minimum_healthy_percent"
MOST = "deployment_maximum_percent"
DEFAULTS = {LEAST: 100, MOST: 200}
"""What ECS takes where a service says nothing: ECS API, DeploymentConfiguration."""


def percent(service: Resource, path: str) -> int | None:
    """A percentage of a service, ECS's own where it has none; None where it is not known."""
    return DEFAULTS[path] if service[path] is None else whole(service[path])


def deployment_of(service: Resource, desired: int) -> Deployment | None:
    """The deployment of so many tasks; None where it does not roll, or it is not known.

    A service that has no task at rest is judged as if it had one.
    """
    rolls = (
        service["scheduling_strategy"] in {None, "REPLICA"}
        and service["deployment_controller.0.type"] in {None, "ECS"}
        and service["deployment_configuration.0.strategy"] in {None, "ROLLING"}
    )
    least, most = percent(service, LEAST), percent(service, MOST)
    if not rolls or least is None or most is None:
        return None
    return deployment(max(desired, 1), least, most)
