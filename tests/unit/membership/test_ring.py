"""What a member says of the ring, and what the table of shards says of their owners."""

import pytest

from temporal_dsql_deploy.persistence import shards
from temporal_dsql_deploy.platforms import ring
from temporal_dsql_deploy.platforms.ring import Seen

STATS = {
    "membership": {
        "checksum": 1,
        "members": [
            {
                "address": "10.0.1.5:6934",
                "status": "alive",
                "incarnationNumber": 1763769000000,
                "labels": {"serviceName": "history", "servicePort": "7234"},
            },
            {"address": "[fd00::7]:6933", "status": "suspect", "incarnationNumber": 1},
            {"address": "10.0.1.6:6935", "status": "faulty", "incarnationNumber": 2, "labels": {}},
        ],
    },
    "uptime": 12,
}
"""As temporal-server 1.32.2 answers, without what is not read."""


def test_the_members_are_read() -> None:
    assert ring.parse(STATS) == [
        Seen("10.0.1.5:6934", "alive", "history", "10.0.1.5:7234"),
        Seen("[fd00::7]:6933", "suspect"),
        Seen("10.0.1.6:6935", "faulty"),
    ]
    assert ring.reachable(ring.parse(STATS)) == {"10.0.1.5:6934", "[fd00::7]:6933"}


def test_an_address_is_dialled_without_brackets() -> None:
    assert ring.host_and_port("[fd00::7]:6933") == ("fd00::7", 6933)
    assert ring.host_and_port("10.0.1.5:6934") == ("10.0.1.5", 6934)


@pytest.mark.parametrize("stats", [{}, {"membership": {"members": [{}]}}, None, []])
def test_another_answer_is_not_understood(stats: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        ring.parse(stats)


OWNER = b"127.0.0.12:7234-3-0b6c5a3e-9d0f-4b43-8a55-3f4a1a6a1d11"
INFO = b"\x08\x07\x10\xac\x02\x1a" + bytes([len(OWNER)]) + OWNER
"""shard_id 7, range_id 300, owner."""


@pytest.mark.parametrize(
    ("info", "owner"),
    [
        (INFO, "127.0.0.12:7234"),
        (INFO + b"\x8a\x01\x02ab" * 9, "127.0.0.12:7234"),
        (INFO.replace(b"127.0.0.12", b"[fd00::12]"), "[fd00::12]:7234"),
        (b"\x08\x07\x10\xac\x02", ""),
        (b"", ""),
        (b"\xff", ""),
        (b"\x08", ""),
    ],
)
def test_the_owner_of_a_shard(info: bytes, owner: str) -> None:
    assert shards.owner(info) == owner
