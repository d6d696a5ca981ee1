"""A lock between two who change one environment: an object beside its state, in S3.

It is made with S3's conditional put (If-None-Match: *), which one of two who come at once wins. Who
holds it writes it anew while it works, each time only over what it wrote itself (If-Match). Who is
killed leaves it behind, and it expires. Times are those of S3's answers: clocks of two machines
differ. Source: Amazon S3 User Guide, "How to prevent object overwrites with conditional writes".
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import DeployError, Locked
from temporal_dsql_deploy.interrupts import uninterrupted

LEASE = timedelta(seconds=120)
_RENEW_SECONDS = 30.0
"""Three may fail before a lease is over."""
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "404")
"""Another was there first, or at the same moment, or what was to be replaced is gone."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has the lock, as the object says it."""

    token: str
    """Random: one for each that works."""
    who: str
    """`user@host, process 4711`."""
    verb: str
    """What is done: `up`, `destroy`."""
    since: str
    """UTC, as text."""
    machine: str = ""
    """Tells machines, and containers on one, apart; empty where that is not known."""
    process: Mapping[str, Any] | None = None
    """A process on that machine, as `machine`'s own kind of identity."""

    def told(self) -> str:
        """For a sentence: `dsql-deploy up by user@host, process 4711, since 2026-…`."""
        return f"dsql-deploy {self.verb} by {self.who}, since {self.since}"


@dataclass(frozen=True, slots=True)
class Held:
    """The object as it was read."""

    holder: Holder
    etag: str
    expires: datetime
    now: datetime
    """When it was read, by the clock of S3."""

    @property
    def expired(self) -> bool:
        """Whether its holder has not renewed it in time."""
        return self.now >= self.expires


@dataclass(frozen=True, slots=True)
class Place:
    """The object; each call raises what `aws.told` makes of a refusal."""

    bucket: str
    key: str
    s3: Any
    """A client of S3 in the bucket's region."""

    @classmethod
    def beside(
        cls, bucket: str, key: str, region: str | None, identity: aws.Identity | None = None
    ) -> Self:
        """That of the environment whose state is in `bucket` by the name `key`."""
        return cls(bucket, f"{key}.dsql-deploy-lock", aws.client("s3", region, identity))

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> Held | None:
        """What is there; None where nobody has the lock."""
        with self._calling("read", "s3:GetObject"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=self.key)
            except self.s3.exceptions.NoSuchKey:
                return None
            body = answer["Body"].read()
        return Held(_parsed(body), answer["ETag"], answer["LastModified"] + LEASE, _date(answer))

    def write(self, holder: Holder, before: str | None) -> str | None:
        """Put it where nothing is, or over what has the ETag `before`.

        Its ETag; None where somebody else was there first.
        """
        only: dict[str, str] = {"IfMatch": before} if before else {"IfNoneMatch": "*"}
        text = json.dumps(asdict(holder))
        return self._conditional(
            "PutObject",
            lambda: self.s3.put_object(Bucket=self.bucket, Key=self.key, Body=text, **only),
        )

    def delete(self, etag: str) -> bool:
        """Delete what has this ETag; whether it was there."""
        done = self._conditional(
            "DeleteObject",
            lambda: self.s3.delete_object(Bucket=self.bucket, Key=self.key, IfMatch=etag),
        )
        return done is not None

    def _conditional(self, action: str, call: Callable[[], Mapping[str, Any]]) -> str | None:
        from botocore.exceptions import ClientError

        with self._calling("write", f"s3:{action}"):
            try:
                return str(call().get("ETag", ""))
            except ClientError as error:
                if aws.refusal(error) not in _LOST:
                    raise
                return None

    def _calling(self, what: str, action: str) -> Any:
        return aws.calling(f"{what} the lock of the environment, {self} ({action})")


