"""The table of leases, as the DSQL plugin writes it, in DynamoDB as moto plays it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from temporal_dsql_deploy.persistence.lease import Counter, Table

HOST = "abcdefghijklmnopqrstuvwxyz.dsql.eu-west-1.on.aws"
OTHER = "zyxwvutsrqponmlkjihgfedcba.dsql.eu-west-1.on.aws"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """A client: making one takes longer than all that it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield boto3.session.Session().client("dynamodb", region_name="eu-west-1")


@pytest.fixture
def table(dynamodb: Any) -> Iterator[Table]:
    dynamodb.create_table(
        TableName="leases",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Table("leases", HOST, dynamodb)
    dynamodb.delete_table(TableName="leases")


def acquire(table: Table, number: int, now: datetime = NOW, endpoint: str = HOST) -> None:
    """As the plugin takes a lease: counter and item in one transaction."""
    milliseconds = str(round(now.timestamp() * 1000))
    table.dynamodb.transact_write_items(
        TransactItems=[
            {
                "Update": {
                    "TableName": table.name,
                    "Key": {"pk": {"S": f"dsqllease_counter#{endpoint}"}},
                    "UpdateExpression": "SET active = if_not_exists(active, :none) + :one, "
                    "updated_ms = :now",
                    "ExpressionAttributeValues": {
                        ":none": {"N": "0"},
                        ":one": {"N": "1"},
                        ":now": {"N": milliseconds},
                    },
                }
            },
            {
                "Put": {
                    "TableName": table.name,
                    "Item": {
                        "pk": {"S": f"dsqllease#{endpoint}#{number:032x}"},
                        "ttl_epoch": {"N": str(int(now.timestamp()) + 180)},
                        "service_name": {"S": "unknown"},
                        "created_ms": {"N": milliseconds},
                    },
                }
            },
        ]
    )


def put(table: Table, key: str, **numbers: int) -> None:
    item = {name: {"N": str(number)} for name, number in numbers.items()}
    table.dynamodb.put_item(TableName=table.name, Item={"pk": {"S": key}, **item})


def test_an_empty_table_has_no_counter(table: Table) -> None:
    leases = table.leases(NOW)
    assert (leases.counter, leases.alive, leases.expired, leases.others) == (None, 0, 0, {})
    assert table.counter() is None
    assert not table.replace(Counter(0), 0, NOW)
    assert table.counter() is None


def test_leases_are_counted_by_their_end_and_their_cluster(table: Table) -> None:
    for number in range(3):
        acquire(table, number)
    acquire(table, 3, NOW - timedelta(seconds=180))
    acquire(table, 4, endpoint=OTHER)
    put(table, f"dsqlconnect#{HOST}#1795348800", count=9, ttl_epoch=1795348980)
    put(table, f"dsqllease#{HOST}#{'f' * 32}")
    leases = table.leases(NOW)
    assert leases.counter == table.counter()
    assert leases.counter is not None
    assert leases.counter.active == 4
    # The one without an end is no lease of the plugin, and not one that lives.
    assert (leases.alive, leases.expired, leases.others) == (3, 2, {OTHER: 1})


def test_a_table_is_read_to_its_last_page(table: Table) -> None:
    padding = "x" * 9000
    for number in range(300):
        key = {"pk": {"S": f"dsqllease#{HOST}#{number:032x}"}, "padding": {"S": padding}}
        end = {"ttl_epoch": {"N": str(int(NOW.timestamp()) + 60)}}
        table.dynamodb.put_item(TableName=table.name, Item={**key, **end})
    pages = table.dynamodb.get_paginator("scan").paginate(TableName=table.name)
    assert len(list(pages)) > 1
    assert table.leases(NOW).alive == 300


def test_only_what_was_seen_is_written_over(table: Table) -> None:
    for number in range(5):
        acquire(table, number)
    seen = table.counter()
    assert seen is not None
    acquire(table, 5)
    assert not table.replace(seen, 1, NOW)
    now = table.counter()
    assert now is not None
    assert now.active == 6
    later = NOW + timedelta(seconds=1)
    assert table.replace(now, 2, later)
    assert table.counter() == Counter(2, later, later)
    assert table.leases(NOW).alive == 6


def test_what_was_reset_meanwhile_is_not_what_was_seen(table: Table) -> None:
    """Two operators at one time: what one has taken away, the other must not take again."""
    for number in range(5):
        acquire(table, number)
    seen = table.counter()
    assert seen is not None
    assert table.replace(seen, 4, NOW)
    acquire(table, 5)
    now = table.counter()
    assert now is not None
    assert now.active == seen.active
    assert not table.replace(seen, 4, NOW)
    assert table.replace(now, 4, NOW)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(between=st.lists(st.sampled_from(["acquire", "release", "reset"]), max_size=6))
def test_a_write_loses_against_whatever_comes_between(table: Table, between: list[str]) -> None:
    put(table, f"dsqllease_counter#{HOST}", active=100, updated_ms=1)
    seen = table.counter()
    assert seen is not None
    for what in between:
        now = table.counter()
        assert now is not None
        if what == "reset":
            assert table.replace(now, now.active, NOW)
        else:
            change = 1 if what == "acquire" else -1
            table.dynamodb.update_item(
                TableName=table.name,
                Key={"pk": {"S": f"dsqllease_counter#{HOST}"}},
                UpdateExpression="ADD active :change",
                ExpressionAttributeValues={":change": {"N": str(change)}},
            )
    before = table.counter()
    assert before is not None
    same = before.active == seen.active and "reset" not in between
    assert table.replace(seen, 10, NOW) is same
    after = table.counter()
    assert after is not None
    assert after.active == (10 if same else before.active)
