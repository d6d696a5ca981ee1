"""The processes of a cluster as their keepers recorded them: started, awaited, stopped."""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import DeployError, NotReady, StartFailed
from temporal_dsql_deploy.platforms.cluster import layout, serving
from temporal_dsql_deploy.platforms.processes import log_lines, logs, record, supervisor
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import STORES

_POLL = 0.02
Runs = Mapping[str, Record]
"""By the name of the process, in the order of their start."""


def read(directory: Directory) -> dict[str, Record]:
    """The last run of every process that there is a record of."""
    found = {}
    for path in directory.run.glob("*.json"):
        run = record.read(path)
        if run is not None and "component" in run.settings:
            found[run.component] = run
    return dict(sorted(found.items(), key=lambda pair: _place(pair[1])))


def _place(run: Record) -> tuple[int, int, str]:
    order = [*STORES, *layout.roles(), layout.UI]
    return (order.index(run.settings["component"]), len(run.component), run.component)


def alive(runs: Runs) -> dict[str, Record]:
    """Those that run."""
    return {name: run for name, run in runs.items() if run.alive()}


def roles(runs: Runs) -> dict[str, Record]:
    """Those of Temporal's roles."""
    names = topology.load().roles
    return {name: run for name, run in runs.items() if run.settings["component"] in names}


def stop(runs: Runs, directory: Directory, *, grace: float) -> list[str]:
    """Stop processes, clients before what they ask; the names of those that had to be killed."""
    order = [step.component for step in topology.load().stop_order]
    clients = order[: order.index("frontend")]
    stages = (clients, order[len(clients) :], STORES)
    killed = []
    for stage in stages:
        names = [name for name, run in runs.items() if run.settings["component"] in stage]
        killed += supervisor.stop_all([directory.record(name) for name in names], grace=grace)
    return killed


def broken(runs: Iterable[Record], directory: Directory) -> StartFailed | None:
    """Why one of these has ended; None while all run."""
    for run in runs:
        if not run.alive():
            return StartFailed(
                f"{run.component} {ended(run, directory)} before it was ready",
                cause=f"the end of its log, {run.log}:\n" + "\n".join(complaints(run)),
                fix=f"the whole log: dsql-deploy logs ENV --component {run.component}",
            )
    return None


def ended(run: Record, directory: Directory) -> str:
    """How a process that does not run has ended, for a sentence."""
    found = record.read(directory.record(run.component))
    return found.exit.describe() if found and found.exit else "ended"


def complaints(run: Record) -> list[str]:
    """What a process said last."""
    return log_lines.complaints(logs.since(Path(run.log), run.log_start))


def until_logged(run: Record, text: str, directory: Directory) -> None:
    """Wait until a process has logged a message. Raises StartFailed, NotReady."""
    deadline = time.monotonic() + serving.SECONDS
    while text not in logs.since(Path(run.log), run.log_start):
        if error := broken([run], directory):
            raise error
        if time.monotonic() > deadline:
            raise NotReady(
                f"{run.component} has not joined the ring after {serving.SECONDS:g} s",
                cause=f"it has not logged: {text}",
                fix=f"read what it is doing: dsql-deploy logs ENV --component {run.component}",
            )
        time.sleep(_POLL)


def until_serving(found: Sequence[Record], directory: Directory) -> None:
    """Wait until gRPC health of all these roles says SERVING. Raises StartFailed, NotReady."""
    serving.until_serving(found, lambda run: broken([run], directory))


def not_serving(found: Sequence[Record], directory: Directory) -> dict[str, DeployError]:
    """Wait as `until_serving` does, for each of them; what is wrong, by the name of the role."""
    return serving.not_serving(found, lambda run: broken([run], directory))
