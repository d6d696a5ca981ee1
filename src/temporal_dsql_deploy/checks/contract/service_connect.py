"""Service Connect: names for clients of the frontend, and what its proxy cuts."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.addresses import Alias, aliases, connect
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, is_server, judged, objects, servers
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Action, Plan, Resource
from temporal_dsql_deploy.plan.tasks import Task
from temporal_dsql_deploy.plan.values import UNKNOWN

_LONG_POLL = 60
"""Seconds that a poll of a worker may be silent."""
_CUTTING = ("http", "http2", "grpc")
_MADE = frozenset({Action.CREATE, Action.REPLACE})
_GUIDE = "ECS developer guide, service-connect"


def _served(subject: Subject) -> Iterator[tuple[Task, Resource, int, Mapping[str, Any]]]:
    """Each name that a server offers: task, service, number and content of the block."""
    seen = False
    for task in subject.tasks:
        given = connect(task.service)
        blocks = given.get("service") if given else None
        for number, block in enumerate(blocks if isinstance(blocks, list) else []):
            if is_server(task) and task.service and isinstance(block, Mapping):
                seen = True
                yield task, task.service, number, block
    if not seen:
        raise CannotJudge("no server has a Service Connect name")


def _mapping(task: Task, name: Any) -> tuple[Place, int, Mapping[str, Any]] | None:
    """The port mapping of that name."""
    for container in task.containers or ():
        for number, port in enumerate(objects(container.definition.get("portMappings"))):
            if port.get("name") == name:
                return Place(task, container), number, port
    return None


@FAMILY.rule(
    "connect-timeout",
    holds="Service Connect does not cut a long poll: no appProtocol on a Temporal port, or no "
    "limit per request.",
    symptom="With http, http2 or grpc the proxy ends every request after 15 s: polls, which last "
    "up to 60 s, end in `upstream request timeout`, and workers log it all the time.",
    fix="Leave appProtocol out (TCP has no such limit), or set per_request_timeout_seconds to 0.",
    source="ECS API, TimeoutConfiguration; temporalio/temporal service/frontend: long polls",
)
def connect_timeout(subject: Subject) -> Iterator[Said]:
    """An idle limit below a poll's length cuts it too."""
    for task, service, number, block in _served(subject):
        if task.containers is None:
            yield Unjudged(task.definition.address, "its containers are not known before an apply")
        path = f"service_connect_configuration.0.service.{number}.timeout.0"
        timeout = service[path]
        limits: Mapping[str, Any] = timeout if isinstance(timeout, Mapping) else {}
        found = _mapping(task, block.get("port_name"))
        protocol = found[2].get("appProtocol") if found else None
        request = limits.get("per_request_timeout_seconds")
        idle = limits.get("idle_timeout_seconds")
        if found and protocol in _CUTTING and _cuts(request, 15):
            place, index, _ = found
            yield place.finding(
                f"portMappings.{index}.appProtocol",
                f"appProtocol is {protocol}, per_request_timeout_seconds is {request}",
            )
        elif isinstance(request, int) and 0 < request <= _LONG_POLL:
            yield Finding(
                service.address, f"{path}.per_request_timeout_seconds", f"{request} s per request"
            )
        if isinstance(idle, int) and 0 < idle <= _LONG_POLL:
            yield Finding(service.address, f"{path}.idle_timeout_seconds", f"{idle} s idle")


def _cuts(limit: Any, default: int) -> bool:
    seconds = default if limit is None else limit
    return isinstance(seconds, int) and 0 < seconds <= _LONG_POLL


@FAMILY.rule(
    "connect-port",
    holds="A Service Connect name of a server stands for the port that clients dial.",
    symptom="The service cannot be made (`portName ... not found`), or clients reach a port that "
    "speaks something else.",
    fix="Let port_name be the name of the gRPC port's mapping, and the alias have its number.",
    source=f"{_GUIDE}-concepts",
)
def connect_port(subject: Subject) -> Iterator[Said]:
    """The alias may have another number only where a client uses it; so it is the role's here."""
    for task, service, number, block in _served(subject):
        path = f"service_connect_configuration.0.service.{number}"
        if task.containers is None:
            yield Unjudged(task.definition.address, "its containers are not known before an apply")
            continue
        found = _mapping(task, block.get("port_name"))
        grpc = topology.load().roles[task.role].ports["grpc"] if task.role else None
        if found is None:
            names = f"port_name is {block.get('port_name')}, a name of no port mapping"
            yield Finding(service.address, f"{path}.port_name", names)
        elif grpc and found[2].get("containerPort") != grpc:
            yield Finding(
                service.address,
                f"{path}.port_name",
                f"{block.get('port_name')} is {found[2].get('containerPort')}, gRPC is {grpc}",
            )
        if not block.get("client_alias"):
            yield Finding(service.address, f"{path}.client_alias", "no alias: no client has a name")


