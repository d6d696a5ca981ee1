"""The stores that servers are told of: the DSQL cluster and the OpenSearch domain."""

from collections.abc import Callable, Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, judged, ours, ours_with_dsql
from temporal_dsql_deploy.checks.contract.values import quoted, switch, whole
from temporal_dsql_deploy.checks.model import CannotJudge, Said
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

_LAB = "measured with the Temporal-DSQL server at cf90c57"
_PORTS = {name: part.ports for name, part in topology.load().externals.items()}
INDEX_PREFIX = "temporal_visibility_v1"
VISIBILITY_HOST = "TEMPORAL_ELASTICSEARCH_HOST"
_SQL_HOST = "TEMPORAL_SQL_HOST"


def _must(
    subject: Subject, name: str, right: Callable[[str], bool], wanted: str, *, dsql: bool = False
) -> Iterator[Said]:
    """A variable of the entrypoint that has only one right value; unset is `runtime-required`'s."""

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        if text and not right(text):
            yield place.variable(name, f"{name} is {quoted(text)}, wanted is {wanted}")

    return judged(ours_with_dsql(subject) if dsql else ours(subject), judge)


@FAMILY.rule(
    "sql-plugin",
    holds="The default store's plugin is one that the server has, and dsql for a DSQL cluster.",
    symptom='Exit 1 after 0.04 s: `plugin not supported: unknown plugin "aurora", supported '
    "plugins: [dsql mysql8 postgres12 postgres12_pgx sqlite]`; with postgres12_pgx no token is "
    "made, and the cluster answers `access denied`.",
    fix="Set TEMPORAL_SQL_PLUGIN_NAME to dsql.",
    source=_LAB,
)
def sql_plugin(subject: Subject) -> Iterator[Said]:
    """Without any DSQL in the plan, plain PostgreSQL is right too."""

    def judge(place: Place) -> Iterator[Said]:
        name = "TEMPORAL_SQL_PLUGIN_NAME"
        text = place.value(name)
        there = subject.plan.of_type("aws_dsql_cluster") or place.has("CLUSTER_ENDPOINT")
        if text and text != "dsql" and (there or text != "postgres12_pgx"):
            yield place.variable(name, f"{name} is `{text}`")

    return judged(ours(subject), judge)


@FAMILY.rule(
    "sql-database",
    holds="The database is postgres: DSQL has that one.",
    symptom='Exit 1 after 0.16 s: `FATAL: database "temporal" does not exist (SQLSTATE 3D000)`.',
    fix="Set the name of the database to postgres.",
    source=_LAB,
)
def sql_database(subject: Subject) -> Iterator[Said]:
    """The schema tool writes that name into schema_version, too."""
    return _must(subject, "TEMPORAL_SQL_DATABASE", "postgres".__eq__, "postgres", dsql=True)


@FAMILY.rule(
    "sql-user",
    holds="The user is admin: the plugin connects as nothing else.",
    symptom="Nothing fails: another name is ignored and the server logs in as admin, so what was "
    "granted or refused to that name holds for nobody.",
    fix="Set TEMPORAL_SQL_USER to admin.",
    source=_LAB,
)
def sql_user(subject: Subject) -> Iterator[Said]:
    """It says what is meant, as a reader takes it."""
    return _must(subject, "TEMPORAL_SQL_USER", "admin".__eq__, "admin", dsql=True)


@FAMILY.rule(
    "sql-port",
    holds="The default store is asked on the port where DSQL listens.",
    symptom="Exit 1 after 0.1 s: `dial tcp ...: connect: connection refused`, or a time-out.",
    fix="Set TEMPORAL_SQL_PORT to 5432.",
    source=_LAB + "; Aurora DSQL user guide, accessing",
)
def sql_port(subject: Subject) -> Iterator[Said]:
    """Of DSQL, which has no other."""
    port = _PORTS["database"]["postgresql"]
    return _must(
        subject, "TEMPORAL_SQL_PORT", lambda text: whole(text) in {port, None}, str(port), dsql=True
    )


@FAMILY.rule(
    "sql-tls",
    holds="Connections to DSQL are encrypted.",
    symptom="Exit 1 after 0.2 s: the cluster refuses a start-up without TLS.",
    fix="Set TEMPORAL_SQL_TLS_ENABLED to true.",
    source=_LAB,
)
def sql_tls(subject: Subject) -> Iterator[Said]:
    """What is no bool is `runtime-typed`'s."""
    return _must(
        subject,
        "TEMPORAL_SQL_TLS_ENABLED",
        lambda text: switch(text) is not False,
        "true",
        dsql=True,
    )


@FAMILY.rule(
    "sql-host-verification",
    holds="The certificate of the DSQL cluster is checked against its host name.",
    symptom="The server starts and checks no certificate (sslmode=require): whoever answers in "
    "place of the cluster gets a token that opens it.",
    fix="Set TEMPORAL_SQL_TLS_HOST_VERIFICATION to true.",
    source=_LAB,
)
def sql_host_verification(subject: Subject) -> Iterator[Said]:
    """What is no bool is `runtime-typed`'s."""
    return _must(
        subject,
        "TEMPORAL_SQL_TLS_HOST_VERIFICATION",
        lambda text: switch(text) is not False,
        "true",
        dsql=True,
    )


def dsql_hosts(cluster: Resource, region: str | None) -> tuple[str, ...] | None:
    """Host names of a cluster, the public one first; None where they cannot be told."""
    identifier, service = cluster["identifier"], cluster["vpc_endpoint_service_name"]
    if not isinstance(identifier, str) or region is None:
        return None
    names = ["dsql", *([service.rsplit(".", 1)[-1]] if isinstance(service, str) else [])]
    return tuple(f"{identifier}.{name}.{region}.on.aws" for name in names)


