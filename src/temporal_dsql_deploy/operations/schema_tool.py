"""Set up a schema with the tool that a server's source tree brings, in the sequence that works.

The plain `update-schema` of temporal-dsql-tool fails at its own files: it takes the word IF of
CREATE TABLE IF NOT EXISTS for the beginning of a block (servers.json, temporal-dsql). So it is
given a copy without these words. It waits for no index; that is done here.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import BinaryMissing, SchemaUnusable
from temporal_dsql_deploy.operations import schema
from temporal_dsql_deploy.operations.schema import Request, SchemaResult
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.persistence.schema import apply, lock
from temporal_dsql_deploy.persistence.schema.target import opened
from temporal_dsql_deploy.platforms.protocol import Report, Result

_IF_NOT_EXISTS = re.compile(r"(CREATE\s+TABLE)\s+IF\s+NOT\s+EXISTS", re.IGNORECASE)
_SECONDS = 100.0
"""Of one command: less than the lock lasts without being renewed."""
_COPY = "COPY"


@dataclass(frozen=True, slots=True)
class SchemaCommands(Result):
    """The commands that `schema setup --with-tool` would run."""

    environment: str
    commands: list[list[str]]
    """`COPY` stands for a copy of the folder of versions in which CREATE TABLE is without IF NOT
    EXISTS."""
    variables: list[str]
    """Names of environment variables that are set for them; no value is shown."""


def plan(request: Request, tool: Path | None) -> SchemaCommands:
    """What `bring` would run. Raises BinaryMissing, InvalidSetting, SchemaUnusable."""
    schema.wanted(request)
    return SchemaCommands(
        environment=request.environment,
        commands=_commands(request, _find(request.database, tool), _COPY),
        variables=sorted(_variables(request.database)),
    )


def bring(request: Request, tool: Path | None, report: Report) -> SchemaResult:
    """Run the tool, wait for the indexes that it has begun, and look what there is now.

    Raises BinaryMissing, and as `schema.bring` does.
    """
    asked = schema.wanted(request)
    program = _find(request.database, tool)
    with opened(request.database) as target, lock.held(target, request.database, report) as ours:
        apply.refuse_other(ours, asked.known)
        before = apply.stored(ours)
        with tempfile.TemporaryDirectory(prefix="schema-") as temporary:
            copied = _copy(request.folder, Path(temporary) / "versioned")
            for words in _commands(request, program, str(copied)):
                ours.before_each()
                report(f"running {' '.join([program.name, *words[1:]])}")
                _run(words, request.database)
        ours.before_each()
        apply.until_indexed(ours, asked.known)
        apply.refuse_broken(ours, asked.known)
        after = apply.stored(ours)
        return SchemaResult(
            environment=request.environment,
            applied=[str(one.number) for one in asked.known if before < one.number <= after],
            status=schema.status_of(request, target, asked),
        )


def _find(database: Database, tool: Path | None) -> Path:
    name = "temporal-dsql-tool" if database.region else "temporal-sql-tool"
    found = shutil.which(tool.expanduser() if tool else name)
    if found is None:
        raise BinaryMissing(
            f"{tool or name} is not here, or cannot be run",
            cause="it is no program" if tool else "it is not on PATH",
            fix=f"name the {name} of your server with --tool, or leave --with-tool out: "
            "no tool is needed then",
        )
    return Path(found).absolute()


def _commands(request: Request, program: Path, folder: str) -> list[list[str]]:
    """Command lines in order, by servers.json; with no secret in them."""
    database = request.database
    server = "temporal-dsql" if database.region else "temporal-server"
    values = {
        "endpoint": database.host,
        "region": database.region,
        "schema_dir": folder,
        "database": database.name,
    }
    made = []
    for _, *words in topology.servers()[server].schema.default.commands:
        if "--schema-name" in words:
            # Its own copy of the files may be of another version than the folder that is asked for.
            words[words.index("--schema-name") :] = ["--schema-dir", folder]
        if "update-schema" in words and request.version is not None:
            words += ["--version", request.version]
        made.append([str(program), *(word.format(**values) for word in words)])
    return made


def _variables(database: Database) -> Mapping[str, str]:
    """What the tool reads of its environment. That of DSQL makes its token of AWS's own ones."""
    if database.region:
        return {}
    return {
        "SQL_PLUGIN": "postgres12_pgx",
        "SQL_HOST": database.host,
        "SQL_PORT": str(database.port),
        "SQL_USER": database.user,
        "SQL_PASSWORD": database.password,
    }


def _copy(folder: Path, target: Path) -> Path:
    source = folder if folder.name == target.name else folder / target.name
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in target.rglob("*.sql"):
        path.write_text(_IF_NOT_EXISTS.sub(r"\1", path.read_text(encoding="utf-8")))
    return target


def _run(words: list[str], database: Database) -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("SQL_")}
    try:
        done = subprocess.run(
            words,
            env={**others, **_variables(database)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        code, said = done.returncode, (done.stderr or done.stdout).strip()
    except subprocess.TimeoutExpired:
        code, said = -1, f"it did not end within {_SECONDS:g} s"
    except OSError as error:
        code, said = -1, str(error.strerror)
    if code != 0:
        raise SchemaUnusable(
            f"{Path(words[0]).name} could not set up the schema",
            cause=f"{' '.join(words[1:])}: {said[-400:] or f'exit code {code}'}",
            fix="what was done stays; without --with-tool the same command goes on by itself",
        )
