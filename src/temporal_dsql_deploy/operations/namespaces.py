"""Make a cluster's namespaces and search attributes what its environment says; delete none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest, UpdateNamespaceRequest
from temporalio.service import ServiceClient

from temporal_dsql_deploy.environments.model import Environment, retention_seconds
from temporal_dsql_deploy.errors import SettingRejected
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.protocol import Change
from temporal_dsql_deploy.platforms.temporal_api import CallFailed, call, proto_duration

Request = RegisterNamespaceRequest | UpdateNamespaceRequest | AddSearchAttributesRequest
DEFAULT_RETENTION = timedelta(hours=24)
"""What `temporal operator namespace create` and the development server give a namespace."""


@dataclass(frozen=True, slots=True)
class Have:
    """What the cluster has now."""

    namespaces: Mapping[str, timedelta]
    search_attributes: Mapping[str, Mapping[str, str]]
    """By namespace: name to type."""


async def look(client: ServiceClient, environment: Environment) -> Have:
    """All namespaces, and the search attributes of those that the environment names."""
    there = await temporal_api.namespaces(client)
    attributes = {}
    if environment.search_attributes:
        for name in _named(environment):
            attributes[name] = await _search_attributes(client, name) if name in there else {}
    return Have(there, attributes)


async def _search_attributes(client: ServiceClient, namespace: str) -> dict[str, str]:
    request = ListSearchAttributesRequest(namespace=namespace)
    answer = await call(client.operator_service.list_search_attributes(request))
    return {name: _TYPE_NAMES[kind] for name, kind in answer.custom_attributes.items()}


_TYPES = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}
_TYPE_NAMES = {kind: name for name, kind in _TYPES.items()}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that has to be changed, and the call that changes it."""

    change: Change
    request: Request


def steps(environment: Environment, have: Have) -> Iterator[Step]:
    """What has to be changed. Raises SettingRejected for what Temporal cannot change."""
    for name in _named(environment):
        retention = _retention(environment, name)
        if name not in have.namespaces:
            yield _register(name, retention or DEFAULT_RETENTION)
        elif retention is not None and have.namespaces[name] != retention:
            yield _set_retention(name, have.namespaces[name], retention)
        there = have.search_attributes.get(name, {})
        for attribute, kind in environment.search_attributes.items():
            if attribute not in there:
                yield _add_search_attribute(name, attribute, kind)
            elif there[attribute] != kind:
                raise _other_type(name, attribute, there[attribute], kind)


def _register(name: str, retention: timedelta) -> Step:
    detail = f"retention {_hours(retention)}"
    return Step(
        Change(what=f"namespace {name}", action="create", detail=detail),
        RegisterNamespaceRequest(
            namespace=name, workflow_execution_retention_period=proto_duration(retention)
        ),
    )


def _set_retention(name: str, old: timedelta, new: timedelta) -> Step:
    detail = f"retention {_hours(old)} -> {_hours(new)}"
    config = NamespaceConfig(workflow_execution_retention_ttl=proto_duration(new))
    return Step(
        Change(what=f"namespace {name}", action="update", detail=detail),
        UpdateNamespaceRequest(namespace=name, config=config),
    )


def _add_search_attribute(namespace: str, name: str, kind: str) -> Step:
    return Step(
        Change(what=f"search attribute {namespace}/{name}", action="create", detail=kind),
        AddSearchAttributesRequest(namespace=namespace, search_attributes={name: _TYPES[kind]}),
    )


def _other_type(namespace: str, attribute: str, has: str, wanted: str) -> SettingRejected:
    return SettingRejected(
        f"search attribute {attribute} of namespace {namespace} is {has}, not {wanted}",
        cause="Temporal cannot change the type of a search attribute that exists",
        fix=f"use another name, or give up its values with: temporal operator search-attribute "
        f"remove --namespace {namespace} --name {attribute}",
    )


async def apply(client: ServiceClient, step: Step) -> None:
    """Make one change. Raises SettingRejected."""
    request = step.request
    try:
        if isinstance(request, RegisterNamespaceRequest):
            await call(client.workflow_service.register_namespace(request))
        elif isinstance(request, UpdateNamespaceRequest):
            await call(client.workflow_service.update_namespace(request))
        else:
            await call(client.operator_service.add_search_attributes(request))
    except CallFailed as error:
        raise SettingRejected(
            f"the server did not {step.change}",
            cause=str(error),
            fix="correct the environment file or the option; the server's limits: "
            "https://docs.temporal.io/search-attribute#custom-search-attribute-limits",
        ) from error


def _named(environment: Environment) -> list[str]:
    """The namespaces that the environment speaks of; search attributes alone mean `default`."""
    if environment.namespaces or not environment.search_attributes:
        return list(environment.namespaces)
    return ["default"]


def _retention(environment: Environment, name: str) -> timedelta | None:
    retention = environment.namespaces.get(name)
    return timedelta(seconds=retention_seconds(retention)) if retention else None


def _hours(retention: timedelta) -> str:
    return f"{retention.total_seconds() / 3600:g}h"
