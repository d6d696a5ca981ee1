"""The DynamoDB tables in which the plugin counts."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.model import Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN

KEY = "pk"
EXPIRES = "ttl_epoch"
SOURCE = (
    "Temporal-DSQL plugin source at cf90c57, distributed_rate_limiter.go, distributed_conn_lease.go"
)
_WRONG_KEY = (
    "DynamoDB refuses every write (`ValidationException: One or more parameter values were "
    "invalid: Missing the key`), so that no connect is let through and every role exits 1."
)
_NEVER_EXPIRES = "What is counted is never deleted: the table grows for ever, and is paid for."


def problems(subject: Subject, name: str, writes: int, named: set[str]) -> Iterator[Said]:
    """What keeps a table from being counted in, with so many write units per second.

    `named` are all tables that roles name.
    """
    tables = subject.plan.of_type("aws_dynamodb_table")
    found = next((table for table in tables if table["name"] == name), None)
    if found is None:
        yield _not_there(name, tables, named)
        return
    yield from _key(found)
    yield from _expiry(found)
    yield from _writes(found, writes)


def _not_there(name: str, tables: tuple[Resource, ...], named: set[str]) -> Said:
    beside = [table for table in tables if table["hash_key"] == KEY and table["name"] not in named]
    if not beside:
        return Unjudged("", f"the table {name} is not in the plan")
    if beside[0]["name"] is UNKNOWN:
        return Unjudged(beside[0].address, "its name is known only after an apply")
    return Finding(
        beside[0].address,
        "name",
        f"roles count in {name}, which is not in the plan, and none in {beside[0]['name']}",
        "Where there is no such table, every connect waits for DynamoDB in vain, and roles exit 1.",
        "Give the roles the table's name.",
    )


def _key(table: Resource) -> Iterator[Said]:
    fix = f"The partition key is `{KEY}`, a string, and there is no sort key."
    for attribute, wanted in (("hash_key", KEY), ("range_key", None)):
        value = table[attribute]
        if value is UNKNOWN:
            yield Unjudged(table.address, f"{attribute} is known only after an apply")
        elif (value or None) != wanted:
            evidence = f"{attribute} is {value or 'not there'}, and the plugin writes `{KEY}` alone"
            yield Finding(table.address, attribute, evidence, _WRONG_KEY, fix)
    attributes = table["attribute"]
    if not isinstance(attributes, list | tuple):
        return
    types = [each.get("type") for each in attributes if each.get("name") == KEY]
    if types and types[0] is not UNKNOWN and types[0] != "S":
        evidence = f"`{KEY}` is of type {types[0]}, and the plugin writes a string"
        yield Finding(table.address, "attribute", evidence, _WRONG_KEY, fix)


def _expiry(table: Resource) -> Iterator[Said]:
    fix = f"Enable TTL on `{EXPIRES}`."
    for attribute, wanted in (("ttl.0.enabled", True), ("ttl.0.attribute_name", EXPIRES)):
        value = table[attribute]
        if value is UNKNOWN or table["ttl"] is UNKNOWN:
            yield Unjudged(table.address, f"{attribute} is known only after an apply")
        elif value != wanted:
            evidence = f"{attribute} is {value}, and the plugin writes `{EXPIRES}`"
            yield Finding(table.address, attribute, evidence, _NEVER_EXPIRES, fix)
            # Without TTL it does not matter which attribute it has.
            return


def _writes(table: Resource, needed: int) -> Iterator[Said]:
    mode, given = table["billing_mode"], table["write_capacity"]
    if mode == "PAY_PER_REQUEST":
        return
    if mode is UNKNOWN:
        yield Unjudged(table.address, "its billing mode is known only after an apply")
    elif not isinstance(given, int) or given < needed:
        units = f"{given} write units per second" if isinstance(given, int) else "no known number"
        yield Finding(
            table.address,
            "write_capacity" if isinstance(given, int) and given else "billing_mode",
            f"{units} provisioned, connects need {needed} write units per second",
            "DynamoDB throttles the counting (`ProvisionedThroughputExceededException`): connects "
            "fail as `connection rate limit exceeded`, or no lease is given.",
            "Use billing mode PAY_PER_REQUEST.",
        )
