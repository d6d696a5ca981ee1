"""What the probe tries: each check, what it means when it fails, and the paths that it takes.

The paths are those of the traffic matrix of topology.json; a test compares.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from temporal_dsql_deploy.operations.probe import basics, features
from temporal_dsql_deploy.operations.probe.paths import Pair, Uses
from temporal_dsql_deploy.operations.probe.trial import Trial

_START = Pair("frontend", "history")
_QUEUE = Pair("frontend", "matching")
_ADD = Pair("history", "matching")
_RECORD = Pair("matching", "history")
_SYSTEM = Pair("worker", "frontend")
_WATCH = Pair("worker", "history")
_ROUTE = Pair("worker", "matching")
_SHARDS = Pair("history", "history")
_PARTITIONS = Pair("matching", "matching")
_WORKFLOW = frozenset({_START, _QUEUE, _ADD, _RECORD})
"""What every workflow takes that completes."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is tried."""

    name: str
    run: Callable[[Trial], Awaitable[None]]
    meaning: str
    """What it means for users of the cluster when it fails, and where to look."""
    uses: frozenset[Pair] = _WORKFLOW
    exception: str = ""
    """Id of the known exception of a server (servers.json) that cannot do it."""
    harm: str = ""
    """What it does where one of its paths is closed: no canary tries such a check."""


def _more(*pairs: Pair) -> frozenset[Pair]:
    return _WORKFLOW | set(pairs)


FIRST = Check(
    "workflow",
    basics.workflow,
    "no workflow makes progress: look for `network dial error` in the logs of history and matching",
)
"""The one whose latency counts: it has some seconds for itself, before the others."""

OTHERS = [
    Check(
        "timer",
        basics.timer,
        "workflows do not wake up: the history service does not process timers",
    ),
    Check("signal", basics.signal, "signals do not arrive: look at frontend and history"),
    Check(
        "query",
        basics.query,
        "queries hang: look at frontend and matching, and the path between them",
    ),
    Check(
        "child-workflow",
        basics.child_workflow,
        "child workflows do not start: look at history",
    ),
    Check(
        "schedule",
        basics.schedule,
        "schedules do not act: they run in the worker role, look there and at its path to history",
        _more(_SYSTEM, _WATCH),
    ),
    Check(
        "visibility",
        basics.visibility,
        "lists and the Web UI do not show new workflows: look at the visibility store",
    ),
    Check(
        "start",
        features.start,
        "starts are not acknowledged: look at frontend and history",
        frozenset({_START}),
    ),
    Check(
        "task-queue",
        features.task_queue,
        "task queues do not answer: look at frontend and matching",
        frozenset({_QUEUE}),
    ),
    Check(
        "task-delivery",
        features.task_delivery,
        "tasks do not get from history into their task queue: look at history and matching",
        frozenset({_START, _QUEUE, _ADD, _PARTITIONS}),
    ),
    Check(
        "parent-close",
        features.parent_close,
        "children of a parent that ends stay open, if they are ten or more: history has the worker "
        "role close them, through the frontend, and exits a minute after it could not reach that",
        _more(Pair("history", "frontend"), _SYSTEM, _WATCH, _SHARDS),
        harm="`probe` tries it: it ends history where its path to the frontend is closed",
    ),
    Check(
        "batch",
        features.batch,
        "batch jobs do nothing: they run in the worker role, look there",
        _more(_SYSTEM),
    ),
    Check(
        "nexus",
        features.nexus,
        "Nexus operations do not arrive: history calls the frontend's HTTP port for them",
        _more(Pair("history", "frontend", "http")),
        exception="nexus",
    ),
    Check(
        "worker-deployment",
        features.worker_deployment,
        "versions of workers do not become current: the worker role does not tell matching",
        _more(_SYSTEM, _WATCH, _ROUTE),
    ),
    Check(
        "search-attributes",
        features.search_attributes,
        "search attributes cannot be listed: one frontend asks another for them",
        frozenset({Pair("frontend", "frontend")}),
    ),
]


def able(exceptions: Iterable[str]) -> list[str]:
    """The names of the checks that a server with these known exceptions can do."""
    lacks = set(exceptions)
    return [check.name for check in (FIRST, *OTHERS) if check.exception not in lacks]


def harmful() -> dict[str, str]:
    """What a canary leaves out: by the name of a check the harm that it can do."""
    return {check.name: check.harm for check in (FIRST, *OTHERS) if check.harm}


def uses(names: Iterable[str], single: Iterable[str] = ()) -> Uses:
    """The paths of these checks by their names, but those from a role in `single` to itself.

    A role with one instance calls itself inside one process, where no firewall is. With several,
    shards and partitions have as good as surely more than one owner.
    """
    alone = {Pair(role, role) for role in single}
    wanted = set(names)
    return {check.name: check.uses - alone for check in (FIRST, *OTHERS) if check.name in wanted}


def may(names: Iterable[str], single: Iterable[str] = ()) -> Uses:
    """The paths that these checks take at times: between instances of history and of matching.

    Two matchings that do not reach each other showed in five checks (temporal-server 1.32.2).
    """
    alone = {Pair(role, role) for role in single}
    own = frozenset({_SHARDS, _PARTITIONS}) - alone
    wanted = set(names)
    return {
        check.name: own
        for check in (FIRST, *OTHERS)
        if check.name in wanted and check.uses >= _WORKFLOW
    }
