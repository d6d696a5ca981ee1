"""Clients of the frontend, and the task that makes the visibility index."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.addresses import (
    Alias,
    aliases,
    connect,
    namespaces,
    records,
)
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    containers,
    each,
    is_server,
    judged,
)
from temporal_dsql_deploy.checks.contract.stores import INDEX_PREFIX, VISIBILITY_HOST
from temporal_dsql_deploy.checks.contract.values import address, nearest, quoted, switch, whole
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

_ADDRESS = "TEMPORAL_ADDRESS"
_CLIENTS = ("ui", "benchmark")
"""Parties that do nothing without a frontend."""
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")
_SETUP = "opensearch-setup"
_SERVER, _INDEX = "ES_SERVER", "ES_VISIBILITY_INDEX"


def _frontend_port() -> int:
    return topology.load().roles["frontend"].ports["grpc"]


@FAMILY.rule(
    "frontend-address",
    holds="A client dials the frontend by a name that the plan makes and its task resolves.",
    symptom="The UI shows no workflow, and workers and the benchmark log `connection refused`, `no "
    "such host` or `context deadline exceeded`, for ever: health checks do not see it.",
    fix="Use the Service Connect alias in a service of the same namespace, or the private DNS name "
    "of the frontend; each with its port.",
    source="ECS developer guide, service-connect-concepts; ECS API, ServiceConnectConfiguration: "
    "only tasks of services take part",
)
def frontend_address(subject: Subject) -> Iterator[Said]:
    """A host that no part of the plan makes is somebody else's, and not judged."""

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(_ADDRESS)
        if text is None:
            client = place.container is place.task.main and place.task.party in _CLIENTS
            if client and not place.has(_ADDRESS):
                yield place.variable(_ADDRESS, f"{_ADDRESS} is not set")
            return
        host, _, port = text.rpartition(":")
        if not host or whole(port) is None:
            yield place.variable(_ADDRESS, f"{_ADDRESS} is {quoted(text)}, no host:port")
        else:
            yield from _host(subject, place, host, int(port))

    return judged(each(subject, lambda t: not is_server(t), "client of a frontend"), judge)


def _host(subject: Subject, place: Place, host: str, port: int) -> Iterator[Said]:
    said = f"{_ADDRESS} is `{host}:{port}`"
    named = [alias for alias in aliases(subject) if alias.name == host]
    if named:
        yield from _by_alias(place, named, said, port)
        return
    mine = [record for record in records(subject) if record.is_named(host)]
    if mine:
        if not any(record.task.role == "frontend" for record in mine):
            yield place.variable(_ADDRESS, f"{said}, a name of {mine[0].task.name}")
        elif port != _frontend_port():
            yield place.variable(_ADDRESS, f"{said}; the frontend listens on {_frontend_port()}")
        return
    literal = address(host)
    known = _names(subject)
    near = nearest(host, known)
    made = any(host.endswith(f".{domain}") for domain in namespaces(subject))
    if "." not in host or made or near or (literal and literal.is_loopback):
        hint = f"; the plan has {near}" if near else ""
        yield place.variable(_ADDRESS, f"{said}, a name that nothing in the plan makes{hint}")
    else:
        yield place.unjudged(f"{said}: whether that is the frontend is not in the plan")


def _names(subject: Subject) -> list[str]:
    dns = [f"{one.name}.{one.namespace}" for one in records(subject) if one.namespace]
    return [*(alias.name for alias in aliases(subject)), *dns]


def _by_alias(place: Place, named: list[Alias], said: str, port: int) -> Iterator[Said]:
    if place.task.service is None:
        yield place.variable(_ADDRESS, f"{said}, and no service runs this task")
        return
    given = connect(place.task.service)
    if given is None:
        yield place.variable(_ADDRESS, f"{said}, and its service is not part of Service Connect")
        return
    mine = given.get("namespace")
    if mine is UNKNOWN or any(alias.namespace is UNKNOWN for alias in named):
        yield place.unjudged("the Service Connect namespaces are known only after an apply")
        reachable = named
    else:
        reachable = [alias for alias in named if alias.namespace == mine]
    if not reachable:
        yield place.variable(_ADDRESS, f"{said}, a name of another namespace than its service's")
    elif all(alias.port != port for alias in reachable if alias.port is not UNKNOWN):
        yield place.variable(_ADDRESS, f"{said}; the alias has the port {reachable[0].port}")
    elif not any(alias.task.role == "frontend" for alias in reachable):
        yield place.variable(_ADDRESS, f"{said}, a name of {reachable[0].task.name}")


