"""What collectors have to do for the roles of a plan."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.look import (
    LATER,
    Inside,
    blocks,
    definitions,
    hidden,
    inside,
    known,
    number,
    parameters,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.checks.telemetry import collectors
from temporal_dsql_deploy.checks.telemetry.collectors import Does
from temporal_dsql_deploy.checks.telemetry.family import FAMILY
from temporal_dsql_deploy.checks.telemetry.yaml_text import NotRead
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_LOCAL = {"localhost", "127.0.0.1", "0.0.0.0", "::1"}  # noqa: S104 - names to compare with
_KIND = re.compile(r"otel|opentelemetry|adot|alloy|collector|grafana-agent|prometheus")
_INITIAL = re.compile(r"(^|[-_])init($|[-_])")
_SEEDS = ("S0-PR15", "S0-O2", "S1-22")
_MEANT = (
    "A Service Connect name answers for one random task per scrape, so series jump between "
    "replicas, and the client-only worker has no name. Proven is: each task of the four roles is "
    "scraped once, by the collector beside it or by one that asks ECS for tasks, and signed "
    "writes reach AMP."
)


@dataclass(frozen=True)
class _Collector:
    """A configuration, with the task that reads it."""

    task: Task
    place: str
    """Address of what holds the text."""
    attribute: str
    does: Does

    def wrong(self, evidence: str, symptom: str = "") -> Finding:
        name = self.task.definition["family"]
        return Finding(self.place, self.attribute, f"collector of {name}: {evidence}", symptom)


@FAMILY.rule(
    "once",
    holds="The metrics page of every role is scraped, once.",
    symptom="Panels and alarms of the role are empty, or every counter is there twice and AMP "
    "refuses samples: `duplicate sample for timestamp`, `out of order sample`.",
    fix="Put a collector beside each role that scrapes localhost:9090, or let one collector find "
    "the tasks by ecs_observer; not both.",
    source="opentelemetry-collector-contrib receiver/prometheusreceiver/README.md",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def once(subject: Subject) -> Iterator[Said]:
    """Who scrapes each role."""
    yield from _unread(subject)
    found = _collectors(subject)
    unread = {one.resource for one in _read(subject)[1]}
    port = topology.load().metrics_port
    for task in subject.roles.values():
        scraped = [
            one for one in found if one.task is task for t in one.does.targets if _at(t, port)
        ]
        server = task.main.name if task.main else ""
        named = str(task.service["name"]) if task.service else ""
        scraped += [one for one in found for f in one.does.finders if f.finds(named, server, port)]
        where = (task.service or task.definition).address
        if not scraped and (unread & _places(subject, task) or task.containers is None):
            continue
        if not scraped:
            place = next((one for one in found if one.task is task), None)
            said = f"nothing scrapes {task.name} on {port}"
            yield place.wrong(said) if place else Finding(where, "", said)
        for extra in scraped[1:]:
            yield extra.wrong(f"{task.name} is scraped {len(scraped)} times")
    for one in found:
        most = number(one.task.service["deployment_maximum_percent"]) if one.task.service else None
        if one.does.finders and ((one.task.replicas or 1) > 1 or (most or 200) > 100):
            where = (one.task.service or one.task.definition).address
            said = "two tasks of it, if only during a deployment, scrape everything twice"
            yield Finding(where, "deployment_maximum_percent", said)
    yield Seen(f"{len(found)} collectors")


@FAMILY.rule(
    "names",
    holds="No collector scrapes a name that several tasks share.",
    symptom="Each scrape reaches one random task of the role: counters jump up and down, and rates "
    "are nonsense, while all panels look alive.",
    fix="Scrape localhost from beside the server, or find tasks by ecs_observer.",
    source="ECS developer guide, service-connect-concepts",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def names(subject: Subject) -> Iterator[Said]:
    """Targets of collectors."""
    yield from _unread(subject)
    for one in _collectors(subject):
        for target in one.does.targets:
            if target.rpartition(":")[0] not in _LOCAL:
                yield one.wrong(f"it scrapes {target}")


@FAMILY.rule(
    "write",
    holds="What is scraped is written to the workspace, signed for its region.",
    symptom="The collector logs 403 (`Missing Authentication Token`) or 404 and drops what it has; "
    "all panels are empty.",
    fix="Write to <endpoint of the workspace>api/v1/remote_write with sigv4 and its region.",
    source="Amazon Managed Service for Prometheus user guide, AMP-APIReference-RemoteWrite",
    seeds=_SEEDS,
    meaning=_MEANT,
)
def write(subject: Subject) -> Iterator[Said]:
    """Where metrics go."""
    yield from _unread(subject)
    spaces = known(subject.plan.of_type("aws_prometheus_workspace"), "prometheus_endpoint")
    for one in _collectors(subject):
        if not one.does.writes:
            yield one.wrong("what it scrapes is written nowhere")
        for each in one.does.writes:
            urls = {f"{base.rstrip('/')}/api/v1/remote_write" for base in spaces}
            of_amp = re.search(r"aps-workspaces[.]([a-z0-9-]+)[.]amazonaws", each.url)
            if urls and each.url not in urls:
                yield one.wrong(f"it writes to {each.url}, the workspace is {', '.join(urls)}")
            elif of_amp and each.region is None:
                yield one.wrong("it does not sign what it writes")
            elif of_amp and each.region != of_amp[1]:
                yield one.wrong(f"it signs for {each.region}, the workspace is in {of_amp[1]}")


@FAMILY.rule(
    "wired",
    holds="Every part that a collector's configuration names is defined in it.",
    symptom="The collector ends at its start: `references exporter ... which is not configured`; "
    "there is no metric of its task, while the server runs on.",
    fix="Define the part, or take its name out of the pipeline.",
    source="opentelemetry-collector otelcol/config.go; Grafana Alloy documentation, components",
    seeds=_SEEDS,
)
def wired(subject: Subject) -> Iterator[Said]:
    """Names inside configurations."""
    yield from _unread(subject)
    for one in _collectors(subject):
        for name in one.does.broken:
            yield one.wrong(f"nothing defines {name}")
        for finder in one.does.finders:
            clusters = known(subject.plan.of_type("aws_ecs_cluster"), "name")
            if clusters and finder.cluster not in clusters:
                yield one.wrong(f"it asks for tasks of {finder.cluster or 'no cluster'}")
            if subject.region and finder.region != subject.region:
                yield one.wrong(f"it asks for tasks in {finder.region or 'no region'}")


@FAMILY.rule(
    "apart",
    holds="Series of two tasks of a role differ.",
    symptom="All tasks are localhost to their collectors, so their series are one: AMP refuses "
    "samples, `out of order sample` or `duplicate sample for timestamp`, and counters go back.",
    fix="Add the id of the task as a label: resource_detection with ecs, or constants.hostname.",
    source="Prometheus documentation, jobs and instances",
    seeds=_SEEDS,
)
def apart(subject: Subject) -> Iterator[Said]:
    """Labels of series."""
    yield from _unread(subject)
    for one in _collectors(subject):
        local = any(t.rpartition(":")[0] in _LOCAL for t in one.does.targets)
        if local and (one.task.replicas or 1) > 1 and not one.does.told_apart:
            yield one.wrong(f"{one.task.replicas} tasks write the same series")


@FAMILY.rule(
    "logs",
    holds="Where Loki is, the collector of each role pushes the server's log file to it.",
    symptom="Grafana shows no log of the role, while CloudWatch Logs has it.",
    fix="Read the file of TEMPORAL_LOG_FILE in a volume that both containers mount, and push it "
    "to Loki's DNS name.",
    source="Loki documentation, /otlp/v1/logs and /loki/api/v1/push",
    seeds=("S3-8", "S3-12"),
)
def logs(subject: Subject) -> Iterator[Said]:
    """Log files and Loki."""
    if not any(task.party == "loki" for task in subject.tasks):
        raise CannotJudge("the plan has no Loki")
    yield from _unread(subject)
    hosts = set(_registered(subject, "loki"))
    found = [one for one in _collectors(subject) if one.task.role]
    for one in found:
        server = one.task.main
        file = server.environment.get("TEMPORAL_LOG_FILE") if server else None
        if not one.does.pushes:
            yield one.wrong("it pushes no log to Loki")
        for url in one.does.pushes:
            host = re.sub(r"^https?://", "", url).split("/")[0]
            if hosts and host not in hosts:
                yield one.wrong(f"it pushes logs to {host}; Loki is {', '.join(sorted(hosts))}")
        if file is None:
            yield Unjudged(one.task.definition.address, "which file the server logs to is not said")
        elif file not in one.does.files:
            yield one.wrong(f"it reads {', '.join(one.does.files) or 'no file'}, not {file}")
        else:
            yield from _shared(one.task, file)


@FAMILY.rule(
    "memory",
    holds="A collector beside a server has memory of its own, with its limit below.",
    symptom="A collector that cannot write fills the memory of the whole task, and the kernel may "
    "kill the server in its place.",
    fix="Set memory on the collector's container, and memory_limiter or GOMEMLIMIT below that.",
    source="opentelemetry-collector processor/memorylimiterprocessor/README.md",
    seeds=("S0-PR15",),
)
def memory(subject: Subject) -> Iterator[Said]:
    """Memory of collectors."""
    yield from _unread(subject)
    for one in _collectors(subject):
        containers = [c for c in inside([one.task]) if _is_collector(c)]
        for container in containers:
            yield from _limits(one, container)


@FAMILY.rule(
    "beside",
    holds="A collector that ends does not take the server beside it down.",
    symptom="A fault in the configuration of metrics stops all tasks of the role, again and again.",
    fix="Set essential = false on the collector's containers.",
    source="ECS API, ContainerDefinition: essential",
    seeds=("S0-PR15",),
)
def beside(subject: Subject) -> Iterator[Said]:
    """Whether a task needs its collector."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    yield from hidden(subject.roles.values())
    for one in inside(subject.roles.values()):
        if one.container is one.task.main:
            if one["essential"] is False:
                yield one.wrong("essential", "the server may end, and its task runs on without it")
        elif one["essential"] is not False and _KIND.search(one.container.name):
            yield one.wrong("essential", "the task ends with its collector")


