"""Property 11: names by which clients find the frontend, and nobody finds anything else."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.look import (
    LATER,
    Inside,
    blocks,
    definitions,
    hidden,
    known,
    main,
    on,
    opaque,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.services.family import FAMILY
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_CONFIGURATION = "service_connect_configuration.0"
_MEANT = (
    "History and Matching are never called by name, because roles dial the addresses that they "
    "find in the ring; their aliases would cost a proxy per task and carry nothing. Proven is: the "
    "frontend serves a name, its clients can resolve it, and no other role serves one."
)
_SEEDS = ("S0-PR11", "S0-P2", "S1-17.6*")
_ADDRESSES = ("TEMPORAL_ADDRESS", "TEMPORAL_GRPC_ENDPOINT", "TEMPORAL_HOST_PORT")


@FAMILY.rule(
    "namespace",
    holds="Service Connect uses a namespace that is there, the same for all.",
    symptom="`NamespaceNotFoundException`, or clients look for the frontend in another namespace "
    "and log `no such host`.",
    fix="Make an aws_service_discovery_http_namespace and name its ARN in every service.",
    source="ECS developer guide, service-connect-concepts",
    seeds=(*_SEEDS, "S0-C2"),
    meaning=_MEANT,
)
def namespace(subject: Subject) -> Iterator[Said]:
    """Namespaces of Service Connect."""
    connected = _connected(subject)
    if not connected:
        raise CannotJudge("no service uses Service Connect")
    kinds = ("aws_service_discovery_http_namespace", "aws_service_discovery_private_dns_namespace")
    made = {str(one[key]) for one in subject.plan.of_type(*kinds) for key in ("arn", "name")}
    used = {task.name: _service(task)[f"{_CONFIGURATION}.namespace"] for task in connected}
    defaults = {
        cluster["service_connect_defaults.0.namespace"]
        for cluster in subject.plan.of_type("aws_ecs_cluster")
    }
    known_ones = {str(value) for value in used.values() if isinstance(value, str)}
    for cluster in subject.plan.of_type("aws_ecs_cluster"):
        value = cluster["service_connect_defaults.0.namespace"]
        if made and isinstance(value, str) and value not in made:
            path = "service_connect_defaults.0.namespace"
            yield Finding(cluster.address, path, f"the plan has no namespace {value or 'given'}")
    for task in connected:
        service, value = _service(task), used[task.name]
        path = f"{_CONFIGURATION}.namespace"
        if opaque(value):
            yield Unjudged(service.address, f"its namespace {LATER}")
        elif value is None and not any(isinstance(one, str) for one in defaults):
            yield Finding(service.address, path, "no namespace, and the cluster has no default")
        elif made and value is not None and value not in made:
            yield Finding(service.address, path, f"the plan has no namespace {value}")
        elif not made and len(known_ones) > 1:
            yield Finding(service.address, path, f"{', '.join(sorted(known_ones))} are two")


@FAMILY.rule(
    "frontend",
    holds="The frontend serves a name for its gRPC port, by Service Connect or by DNS.",
    symptom="The UI shows no workflows, and SDK clients log `name resolver error: produced zero "
    "addresses`; an alias on a port that is not mapped is refused by ECS.",
    fix="Give the frontend's service a service block with port_name of its gRPC port and a "
    "client_alias with a DNS name.",
    source="ECS developer guide, service-connect-concepts",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def frontend(subject: Subject) -> Iterator[Said]:
    """The name of the frontend."""
    task = subject.roles.get("frontend")
    if task is None or task.service is None:
        raise CannotJudge("the plan has no service of the frontend")
    service = task.service
    served = _served(service)
    if opaque(service["service_connect_configuration"]):
        yield Unjudged(service.address, f"Service Connect {LATER}")
        return
    if not served:
        if not blocks(service["service_registries"]) and not blocks(service["load_balancer"]):
            yield Finding(service.address, "service_connect_configuration", "it serves no name")
        return
    yield from hidden([task])
    ports = _port_names(task)
    grpc = topology.load().roles["frontend"].ports["grpc"]
    for index, each in enumerate(served):
        path = f"{_CONFIGURATION}.service.{index}"
        name = each.get("port_name")
        if ports and ports.get(str(name)) != grpc:
            said = f"{name} is {ports.get(str(name), 'no port of the container')}, not {grpc}"
            yield Finding(service.address, f"{path}.port_name", said)
        aliases = blocks(each.get("client_alias"))
        if not aliases:
            said = "without an alias only the port's own name and namespace lead here"
            yield Finding(service.address, f"{path}.client_alias", said)


@FAMILY.rule(
    "others",
    holds="No role but the frontend serves a name, and the UI is a client only.",
    symptom="Each task gets a proxy beside it, with CPU, memory and a log of its own, through "
    "which nothing ever passes; and who dials such a name gets one random task, not the owner of a "
    "shard.",
    fix="Take the service block out; roles find one another in the membership ring.",
    source="temporalio/temporal common/membership/ringpop/monitor.go",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def others(subject: Subject) -> Iterator[Said]:
    """Names of those who need none."""
    quiet = [t for t in subject.tasks if t.service and t.role != "frontend"]
    quiet = [t for t in quiet if t.role or t.party == "ui"]
    if not quiet:
        raise CannotJudge("the plan has no service of another role")
    for task in quiet:
        service = _service(task)
        if opaque(service["service_connect_configuration"]):
            yield Unjudged(service.address, f"Service Connect {LATER}")
        elif _served(service):
            path = f"{_CONFIGURATION}.service"
            yield Finding(service.address, path, f"{task.name} serves a name")


@FAMILY.rule(
    "clients",
    holds="Who dials the frontend by a name can resolve it, and at its gRPC port.",
    symptom="`dial tcp: lookup ...: no such host`: only tasks of a service with Service Connect "
    "know its names, a task that is run once never does; and a DNS name needs a registered "
    "service.",
    fix="Switch Service Connect on for the client's service, or let it dial the DNS name of a "
    "Cloud Map service that the frontend registers with.",
    source="ECS developer guide, service-connect-concepts",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def clients(subject: Subject) -> Iterator[Said]:
    """Addresses of the frontend in environments."""
    tasks = definitions(subject)
    yield from hidden(tasks)
    facts = topology.load()
    dialled = 0
    for task in tasks:
        one = main(task)
        if one is None or task.role:
            continue
        for variable in _ADDRESSES:
            address = one.container.environment.get(variable)
            if address is None:
                continue
            dialled += 1
            host, _, port = address.rpartition(":")
            wanted = _aliases(subject).get(host) or facts.roles["frontend"].ports["grpc"]
            if not host or port != str(wanted):
                said = f"{variable} is {address or 'empty'}: no port of the frontend"
                yield one.wrong(f"environment.{variable}", said)
            else:
                yield from _resolves(subject, one, variable, host)
        if task.party == "ui" and not any(v in one.container.environment for v in _ADDRESSES):
            yield one.wrong("environment.TEMPORAL_ADDRESS", "the UI is told no address")
    if not dialled:
        raise CannotJudge("no container names the frontend")
    yield Seen(f"{dialled} clients")


def _resolves(subject: Subject, one: Inside, variable: str, host: str) -> Iterator[Said]:
    aliases = _aliases(subject)
    names = _dns_names(subject)
    path = f"environment.{variable}"
    if host in aliases:
        service = one.task.service
        if service is None:
            said = f"{host} is a name of Service Connect, which a task that is run once never sees"
            yield one.wrong(path, said)
        elif on(service[f"{_CONFIGURATION}.enabled"]) is False:
            said = f"its containers dial {host}, and Service Connect is off"
            yield Finding(service.address, f"{_CONFIGURATION}.enabled", said)
    elif host in names:
        if not names[host]:
            yield one.wrong(path, f"the frontend does not register with the DNS name {host}")
    elif "." not in host:
        yield one.wrong(path, f"nothing of the plan is called {host}")
    elif any(host.endswith(f".{end}") for end in _namespaces(subject).values()):
        yield one.wrong(path, f"the namespace of {host} has no such service")


def _connected(subject: Subject) -> list[Task]:
    return [t for t in subject.tasks if t.service and on(t.service[f"{_CONFIGURATION}.enabled"])]


def _service(task: Task) -> Resource:
    assert task.service is not None  # noqa: S101 - for the type checker; callers have asked
    return task.service


def _served(service: Resource) -> tuple[Mapping[str, Any], ...]:
    if on(service[f"{_CONFIGURATION}.enabled"]) is False:
        return ()
    return blocks(service[f"{_CONFIGURATION}.service"])


def _port_names(task: Task) -> dict[str, int]:
    return {
        str(port.get("name")): port.get("containerPort")
        for container in task.containers or ()
        for port in container.definition.get("portMappings") or []
    }


def _aliases(subject: Subject) -> dict[str, Any]:
    """Names of Service Connect with the ports on which clients see them; None for the own port."""
    return {
        str(alias.get("dns_name")): alias.get("port")
        for task in _connected(subject)
        for each in _served(_service(task))
        for alias in blocks(each.get("client_alias"))
    }


def _namespaces(subject: Subject) -> dict[str, str]:
    """Names of private DNS namespaces by their id."""
    kind = "aws_service_discovery_private_dns_namespace"
    found = known(subject.plan.of_type(kind), "id")
    return {number: str(one["name"]) for number, one in found.items()}


def _dns_names(subject: Subject) -> dict[str, bool]:
    """DNS names of Cloud Map, and whether the frontend registers with them."""
    task = subject.roles.get("frontend")
    registries = blocks(task.service["service_registries"]) if task and task.service else ()
    arns = [each.get("registry_arn") for each in registries]
    spaces = _namespaces(subject)
    found = {}
    for one in subject.plan.of_type("aws_service_discovery_service"):
        space = spaces.get(str(one["dns_config.0.namespace_id"]))
        if space:
            found[f"{one['name']}.{space}"] = one["arn"] in arns
    return found
