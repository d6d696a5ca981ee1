"""The schema of a database: which it has, which it should have, and from one to the other."""

from dataclasses import dataclass, field
from pathlib import Path

from temporal_dsql_deploy.errors import InvalidSetting, SchemaUnusable
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.persistence.schema import apply, files, lock, versions
from temporal_dsql_deploy.persistence.schema.files import NOTHING, Number, Version
from temporal_dsql_deploy.persistence.schema.target import Engine, Target, opened
from temporal_dsql_deploy.platforms.protocol import Report, Result


@dataclass(frozen=True, slots=True)
class Request:
    """A database, and the schema that it is to have."""

    environment: str
    database: Database
    folder: Path
    """Of one schema, such as `schema/dsql/temporal` of a server's source tree."""
    version: str | None = None
    """Up to which; None for the newest of the folder."""
    protected: str = ""
    """Why what is there may not be dropped; empty where it may."""


@dataclass(frozen=True, slots=True)
class SchemaStatus(Result):
    """The schema that a database has, against a folder of versions."""

    environment: str
    host: str
    database: str
    engine: Engine
    version: str | None
    """That is stored; null where nothing was ever set up."""
    wanted: str
    pending: list[str]
    """Versions that are yet to be applied, oldest first."""
    lacking: list[str]
    """Tables and indexes that the stored version should have and the database has not."""
    ok: bool
    """Whether it is at least what is wanted, and whole."""


@dataclass(frozen=True, slots=True)
class SchemaResult(Result):
    """What was applied, and what there is now."""

    environment: str
    applied: list[str]
    status: SchemaStatus
    dropped: list[str] = field(default_factory=list)
    """Tables that were dropped before, with --overwrite."""


def look(request: Request) -> SchemaStatus:
    """What there is; it changes nothing.

    Raises InvalidSetting, SchemaUnusable, PermissionMissing, and what `connect` does.
    """
    asked = wanted(request)
    with opened(request.database) as target:
        apply.refuse_other(target, asked.known)
        return status_of(request, target, asked)


def plan(request: Request, *, only_upgrade: bool) -> SchemaStatus:
    """What there is, where `bring` would begin; raises as that does."""
    asked = wanted(request)
    with opened(request.database) as target:
        if only_upgrade:
            _refuse_empty(request, target)
        apply.refuse_other(target, asked.known)
        status = status_of(request, target, asked)
        if not status.pending:
            # What was interrupted half way may lack what the next version drops.
            apply.refuse_broken(target, asked.known)
        return status


def bring(request: Request, report: Report, *, only_upgrade: bool) -> SchemaResult:
    """Apply all versions that it has not, from an empty database on.

    With `only_upgrade` one without a schema is refused: it may be the wrong one. Whatever ended an
    earlier one, this goes on where that stopped. Where another is at work it waits; where there is
    nothing to do it writes nothing. Raises as `look` does, Locked.
    """
    asked = wanted(request)
    with opened(request.database) as target:
        if only_upgrade:
            _refuse_empty(request, target)
        apply.refuse_other(target, asked.known)
        status = status_of(request, target, asked)
        if status.ok:
            return SchemaResult(request.environment, [], status)
        with lock.held(target, request.database, report) as ours:
            applied = apply.upgrade(ours, asked.known, report, asked.number)
        return SchemaResult(
            environment=request.environment,
            applied=[str(number) for number in applied],
            status=status_of(request, target, asked),
        )


def _refuse_empty(request: Request, target: Target) -> None:
    if versions.stored(target.connection, target.name) is None:
        raise SchemaUnusable(
            f"database {target.name} at {request.database.host} has no schema to be upgraded",
            cause="it has no row in schema_version",
            fix="see that it is the right one; then: dsql-deploy schema setup ENV",
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request means."""

    known: list[Version]
    """All of the folder."""
    number: Number


def wanted(request: Request) -> Wanted:
    """The versions of the folder, and up to which. Raises InvalidSetting, SchemaUnusable."""
    known = files.read(request.folder)
    if request.version is None:
        return Wanted(known, known[-1].number)
    try:
        number = Number.parse(request.version)
    except ValueError as error:
        raise InvalidSetting(
            f"{request.version!r} is no version", cause=str(error), fix="such as --version 1.1"
        ) from error
    if number not in {one.number for one in known}:
        there = ", ".join(str(one.number) for one in known)
        raise InvalidSetting(
            f"{request.folder} has no version {number}", cause=f"it has {there}", fix="name one"
        )
    return Wanted(known, number)


def status_of(request: Request, target: Target, asked: Wanted) -> SchemaStatus:
    """What there is against what is wanted. Raises psycopg.Error."""
    stored = versions.stored(target.connection, target.name)
    pending = [
        str(one.number) for one in asked.known if (stored or NOTHING) < one.number <= asked.number
    ]
    lacking = apply.lacks(target, asked.known)
    return SchemaStatus(
        environment=request.environment,
        host=request.database.host,
        database=target.name,
        engine=target.engine,
        version=str(stored) if stored else None,
        wanted=str(asked.number),
        pending=pending,
        lacking=lacking,
        ok=not pending and not lacking,
    )
