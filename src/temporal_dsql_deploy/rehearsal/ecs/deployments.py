"""Deployments of a service: made, completed, failed, rolled back, and shown by moto's service."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from temporal_dsql_deploy.rehearsal.ecs import connect, documents, words, world
from temporal_dsql_deploy.rehearsal.ecs.connect import Namespaces
from temporal_dsql_deploy.rehearsal.ecs.decide import COMPLETED, FAILED, IN_PROGRESS
from temporal_dsql_deploy.rehearsal.ecs.definition import Definition
from temporal_dsql_deploy.rehearsal.ecs.model import (
    ACTIVE,
    PRIMARY,
    RUNNING,
    Deployment,
    Service,
    Task,
    new_deployment_id,
)
from temporal_dsql_deploy.rehearsal.ecs.words import Events

SETTINGS = (
    "capacityProviderStrategy",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
)
"""What of a service a deployment runs with: a change of it makes a new one (ECS API,
UpdateService)."""


def make(
    service: str, definition: Definition, asked: Mapping[str, Any], namespaces: Namespaces
) -> Deployment:
    """A new deployment of a service, by its ARN; the names of Service Connect are fixed now."""
    own = {name: asked[name] for name in SETTINGS if asked.get(name)}
    made = Deployment(new_deployment_id(), definition, own)
    made.reason = words.in_progress(made.id)
    said = own.get("serviceConnectConfiguration") or {}
    if said.get("enabled"):
        region = world.region_of(service)
        namespace = world.namespace_name(said.get("namespace") or "", region)
        namespaces.give(namespace, connect.aliases(service, said, definition, namespace))
        made.names = namespaces.now(namespace)
    return made


def replace(service: Service, new: Deployment) -> None:
    """Let a deployment be the one that is wanted."""
    for one in service.deployments:
        one.status = ACTIVE
    new.status = PRIMARY
    rest = [one for one in service.deployments if one is not new]
    service.deployments = [new, *rest]
    service.was_steady = False
    service.said.clear()


def complete(service: Service) -> None:
    """The primary deployment has done its work."""
    primary = service.primary
    primary.state, primary.reason = COMPLETED, words.completed(primary.id)
    primary.updated = time.time()
    service.last_completed = primary
    service.tell(Events(service.name).deployed(primary.id))


def fail(service: Service, roll_back_to: str) -> None:
    """The circuit breaker ends the primary deployment, and goes back where it may."""
    failed, events = service.primary, Events(service.name)
    failed.state, failed.reason = FAILED, words.BROKEN
    failed.updated = time.time()
    service.tell(events.failed(failed.id))
    last = service.last_completed
    if not roll_back_to or last is None:
        return
    service.tell(events.rolls_back(last.id))
    last.state, last.reason = IN_PROGRESS, words.rolling_back(last.id)
    last.failures, last.updated = 0, time.time()
    replace(service, last)


def show(service: Service, tasks: Sequence[Task]) -> None:
    """Write into moto's service what is, so that it answers with it."""
    cluster = service.cluster.rpartition("/")[2]
    shown = world.ecs(world.region_of(service.arn)).services.get(f"{cluster}:{service.name}")
    if shown is None:
        return
    alive = [one for one in tasks if one.desired == RUNNING]
    shown.running_count = sum(one.status == RUNNING for one in alive)
    shown.pending_count = len(alive) - shown.running_count
    shown.desired_count = service.desired
    shown.task_definition = service.primary.definition.arn
    shown.status = service.status
    shown.events = list(service.events)
    shown.deployments = [documents.deployment(one, service, tasks) for one in service.deployments]
