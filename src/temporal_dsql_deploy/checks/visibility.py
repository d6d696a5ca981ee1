"""Property 9: the OpenSearch domain is private, encrypted, and as large as its cluster needs."""

import re
from collections.abc import Iterator
from typing import Any

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import (
    LATER,
    Inside,
    definitions,
    known,
    main,
    number,
    on,
    opaque,
    several,
    texts,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

FAMILY = Family("visibility", "The OpenSearch domain is private, encrypted and large enough")
_SEEDS = ("S0-PR9", "S0-D2", "S1-11.3*")
_SIZES = (
    "One t3.small.search for every domain contradicts the sizes of the later documents, and one "
    "node has no replica and is lost with its zone. Proven is: small is for clusters with one task "
    "of each role; VPC, encryption and TLS 1.2 are for all."
)
_ENGINE = re.compile(r"(OpenSearch|Elasticsearch)_(\d+)[.](\d+)")
_OLDEST = {"OpenSearch": 2, "Elasticsearch": 7}
_NAME = re.compile(r"[a-z][a-z0-9-]{2,27}")
_BURSTABLE = re.compile(r"t[0-9]\w*[.]")
_OWN_DISK = re.compile(r"(i[0-9]\w*|r6gd|or[0-9]|om[0-9]|oi[0-9]|im4gn)[.]")
_SMALLEST_GIB = 10
_TOOL = re.compile(r"(setup-schema|create-index|update-schema|--aws\b)")


@FAMILY.rule(
    "vpc",
    holds="The domain stands in the VPC.",
    symptom="Its endpoint is public: what workflows are called and carry is behind an access "
    "policy alone; and its kind cannot be changed later, only made anew without its data.",
    fix="Give vpc_options with private subnets and a security group.",
    source="OpenSearch Service developer guide, vpc",
    seeds=_SEEDS,
    meaning=_SIZES,
)
def vpc(subject: Subject) -> Iterator[Said]:
    """Where the domain stands."""
    for domain in _domains(subject):
        for path in ("vpc_options.0.subnet_ids", "vpc_options.0.security_group_ids"):
            value = domain[path]
            if opaque(value):
                yield Unjudged(domain.address, f"{path} {LATER}")
            elif not value:
                yield Finding(domain.address, path, f"no {path.rsplit('.', 1)[1]}")


@FAMILY.rule(
    "encrypted",
    holds="The domain is encrypted at rest and between its nodes.",
    symptom="Search attributes and workflow ids lie on disks, or pass between nodes, as they are; "
    "encryption between nodes cannot be switched off again, and old domains need a copy for it.",
    fix="Set encrypt_at_rest and node_to_node_encryption to enabled.",
    source="OpenSearch Service developer guide, encryption-at-rest and ntn",
    seeds=_SEEDS,
)
def encrypted(subject: Subject) -> Iterator[Said]:
    """Encryption of the domain."""
    for domain in _domains(subject):
        yield from _must(domain, "encrypt_at_rest.0.enabled")
        yield from _must(domain, "node_to_node_encryption.0.enabled")


@FAMILY.rule(
    "tls",
    holds="The domain takes HTTPS only, with TLS 1.2 at least.",
    symptom="It answers plain HTTP, or TLS 1.0, which audits refuse.",
    fix="Set enforce_https = true and tls_security_policy = Policy-Min-TLS-1-2-PFS-2023-10.",
    source="OpenSearch Service API, DomainEndpointOptions",
    seeds=_SEEDS,
)
def tls(subject: Subject) -> Iterator[Said]:
    """Transport of the domain."""
    for domain in _domains(subject):
        yield from _must(domain, "domain_endpoint_options.0.enforce_https", default=True)
        path = "domain_endpoint_options.0.tls_security_policy"
        policy = domain[path]
        if opaque(policy):
            yield Unjudged(domain.address, f"{path} {LATER}")
        elif not re.match(r"Policy-Min-TLS-1-[23]-", str(policy)):
            yield Finding(domain.address, path, f"{policy or 'none, which is TLS 1.0'}")


@FAMILY.rule(
    "engine",
    holds="The engine is one that the server can use.",
    symptom="The server does not start, or no search works: it knows Elasticsearch 7 and 8 and "
    "OpenSearch from 2 on.",
    fix="Set engine_version to OpenSearch_2.11 or later.",
    source="docs.temporal.io, self-hosted guide, Elasticsearch visibility",
    seeds=_SEEDS,
)
def engine(subject: Subject) -> Iterator[Said]:
    """Version of the domain's engine."""
    for domain in _domains(subject):
        version = domain["engine_version"]
        if opaque(version) or version is None:
            yield Unjudged(domain.address, f"engine_version {LATER}")
            continue
        found = _ENGINE.fullmatch(str(version))
        if not found or int(found[2]) < _OLDEST[found[1]]:
            yield Finding(domain.address, "engine_version", f"{version}")
        else:
            yield Seen(str(version))


@FAMILY.rule(
    "name",
    holds="The name of the domain is one that AWS takes.",
    symptom="`ValidationException: Value ... failed to satisfy constraint: Member must have length "
    "less than or equal to 28`, after the rest of the apply has begun.",
    fix="Choose a project name of at most 17 characters, or name the domain by itself.",
    source="OpenSearch Service developer guide, createupdatedomains",
    seeds=("S0-D2",),
)
def name(subject: Subject) -> Iterator[Said]:
    """Name of the domain."""
    for domain in _domains(subject):
        value = domain["domain_name"]
        if opaque(value):
            yield Unjudged(domain.address, f"domain_name {LATER}")
        elif not _NAME.fullmatch(str(value)):
            yield Finding(domain.address, "domain_name", f"{value} ({len(str(value))} characters)")


@FAMILY.rule(
    "size",
    holds="A cluster with several tasks of a role has a domain with several nodes, not of T type.",
    symptom="With its one node, or when its zone fails, searches and lists of workflows fail while "
    "workflows go on, and their visibility records are lost; a T type is throttled when its "
    "credits are used up.",
    fix="Take three nodes, such as m6g.large.search, in three zones.",
    source="OpenSearch Service developer guide, managedomains-multiaz and bp-instances",
    seeds=(*_SEEDS, "S3-13"),
    meaning=_SIZES,
)
def size(subject: Subject) -> Iterator[Said]:
    """Number and type of nodes."""
    domains = _domains(subject)
    many = several(subject.roles)
    for domain in domains:
        path = "cluster_config.0.instance_count"
        count = 1 if domain[path] is None else number(domain[path])
        kind = domain["cluster_config.0.instance_type"]
        if many is None or count is None or opaque(kind):
            yield Unjudged(domain.address, "the numbers of nodes and tasks are not all known")
        elif many and count < 2:
            yield Finding(domain.address, path, "one node for a cluster that runs tasks twice")
        elif many and _BURSTABLE.match(str(kind)):
            yield Finding(domain.address, "cluster_config.0.instance_type", f"{kind}")
        elif count < 1:
            yield Finding(domain.address, path, "no nodes")
        else:
            yield Seen(f"{count:g} x {kind}")


@FAMILY.rule(
    "zones",
    holds="The nodes of the domain are spread evenly over zones, with one subnet in each.",
    symptom="AWS refuses the domain: `You must specify exactly N subnets because you've set zone "
    "count to N`, or all copies of the index are lost with one zone.",
    fix="Set zone_awareness_enabled, availability_zone_count 2 or 3, as many subnets, and a "
    "multiple of it as instance_count.",
    source="OpenSearch Service developer guide, managedomains-multiaz",
    seeds=(*_SEEDS, "S3-13"),
)
def zones(subject: Subject) -> Iterator[Said]:
    """Nodes over zones."""
    for domain in _domains(subject):
        nodes = domain["cluster_config.0.instance_count"]
        count = 1 if nodes is None else number(nodes)
        aware = on(domain["cluster_config.0.zone_awareness_enabled"])
        subnets = texts(domain["vpc_options.0.subnet_ids"])
        if count is None or aware is None:
            yield Unjudged(domain.address, "its nodes are not known")
            continue
        wanted = _wanted_zones(domain, aware=aware)
        path = "cluster_config.0.zone_awareness_enabled"
        if count > 1 and not aware:
            yield Finding(domain.address, path, f"{count:g} nodes in one zone")
        elif wanted is None:
            yield Unjudged(domain.address, "the number of its zones is not known")
        elif count % wanted:
            said = f"{count:g} nodes in {wanted:g} zones"
            yield Finding(domain.address, "cluster_config.0.instance_count", said)
        elif subnets is not None and len(set(subnets)) != wanted:
            said = f"{len(set(subnets))} subnets for {wanted:g} zones"
            yield Finding(domain.address, "vpc_options.0.subnet_ids", said)
        elif subnets:
            yield from _apart(subject, domain, subnets)


@FAMILY.rule(
    "storage",
    holds="The nodes have disks.",
    symptom="AWS refuses a type without a disk of its own; a disk that is full blocks all writes: "
    "`ClusterBlockException ... disk usage exceeded flood-stage watermark`, and workflows are no "
    "longer found.",
    fix="Set ebs_options with ebs_enabled, gp3 and 10 GiB at least.",
    source="OpenSearch Service developer guide, limits",
    seeds=("S0-D2",),
)
def storage(subject: Subject) -> Iterator[Said]:
    """Disks of the domain."""
    for domain in _domains(subject):
        if _OWN_DISK.match(str(domain["cluster_config.0.instance_type"])):
            continue
        enabled = on(domain["ebs_options.0.ebs_enabled"])
        gib = number(domain["ebs_options.0.volume_size"])
        if enabled is None or opaque(domain["ebs_options.0.volume_size"]):
            yield Unjudged(domain.address, f"ebs_options {LATER}")
        elif not enabled:
            yield Finding(domain.address, "ebs_options.0.ebs_enabled", "no disk")
        elif gib is None or gib < _SMALLEST_GIB:
            said = f"{gib:g} GiB" if gib is not None else "no size"
            yield Finding(domain.address, "ebs_options.0.volume_size", said)


@FAMILY.rule(
    "setup",
    holds="A task of the plan makes the index: signed, template first, on the plan's domain.",
    symptom="An index that is made before its template gets guessed field types, and searches fail "
    "for ever after: `Text fields are not optimised ...`; unsigned calls are answered 403.",
    fix="Run temporal-elasticsearch-tool --aws aws-sdk-default: setup-schema, then create-index.",
    source="temporalio/temporal tools/elasticsearch; OpenSearch Service developer guide, ac",
    seeds=("S0-D3",),
)
def setup(subject: Subject) -> Iterator[Said]:
    """The task that makes the index."""
    tasks = [task for task in definitions(subject) if task.party == "opensearch-setup"]
    if not tasks:
        raise CannotJudge("the plan has no task that makes the index")
    for task in tasks:
        one = main(task)
        if one is None:
            yield Unjudged(task.definition.address, f"what is in its containers {LATER}")
            continue
        yield from _steps(one)
        yield from _aims(subject, one)


@FAMILY.rule(
    "endpoint",
    holds="Servers and set-up task talk to the domain of the plan.",
    symptom="Servers do not start, since each role needs its visibility store; or workflows are "
    "written to another cluster's index.",
    fix="Set the host of each to the endpoint of the domain.",
    source="OpenSearch Service developer guide, vpc: a domain has one endpoint",
    seeds=("S0-D2",),
)
def endpoint(subject: Subject) -> Iterator[Said]:
    """Hosts of the domain in environments."""
    hosts = set(known(_domains(subject), "endpoint"))
    if not hosts:
        raise CannotJudge(f"the endpoint of the domain {LATER}")
    given = 0
    for task in definitions(subject):
        one = main(task)
        if one is None or not (task.role or task.party == "opensearch-setup"):
            continue
        for variable in ("TEMPORAL_ELASTICSEARCH_HOST", "ES_SEEDS", "ES_SERVER", "ES_HOST"):
            value = one.container.environment.get(variable)
            if value is None:
                continue
            given += 1
            host = re.sub(r"^https?://", "", value).split(":")[0].split("/")[0]
            if host not in hosts:
                yield one.wrong(f"environment.{variable}", f"{variable} is {value or 'empty'}")
    yield Seen(f"{given} hosts")


def _domains(subject: Subject) -> tuple[Resource, ...]:
    domains = subject.plan.of_type("aws_opensearch_domain", "aws_elasticsearch_domain")
    if not domains:
        raise CannotJudge("the plan makes no OpenSearch domain")
    return domains


def _must(resource: Resource, path: str, *, default: bool = False) -> Iterator[Said]:
    state = on(resource[path], default=default)
    if state is None:
        yield Unjudged(resource.address, f"{path} {LATER}")
    elif not state:
        yield Finding(resource.address, path, "it is off")


def _wanted_zones(domain: Resource, *, aware: bool) -> float | None:
    """In how many zones the nodes stand."""
    if not aware:
        return 1
    count: Any = domain["cluster_config.0.zone_awareness_config.0.availability_zone_count"]
    return 2 if count is None else number(count)


def _apart(subject: Subject, domain: Resource, subnets: tuple[str, ...]) -> Iterator[Said]:
    made = known(subject.plan.of_type("aws_subnet"), "id")
    places = [made[one]["availability_zone"] for one in subnets if one in made]
    places = [place for place in places if isinstance(place, str)]
    if len(set(places)) < len(places):
        yield Finding(domain.address, "vpc_options.0.subnet_ids", "two of its subnets in one zone")


def _steps(one: Inside) -> Iterator[Said]:
    words = [*(texts(one["entryPoint"]) or ()), *(texts(one["command"]) or ())]
    script = " ".join(map(str, words))
    steps = [found[0] for found in _TOOL.finditer(script)]
    if "create-index" not in steps and "setup-schema" not in steps:
        yield Unjudged(one.address, "what its image does is not in the plan")
        return
    if "setup-schema" not in steps:
        yield one.wrong("command", "no setup-schema: the index has no template")
    elif "create-index" not in steps:
        yield one.wrong("command", "no create-index: there is no index")
    elif steps.index("create-index") < steps.index("setup-schema"):
        yield one.wrong("command", "create-index before setup-schema")
    if "--aws" not in steps and "AWS_CREDENTIALS" not in one.container.environment:
        yield one.wrong("command", "no --aws aws-sdk-default: calls are not signed")


def _aims(subject: Subject, one: Inside) -> Iterator[Said]:
    """Region and index of the set-up task."""
    environment = one.container.environment
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    if subject.region and region != subject.region:
        said = f"AWS_REGION is {region or 'not set'}, the domain is in {subject.region}"
        yield one.wrong("environment.AWS_REGION", said)
    index = environment.get("ES_VISIBILITY_INDEX")
    for role in subject.roles.values():
        server = role.main
        theirs = server.environment.get("TEMPORAL_ELASTICSEARCH_INDEX") if server else None
        if theirs and index and index != theirs:
            said = f"it makes {index}, and {role.name} uses {theirs}"
            yield one.wrong("environment.ES_VISIBILITY_INDEX", said)
            return
    if index is None and not any("--index" in str(w) for w in texts(one["command"]) or ()):
        yield one.wrong("environment.ES_VISIBILITY_INDEX", "no index is named")