@FAMILY.rule(
    "connect-alias",
    holds="Name and port of an alias are taken once in a namespace.",
    symptom="ECS refuses the second service, or clients reach either of them.",
    fix="Give each service an alias of its own.",
    source=f"{_GUIDE}-concepts",
)
def connect_alias(subject: Subject) -> Iterator[Said]:
    """Where the namespace is known."""
    found = aliases(subject)
    if not found:
        raise CannotJudge("the plan has no Service Connect alias")
    taken: dict[tuple[str, str, str], Alias] = {}
    for alias in found:
        if alias.namespace is UNKNOWN or alias.port is UNKNOWN or alias.task.service is None:
            continue
        first = taken.setdefault((str(alias.namespace), alias.name, str(alias.port)), alias)
        if first.task is not alias.task:
            yield Finding(
                alias.task.service.address,
                alias.attribute,
                f"{alias.name}:{alias.port} is {first.task.name}'s too",
            )


@FAMILY.rule(
    "connect-peers",
    holds="No server dials another by a Service Connect name: roles find one another by the ring.",
    symptom="A name is frozen with the deployment of the task that uses it: made before the "
    "frontend it is never resolved, and the worker exits 1 after 60 s with `context deadline "
    "exceeded`.",
    fix="Leave the public frontend address out: the server finds the frontend through the ring.",
    source=f"{_GUIDE}-concepts-deploy; measured with temporal-server 1.32.2",
)
def connect_peers(subject: Subject) -> Iterator[Said]:
    """By the values of the environment."""
    names = {f"{alias.name}:{alias.port}": alias for alias in aliases(subject)}

    def judge(place: Place) -> Iterator[Said]:
        for variable, text in place.container.environment.items():
            if text.removeprefix("dns:///") in names:
                yield place.variable(variable, f"{variable} is `{text}`, a Service Connect name")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "connect-order",
    holds="A client whose only way is a Service Connect name is deployed after the service that "
    "owns the name.",
    symptom="Tasks that were deployed before never resolve the name, however often they are "
    "restarted; scaling from 0 to 1 is no new deployment.",
    fix="Create clients with desired_count 0 and make one new deployment of them once the frontend "
    "is there: `dsql-deploy up` does.",
    source=f"{_GUIDE}-concepts-deploy",
)
def connect_order(subject: Subject) -> Iterator[Said]:
    """A client that stays as it is cannot see a new name; two that are made together may be."""
    owners = {alias.task.service.address for alias in aliases(subject) if alias.task.service}
    clients = [
        task.service
        for task in subject.tasks
        if task.service and connect(task.service) and task.service.address not in owners
    ]
    if not clients:
        raise CannotJudge("no client uses a Service Connect name")
    changes = _changes(subject)
    if not any(changes.get(owner) in _MADE for owner in owners):
        return
    for service in clients:
        count = service["desired_count"]
        if changes.get(service.address) is Action.NO_OP:
            yield Finding(
                service.address,
                "service_connect_configuration",
                "it stays as it is while the service that owns the name is made",
            )
        elif count is None or (isinstance(count, int) and count > 0):
            reason = "made with the service that owns the name: their order is not in the plan"
            yield Unjudged(service.address, reason)
        else:
            yield Seen(f"{service['name']} is to be deployed once more when the names are there")


def _changes(subject: Subject) -> Mapping[str, Action]:
    """What becomes of each service."""
    if not isinstance(subject.plan, Plan):
        raise CannotJudge("a state says nothing of an order")
    services = (change for change in subject.plan.changes if change.type == "aws_ecs_service")
    return {change.address: change.action for change in services}
