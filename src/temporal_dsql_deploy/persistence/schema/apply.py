"""Bring a database to a version of Temporal's schema, from wherever an earlier attempt stopped.

PostgreSQL takes the statements of a version and its number in one transaction. DSQL takes one DDL
statement in a transaction, and no rows beside it: there each statement is a transaction, and one
that finds its work done already goes on to the next.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial

from temporal_dsql_deploy.errors import SchemaUnusable
from temporal_dsql_deploy.persistence.schema import files, statements, versions
from temporal_dsql_deploy.persistence.schema.files import NOTHING, Number, Version
from temporal_dsql_deploy.persistence.schema.occ import retried
from temporal_dsql_deploy.persistence.schema.target import Engine, Target

Report = Callable[[str], None]
_POLL = 1.0
_INDEX_SECONDS = 600.0
"""How long DSQL may take for the indexes of empty tables, which takes it seconds."""
_ALREADY = {
    "CREATE": {"42P07", "42710"},
    "ALTER": {"42701", "42703"},
    "DROP": {"42P01", "42704"},
    "INSERT": {"23505"},
}
"""SQLSTATEs by which a statement finds its work done: duplicate_table (an index too) and
duplicate_object, duplicate_column and undefined_column, undefined_table and undefined_object,
unique_violation."""
_AT_ONCE = {"23505", "42710", "42P07"}
"""What PostgreSQL says of CREATE when another creates the same at this moment, IF NOT EXISTS or
not: its own catalogue is tables with unique indexes."""
_OBJECTS = (
    "SELECT CASE relkind WHEN 'i' THEN 'index' ELSE 'table' END, relname FROM pg_class "
    "JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'public' AND relkind IN ('r', 'i')"
)
_INVALID = (
    "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE NOT indisvalid"
)
_JOBS = (
    "SELECT job_id, status, details FROM sys.jobs "
    "WHERE job_id = ANY(%s) AND status IN ('failed', 'cancelled')"
)


def upgrade(
    target: Target, known: Sequence[Version], report: Report, to: Number | None = None
) -> list[Number]:
    """Apply the versions that are above the stored one, each as a whole; which these were.

    `known` is all versions from the first on, `to` the last that the database is to have, all of
    them without it. Two at once do no harm on PostgreSQL, where the second waits. On DSQL a slow
    one would repeat what a fast one has undone since: there it is called within `lock.held`.
    Raises SchemaUnusable, psycopg.Error, and what `before_each` of the target does.
    """
    for table in versions.TABLES:
        retried(partial(target.connection.execute, table), also=_AT_ONCE)
    _begin(target)
    refuse_other(target, known)
    done = []
    before = stored(target)
    for version in known:
        if version.number <= before or (to is not None and version.number > to):
            continue
        report(f"schema {version.number}: {len(version.statements)} statements")
        _apply(target, before, version, report)
        done.append(version.number)
        before = stored(target)
    refuse_broken(target, known)
    return done


def refuse_other(target: Target, known: Sequence[Version]) -> None:
    """Raises SchemaUnusable where the database has tables, and a schema, and none of this one's.

    Both stores of Temporal number their versions alike, and each is a schema of its own.
    """
    number = stored(target)
    tables = {name for kind, name in _expected(known, number) if kind == "table"}
    there = {name for kind, name in _there(target) if kind == "table"} - set(versions.NAMES)
    if tables and there and not tables & there:
        raise SchemaUnusable(
            f"database {target.name} has version {number} of another schema",
            cause=f"it has none of the tables of this one, such as {min(tables)}",
            fix="name the folder of the schema that it holds: that of the default store is called "
            "temporal, the other visibility",
        )


def refuse_broken(target: Target, known: Sequence[Version]) -> None:
    """Raises SchemaUnusable where the database has not what its version should have."""
    if missing := lacks(target, known):
        raise SchemaUnusable(
            f"the schema says version {stored(target)} and is not whole",
            cause=f"it lacks {', '.join(missing)}",
            fix="whoever has dropped it has to make it again; on Aurora DSQL one can begin anew: "
            "dsql-deploy schema setup ENV --overwrite",
        )


def stored(target: Target) -> Number:
    """The version that the database has; NOTHING where none is. Raises psycopg.Error."""
    return versions.stored(target.connection, target.name) or NOTHING


def _begin(target: Target) -> None:
    import psycopg

    if versions.stored(target.connection, target.name) is not None:
        return
    try:
        _transaction(target, partial(versions.begin, target.connection, target.name))
    except psycopg.errors.UniqueViolation:
        # Another began at the same moment.
        return


def _transaction(target: Target, write: Callable[[], object]) -> None:
    def whole() -> None:
        with target.connection.transaction():
            write()

    retried(whole)


def _apply(target: Target, before: Number, version: Version, report: Report) -> None:
    whole = target.engine is Engine.POSTGRESQL and not any(
        statements.outside_transactions(each) for each in version.statements
    )
    if whole:
        _transaction(target, partial(_apply_whole, target, before, version, report))
        return
    jobs = [_run(target, statement, report) for statement in version.statements]
    if target.engine is Engine.DSQL:
        until_indexed(target, [version], [job for job in jobs if job is not None])
    target.before_each()
    _transaction(target, partial(versions.record, target.connection, target.name, before, version))


def _apply_whole(target: Target, before: Number, version: Version, report: Report) -> None:
    # Whoever comes second waits here for the first, and then finds nothing to do.
    if not versions.record(target.connection, target.name, before, version):
        return
    for statement in version.statements:
        target.connection.execute(_for_postgresql(statement, report))


def _run(target: Target, statement: str, report: Report) -> str | None:
    """One statement that is a transaction of its own, unless its work is done already.

    The job that DSQL has begun by it, if any.
    """
    import psycopg

    target.before_each()
    if target.engine is Engine.POSTGRESQL:
        statement = _for_postgresql(statement, report)
    kind = statement.partition(" ")[0].upper()
    try:
        also = _AT_ONCE - _ALREADY[kind] if kind == "CREATE" else ()
        done = retried(partial(target.connection.execute, statement), also=also)
    except psycopg.Error as error:
        if error.sqlstate not in _ALREADY.get(kind, ()):
            raise
        report(f"is there already: {_shortened(statement)}")
        return None
    if not statements.is_async(statement) or done.description is None:
        return None
    row = done.fetchone()
    return str(row[0]) if row and row[0] is not None else None


def _for_postgresql(statement: str, report: Report) -> str:
    if not statements.is_async(statement):
        return statement
    report(f"PostgreSQL has no INDEX ASYNC, so it is left out: {_shortened(statement)}")
    return statements.without_async(statement)


def _shortened(statement: str) -> str:
    return statement if len(statement) <= 60 else f"{statement[:59]}…"


def until_indexed(target: Target, made: Sequence[Version], jobs: Sequence[str] = ()) -> None:
    """Wait for the indexes of these versions, which DSQL makes in the background.

    A unique index is not kept to before it is valid, so two namespaces could get one name. `jobs`
    are those that make them; an index that was there already is made by one that is not known.
    sys.jobs lists those of other indexes too, and of some that were dropped since.
    Raises SchemaUnusable.
    """
    wanted = {
        found[1]
        for version in made
        for each in version.statements
        if (found := statements.creates(each)) is not None
    }
    deadline = time.monotonic() + _INDEX_SECONDS
    while invalid := wanted & _names(target, _INVALID):
        failed = target.connection.execute(_JOBS, [list(jobs)]).fetchall()
        if failed or time.monotonic() > deadline:
            raise SchemaUnusable(
                f"the indexes {', '.join(sorted(invalid))} are not valid",
                cause="; ".join(f"job {job} {how}: {why}" for job, how, why in failed)
                or f"they were not done within {_INDEX_SECONDS:g} s (sys.jobs)",
                fix="DROP INDEX each of them, then try again; rows that are there twice are what "
                "a unique index fails on",
            )
        target.before_each()
        time.sleep(_POLL)


def _names(target: Target, query: str) -> set[str]:
    return {str(name) for (name,) in target.connection.execute(query).fetchall()}


def lacks(target: Target, known: Sequence[Version]) -> list[str]:
    """Tables and indexes that the stored version should have and the database has not.

    What a version should have that is newer than all that are known is not known. Raises
    psycopg.Error.
    """
    number = stored(target)
    if number > known[-1].number:
        return []
    return [f"{kind} {name}" for kind, name in sorted(_expected(known, number) - _there(target))]


def _expected(known: Sequence[Version], number: Number) -> set[tuple[str, str]]:
    return files.objects([version for version in known if version.number <= number])


def _there(target: Target) -> set[tuple[str, str]]:
    return {(kind, name) for kind, name in target.connection.execute(_OBJECTS).fetchall()}