def _collectors(subject: Subject) -> list[_Collector]:
    """All configurations that tasks read. Raises CannotJudge where there is none."""
    found, _ = _read(subject)
    if not found:
        raise CannotJudge("no container reads a collector's configuration that is known")
    return found


def _unread(subject: Subject) -> Iterator[Unjudged]:
    """Tasks and configurations of which nothing is known."""
    yield from hidden(definitions(subject))
    yield from _read(subject)[1]


def _places(subject: Subject, task: Task) -> set[str]:
    """Addresses of what holds the texts that a task reads."""
    return {place for place, _, _ in _sources(task, parameters(subject))}


def _read(subject: Subject) -> tuple[list[_Collector], list[Unjudged]]:
    found: list[_Collector] = []
    failed: list[Unjudged] = []
    made = parameters(subject)
    for task in subject.tasks:
        for place, attribute, text in _sources(task, made):
            if not isinstance(text, str):
                failed.append(Unjudged(place, f"its value is sensitive or {LATER}"))
                continue
            try:
                does = _does(text)
            except NotRead as reason:
                failed.append(Unjudged(place, f"it is written in a way not known here: {reason}"))
                continue
            if does is not None:
                found.append(_Collector(task, place, attribute, does))
    return found, failed


def _sources(task: Task, made: Mapping[str, Resource]) -> Iterator[tuple[str, str, object]]:
    """Texts that containers of a task read, each with where it stands."""
    for one in inside([task]):
        for source in one.container.secrets.values():
            if source in made:
                yield made[source].address, "value", made[source]["value"]
        for name, value in one.container.environment.items():
            if "\n" in value:
                yield one.address, f"container_definitions.{one.index}.environment.{name}", value


