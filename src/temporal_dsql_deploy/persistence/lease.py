"""The table of connection leases: a counter for each cluster, and an item for each lease.

A process of the DSQL plugin takes a lease before it connects, in one transaction: the counter goes
up, the item is put. It gives it back when it closes the connection: the item is deleted, the
counter goes down. An item expires three minutes after it was put, though its connection lives on;
DynamoDB deletes what has expired some time later, and never touches the counter. Source:
plugins/dsql/distributed_conn_lease.go of the Temporal-DSQL server at cf90c57.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from temporal_dsql_deploy import aws

_COUNTER = "dsqllease_counter#"
_LEASE = "dsqllease#"
LIFE_SECONDS = 180
"""Of a lease's item."""


@dataclass(frozen=True, slots=True)
class Counter:
    """What a counter says."""

    active: int
    updated: datetime | None = None
    """By the clock of the process that changed it last."""
    reset: datetime | None = None
    """When `replace` has written it last: an attribute that processes leave as it is."""


@dataclass(frozen=True, slots=True)
class Leases:
    """All that a table holds of leases, as far as one cluster goes."""

    counter: Counter | None
    """None where no process has taken a lease yet."""
    alive: int
    """Items that have not expired: leases of the last three minutes."""
    expired: int
    """Items that DynamoDB has yet to delete; their connections may be open or long gone."""
    others: Mapping[str, int]
    """Counters of other clusters, by their endpoint."""


@dataclass(frozen=True, slots=True)
class Table:
    """The table, for one cluster; each call raises what `aws.told` makes of a refusal."""

    name: str
    endpoint: str
    """CLUSTER_ENDPOINT as the servers have it: it is a part of the keys."""
    dynamodb: Any
    """A client of DynamoDB in the table's region."""

    @classmethod
    def of(cls, name: str, endpoint: str, region: str) -> Self:
        """With the credentials that AWS's SDK finds."""
        return cls(name, endpoint, aws.client("dynamodb", region))

    def counter(self) -> Counter | None:
        """The counter as it is now: a consistent read."""
        with aws.calling(f"read the counter of leases in {self.name} (dynamodb:GetItem)"):
            said = self.dynamodb.get_item(
                TableName=self.name, Key={"pk": {"S": self._key}}, ConsistentRead=True
            )
        return _counter(said["Item"]) if "Item" in said else None

    def leases(self, now: datetime) -> Leases:
        """The counter and the items, page by page."""
        items = {item["pk"]["S"]: item for item in self._items()}
        mine = f"{_LEASE}{self.endpoint}#"
        ends = [_number(item, "ttl_epoch") for key, item in items.items() if key.startswith(mine)]
        alive = sum(end is not None and end > now.timestamp() for end in ends)
        counters = {
            key.removeprefix(_COUNTER): _counter(item)
            for key, item in items.items()
            if key.startswith(_COUNTER)
        }
        return Leases(
            counter=counters.pop(self.endpoint, None),
            alive=alive,
            expired=len(ends) - alive,
            others={endpoint: counter.active for endpoint, counter in counters.items()},
        )

    def replace(self, seen: Counter, active: int, now: datetime) -> bool:
        """Write the counter, if it is still what was seen; False where it is not.

        What was reset once meanwhile is not what was seen, whatever it says by now.
        """
        values = {
            ":active": {"N": str(active)},
            ":now": {"N": str(_milliseconds(now))},
            ":seen": {"N": str(seen.active)},
        }
        condition = "active = :seen AND attribute_not_exists(reset_ms)"
        if seen.reset is not None:
            condition = "active = :seen AND reset_ms = :reset"
            values[":reset"] = {"N": str(_milliseconds(seen.reset))}
        with aws.calling(f"write the counter of leases in {self.name} (dynamodb:UpdateItem)"):
            try:
                self.dynamodb.update_item(
                    TableName=self.name,
                    Key={"pk": {"S": self._key}},
                    UpdateExpression="SET active = :active, updated_ms = :now, reset_ms = :now",
                    ConditionExpression=condition,
                    ExpressionAttributeValues=values,
                )
            except self.dynamodb.exceptions.ConditionalCheckFailedException:
                return False
        return True

    @property
    def _key(self) -> str:
        return f"{_COUNTER}{self.endpoint}"

    def _items(self) -> Iterator[dict[str, Any]]:
        """Of the whole table, which the rate limiter may share."""
        with aws.calling(f"read the leases in {self.name} (dynamodb:Scan)"):
            for page in self.dynamodb.get_paginator("scan").paginate(
                TableName=self.name,
                ConsistentRead=True,
                FilterExpression="begins_with(pk, :lease) OR begins_with(pk, :counter)",
                ExpressionAttributeValues={":lease": {"S": _LEASE}, ":counter": {"S": _COUNTER}},
                ProjectionExpression="pk, active, updated_ms, reset_ms, ttl_epoch",
            ):
                yield from page["Items"]


def _counter(item: Mapping[str, Any]) -> Counter:
    return Counter(
        active=_number(item, "active") or 0,
        updated=_time(_number(item, "updated_ms")),
        reset=_time(_number(item, "reset_ms")),
    )


def _number(item: Mapping[str, Any], name: str) -> int | None:
    said = item.get(name, {}).get("N")
    return None if said is None else int(float(said))


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)
