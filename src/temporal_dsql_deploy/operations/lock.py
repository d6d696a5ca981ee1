"""Who changes an environment on ECS, and the release of a lock that somebody has left."""

from dataclasses import dataclass

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import Locked, NotForPlatform
from temporal_dsql_deploy.persistence.lock import Held, Place
from temporal_dsql_deploy.platforms.ecs import lock
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class LockStatus(Result):
    """The lock of an environment on ECS."""

    environment: str
    place: str
    """The object, as s3://BUCKET/KEY."""
    locked: bool
    """Whether somebody has it who may still be at work."""
    who: str = ""
    """`user@host, process 4711`."""
    verb: str = ""
    """What is being done."""
    since: str = ""
    """UTC."""
    expires: str = ""
    """When it ends unless it is renewed, UTC, ISO 8601."""
    released: bool = False
    """Whether this command has released it."""


def show(environment: Environment) -> LockStatus:
    """Who has it. Raises NotForPlatform where there is none, and what AWS raises."""
    place = _place(environment)
    return _told(environment, place, lock.look(place))


def release(
    environment: Environment, *, dry_run: bool, agreed: LockStatus | None = None
) -> LockStatus:
    """Delete it, whoever has it; who has lost it stops before its next step.

    `agreed` is what somebody was shown, and has agreed to. Raises Locked where another has it now.
    """
    place = _place(environment)
    held = place.read()
    if held is None or dry_run:
        return _told(environment, place, held)
    if not (_is_agreed(agreed, held) and place.delete(held.etag)):
        raise Locked(
            f"the lock of {environment.name} has changed meanwhile",
            cause="its holder works, and has renewed it, or another has taken it",
            fix="see who has it: dsql-deploy lock show ENV",
        )
    return _told(environment, place, held, released=True)


def _is_agreed(agreed: LockStatus | None, held: Held) -> bool:
    if agreed is None:
        return True
    if not agreed.locked:
        return lock.is_over(held)
    return (agreed.who, agreed.since) == (held.holder.who, held.holder.since)


def _place(environment: Environment) -> Place:
    directory = environment.terraform
    found = lock.place(directory) if directory is not None else None
    if found is None:
        raise NotForPlatform(
            f"environment {environment.name} has no lock in a bucket",
            cause="its state is in none: the lock is a file of this machine, which goes with the "
            "process that has it",
            fix="wait for that process, or end it",
        )
    return found


def _told(
    environment: Environment, place: Place, held: Held | None, *, released: bool = False
) -> LockStatus:
    if held is None:
        return LockStatus(environment.name, str(place), locked=False)
    return LockStatus(
        environment.name,
        str(place),
        locked=not released,
        who=held.holder.who,
        verb=held.holder.verb,
        since=held.holder.since,
        expires=held.expires.isoformat(),
        released=released,
    )
