"""The same verb inside the VPC: a one-off task runs it, and its result is read from its log."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, TypeVar

from temporal_dsql_deploy import errors
from temporal_dsql_deploy.errors import DeployError, TaskFailed
from temporal_dsql_deploy.platforms.ecs import carried, one_off
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.one_off import Ended, OneOff
from temporal_dsql_deploy.platforms.protocol import Report

OUTPUT = "admin_task"
LIMIT = 3600.0
"""Seconds: a recovery may wait long for each role."""
_CODES = range(6)
"""Of dsql-deploy; any other is of what ended it."""
T = TypeVar("T")


def run(
    deployed: Deployed, clients: Clients, command: Sequence[str], kind: type[T], report: Report
) -> T:
    """The result of `dsql-deploy COMMAND --json`, run inside; what it raises there is raised here.

    `kind` is what it prints. Raises NotApplied where there is no such task, TaskFailed, and what
    AWS refuses with.
    """
    return result_of(task(deployed, [*command, "--json"]), clients, kind, report)


def result_of(one: OneOff, clients: Clients, kind: type[T], report: Report) -> T:
    """Run a task of which the last that it prints is a document of this kind, or an error."""
    ended = one_off.run(one, clients, _until_document(report), limit=LIMIT, codes=_CODES)
    return _result(ended, kind)


def _until_document(report: Report) -> Report:
    """Passes on what is printed before the document, which is for a program."""
    begun = False

    def told(line: str) -> None:
        nonlocal begun
        begun = begun or line.startswith("{")
        if not begun:
            report(_without_time(line))

    return told


def task(deployed: Deployed, command: Sequence[str]) -> OneOff:
    """The task that runs a verb. Raises NotApplied."""
    environment = {carried.VARIABLE: carried.text(deployed)}
    return replace(OneOff.of(deployed, OUTPUT), command=command, environment=environment)


def _without_time(line: str) -> str:
    """A line of progress of its own command has seconds before it, which are not those of ours."""
    seconds, _, rest = line.strip().partition("s  ")
    return rest if rest and seconds.replace(".", "").isdigit() else line


def _result(ended: Ended, kind: type[T]) -> T:
    from pydantic import TypeAdapter, ValidationError

    document = _document(ended.log)
    if set(document) == {"error"}:
        raise _error(document["error"])
    try:
        return TypeAdapter(kind).validate_python(document)
    except ValidationError as error:
        raise TaskFailed(
            f"task {ended.task.rpartition('/')[2]} has printed no result",
            cause=f"it ended with exit code {ended.exit_code}; its log ends with: "
            f"{' / '.join(ended.log[-3:]) or 'nothing'}"
            + (f"; it could not be read to its end: {ended.trouble}" if ended.trouble else ""),
            fix="try again"
            if ended.trouble
            else "see that its image has this version of dsql-deploy: dsql-deploy images push ENV",
        ) from error


def _document(lines: Sequence[str]) -> dict[str, Any]:
    """The last document of a log, however many of its lines it has; empty where there is none.

    A line of more than 256 KiB is cut in two by the log driver.
    """
    for start in reversed(range(len(lines))):
        if not lines[start].startswith("{"):
            continue
        with suppress(ValueError):
            found, _ = json.JSONDecoder().raw_decode("".join(lines[start:]))
            if isinstance(found, dict):
                return found
    return {}


def _error(said: dict[str, Any]) -> DeployError:
    """What it has raised, as it was there."""
    known = {one.code: one for one in _kinds(DeployError)}
    kind = known.get(str(said.get("code")), errors.TaskFailed)
    return kind(
        str(said.get("message")), cause=str(said.get("cause", "")), fix=str(said.get("fix", ""))
    )


def _kinds(kind: type[DeployError]) -> Iterator[type[DeployError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _kinds(one)
