"""The processes that a cluster should consist of, and some of them started again."""

from collections.abc import Sequence
from datetime import datetime

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.platforms.cluster import change, layout, parts, programs, runs
from temporal_dsql_deploy.platforms.cluster.settings import ClusterSettings
from temporal_dsql_deploy.platforms.cluster.starting import Starter, opensearch_ready, until_ready
from temporal_dsql_deploy.platforms.processes.directory import Directory
from temporal_dsql_deploy.platforms.processes.record import Record
from temporal_dsql_deploy.platforms.protocol import Instance, Report


def instances(settings: ClusterSettings, directory: Directory) -> list[Instance]:
    """Every process of these settings, in the order of their start."""
    there = runs.read(directory)
    return [
        _instance(name, component, there.get(name), directory)
        for name, component, _ in layout.names(
            settings.replicas, opensearch=settings.with_opensearch
        )
    ]


def _instance(name: str, component: str, run: Record | None, directory: Directory) -> Instance:
    if run is None:
        return Instance(name, component, running=False, note="has not been started")
    since = datetime.fromisoformat(run.started_at)
    if run.alive():
        return Instance(name, component, running=True, since=since)
    return Instance(name, component, running=False, since=since, note=runs.ended(run, directory))


def restart(
    settings: ClusterSettings,
    names: Sequence[str],
    directory: Directory,
    report: Report,
    *,
    grace: float,
) -> None:
    """Stop these, where they run, and start them with these settings; see Platform."""
    everything = parts.all_parts(directory.environment, settings, directory)
    wanted = [part for part in everything if part.place.name in names]
    there = runs.read(directory)
    change.check_ports(wanted, there)
    programs.obtain(settings.found(), report)
    starter = Starter(settings, directory, report)
    components = {part.place.component for part in wanted}
    if layout.DATABASE in components:
        starter.check()
    elif components & set(topology.load().roles):
        # A role that starts while one of its stores is away ends at once.
        until_ready(directory)
        if settings.with_opensearch and layout.OPENSEARCH not in components:
            opensearch_ready(directory)
    ending = {name: run for name, run in there.items() if name in names}
    try:
        for name in runs.stop(ending, directory, grace=grace):
            report(f"{name} has not stopped within {grace:g} s and was killed")
        starter.start(wanted)
    except OSError as error:
        raise directory.unusable(error) from error
