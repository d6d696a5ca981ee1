"""Configuration files of the server that a plan carries, such as in an SSM parameter."""

from collections.abc import Callable, Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.outline import (
    Document,
    Entry,
    documents,
    is_open,
    nothing,
    outline,
    value_of,
)
from temporal_dsql_deploy.checks.contract.values import (
    address,
    nearest,
    quoted,
    seconds,
    switch,
    whole,
)
from temporal_dsql_deploy.checks.model import Finding, Said
from temporal_dsql_deploy.checks.subject import Subject

_SOURCE = "temporalio/temporal common/config"
_LAB = "measured with the Temporal-DSQL server at cf90c57"
_ENABLED = "# enable-template"
_FIRST = 1024
"""Bytes in which the mark must stand."""
_KEYS = (
    "log",
    "persistence",
    "global",
    "services",
    "clusterMetadata",
    "dcRedirectionPolicy",
    "archival",
    "namespaceDefaults",
    "publicClient",
    "dynamicConfigClient",
    "otel",
)
Judge = Callable[[Document, list[Entry]], Iterator[Said]]


def _judged(subject: Subject, judge: Judge) -> Iterator[Said]:
    seen = False
    for document in documents(subject):
        entries = outline(document.text)
        if any(each.path == ("persistence",) for each in entries):
            seen = True
            yield from judge(document, entries)
    if not seen:
        raise nothing(subject, "configuration file of a server")


def _finding(
    document: Document, entry: Entry | None, evidence: str, symptom: str = "", fix: str = ""
) -> Finding:
    place = f"line {entry.line}: " if entry else ""
    return Finding(document.resource, document.attribute, place + evidence, symptom, fix)


@FAMILY.rule(
    "config-template",
    holds="A configuration file that is a template says `# enable-template` in its first KiB.",
    symptom="The server takes the file as it is: `{{ env ... }}` is no YAML, or becomes the value, "
    "and it exits 1.",
    fix="Let `# enable-template` be the first line.",
    source="temporalio/temporal common/config/loader.go",
)
def config_template(subject: Subject) -> Iterator[Said]:
    """A file without `{{` needs no mark."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        first = document.text.encode()[:_FIRST].decode(errors="ignore")
        if "{{" in document.text and _ENABLED not in first:
            used = next((each for each in entries if "{{" in each.value), None)
            yield _finding(document, used, f"a template without `{_ENABLED}`")

    return _judged(subject, judge)


@FAMILY.rule(
    "config-store",
    holds="The default store of a configuration file is a DSQL database as the plugin needs it.",
    symptom="Exit 1: `no usable database connection found`; its cause stands in `sql handle: "
    "unable to refresh database connection pool`.",
    fix="pluginName dsql, databaseName postgres, tls with enabled and enableHostVerification true, "
    "maxConns a number.",
    source=_LAB,
)
def config_store(subject: Subject) -> Iterator[Said]:
    """Of every data store whose plugin is dsql."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        for plugin in entries:
            if plugin.path[-1] == "pluginName" and plugin.value == "dsql":
                below = plugin.path[:-1]
                yield from _store(
                    document, plugin, [e for e in entries if e.path[: len(below)] == below]
                )

    return _judged(subject, judge)


def _store(document: Document, plugin: Entry, entries: list[Entry]) -> Iterator[Said]:
    database = value_of(entries, "databaseName")
    if database and not is_open(database.value) and database.value != "postgres":
        yield _finding(
            document,
            database,
            f"databaseName is {quoted(database.value)}",
            'Exit 1 after 0.16 s: `FATAL: database "temporal" does not exist (SQLSTATE 3D000)`.',
        )
    for key, symptom in (
        ("enabled", "Exit 1 after 0.2 s: the cluster refuses a start-up without TLS."),
        ("enableHostVerification", "The server starts and checks no certificate."),
    ):
        entry = value_of(entries, "tls", key)
        if entry is None or (not is_open(entry.value) and switch(entry.value) is not True):
            given = quoted(entry.value if entry else None)
            yield _finding(document, entry or plugin, f"tls.{key} is {given}", symptom)
    most = value_of(entries, "maxConns")
    if most is None or (not is_open(most.value) and (whole(most.value) or 0) < 1):
        given = quoted(most.value if most else None)
        yield _finding(
            document,
            most or plugin,
            f"maxConns is {given}",
            "The server takes 100: four pools of it connect at the start, which takes 29 s.",
        )
    yield from _connection(document, entries)


def _connection(document: Document, entries: list[Entry]) -> Iterator[Said]:
    host = value_of(entries, "connectAddr")
    if host and address(host.value.rpartition(":")[0] or host.value):
        yield _finding(
            document,
            host,
            f"connectAddr is {quoted(host.value)}",
            "Exit 1: no server name is sent for an IP address, or the certificate does not match.",
            "Write the host name of the cluster.",
        )
    life = value_of(entries, "maxConnLifetime")
    found = seconds(life.value) if life else None
    if life and found is not None and not 0 < found <= 55 * 60:
        yield _finding(
            document,
            life,
            f"maxConnLifetime is {quoted(life.value)}",
            "DSQL closes every session after 60 minutes: `driver: bad connection`.",
            "Set 50m or less.",
        )