@FAMILY.rule(
    "dns-record",
    holds="A name that clients dial is an A record: the address of each task.",
    symptom="`no such host` at every client: an SRV or AAAA record answers no question for an "
    "IPv4 address.",
    fix='dns_records with type = "A"; container and port are for SRV alone.',
    source="ECS developer guide, service-discovery",
)
def dns_record(subject: Subject) -> Iterator[Said]:
    """Of services that tasks are registered with."""
    found = records(subject)
    if not found:
        raise CannotJudge("no task is registered with a private DNS name")
    for record in found:
        kinds = record.service["dns_config.0.dns_records"]
        if not isinstance(kinds, list):
            yield Unjudged(record.service.address, "its records are not known")
        elif not any(isinstance(kind, dict) and kind.get("type") == "A" for kind in kinds):
            given = ", ".join(str(kind.get("type")) for kind in kinds if isinstance(kind, dict))
            path = "dns_config.0.dns_records.0.type"
            yield Finding(record.service.address, path, f"{record.name} is {given or 'no record'}")


@FAMILY.rule(
    "ui-port",
    holds="The UI listens on the port that its container maps.",
    symptom="The page never opens, and the health check kills the task again and again.",
    fix="Set TEMPORAL_UI_PORT to the container port.",
    source="temporalio/ui server image",
)
def ui_port(subject: Subject) -> Iterator[Said]:
    """8080 where nothing is set."""
    name = "TEMPORAL_UI_PORT"

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        port = topology.load().ui_port if text is None else whole(text)
        mapped = place.container.ports
        if place.container is place.task.main and mapped and port not in mapped:
            yield place.variable(name, f"{name} is {quoted(text)}, mapped is {mapped[0]}")

    return judged(each(subject, lambda t: t.party == "ui", "UI"), judge)


@FAMILY.rule(
    "ui-origins",
    holds="The origins that the UI lets in are origins.",
    symptom="The browser's console says `blocked by CORS policy`, and the page stays empty.",
    fix="Write scheme, host and port, such as http://localhost:8080, with commas between them.",
    source="temporalio/ui server image: TEMPORAL_CORS_ORIGINS",
)
def ui_origins(subject: Subject) -> Iterator[Said]:
    """Where it is set."""
    name = "TEMPORAL_CORS_ORIGINS"

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        for origin in [] if text is None else text.split(","):
            if not _ORIGIN.fullmatch(origin.strip()) and origin.strip() != "*":
                yield place.variable(name, f"{name} has {quoted(origin)}")

    return judged(each(subject, lambda t: t.party == "ui", "UI"), judge)


@FAMILY.rule(
    "benchmark-worker",
    holds="A benchmark that a service keeps running only works, and starts no load.",
    symptom="Every task of the service starts a run of its own and exits at its end; ECS starts it "
    "again, so the load never ends and no result is comparable.",
    fix="Set BENCHMARK_WORKER_ONLY to true.",
    source="the benchmark's own contract: a run is a task of its own",
)
def benchmark_worker(subject: Subject) -> Iterator[Said]:
    """A task without a service is a run."""
    name = "BENCHMARK_WORKER_ONLY"

    def judge(place: Place) -> Iterator[Said]:
        if place.container is place.task.main and switch(place.value(name)) is not True:
            yield place.variable(name, f"{name} is {quoted(place.value(name))}")

    wanted = each(
        subject, lambda t: t.party == "benchmark" and t.service is not None, "benchmark's service"
    )
    return judged(wanted, judge)


def _setups(subject: Subject) -> Iterator[Place]:
    seen = False
    for place in containers(subject):
        if isinstance(place, Place) and (place.task.party == _SETUP or place.has(_SERVER)):
            seen = True
            yield place
    if not seen:
        raise CannotJudge("the plan has no task that makes the visibility index")