@lru_cache(maxsize=64)
def _does(text: str) -> Does | None:
    return collectors.read(text)


def _at(target: str, port: int) -> bool:
    host, _, said = target.rpartition(":")
    return host in _LOCAL and said == str(port)


def _registered(subject: Subject, party: str) -> Iterator[str]:
    """DNS names with ports under which a component is found."""
    kind = "aws_service_discovery_private_dns_namespace"
    spaces = known(subject.plan.of_type(kind), "id")
    for task in subject.tasks:
        if task.party != party or task.service is None or task.main is None:
            continue
        arn = task.service["service_registries.0.registry_arn"]
        for one in subject.plan.of_type("aws_service_discovery_service"):
            space = spaces.get(str(one["dns_config.0.namespace_id"]))
            if one["arn"] == arn and space:
                ports = {port for each in task.containers or () for port in each.ports}
                yield from (f"{one['name']}.{space['name']}:{port}" for port in ports)


def _shared(task: Task, file: str) -> Iterator[Said]:
    """Whether server and collector mount one volume for the log file."""
    mounts: dict[str, set[str]] = {}
    for one in inside([task]):
        for mount in blocks(one["mountPoints"]):
            if file.startswith(f"{str(mount.get('containerPath')).rstrip('/')}/"):
                mounts.setdefault(one.container.name, set()).add(str(mount.get("sourceVolume")))
    own = mounts.get(task.main.name, set()) if task.main else set()
    readers = [name for name, volumes in mounts.items() if volumes & own]
    if len(readers) < 2:
        path = "container_definitions"
        said = f"no volume for {file} that server and collector both mount"
        yield Finding(task.definition.address, path, said)
    for one in inside([task]):
        for index, mount in enumerate(blocks(one["mountPoints"])):
            mine = one.container is task.main and mount.get("sourceVolume") in own
            if mine and mount.get("readOnly") is True:
                said = f"it cannot write {file}"
                yield one.wrong(f"mountPoints.{index}.readOnly", said)


def _is_collector(container: Inside) -> bool:
    said = f"{container.container.name} {container.container.image}"
    return bool(_KIND.search(said)) and not _INITIAL.search(container.container.name)


def _limits(one: _Collector, container: Inside) -> Iterator[Said]:
    sidecar = container.container is not one.task.main
    given = container["memory"] if sidecar else one.task.definition["memory"]
    size = number(given)
    if size is None:
        if sidecar:
            yield container.wrong("memory", "no memory limit of its own")
        return
    ours = one.does.limit_mib
    own = number(container.container.environment.get("GOMEMLIMIT"))
    if ours is not None and ours >= size:
        yield one.wrong(f"memory_limiter at {ours:g} MiB, the container has {size:g}")
    elif own is not None and own / 2**20 >= size:
        said = f"{own / 2**20:.0f} MiB, the container has {size:g}"
        yield container.wrong("environment.GOMEMLIMIT", said)
    elif sidecar and ours is None and own is None:
        yield one.wrong("no memory_limiter in a pipeline, and no GOMEMLIMIT")