@FAMILY.rule(
    "config-shards",
    holds="A configuration file says how many history shards there are.",
    symptom="The server exits 1, or the template's default of 4 is stored by the first start and "
    "holds for ever.",
    fix="Set persistence.numHistoryShards.",
    source="temporalio/temporal common/config/persistence.go, temporal/fx.go",
)
def config_shards(subject: Subject) -> Iterator[Said]:
    """A template's value is seen where the variable is."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        shards = value_of(entries, "persistence", "numHistoryShards")
        wrong = shards and not is_open(shards.value) and (whole(shards.value) or 0) < 1
        if shards is None or wrong:
            given = quoted(shards.value if shards else None)
            yield _finding(document, shards, f"persistence.numHistoryShards is {given}")

    return _judged(subject, judge)


@FAMILY.rule(
    "config-visibility",
    holds="A configuration file names a visibility store, which is not DSQL.",
    symptom="The server exits 1: all roles build a visibility store first, and the DSQL plugin has "
    "none.",
    fix="Set persistence.visibilityStore to a data store with `elasticsearch`.",
    source="temporalio/temporal common/config/persistence.go; Temporal-DSQL plugin source at "
    "cf90c57, visibility.go",
)
def config_visibility(subject: Subject) -> Iterator[Said]:
    """By the names of the data stores."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        store = value_of(entries, "persistence", "visibilityStore")
        if store is None or not store.value:
            yield _finding(document, store, "persistence.visibilityStore is not set")
            return
        plugin = value_of(entries, "datastores", store.value, "sql", "pluginName")
        if plugin and plugin.value == "dsql":
            yield _finding(document, plugin, f"the visibility store {store.value} is DSQL")

    return _judged(subject, judge)


@FAMILY.rule(
    "config-membership",
    holds="A role that listens on all interfaces tells the ring a literal IP address.",
    symptom="Exit 1: `broadcastAddress required when listening on all interfaces`, or ``ringpop "
    "config malformed `broadcastAddress` param``.",
    fix="Set global.membership.broadcastAddress from the address of the task.",
    source="measured with temporal-server 1.32.2",
)
def config_membership(subject: Subject) -> Iterator[Said]:
    """And not the loopback, by bindOnLocalHost."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        own = value_of(entries, "membership", "broadcastAddress")
        for entry in entries:
            everywhere = entry.path[-1] == "bindOnIP" and _unspecified(entry.value)
            if everywhere and (own is None or not own.value):
                yield _finding(
                    document,
                    entry,
                    f"bindOnIP is {entry.value}, no global.membership.broadcastAddress",
                )
                break
            if entry.path[-1] == "bindOnLocalHost" and switch(entry.value):
                yield _finding(document, entry, "bindOnLocalHost is true: no other task reaches it")
        if own and own.value and not is_open(own.value) and not address(own.value):
            yield _finding(document, own, f"broadcastAddress is {quoted(own.value)}")

    return _judged(subject, judge)


def _unspecified(text: str) -> bool:
    found = address(text)
    return found is not None and found.is_unspecified


@FAMILY.rule(
    "config-services",
    holds="A configuration file has all four roles, each with its own ports.",
    symptom="A process that lacks a role in `services` cannot tell the ports of its peers: calls "
    "to that role fail with `Not enough hosts to serve the request`.",
    fix="Write the whole map in every process.",
    source="measured with temporal-server 1.32.2",
)
def config_services(subject: Subject) -> Iterator[Said]:
    """Ports other than the usual are for whoever chooses them: two alike are not."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        taken: dict[str, str] = {}
        for role in topology.load().roles:
            if not any(each.path[:2] == ("services", role) for each in entries):
                yield _finding(document, None, f"services.{role} is missing")
            for port in ("grpcPort", "membershipPort"):
                entry = value_of(entries, "services", role, "rpc", port)
                if entry is None or is_open(entry.value):
                    continue
                other = taken.setdefault(entry.value, f"{role}.{port}")
                if other != f"{role}.{port}":
                    yield _finding(document, entry, f"{role}.{port} is {entry.value} as {other}")

    return _judged(subject, judge)


@FAMILY.rule(
    "config-keys",
    holds="The top-level keys of a configuration file are those that the server reads.",
    symptom="A misspelt key is ignored without a word, and its defaults hold.",
    fix="Correct the key.",
    source=_SOURCE,
)
def config_keys(subject: Subject) -> Iterator[Said]:
    """Only what is nearly a known key: a file may hold anchors of its own."""

    def judge(document: Document, entries: list[Entry]) -> Iterator[Said]:
        for entry in entries:
            near = nearest(entry.path[0], _KEYS)
            if len(entry.path) == 1 and entry.path[0] not in _KEYS and near:
                yield _finding(document, entry, f"`{entry.path[0]}` is no key; `{near}` is one")

    return _judged(subject, judge)