class Lock:
    """The lock, as one that works under it sees it; a thread renews it."""

    def __init__(self, place: Place, own: Holder, gone: Callable[[Holder], bool]) -> None:
        """`gone` says whether a holder is known to work no more: a process of this machine."""
        self._place = place
        self._own = own
        self._gone = gone
        self._etag = ""
        self._renewed = 0.0
        """When, by `_seconds`."""
        self._lost = ""
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._renewal: threading.Thread | None = None

    def take(self, report: Callable[[str], None]) -> None:
        """Take it, also from one who is known to be gone. Raises Locked, and what AWS refuses."""
        held = self._place.read()
        if held is not None and not self._may_be_taken(held):
            raise refused(held, self._place)
        if held is not None:
            report(f"the lock of {held.holder.told()}, which runs no more, is taken over")
        now = held.now if held else datetime.now(UTC)
        self._own = replace(self._own, since=_text(now))
        etag = self._place.write(self._own, held.etag if held else None)
        # A put whose answer was lost is repeated by the SDK, and finds itself.
        found = None if etag else self._place.read()
        if found is not None and found.holder.token == self._own.token:
            etag = found.etag
        if etag is None:
            raise _overtaken(found, self._place)
        self._etag, self._renewed = etag, _seconds()
        self._renewal = threading.Thread(target=self._renewing, name="lock", daemon=True)
        self._renewal.start()

    def _may_be_taken(self, held: Held) -> bool:
        return held.expired or self._gone(held.holder)

    def check(self) -> None:
        """Refuse to go on without it. Raises Locked."""
        if not self._lost and self._age() > LEASE.total_seconds():
            # This machine has slept, or what renews it is gone: another may have taken it.
            self._renew()
        if self._lost:
            raise Locked(
                "the lock of the environment is lost",
                cause=self._lost,
                fix="see who has it: dsql-deploy lock show ENV; then run the same command again",
            )

    def _renewing(self) -> None:
        while not self._lost and not self._ended.wait(_RENEW_SECONDS):
            self._renew()

    def _renew(self) -> None:
        with self._turn:
            try:
                etag = self._place.write(self._own, self._etag) or self._still_own()
            except DeployError as error:
                # Passing trouble, or credentials that have expired: known once the lease is over.
                if self._age() > LEASE.total_seconds():
                    self._lost = f"it could not be renewed: {error.message}: {error.cause}"
                return
            if etag:
                self._etag, self._renewed = etag, _seconds()

    def _still_own(self) -> str | None:
        """Its ETag, where a put whose answer was lost was repeated by the SDK and found itself."""
        held = self._place.read()
        if held is not None and held.holder.token == self._own.token:
            return held.etag
        self._lost = held.holder.told() if held else "somebody has released it"
        return None

    def _age(self) -> float:
        return _seconds() - self._renewed

    def release(self) -> None:
        """Give it back, if it is ours; AWS may refuse, and then it expires by itself."""
        self._ended.set()
        with uninterrupted(), suppress(DeployError):
            if self._renewal is not None:
                # What it writes meanwhile would be another object than the one that is deleted.
                self._renewal.join(_RENEW_SECONDS)
            held = self._place.read()
            if held is not None and held.holder.token == self._own.token:
                self._place.delete(held.etag)


@contextmanager
def held(lock: Lock, report: Callable[[str], None]) -> Iterator[Lock]:
    """Hold it for a block. Raises Locked, and what AWS refuses."""
    try:
        lock.take(report)
        yield lock
    finally:
        # Also where an interruption came between the call and its answer.
        lock.release()


def refused(held: Held, place: Place) -> Locked:
    """What somebody else's lock is told as."""
    return Locked(
        f"the environment is being changed by {held.holder.told()}",
        cause=f"{place} holds until {_text(held.expires)}, and is renewed while it works",
        fix="wait until it is done; if it was killed, its lock expires by itself, or is released "
        "by you: dsql-deploy lock release ENV",
    )


def _overtaken(found: Held | None, place: Place) -> Locked:
    if found is not None:
        return refused(found, place)
    return Locked(
        "the environment has just been changed by another command",
        cause=f"it has taken {place} in the same moment, and is done",
        fix="run the same command again",
    )


def _parsed(body: bytes) -> Holder:
    try:
        said = json.loads(body)
        names = ("token", "who", "verb", "since", "machine", "process")
        return Holder(**{name: said[name] for name in names if name in said})
    except (ValueError, TypeError):
        return Holder("", "somebody whose lock cannot be read", "?", "?")


def _date(answer: Mapping[str, Any]) -> datetime:
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(said) if said else datetime.now(UTC)


def _seconds() -> float:
    """Of a clock that goes on while the machine sleeps, as that of macOS does."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
