"""Other people's servers: the stock image, its template's variables, and its command line."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    STOCK_SERVER,
    STOCK_VARIABLES,
    Place,
    judged,
    servers,
    speaks_dsql,
    speaks_runtime,
)
from temporal_dsql_deploy.checks.contract.values import quoted
from temporal_dsql_deploy.checks.model import Said
from temporal_dsql_deploy.checks.subject import Subject

_TEMPLATE = "temporalio/temporal common/config: the embedded template"
_STORES = ("cassandra", "mysql8", "postgres12", "postgres12_pgx", "sqlite")
"""What DB may be: of the template inside the stock image, 1.30 and later."""
_DATABASES = ("DBNAME", "DSQL_DATABASE", "SQL_DATABASE", "POSTGRES_DB")
_VERSION = re.compile(r":v?(\d+)\.(\d+)(?:\.(\d+))?")
_SERVICE = re.compile(r"--(?:service|svc)(?:[= ]|$)")
Version = tuple[int, int, int]
OPENSEARCH_FROM: Version = (1, 30, 1)
WORKER_HEALTH_FROM: Version = (1, 31, 0)


def stock_version(image: str) -> Version | None:
    """Version of a stock server's image by its tag; None for other images and tags."""
    if not STOCK_SERVER.search(image):
        return None
    found = _VERSION.search(image.rsplit("/", 1)[-1])
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


@FAMILY.rule(
    "stock-server",
    holds="A server that keeps its default store in DSQL runs an image that has the plugin.",
    symptom='Exit 1 after 0.04 s: `plugin not supported: unknown plugin "dsql"`.',
    fix="Use an image that is built from a source tree with the DSQL plugin.",
    source="measured with the Temporal-DSQL server at cf90c57; temporalio/temporal docker/",
)
def stock_server(subject: Subject) -> Iterator[Said]:
    """Stock images have PostgreSQL, MySQL, SQLite and Cassandra."""

    def judge(place: Place) -> Iterator[Said]:
        if STOCK_SERVER.search(place.container.image) and speaks_dsql(subject, place.container):
            yield place.finding("image", f"{place.container.image} has no DSQL plugin")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "stock-store",
    holds="A store is chosen by a variable that its template knows.",
    symptom="The template of the stock image knows no dsql and no postgres: the rendered "
    "configuration has no default store, and the server exits 1.",
    fix="For DSQL bring a configuration file, or an entrypoint that renders one, with pluginName "
    "dsql.",
    source=_TEMPLATE,
)
def stock_store(subject: Subject) -> Iterator[Said]:
    """Where our entrypoint's variables are, the template's are not read."""

    def judge(place: Place) -> Iterator[Said]:
        dsql = speaks_dsql(subject, place.container)
        if speaks_runtime(place.container) or place.has("TEMPORAL_SERVER_CONFIG_FILE_PATH"):
            return
        store = place.value("DB")
        if store is not None and store not in _STORES:
            yield place.variable("DB", f"DB is {quoted(store)}; known are {', '.join(_STORES)}")
        elif dsql and (used := [name for name in sorted(STOCK_VARIABLES) if place.has(name)]):
            yield place.variable(used[0], f"{', '.join(used)} with a DSQL cluster")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "stock-database",
    holds="Whatever names the database of a DSQL store says postgres.",
    symptom='Exit 1 after 0.16 s: `FATAL: database "temporal" does not exist (SQLSTATE 3D000)`.',
    fix="Set it to postgres.",
    source="measured with the Temporal-DSQL server at cf90c57",
)
def stock_database(subject: Subject) -> Iterator[Said]:
    """The variable of our entrypoint is `sql-database`'s."""

    def judge(place: Place) -> Iterator[Said]:
        for name in _DATABASES:
            text = place.value(name)
            if text is not None and text != "postgres" and speaks_dsql(subject, place.container):
                yield place.variable(name, f"{name} is {quoted(text)}")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "server-command",
    holds="A server is started by `temporal-server`, with one role.",
    symptom="`temporal` is the CLI: the container exits at once, or the image's entrypoint ignores "
    "its arguments and starts all four roles in each task.",
    fix="Leave the command out and set TEMPORAL_SERVICES, or use `temporal-server --config-file "
    "FILE start --service ROLE`.",
    source="temporalio/temporal cmd/server/main.go, docker/",
)
def server_command(subject: Subject) -> Iterator[Said]:
    """Of the container's entry point and command together."""

    def judge(place: Place) -> Iterator[Said]:
        said = " ".join(place.container.words)
        path = "command" if place.definition.get("command") else "entryPoint"
        if re.search(r"(^|[/\s])temporal\s+server\s+start\b", said):
            yield place.finding(path, f"`{said}`: the server's program is temporal-server")
        elif len(_SERVICE.findall(said)) > 1:
            yield place.finding(path, f"`{said}`: several roles in one process")
        elif "temporal-server" in said and re.search(r"\bstart\s+[a-z]", said):
            yield place.finding(path, f"`{said}`: start takes no positional arguments")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "server-version",
    holds="The server is new enough: 1.31 where the worker's gRPC health is asked, 1.30.1 with "
    "OpenSearch.",
    symptom="Before 1.31 the worker answers `NOT_FOUND: unknown service` and ECS replaces it for "
    "ever; before 1.30.1 OpenSearch is no visibility store.",
    fix="Use a newer image.",
    source="temporalio/temporal service/worker/service.go; docs.temporal.io "
    "self-hosted-guide/visibility",
)
def server_version(subject: Subject) -> Iterator[Said]:
    """Only the tags of stock images tell a version."""
    worker = topology.load().roles["worker"].health_service
    domain = subject.plan.of_type("aws_opensearch_domain")

    def judge(place: Place) -> Iterator[Said]:
        version = stock_version(place.container.image)
        health = place.definition.get("healthCheck")
        asked = place.task.role == "worker" and worker in str(health)
        if version is None:
            if STOCK_SERVER.search(place.container.image):
                yield place.unjudged(f"{place.container.image} tells no version")
        elif asked and version < WORKER_HEALTH_FROM:
            yield place.finding("image", f"{place.container.image}; the worker's health is asked")
        elif domain and version < OPENSEARCH_FROM:
            yield place.finding("image", f"{place.container.image}; visibility is in OpenSearch")

    return judged(servers(subject), judge)
