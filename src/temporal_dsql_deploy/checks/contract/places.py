"""Where rules look: containers with the task around them, and what must not be guessed."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, SwitchedOff, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

STOCK_SERVER = re.compile(r"(^|/)temporalio/(server|auto-setup)(?=[:@]|$)")
STOCK_VARIABLES = frozenset({"DB", "POSTGRES_SEEDS", "NUM_HISTORY_SHARDS", "ES_SEEDS", "ENABLE_ES"})
"""What the template inside the stock image reads and ours does not."""
_RUNTIME = ("TEMPORAL_SQL_", "TEMPORAL_ELASTICSEARCH_", "TEMPORAL_HISTORY_SHARDS")
_OWN = frozenset({"TEMPORAL_SQL_TLS_HOST_VERIFICATION", "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING"})
"""What no other entrypoint reads, while many have TEMPORAL_SQL_* of their own."""
_COLLECTOR = re.compile(
    r"opentelemetry-collector|aws-otel-collector|grafana-agent|(^|[/_-])(alloy|adot|otel|otelcol"
    r"|fluent-bit|fluentd|vector|promtail|cloudwatch-agent)(?=[:@/_-]|$)"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A container with the task around it."""

    task: Task
    container: Container

    @property
    def resource(self) -> str:
        """Address of the task definition."""
        return self.task.definition.address

    @property
    def definition(self) -> Mapping[str, Any]:
        """The container in the words of the ECS API."""
        return self.container.definition

    def parts(self, key: str) -> list[Mapping[str, Any]]:
        """The objects of a list in the definition; what is none of them AWS refuses anyway."""
        return objects(self.definition.get(key))

    def value(self, name: str) -> str | None:
        """An environment variable; None where it is not set, or comes from a secret."""
        return self.container.environment.get(name)

    def has(self, name: str) -> bool:
        """Whether a variable is set, from a secret too."""
        return name in self.container.environment or name in self.container.secrets

    def attribute(self, path: str) -> str:
        """The dotted path of something in the container, for a finding."""
        return f"container_definitions.{self.container.name}.{path}"

    def finding(self, path: str, evidence: str, symptom: str = "", fix: str = "") -> Finding:
        """Something at a path below the container."""
        return Finding(self.resource, self.attribute(path), evidence, symptom, fix)

    def variable(self, name: str, evidence: str, symptom: str = "", fix: str = "") -> Finding:
        """Something about an environment variable."""
        return self.finding(f"environment.{name}", evidence, symptom, fix)

    def unjudged(self, reason: str) -> Unjudged:
        """Something that cannot be told of this container."""
        return Unjudged(self.resource, reason)


def objects(given: Any) -> list[Mapping[str, Any]]:
    """The objects of a list; nothing where it is no list."""
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def is_server(task: Task) -> bool:
    """Whether a task runs a Temporal server, whatever its roles."""
    main = task.main
    if task.role is not None:
        return True
    return main is not None and (speaks_runtime(main) or bool(STOCK_SERVER.search(main.image)))


def speaks_runtime(container: Container) -> bool:
    """Whether a container is configured by the variables of our entrypoint."""
    return any(name.startswith(_RUNTIME) for name in (*container.environment, *container.secrets))


def speaks_dsql(subject: Subject, container: Container) -> bool:
    """Whether the server in a container keeps its default store in Aurora DSQL."""
    names = (*container.environment, *container.secrets)
    plugin = container.environment.get("TEMPORAL_SQL_PLUGIN_NAME")
    if plugin in subject.server.default_plugins:
        return plugin == "dsql"
    if any(name == "CLUSTER_ENDPOINT" or name.startswith("DSQL_") for name in names):
        return True
    return bool(subject.plan.of_type("aws_dsql_cluster"))


def is_collector(container: Container) -> bool:
    """Whether a container collects metrics or logs, by its image or else by its name."""
    name = container.image.rsplit("@", 1)[0]
    return bool(_COLLECTOR.search(name) or _COLLECTOR.search(container.name))


def each(subject: Subject, wanted: Callable[[Task], bool], what: str) -> Iterator[Place | Unjudged]:
    """Every container of the wanted tasks.

    Raises SwitchedOff where there is no such task, and CannotJudge where there is no task at all.
    """
    tasks = [task for task in subject.tasks if wanted(task)]
    if not tasks:
        raise SwitchedOff(f"no {what}") if subject.tasks else CannotJudge("the plan has no task")
    for task in tasks:
        if task.containers is None:
            yield Unjudged(task.definition.address, "its containers are not known before an apply")
        for container in task.containers or ():
            yield Place(task, container)


def judged(
    places: Iterator[Place | Unjudged], judge: Callable[[Place], Iterator[Said]]
) -> Iterator[Said]:
    """What a judge says of each place, and what could not be told."""
    for place in places:
        if isinstance(place, Unjudged):
            yield place
        else:
            yield from judge(place)


def containers(subject: Subject) -> Iterator[Place | Unjudged]:
    """All containers of all tasks."""
    return each(subject, lambda _: True, "ECS task definition")


def servers(subject: Subject) -> Iterator[Place | Unjudged]:
    """The container of the server, of each task that runs one."""
    for place in each(subject, is_server, "task of a Temporal role"):
        if isinstance(place, Unjudged) or place.container is place.task.main:
            yield place


def ours(subject: Subject) -> Iterator[Place | Unjudged]:
    """Servers that are configured by the variables of our entrypoint.

    Raises CannotJudge where there is none: their configuration is a file that no plan shows.
    """
    seen = False
    for place in servers(subject):
        if isinstance(place, Unjudged) or speaks_runtime(place.container):
            seen = True
            yield place
    if not seen:
        raise CannotJudge("no server is configured by the variables that are known here")


def own_entrypoint(subject: Subject) -> bool:
    """Whether servers are started by our entrypoint: one is told what no other reads."""
    return any(
        _OWN & {*one.environment, *one.secrets}
        for task in subject.tasks
        for one in task.containers or ()
    )


def ours_with_dsql(subject: Subject) -> Iterator[Place | Unjudged]:
    """Those of them that keep their default store in DSQL, which settles what its settings are."""
    seen = False
    for place in ours(subject):
        if isinstance(place, Unjudged) or speaks_dsql(subject, place.container):
            seen = True
            yield place
    if not seen:
        raise CannotJudge("no server keeps its default store in DSQL")


def with_dsql(subject: Subject) -> Iterator[Place | Unjudged]:
    """Servers that keep their default store in DSQL; raises CannotJudge where there is none."""
    seen = False
    for place in servers(subject):
        if isinstance(place, Unjudged) or speaks_dsql(subject, place.container):
            seen = True
            yield place
    if not seen:
        raise CannotJudge("no server keeps its default store in DSQL")


def services(subject: Subject) -> tuple[Resource, ...]:
    """All ECS services; raises CannotJudge where there is none."""
    found = subject.plan.of_type("aws_ecs_service")
    if not found:
        raise CannotJudge("the plan has no ECS service")
    return found


def runs_on(task: Task, kind: str) -> bool:
    """Whether a task is for EC2 or FARGATE, as far as the plan says; EC2 where it says nothing."""
    wanted = task.definition["requires_compatibilities"]
    launch = task.service["launch_type"] if task.service else None
    if isinstance(wanted, list) and wanted:
        return kind in wanted
    return launch == kind if isinstance(launch, str) else kind == "EC2"
