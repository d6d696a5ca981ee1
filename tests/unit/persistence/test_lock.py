"""The lock in S3, against answers that come late, twice or not at all."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from temporal_dsql_deploy.errors import Locked
from temporal_dsql_deploy.persistence import lock
from temporal_dsql_deploy.persistence.lock import LEASE, Holder, Lock, Place


class NoSuchKey(Exception):
    """As boto3 makes one of each client."""


class Bucket:
    """One object of S3, encrypted by KMS: each put has another ETag."""

    exceptions = SimpleNamespace(NoSuchKey=NoSuchKey)

    def __init__(self) -> None:
        self.body = ""
        self.puts = 0
        self.is_lost = False
        """Whether the answer of the next put is lost, and the SDK repeats it."""
        self.is_away = False

    def put_object(self, *, Body: str, IfMatch: str = "", **_asked: Any) -> dict[str, str]:  # noqa: N803
        self._answer()
        if IfMatch != (f"e{self.puts}" if self.body else ""):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.body, self.puts = Body, self.puts + 1
        if self.is_lost:
            self.is_lost = False
            return self.put_object(Body=Body, IfMatch=IfMatch)
        return {"ETag": f"e{self.puts}"}

    def get_object(self, **_asked: Any) -> dict[str, Any]:
        self._answer()
        if not self.body:
            raise NoSuchKey
        return {
            "Body": io.BytesIO(self.body.encode()),
            "ETag": f"e{self.puts}",
            "LastModified": datetime.now(UTC),
            "ResponseMetadata": {"HTTPHeaders": {}},
        }

    def delete_object(self, **_asked: Any) -> dict[str, str]:
        self.body = ""
        return {}

    def _answer(self) -> None:
        if self.is_away:
            raise ReadTimeoutError(endpoint_url="https://s3")


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def mine(bucket: Bucket) -> Iterator[Lock]:
    """A lock that was taken, and is renewed by the test alone."""
    one = _lock(bucket, "mine")
    one.take(lambda _line: None)
    yield one
    one.release()


def _lock(bucket: Bucket, token: str) -> Lock:
    holder = Holder(token, f"{token}@host, process 1", "up", "")
    return Lock(Place("states", "dev", bucket), holder, lambda _holder: False)


def test_a_renewal_that_finds_itself_has_not_lost_the_lock(mine: Lock, bucket: Bucket) -> None:
    bucket.is_lost = True
    mine._renew()
    mine.check()
    mine._renew()
    mine.check()


def test_trouble_while_it_is_looked_who_has_it_is_no_release(mine: Lock, bucket: Bucket) -> None:
    bucket.is_away = True
    mine._renew()
    mine.check()


def test_who_was_asleep_for_longer_than_a_lease_asks_before_going_on(
    mine: Lock, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = lock._seconds()
    monkeypatch.setattr(lock, "_seconds", lambda: began + 2 * LEASE.total_seconds())
    puts = bucket.puts
    mine.check()
    assert bucket.puts == puts + 1
    bucket.body = ""
    assert _lock(bucket, "other")._place.write(Holder("other", "bob@far", "up", "now"), None)
    monkeypatch.setattr(lock, "_seconds", lambda: began + 4 * LEASE.total_seconds())
    with pytest.raises(Locked, match="is lost") as caught:
        mine.check()
    assert "bob@far" in caught.value.cause


def test_a_lock_that_cannot_be_renewed_is_lost_when_its_lease_is_over(
    mine: Lock, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = lock._seconds()
    bucket.is_away = True
    monkeypatch.setattr(lock, "_seconds", lambda: began + 2 * LEASE.total_seconds())
    with pytest.raises(Locked, match="is lost") as caught:
        mine.check()
    assert "could not be renewed" in caught.value.cause
