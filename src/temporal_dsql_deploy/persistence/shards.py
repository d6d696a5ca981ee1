"""The table `shards`: who took each shard last."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_OWNER_FIELD = 3
"""persistence/v1/executions.proto, ShardInfo.owner: `host:port-sequence-uuid`."""
_ENOUGH = 1024
"""Bytes that hold the first fields; the queues' states behind them are of any length."""
_OWNERS = "SELECT shard_id, range_id, substring(data from 1 for %s) FROM shards ORDER BY shard_id"
_VARINT, _LENGTH_DELIMITED = 0, 2
_DASHES_BEHIND_ADDRESS = 6
"""One before the sequence, one before the UUID, four in it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """When a shard was last taken, and by whom."""

    range_id: int
    """Grows by one each time that the shard is taken."""
    owner: str
    """host:port of gRPC of the history."""


def taken(connection: "psycopg.Connection") -> dict[int, Taken]:
    """Who took each shard last, by number of the shard.

    A history writes it when it takes a shard (service/history/shard/context_impl.go); that of a
    dead one stays until another takes the shard.
    """
    found = connection.execute(_OWNERS, [_ENOUGH]).fetchall()
    return {shard: Taken(range_id, owner(bytes(data))) for shard, range_id, data in found}


def owners(connection: "psycopg.Connection") -> dict[int, str]:
    """host:port of gRPC of the history that took each shard last, by number of the shard."""
    return {shard: one.owner for shard, one in taken(connection).items()}


def owner(info: bytes) -> str:
    """The address in a ShardInfo message; empty where it names nobody."""
    at = 0
    while at < len(info):
        tag, at = _varint(info, at)
        field, kind = tag >> 3, tag & 7
        value, at = _varint(info, at)
        if kind == _LENGTH_DELIMITED:
            text = info[at : at + value]
            if field == _OWNER_FIELD:
                return text.decode(errors="replace").rsplit("-", _DASHES_BEHIND_ADDRESS)[0]
            at += value
        elif kind != _VARINT:
            break
    return ""


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint and where it ends; zero where the data is cut off."""
    value = shift = 0
    while at < len(data):
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            break
    return value, at
