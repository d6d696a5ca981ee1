"""What variables must have in common, for the server checks none of it (contract.json, rules)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from . import dynamic
from .contract import Contract, load
from .values import is_address
from .variables import DSQL, Fault, Settings, read

_LEAST_USE = 120
"""Seconds of use that a connection must have before the guard takes it back."""
_LONGEST = 50 * 60
_LONGEST_LEGACY = 55 * 60
"""Seconds; DSQL closes every session after 60 minutes (Aurora DSQL user guide, quotas)."""
_REGION_LABEL = 2
_AWS_HOST = ".on.aws"
_INDEX_PREFIX = "temporal_visibility_v1"
_INDEX = re.compile(rf"{_INDEX_PREFIX}[a-z0-9_.-]*")
_RESERVOIR = "DSQL_RESERVOIR_ENABLED"


def validate(environ: Mapping[str, str]) -> tuple[Settings, list[Fault]]:
    """What the environment says, and all that is wrong with it; one fault for each cause."""
    contract = load()
    settings, faults = read(environ, contract)
    first = {fault.variable: fault for fault in reversed([*faults, *check(settings, contract)])}
    return settings, sorted(first.values(), key=lambda fault: fault.variable)


def check(settings: Settings, contract: Contract) -> Iterator[Fault]:
    """Every fault of the settings together; what a variable is by itself, `read` has told."""
    yield from _stores(settings)
    yield from _visibility(settings)
    if settings.with_dsql:
        yield from _dsql_store(settings)
        yield from _dsql_endpoint(settings, contract)
        yield from _dsql_limits(settings, contract)
        yield from _reservoir(settings, contract)
        yield from _without_effect(settings, contract)
        yield from _sizes(settings, contract)
    else:
        yield from _dsql_by_another_plugin(settings)


def _stores(settings: Settings) -> Iterator[Fault]:
    most, idle = "TEMPORAL_SQL_MAX_CONNS", "TEMPORAL_SQL_MAX_IDLE_CONNS"
    if most in settings and idle in settings and settings.number(most) != settings.number(idle):
        yield Fault(
            idle,
            f"{idle} is {settings.number(idle)}, {most} is {settings.number(most)}: what is above "
            "it is closed as soon as it is free, and opened again",
            f"Write {settings.number(most)}.",
        )
    lifetime = "TEMPORAL_SQL_MAX_CONN_LIFETIME"
    if lifetime in settings and settings.seconds(lifetime) <= 0:
        yield Fault(lifetime, f"{lifetime} is {settings.text(lifetime)}", "Write 50m.")
    for name in (
        "TEMPORAL_SQL_TLS_CA_FILE",
        "TEMPORAL_VISIBILITY_SQL_TLS_CA_FILE",
        "TEMPORAL_ELASTICSEARCH_TLS_CA_FILE",
    ):
        if name in settings and not Path(settings.text(name)).is_file():
            what = f"{name} is {settings.text(name)!r}, where no file is"
            yield Fault(name, what, "Name a file of certificates, or leave it out.")
    verifies, encrypts = "TEMPORAL_SQL_TLS_HOST_VERIFICATION", "TEMPORAL_SQL_TLS_ENABLED"
    unused = settings.switch(verifies) and settings.optional(encrypts) is False
    if unused and not settings.with_dsql:
        what = f"{verifies} is true, {encrypts} is false: there is no certificate to verify"
        yield Fault(verifies, what, "Write false, or encrypt.")


def _dsql_by_another_plugin(settings: Settings) -> Iterator[Fault]:
    plugin, host = "TEMPORAL_SQL_PLUGIN_NAME", "TEMPORAL_SQL_HOST"
    if plugin not in settings:
        return
    dsql = host in settings and settings.text(host).endswith(_AWS_HOST)
    if dsql or "CLUSTER_ENDPOINT" in settings.given:
        what = f"{plugin} is {settings.text(plugin)}, which makes no token: DSQL denies access"
        yield Fault(plugin, what, "Write dsql, or leave CLUSTER_ENDPOINT out for PostgreSQL.")


def _visibility(settings: Settings) -> Iterator[Fault]:
    store = settings.optional("TEMPORAL_VISIBILITY_STORE")
    if store == "elasticsearch":
        yield from _elasticsearch(settings)
    elif store == "sql" and settings.with_dsql:
        host = "TEMPORAL_VISIBILITY_SQL_HOST"
        if host not in settings or settings.text(host) == settings.optional("TEMPORAL_SQL_HOST"):
            what = "DSQL can be the default store only: it has no schema for visibility"
            yield Fault(host, what, "Name the host of a PostgreSQL database.")
        for name in ("TEMPORAL_VISIBILITY_SQL_USER", "TEMPORAL_VISIBILITY_SQL_MAX_CONNS"):
            if name not in settings:
                what = f"{name} is not set, and that of DSQL is none for PostgreSQL"
                yield Fault(name, what, "Write that of the visibility database.")


def _elasticsearch(settings: Settings) -> Iterator[Fault]:
    index, signing = "TEMPORAL_ELASTICSEARCH_INDEX", "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING"
    if index in settings:
        text = settings.text(index)
        if _INDEX.fullmatch(text) is None:
            what = f"{index} is {text!r}, which the schema's template does not match"
            yield Fault(index, what, f"Write {_INDEX_PREFIX} and more of a-z, 0-9, _, . and -.")
    if settings.switch(signing):
        scheme, user = "TEMPORAL_ELASTICSEARCH_SCHEME", "TEMPORAL_ELASTICSEARCH_USER"
        if settings.optional(scheme) == "http":
            what = f"{scheme} is http: signed requests would go in the clear"
            yield Fault(scheme, what, "Write https.")
        if user in settings:
            what = f"{user} is set, {signing} is true: requests are signed or carry a password"
            yield Fault(user, what, f"Leave it out, or write false for {signing}.")
        if "AWS_REGION" not in settings and not settings.with_dsql:
            what = f"AWS_REGION is not set, {signing} is true: a signature names a region"
            yield Fault("AWS_REGION", what, "Write the region of the OpenSearch domain.")


def _dsql_store(settings: Settings) -> Iterator[Fault]:
    for name, wanted, why in (
        ("TEMPORAL_SQL_DATABASE", "postgres", "DSQL has that one database"),
        ("TEMPORAL_SQL_USER", "admin", "the plugin connects as nobody else"),
    ):
        if name in settings and settings.text(name) != wanted:
            yield Fault(name, f"{name} is {settings.text(name)!r}: {why}", f"Write {wanted}.")
    for name, why in (
        ("TEMPORAL_SQL_TLS_ENABLED", "DSQL refuses connections without TLS"),
        (
            "TEMPORAL_SQL_TLS_HOST_VERIFICATION",
            "whoever answers in place of the cluster would get a token that opens it",
        ),
    ):
        if settings.optional(name) is False:
            yield Fault(name, f"{name} is false: {why}", "Write true.")
    lifetime = "TEMPORAL_SQL_MAX_CONN_LIFETIME"
    if lifetime in settings and settings.seconds(lifetime) > _LONGEST_LEGACY:
        what = f"{lifetime} is {settings.text(lifetime)}: DSQL closes every session after 60m"
        yield Fault(lifetime, what, "Write 50m.")


def _dsql_endpoint(settings: Settings, contract: Contract) -> Iterator[Fault]:
    host, endpoint, region = "TEMPORAL_SQL_HOST", "CLUSTER_ENDPOINT", "AWS_REGION"
    for name in (host, endpoint):
        if name in settings and is_address(settings.text(name)):
            what = f"{name} is an IP address: {contract.rules['endpoint-is-host']}"
            yield Fault(name, what, "Write the host name of the cluster.")
    if host in settings and endpoint in settings and not _same(settings, host, endpoint):
        what = (
            f"{endpoint} is {settings.text(endpoint)!r}, {host} is {settings.text(host)!r}: "
            f"{contract.rules['endpoint-is-host']}"
        )
        yield Fault(endpoint, what, f"Write the value of {host}.")
    if "REGION" in settings and region in settings and not _same(settings, "REGION", region):
        what = f"REGION is {settings.text('REGION')!r}: {contract.rules['region-one']}"
        yield Fault("REGION", what, f"Leave it out, or write {settings.text(region)}.")
    if host in settings and region in settings:
        text = settings.text(host)
        labels = text.split(".")
        named = labels[_REGION_LABEL] if len(labels) > _REGION_LABEL else None
        if text.endswith(_AWS_HOST) and named != settings.text(region):
            what = (
                f"{region} is {settings.text(region)!r}, the cluster is {text!r}: "
                f"{contract.rules['region-of-host']}"
            )
            yield Fault(region, what, f"Write {named}.")


def _same(settings: Settings, one: str, other: str) -> bool:
    return settings.text(one) == settings.text(other)


def _dsql_limits(settings: Settings, contract: Contract) -> Iterator[Fault]:
    for switch, rule in (
        ("DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED", "limiter-complete"),
        ("DSQL_DISTRIBUTED_CONN_LEASE_ENABLED", "lease-complete"),
    ):
        if not settings.switch(switch):
            continue
        for name in contract.plugin[switch].requires:
            there = settings.optional(name)
            if there is None or there is False:
                what = f"{switch} is true and {name} has no value: {contract.rules[rule]}"
                yield Fault(name, what, f"Set {name}, or write false for {switch}.")


def _reservoir(settings: Settings, contract: Contract) -> Iterator[Fault]:
    if not settings.switch(_RESERVOIR):
        return
    base, guard = "DSQL_RESERVOIR_BASE_LIFETIME", "DSQL_RESERVOIR_GUARD_WINDOW"
    jitter = "DSQL_RESERVOIR_LIFETIME_JITTER"
    # A duration that cannot be read is not there, and has a fault of its own.
    age = settings.seconds(base) if base in settings else None
    if age is not None and guard in settings and age < settings.seconds(guard) + _LEAST_USE:
        what = f"{base} is {settings.text(base)}, {guard} is {settings.text(guard)}"
        why = contract.rules["lifetime-over-guard"]
        yield Fault(base, f"{what}: {why}", f"Write 2m more than {guard} at least.")
    if age is not None and jitter in settings and age + settings.seconds(jitter) > _LONGEST:
        what = f"{base} is {settings.text(base)}, {jitter} is {settings.text(jitter)}"
        why = contract.rules["lifetime-before-cut"]
        yield Fault(base, f"{what}: {why}", "Let both be 50m together at most.")
    yield from _reservoir_sizes(settings)


def _reservoir_sizes(settings: Settings) -> Iterator[Fault]:
    target, low = "DSQL_RESERVOIR_TARGET_READY", "DSQL_RESERVOIR_LOW_WATERMARK"
    most = "TEMPORAL_SQL_MAX_CONNS"
    for name in (target, low):
        if name not in settings:
            what = f"{name} is not set and would be {most}: four reservoirs of that size"
            yield Fault(name, what, f"Write a number far below {most}.")
    for name, limit in ((target, most), (low, target)):
        both = name in settings and limit in settings
        if both and settings.number(name) > settings.number(limit):
            what = f"{name} is {settings.number(name)}, {limit} {settings.number(limit)}"
            yield Fault(name, what, f"Write {settings.number(limit)} at most.")


def _without_effect(settings: Settings, contract: Contract) -> Iterator[Fault]:
    """A switch that is there and says false is meant so; then nothing is said."""
    for name, variable in contract.plugin.items():
        if name not in settings.given or variable.type == "bool":
            continue
        for needed in variable.requires:
            unsaid = contract.plugin[needed].type == "bool" and needed not in settings.given
            if unsaid and not settings.switch(needed):
                what = f"{name} is set and is ignored, since {needed} is not set"
                yield Fault(needed, what, f"Write true, or leave {name} out.")
        if variable.mode == "legacy" and settings.switch(_RESERVOIR):
            what = f"{name} is set and is ignored, since {_RESERVOIR} is true"
            yield Fault(name, what, "Leave it out.")


def _sizes(settings: Settings, contract: Contract) -> Iterator[Fault]:
    """What DSQL cannot store must not be accepted by the server."""
    limits = contract.plugins[DSQL]
    for key, value in dynamic.given(settings, contract).items():
        limit = limits.get(key)
        if limit is not None and (type(value) is not int or value > limit):
            what = f"{key} is {value!r}: DSQL takes {limit} at most, and refuses what is larger"
            yield Fault(dynamic.VARIABLE, what, f"Write {limit} or less, or leave {key} out.")
