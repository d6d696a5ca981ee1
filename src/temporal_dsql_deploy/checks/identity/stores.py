"""What tasks act on while they run: the database, the domain, tables, workspaces, buckets."""

import re
from collections.abc import Callable, Iterator

from temporal_dsql_deploy.checks.identity.scopes import (
    ANYTHING,
    NOTHING,
    Scope,
    Wearer,
    containers_of,
    every,
    key_arn,
    known,
    made,
    setting,
    some,
    values_of,
)
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Resource

_DATABASE = re.compile(r"([a-z0-9]{26})\.dsql[\w-]*\.([\w-]+)\.on\.aws")
_DOMAIN = re.compile(
    r"(?:vpc|search)-([a-z0-9-]+?)(?:-[a-z0-9]{26})?\.([\w-]+)\.es\.amazonaws\.com"
)
_COLLECTORS = re.compile(r"otel|opentelemetry|alloy|adot|grafana-agent|prometheus|vmagent")
_LIMITER = "DSQL_DISTRIBUTED_RATE_LIMITER"
_LEASE = "DSQL_DISTRIBUTED_CONN_LEASE"
_TRUE = {"1", "t", "true"}


def _database(subject: Subject, wearer: Wearer) -> Scope:
    plugin = setting(wearer, "TEMPORAL_SQL_PLUGIN_NAME") or setting(wearer, "SQL_PLUGIN") or ""
    if plugin and "dsql" not in plugin:
        return NOTHING
    clusters = {known(one, "identifier"): one for one in subject.plan.of_type("aws_dsql_cluster")}
    said = {found for value in values_of(wearer) for found in _DATABASE.findall(value)}
    if not said:
        return Scope(used=True, arns=None) if plugin else some(every(subject, "aws_dsql_cluster"))
    arns = [
        known(clusters[name], "arn")
        if name in clusters
        else made(subject, "dsql", region, f"cluster/{name}")
        for name, region in sorted(said)
    ]
    return some(arns)


def _domain(subject: Subject, wearer: Wearer) -> Scope:
    domains = subject.plan.of_type("aws_opensearch_domain", "aws_elasticsearch_domain")
    arns: list[str | None] = []
    for value in values_of(wearer):
        mine = [one for one in domains if (known(one, "endpoint") or "\0") in value]
        arns += [known(one, "arn") for one in mine]
        found = None if mine else _DOMAIN.search(value)
        if found:
            arns.append(made(subject, "es", found[2], f"domain/{found[1]}"))
    return some(f"{arn}/*" if arn else None for arn in arns)


def _tables(subject: Subject, wearer: Wearer, *prefixes: str) -> list[Resource | str | None]:
    tables = {known(one, "name"): one for one in subject.plan.of_type("aws_dynamodb_table")}
    found: list[Resource | str | None] = []
    for prefix in prefixes:
        if (setting(wearer, f"{prefix}_ENABLED") or "").lower() not in _TRUE:
            continue
        name = setting(wearer, f"{prefix}_TABLE")
        arn = made(subject, "dynamodb", subject.region, f"table/{name}") if name else None
        found.append(tables.get(name, arn) if name else None)
    return found


def _table_arns(*prefixes: str) -> Callable[[Subject, Wearer], Scope]:
    def found(subject: Subject, wearer: Wearer) -> Scope:
        tables = _tables(subject, wearer, *prefixes)
        return some(known(t, "arn") if isinstance(t, Resource) else t for t in tables)

    return found


def _table_keys(subject: Subject, wearer: Wearer) -> Scope:
    path = "server_side_encryption.0.kms_key_arn"
    tables = [
        one for one in _tables(subject, wearer, _LIMITER, _LEASE) if isinstance(one, Resource)
    ]
    return some(key_arn(subject, one[path]) for one in tables if one[path] is not None)


def _workspaces(subject: Subject, _wearer: Wearer) -> Scope:
    found = every(subject, "aws_prometheus_workspace")
    return some(found) if found else Scope(used=True, arns=None)


def _written_workspaces(subject: Subject, wearer: Wearer) -> Scope:
    beside = wearer.task.sidecars if wearer.task else ()
    if not any(_COLLECTORS.search(one.image) or _COLLECTORS.search(one.name) for one in beside):
        return NOTHING
    found = every(subject, "aws_prometheus_workspace")
    if found:
        return some(found)
    # Whether it writes to somebody else's workspace stands in its configuration.
    texts = {text for text in _configurations(subject, wearer) if "aps-workspaces" in text}
    ids = {i for text in texts for i in re.findall(r"workspaces/(ws-[\w-]+)", text)}
    return some(made(subject, "aps", subject.region, f"workspace/{one}") for one in sorted(ids))


def _configurations(subject: Subject, wearer: Wearer) -> Iterator[str]:
    """Texts that a task reads from parameters, and its variables."""
    yield from values_of(wearer)
    said = [arn for one in containers_of(wearer) for arn in one.secrets.values()]
    for parameter in subject.plan.of_type("aws_ssm_parameter"):
        mine = {known(parameter, "arn"), known(parameter, "name")} & set(said)
        if mine and isinstance(parameter["value"], str):
            yield parameter["value"]


def _buckets(subject: Subject, wearer: Wearer) -> list[Resource]:
    buckets = subject.plan.of_type("aws_s3_bucket")
    texts = list(_configurations(subject, wearer))
    named = [b for b in buckets if any((known(b, "bucket") or "\0") in text for text in texts)]
    meant = [b for b in buckets if "loki" in f"{b.address} {known(b, 'bucket')}".lower()]
    return named or meant


def _bucket_arns(suffix: str) -> Callable[[Subject, Wearer], Scope]:
    def found(subject: Subject, wearer: Wearer) -> Scope:
        arns = [known(one, "arn") for one in _buckets(subject, wearer)]
        return some(f"{arn}{suffix}" if arn else None for arn in arns)

    return found


def _bucket_keys(subject: Subject, wearer: Wearer) -> Scope:
    mine = {known(one, name) for one in _buckets(subject, wearer) for name in ("bucket", "id")}
    path = "rule.0.apply_server_side_encryption_by_default.0"
    return some(
        key_arn(subject, one[f"{path}.kms_master_key_id"])
        for one in subject.plan.of_type("aws_s3_bucket_server_side_encryption_configuration")
        if known(one, "bucket") in mine - {None} and one[f"{path}.kms_master_key_id"] is not None
    )


def _always(_subject: Subject, _wearer: Wearer) -> Scope:
    return ANYTHING


SCOPES: dict[str, Callable[[Subject, Wearer], Scope]] = {
    "any": _always,
    "database": _database,
    "domain": _domain,
    "limiter-tables": _table_arns(_LIMITER),
    "lease-tables": _table_arns(_LEASE),
    "count-tables": _table_arns(_LIMITER, _LEASE),
    "table-keys": _table_keys,
    "workspaces": _workspaces,
    "written-workspaces": _written_workspaces,
    "log-objects": _bucket_arns("/*"),
    "log-buckets": _bucket_arns(""),
    "log-keys": _bucket_keys,
}
