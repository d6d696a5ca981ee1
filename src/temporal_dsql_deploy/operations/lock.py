"""Who changes an environment on ECS, and the release of a lock that somebody has left."""

from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import BackendMissing, Locked, NotForPlatform
from temporal_dsql_deploy.persistence.lock import Held, Place
from temporal_dsql_deploy.platforms.ecs import lock
from temporal_dsql_deploy.platforms.protocol import Result
from temporal_dsql_deploy.terraform import backend, workdir


@dataclass(frozen=True, slots=True)
class LockStatus(Result):
    """The lock of an environment on ECS."""

    environment: str
    place: str
    """The object, as s3://BUCKET/KEY; a file where the state is one."""
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
    """Who has it. Raises NotForPlatform, BackendMissing, and what AWS raises."""
    place = _place(environment)
    if isinstance(place, Path):
        path, who = lock.on_this_machine(place)
        return LockStatus(environment.name, str(path), locked=bool(who), who=who)
    return _told(environment, place, lock.look(place))


def release(
    environment: Environment, *, dry_run: bool, agreed: LockStatus | None = None
) -> LockStatus:
    """Delete it, whoever has it; who has lost it stops before its next step.

    `agreed` is what somebody was shown, and has agreed to. Raises Locked where another has it now.
    """
    place = _place(environment)
    if isinstance(place, Path):
        raise NotForPlatform(
            f"environment {environment.name} has no lock in a bucket",
            cause="its state is in none: the lock is a file of this machine, which goes with the "
            "process that has it",
            fix="see who has it: dsql-deploy lock show ENV; wait for that process, or end it",
        )
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


def _place(environment: Environment) -> Place | Path:
    """The object in a bucket, or the folder of a Terraform whose state is a file."""
    if environment.platform != "ecs" or environment.terraform is None:
        raise NotForPlatform(
            f"environment {environment.name} has no lock that stays",
            cause=f"its platform is {environment.platform}: who changes it holds a lock of this "
            "machine, which goes with the process",
            fix="name an environment on ECS",
        )
    directory = environment.terraform.expanduser().absolute()
    found = backend.read(directory)
    if found.kind == "s3" and found.bucket is None:
        raise BackendMissing(
            f"nothing was deployed to {environment.name} from here",
            cause=f"there is no {workdir.BACKEND} in {directory} that names the bucket of a state",
            fix="dsql-deploy up ENV --only state makes it, or finds it",
        )
    return lock.place(directory) or directory


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
