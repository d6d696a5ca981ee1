"""The next rung of the ladder: arithmetic over what was seen and what was tried, nothing is asked.

Every repair comes at most once for the same instances, so the ladder ends.
"""

from collections.abc import Collection, Iterable, Sequence

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.recover.result import Action, Repair, Seen

PATIENCE = 10.0
"""Seconds for which a ring may contradict itself: a member that died is faulty to all after 5 to
9 s, and one that has started is known to all after less."""
SURE = 3.0
"""Seconds for which something must not answer before it counts as hanging: it may only be slow."""
_RING = {
    kind.code for kind in (kinds.EMPTY_RING, kinds.ROLE_MISSING, kinds.NOT_JOINED, kinds.SPLIT_RING)
}
_FRONTEND, _WORKER = "frontend", "worker"


def decide(seen: Seen, *, waited: float, tried: Sequence[Repair]) -> Repair | None:
    """What to do next; None where nothing is wrong that can be seen without a probe.

    `waited` is for how many seconds has only been waited.
    """
    dead = [one.name for one in seen.instances if not one.running]
    silent = _silent(seen)
    if silent and waited < SURE:
        return Repair(Action.WAIT, wrong(seen), silent)
    hung = [one.name for one in seen.instances if one.name in {*silent, *_lost(seen)}]
    if dead:
        return _start(seen, dead, hung, tried)
    if hung:
        return _restart(seen, hung, tried)
    return _wait(seen, waited, tried) or _tidy(seen, waited, tried)


def after_probe(seen: Seen, probe: ProbeResult, tried: Sequence[Repair]) -> Repair | None:
    """What to do when nothing but the probe may say that something is wrong; None if it does not.

    No restart opens a closed path.
    """
    if probe.ok:
        return None
    why = wrong(seen, probe)
    if any(path.certain for path in probe.paths):
        return Repair(Action.GIVE_UP, why)
    return _rebuild(seen, why, tried)


def wrong(seen: Seen, probe: ProbeResult | None = None) -> list[str]:
    """What is wrong, a sentence each; empty where nothing is."""
    said = [f"{one.name} does not run: {one.note}" for one in seen.instances if not one.running]
    for one in seen.instances:
        if one.running and one.name not in seen.serving:
            how = "is starting" if one.name in seen.starting else "runs and does not serve"
            said.append(f"{one.name} {how}")
    for finding in seen.findings:
        if finding.problem:
            first = f": {finding.evidence[0]}" if finding.evidence else ""
            said.append(f"{finding.summary.rstrip('.')}{first} [{finding.code}]")
    if seen.orphans:
        said.append(f"{seen.orphans} shards were taken last by a history that does not run")
    if seen.gone:
        said.append(f"{len(seen.gone)} rows of cluster_membership are of processes that are gone")
    if probe is not None:
        said += [f"probe: {one.name}: {one.error}" for one in probe.checks if not one.ok]
        said += [
            f"{path.caller} -> {path.callee} port {path.port} is closed"
            for path in probe.paths
            if path.certain
        ]
    return said


def _silent(seen: Seen) -> list[str]:
    """Instances that run and do not serve, and have had the time to begin."""
    return [
        one.name
        for one in seen.instances
        if one.running and one.name not in {*seen.serving, *seen.starting}
    ]


def _lost(seen: Seen) -> list[str]:
    """Those that are starting and dial fresh rows of the dead, which takes up to a minute."""
    roles = topology.load().roles
    return [
        one.name
        for one in seen.instances
        if seen.fresh
        and one.component in roles
        and one.name in seen.starting
        and one.name not in seen.joined
    ]


def _in_order(seen: Seen, names: Collection[str]) -> list[str]:
    """These, and the workers that wait for a frontend among them: they ask but now and then."""
    components = {one.name: one.component for one in seen.instances}
    waiting = {
        name
        for name, component in components.items()
        if component == _WORKER and name not in seen.serving
    }
    if any(components[name] == _FRONTEND for name in names):
        names = {*names, *waiting}
    return [one.name for one in seen.instances if one.name in names]


def _start(seen: Seen, dead: Sequence[str], hung: Sequence[str], tried: Iterable[Repair]) -> Repair:
    before = {name for one in tried if one.action == Action.START for name in one.names}
    if set(dead) <= before:
        return Repair(Action.GIVE_UP, wrong(seen))
    names = _in_order(seen, {*dead, *hung})
    return Repair(Action.START, wrong(seen), names, rows=len(seen.gone))


def _restart(seen: Seen, names: Sequence[str], tried: Sequence[Repair]) -> Repair:
    before = {name for one in tried if one.action == Action.RESTART for name in one.names}
    if set(names) <= before:
        return _rebuild(seen, wrong(seen), tried)
    return Repair(Action.RESTART, wrong(seen), _in_order(seen, names), rows=len(seen.gone))


def _rebuild(seen: Seen, why: list[str], tried: Iterable[Repair]) -> Repair:
    if any(one.action == Action.REBUILD for one in tried):
        return Repair(Action.GIVE_UP, why)
    roles = topology.load().roles
    names = [one.name for one in seen.instances if one.component in roles]
    return Repair(Action.REBUILD, why, names)


def _wait(seen: Seen, waited: float, tried: Sequence[Repair]) -> Repair | None:
    contradictory = any(one.code in _RING for one in seen.findings)
    if seen.starting:
        # Once they are old enough they count as hanging.
        return Repair(Action.WAIT, wrong(seen), sorted(seen.starting))
    if waited < PATIENCE and (contradictory or seen.frozen or seen.orphans):
        return Repair(Action.WAIT, wrong(seen))
    if contradictory and seen.apart:
        return _restart(seen, sorted(seen.apart), tried)
    return _rebuild(seen, wrong(seen), tried) if contradictory else None


def _tidy(seen: Seen, waited: float, tried: Sequence[Repair]) -> Repair | None:
    if seen.frozen and waited >= PATIENCE:
        return _restart(seen, sorted(seen.frozen), tried)
    if seen.gone and not any(one.action == Action.CLEAN for one in tried):
        return Repair(Action.CLEAN, wrong(seen), rows=len(seen.gone))
    return None
