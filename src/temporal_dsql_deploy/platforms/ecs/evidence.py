"""Why a service does not come up: its tasks that stopped, what they logged, what ECS says of it.

Nothing here fails: what AWS does not tell is said to be missing, since the failure that this is
evidence of is what has to be told.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.platforms.ecs import definitions, dropped, meanings, tasks
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.ecs.tasks import Task

_TASKS = 3
"""That are told of, the newest."""
_LINES = 5
"""Of the log of each."""
_EVENTS = 5
_SHORT = 200
"""Characters of a line that stands in a row of a table."""
_RUNNING_LINES = 50
"""Of the log of a task that runs: what lacks is said among what it does."""
_TOLD = 2
"""Lines of such a log that are repeated."""
_STOPPED_BY_ECS = (143, 137)
"""Exit codes of SIGTERM, and of the SIGKILL that follows it."""
_NOTHING_WRONG = (
    *("has reached a steady state", "has started ", "registered ", "has stopped "),
    "deployment completed",
)
"""What an event says that explains no failure."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A task that ended, and what it said last."""

    task: Task
    log: Sequence[str] = ()
    trouble: str = ""
    """Why there is no log; empty where there is."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about one service in trouble."""

    component: str
    service: Service | None = None
    """None where ECS has none."""
    stopped: Sequence[Stopped] = ()
    """The newest first."""
    waiting: Sequence[Task] = ()
    """Tasks that are there and do not serve."""
    running: Sequence[Stopped] = ()
    """Tasks that run, with the lines of their logs that say what lacks."""
    dropped: Sequence[str] = ()
    """Which security group lets a connection not through."""
    since: datetime | None = None
    """Events before it are no evidence."""
    trouble: str = ""
    """What could not be found out."""


def gather(service: Service, clients: Clients, since: datetime | None = None) -> Evidence:
    """What there is of a service, and of its tasks that stopped after `since`; never raises."""
    try:
        ended = tasks.look([service], clients, wanted=tasks.STOPPED)[service.component]
        there = tasks.look([service], clients)[service.component]
    except DeployError as error:
        trouble = f"{error.message}: {error.cause}"
        return Evidence(service.component, service, trouble=trouble)
    oldest = datetime.min.replace(tzinfo=UTC)
    newest = sorted(ended, key=lambda one: one.stopped or oldest, reverse=True)
    recent = [one for one in newest if (one.stopped or oldest) >= (since or oldest)]
    waiting = [one for one in there if one.health != "HEALTHY" or one.status != "RUNNING"]
    stopped = [_with_log(one, clients, _LINES) for one in recent[:_TASKS]]
    running = [
        _telling(_with_log(one, clients, _RUNNING_LINES, since))
        for one in there[:_TASKS]
        if one.status == "RUNNING"
    ]
    logged = "\n".join(line for one in [*stopped, *running] for line in one.log)
    return Evidence(
        service.component,
        service,
        stopped,
        waiting,
        running,
        dropped=dropped.sentences(service, logged, clients),
        since=since,
    )


def _telling(found: Stopped) -> Stopped:
    """With those lines alone that say what lacks, the last ones."""
    lines = [line for line in found.log if meanings.tells(line) or dropped.targets(line)]
    return Stopped(found.task, lines[-_TOLD:])


def _with_log(task: Task, clients: Clients, lines: int, since: datetime | None = None) -> Stopped:
    """With the log of its container that failed, else of the first."""
    after = {} if since is None else {"startTime": int(since.timestamp() * 1000)}
    try:
        known = {one.name: one for one in definitions.read(task.task_definition, clients)}
        definition = known.get(_guilty(task))
        if definition is None or not definition.log_group:
            return Stopped(task, trouble="its container writes no log to CloudWatch")
        with aws.calling(f"read the log group {definition.log_group} (logs:GetLogEvents)"):
            said = clients.logs.get_log_events(
                logGroupName=definition.log_group,
                logStreamName=definition.stream(task.id),
                limit=lines,
                startFromHead=False,
                **after,
            )
    except DeployError as error:
        return Stopped(task, trouble=f"its log cannot be read: {error.cause}")
    return Stopped(task, [one["message"] for one in said["events"]])


def _guilty(task: Task) -> str:
    """Name of the container that ended badly, else of that which did not start, else of any."""
    # Once one has ended, ECS stops the others: how these end says nothing.
    ended = sorted(task.containers, key=lambda one: one.exit_code in _STOPPED_BY_ECS)
    failed = [one.name for one in ended if one.exit_code]
    never = [one.name for one in task.containers if one.reason]
    return next(iter([*failed, *never, *(one.name for one in task.containers)]), "")


def sentences(found: Evidence) -> list[str]:
    """The evidence for a person, a line each, what it means last."""
    lines = [
        *_of_stopped(found),
        *_of_waiting(found),
        *_of_running(found),
        *_of_events(found),
    ]
    if found.trouble:
        lines.append(f"{found.component}: what happened cannot be found out: {found.trouble}")
    return [*lines, *causes(found)]


def causes(found: Evidence) -> list[str]:
    """What the evidence means, where that is known."""
    lines = [*_of_stopped(found), *_of_waiting(found), *_of_running(found), *_of_events(found)]
    return [*found.dropped, *meanings.of("\n".join(lines))]


def why(found: Evidence) -> str:
    """The shortest that can be said, for a row of a table: what its tasks say, else ECS."""
    logged = [line for one in [*found.stopped, *found.running] for line in one.log]
    telling = [line for line in logged if meanings.tells(line)]
    if found.dropped or telling:
        meaning = [*found.dropped, *meanings.of("\n".join(telling))][0]
        return "; ".join([meaning, *(_shortened(line) for line in telling[:1])])
    ended = [one.task.why for one in found.stopped]
    return next(iter([*ended, *causes(found), *filter(None, [found.trouble])]), "")


def _shortened(line: str) -> str:
    """What a line of a log says is wrong."""
    try:
        said = json.loads(line)
        return str(said.get("error") or said.get("msg") or line)[:_SHORT]
    except (ValueError, AttributeError):
        return line[:_SHORT]


def _of_stopped(found: Evidence) -> Iterator[str]:
    for one in found.stopped:
        task = one.task
        yield f"{found.component}: task {task.id} stopped: {task.stopped_reason or 'no reason'}"
        for container in task.containers:
            if container.exit_code or container.reason:
                code = container.exit_code
                ended = "did not start" if code is None else f"ended with exit code {code}"
                yield f"  {container.name} {ended} {container.reason}".rstrip()
        yield from (f"  logged: {line}" for line in one.log)
        if one.trouble:
            yield f"  {one.trouble}"


def _of_waiting(found: Evidence) -> Iterator[str]:
    for task in found.waiting:
        health = f", {task.health}" if task.status == "RUNNING" else ""
        yield f"{found.component}: task {task.id} is {task.status}{health}"


def _of_running(found: Evidence) -> Iterator[str]:
    for one in found.running:
        if one.log:
            yield f"{found.component}: task {one.task.id} runs, and has logged:"
            yield from (f"  logged: {line}" for line in one.log)


def _of_events(found: Evidence) -> Iterator[str]:
    if found.service is None:
        yield f"{found.component}: ECS has no such service"
        return
    told = [
        one.message
        for one in found.service.events
        if not any(words in one.message for words in _NOTHING_WRONG)
        if found.since is None or one.at >= found.since
    ]
    for message in list(dict.fromkeys(told))[:_EVENTS]:
        yield f"{found.component}: ECS says: {message}"