@FAMILY.rule(
    "sql-host",
    holds="Servers connect to the DSQL cluster of the plan.",
    symptom="Exit 1 after 0.1 s: `hostname resolving error: lookup ...: no such host`, or, at "
    "another cluster, `access denied`.",
    fix="Take the host from the cluster: <identifier>.dsql.<region>.on.aws, or its PrivateLink "
    "name.",
    source=_LAB + "; Aurora DSQL user guide, privatelink-managing-clusters",
)
def sql_host(subject: Subject) -> Iterator[Said]:
    """Any cluster of the plan will do; one that is brought along is in no plan."""
    clusters = subject.plan.of_type("aws_dsql_cluster")
    if not clusters:
        raise CannotJudge("the plan has no DSQL cluster, so the host is somebody else's")
    known = [dsql_hosts(cluster, subject.region) for cluster in clusters]
    hosts = [host for each in known for host in each or ()]
    if None in known:
        raise CannotJudge("the identifier of the DSQL cluster is known only after an apply")
    wanted = " or ".join(hosts)
    return _must(subject, _SQL_HOST, hosts.__contains__, wanted, dsql=True)


@FAMILY.rule(
    "visibility-host",
    holds="Servers keep visibility in the OpenSearch domain of the plan.",
    symptom="No role starts: all four build the visibility store first. Exit 1 with `no such "
    "host`, or a time-out.",
    fix="Take the host from the domain's endpoint.",
    source="temporalio/temporal common/persistence/visibility/factory.go",
)
def visibility_host(subject: Subject) -> Iterator[Said]:
    """All four roles need it."""
    endpoints = domain_endpoints(subject)
    return _must(subject, VISIBILITY_HOST, endpoints.__contains__, " or ".join(endpoints))


def domain_endpoints(subject: Subject) -> list[str]:
    """Hosts of the plan's OpenSearch domains; raises CannotJudge where they are not known."""
    domains = subject.plan.of_type("aws_opensearch_domain", "aws_elasticsearch_domain")
    if not domains:
        raise CannotJudge("the plan has no OpenSearch domain, so the host is somebody else's")
    found = [domain["endpoint"] for domain in domains]
    if not all(isinstance(endpoint, str) for endpoint in found):
        raise CannotJudge("the endpoint of the OpenSearch domain is known only after an apply")
    return found


@FAMILY.rule(
    "visibility-port",
    holds="The visibility store is asked on the port where a domain in a VPC listens.",
    symptom="No role starts: `connection refused` or a time-out.",
    fix="Set TEMPORAL_ELASTICSEARCH_PORT to 443.",
    source="OpenSearch Service developer guide: a domain in a VPC",
)
def visibility_port(subject: Subject) -> Iterator[Said]:
    """What is no int is `runtime-typed`'s."""
    port = _PORTS["visibility"]["https"]
    return _must(
        subject, "TEMPORAL_ELASTICSEARCH_PORT", lambda text: whole(text) in {port, None}, str(port)
    )


@FAMILY.rule(
    "visibility-scheme",
    holds="The visibility store is asked by https.",
    symptom="No role starts: the domain enforces HTTPS, and listens on 443 alone.",
    fix="Set TEMPORAL_ELASTICSEARCH_SCHEME to https.",
    source="OpenSearch Service developer guide: a domain in a VPC",
)
def visibility_scheme(subject: Subject) -> Iterator[Said]:
    """Plain http would carry signed requests in the clear."""
    return _must(subject, "TEMPORAL_ELASTICSEARCH_SCHEME", "https".__eq__, "https")


@FAMILY.rule(
    "visibility-version",
    holds="The client of the visibility store is v7, which OpenSearch 2 answers to.",
    symptom="Exit 1: the server knows no such version, or the client of v8 refuses the domain as "
    "not being Elasticsearch.",
    fix="Set TEMPORAL_ELASTICSEARCH_VERSION to v7.",
    source="docs.temporal.io self-hosted-guide/visibility; temporalio/temporal common/persistence/"
    "visibility/store/elasticsearch/client",
)
def visibility_version(subject: Subject) -> Iterator[Said]:
    """Of the entrypoint's variable."""
    return _must(subject, "TEMPORAL_ELASTICSEARCH_VERSION", "v7".__eq__, "v7")


@FAMILY.rule(
    "visibility-index",
    holds="The visibility index has a name that the schema tool's template matches.",
    symptom="The index gets no mapping: workflows run, and searching for them by any attribute "
    "fails or finds nothing.",
    fix="Let it begin with temporal_visibility_v1.",
    source="measured with temporal-elasticsearch-tool 1.32.2 and OpenSearch 2.19.1",
)
def visibility_index(subject: Subject) -> Iterator[Said]:
    """That all parts name the same index is `agree`'s and `visibility-setup`'s."""

    def right(text: str) -> bool:
        return text.startswith(INDEX_PREFIX) and text == text.strip().lower()

    return _must(subject, "TEMPORAL_ELASTICSEARCH_INDEX", right, f"{INDEX_PREFIX}...")


@FAMILY.rule(
    "visibility-signing",
    holds="Requests to the OpenSearch domain are signed with the task's role.",
    symptom="The domain answers 403 to every unsigned request, and no role starts.",
    fix="Set TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING to true.",
    source="OpenSearch Service developer guide: access by IAM; temporalio/temporal common/config",
)
def visibility_signing(subject: Subject) -> Iterator[Said]:
    """What is no bool is `runtime-typed`'s."""
    return _must(
        subject,
        "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING",
        lambda text: switch(text) is not False,
        "true",
    )
