"""The schema of the default store: which it has, which it should have, and the way from one to the
other."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import InvalidSetting, SchemaUnusable
from temporal_dsql_deploy.persistence.database import Database, connect
from temporal_dsql_deploy.persistence.schema import apply, files, versions
from temporal_dsql_deploy.persistence.schema.apply import Engine, Target
from temporal_dsql_deploy.persistence.schema.files import NOTHING, Number, Version
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


def look(request: Request) -> SchemaStatus:
    """What there is; it changes nothing. Raises DatabaseUnusable, SchemaUnusable and their like."""
    wanted = _wanted(request)
    with _target(request) as target:
        return _status(request, target, wanted)


def setup(request: Request, report: Report) -> SchemaResult:
    """Apply all versions that it has not, from an empty database on.

    Whatever ended an earlier one, this goes on where that stopped. Raises as `look` does.
    """
    wanted = _wanted(request)
    with _target(request) as target:
        applied = apply.upgrade(target, wanted, report)
        return _result(request, target, wanted, applied)


def upgrade(request: Request, report: Report) -> SchemaResult:
    """As `setup`, of a database that has a schema; one without may be the wrong one."""
    wanted = _wanted(request)
    with _target(request) as target:
        if versions.stored(target.connection, target.name) is None:
            raise SchemaUnusable(
                f"database {target.name} at {request.database.host} has no schema to be upgraded",
                cause="it has no row in schema_version",
                fix="see that it is the right one; then: dsql-deploy schema setup ENV",
            )
        applied = apply.upgrade(target, wanted, report)
        return _result(request, target, wanted, applied)


def _wanted(request: Request) -> list[Version]:
    found = files.read(request.folder)
    if request.version is None:
        return found
    try:
        last = Number.parse(request.version)
    except ValueError as error:
        raise InvalidSetting(
            f"{request.version!r} is no version", cause=str(error), fix="such as --version 1.1"
        ) from error
    wanted = [one for one in found if one.number <= last]
    if not wanted or wanted[-1].number != last:
        there = ", ".join(str(one.number) for one in found)
        raise InvalidSetting(
            f"{request.folder} has no version {last}", cause=f"it has {there}", fix="name one"
        )
    return wanted


@contextmanager
def _target(request: Request) -> Iterator[Target]:
    database = request.database
    with connect(database) as connection:
        engine = Engine.DSQL if database.region else Engine.POSTGRESQL
        yield Target(connection, engine, database.name)


def _status(request: Request, target: Target, wanted: list[Version]) -> SchemaStatus:
    stored = versions.stored(target.connection, target.name)
    pending = [str(one.number) for one in wanted if one.number > (stored or NOTHING)]
    lacking = apply.lacks(target, wanted)
    return SchemaStatus(
        environment=request.environment,
        host=request.database.host,
        database=target.name,
        engine=target.engine,
        version=str(stored) if stored else None,
        wanted=str(wanted[-1].number),
        pending=pending,
        lacking=lacking,
        ok=not pending and not lacking,
    )


def _result(
    request: Request, target: Target, wanted: list[Version], applied: list[Number]
) -> SchemaResult:
    return SchemaResult(
        environment=request.environment,
        applied=[str(number) for number in applied],
        status=_status(request, target, wanted),
    )
