"""Names by which a plan makes its services known: Service Connect aliases and private DNS."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that Service Connect gives to clients in its namespace."""

    task: Task
    namespace: Any
    """As the service has it; UNKNOWN before an apply."""
    name: str
    port: Any
    port_name: str
    attribute: str
    """Dotted path of the alias in the ECS service."""


@dataclass(frozen=True, slots=True)
class Record:
    """A name in a private DNS namespace that tasks are registered with."""

    task: Task
    service: Resource
    """The `aws_service_discovery_service`."""
    name: str
    namespace: str | None
    """Domain; None where the plan does not say it."""

    def is_named(self, host: str) -> bool:
        """Whether a host name is this record's, as far as the plan tells."""
        if self.namespace is not None:
            return host == f"{self.name}.{self.namespace}"
        return host.startswith(f"{self.name}.")


def connect(service: Resource | None) -> Any:
    """The Service Connect configuration of a service; None where there is none or it is off."""
    found = service["service_connect_configuration.0"] if service else None
    return found if isinstance(found, dict) and found.get("enabled") is not False else None


@once
def aliases(subject: Subject) -> tuple[Alias, ...]:
    """Every alias of the plan."""
    return tuple(alias for task in subject.tasks for alias in _aliases(task))


def _aliases(task: Task) -> Iterator[Alias]:
    given = connect(task.service)
    blocks = given.get("service") if given else None
    for number, block in enumerate(blocks if isinstance(blocks, list) else []):
        names = block.get("client_alias") if isinstance(block, dict) else None
        for index, name in enumerate(names if isinstance(names, list) else []):
            dns = name.get("dns_name") or block.get("discovery_name") or block.get("port_name")
            if isinstance(dns, str):
                path = f"service_connect_configuration.0.service.{number}.client_alias.{index}"
                port_name = str(block.get("port_name"))
                yield Alias(task, given.get("namespace"), dns, name.get("port"), port_name, path)


@once
def records(subject: Subject) -> tuple[Record, ...]:
    """Every private DNS name that tasks of a service are registered with."""
    domains = {
        namespace["id"]: namespace["name"]
        for namespace in subject.plan.of_type("aws_service_discovery_private_dns_namespace")
        if isinstance(namespace["id"], str)
    }
    return tuple(record for task in subject.tasks for record in _records(subject, task, domains))


def _records(subject: Subject, task: Task, domains: dict[str, Any]) -> Iterator[Record]:
    registries = task.service["service_registries"] if task.service else None
    arns = [
        registry.get("registry_arn")
        for registry in (registries if isinstance(registries, list) else [])
        if isinstance(registry, dict)
    ]
    for service in subject.plan.of_type("aws_service_discovery_service"):
        name, namespace = service["name"], service["dns_config.0.namespace_id"]
        known = isinstance(service["arn"], str)
        mine = service["arn"] in arns if known else bool(arns) and _beside(service, task)
        if mine and isinstance(name, str):
            domain = domains.get(namespace) if isinstance(namespace, str) else None
            yield Record(task, service, name, domain if isinstance(domain, str) else None)


def _beside(service: Resource, task: Task) -> bool:
    return task.service is not None and service.module == task.service.module


def namespaces(subject: Subject) -> list[str]:
    """Domains of the plan's private DNS namespaces."""
    found = subject.plan.of_type("aws_service_discovery_private_dns_namespace")
    return [name for each in found if isinstance(name := each["name"], str)]