def _of_servers(subject: Subject, name: str) -> set[str]:
    """What servers say; empty where none says it."""
    mains = [task.main for task in subject.tasks if is_server(task) and task.main]
    return {text for main in mains if (text := main.environment.get(name))}


@FAMILY.rule(
    "setup-endpoint",
    holds="The visibility index is made in the domain that the servers use.",
    symptom="The task ends with `did not answer` or makes an index that nobody reads; the servers "
    "then write into one without a mapping.",
    fix="Set ES_SERVER to https:// and the host of the domain.",
    source="temporalio/temporal tools/elasticsearch: ES_SERVER",
)
def setup_endpoint(subject: Subject) -> Iterator[Said]:
    """Against the host that the servers are told."""
    hosts = _of_servers(subject, VISIBILITY_HOST)
    for place in _setups(subject):
        text = place.value(_SERVER)
        found = re.fullmatch(r"https://([^/:]+)(:443)?/?", text or "")
        if found is None and _SERVER not in place.container.secrets:
            yield place.variable(_SERVER, f"{_SERVER} is {quoted(text)}")
        elif found and hosts and found[1] not in hosts:
            yield place.variable(
                _SERVER, f"{_SERVER} is {quoted(text)}, servers use {', '.join(sorted(hosts))}"
            )


@FAMILY.rule(
    "setup-index",
    holds="The index that is made is the one that the servers use.",
    symptom="Servers write into an index that OpenSearch made by itself, without a mapping: "
    "searching for workflows by any attribute fails or finds nothing.",
    fix="Set ES_VISIBILITY_INDEX to the servers' TEMPORAL_ELASTICSEARCH_INDEX.",
    source="measured with temporal-elasticsearch-tool 1.32.2 and OpenSearch 2.19.1",
)
def setup_index(subject: Subject) -> Iterator[Said]:
    """The prefix counts where no server says its index."""
    wanted = _of_servers(subject, "TEMPORAL_ELASTICSEARCH_INDEX")
    for place in _setups(subject):
        text = place.value(_INDEX)
        wrong = text not in wanted if wanted else not (text or "").startswith(INDEX_PREFIX)
        if wrong and _INDEX not in place.container.secrets:
            others = ", ".join(sorted(wanted)) or f"{INDEX_PREFIX}..."
            yield place.variable(_INDEX, f"{_INDEX} is {quoted(text)}, servers use {others}")


@FAMILY.rule(
    "setup-command",
    holds="The task that makes the index signs its requests, tells failures, and sets the schema "
    "before the index.",
    symptom="Unsigned requests get 403; with --quiet every failure exits 0; an index that is made "
    "before the template has no mapping.",
    fix="AWS_REGION, --aws aws-sdk-default, no --quiet; setup-schema before create-index; an image "
    "of admin tools.",
    source="temporalio/temporal tools/elasticsearch; measured with temporal-elasticsearch-tool "
    "1.32.2",
)
def setup_command(subject: Subject) -> Iterator[Said]:
    """As far as the command stands in the plan."""
    for place in _setups(subject):
        said = " ".join(place.container.words)
        if not place.has("AWS_REGION") or place.value("AWS_REGION") == "":
            yield place.variable("AWS_REGION", "AWS_REGION is not set, so nothing can be signed")
        elif subject.region and place.value("AWS_REGION") not in {None, subject.region}:
            yield place.variable(
                "AWS_REGION",
                f"AWS_REGION is {quoted(place.value('AWS_REGION'))}, the domain is in "
                f"{subject.region}",
            )
        if "elasticsearch-tool" not in said:
            continue
        if "--aws" not in said and not place.has("AWS_CREDENTIALS"):
            yield place.finding("command", "no --aws and no AWS_CREDENTIALS")
        if re.search(r"--quiet|\s-q\b", said):
            yield place.finding("command", "--quiet")
        schema, index = said.find("setup-schema"), said.find("create-index")
        if index >= 0 and not 0 <= schema < index:
            yield place.finding("command", "create-index without setup-schema before it")
