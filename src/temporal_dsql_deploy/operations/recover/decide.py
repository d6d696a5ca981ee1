"""The next rung of the ladder: arithmetic over what was seen and what was tried, nothing is asked.

Every repair comes at most once for the same instances, so the ladder ends.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.membership import kinds
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.recover.result import Action, Repair, Seen

PATIENCE = 10.0
"""Seconds for which a ring may contradict itself: a member that died is faulty to all after 5 to
9 s, and one that has started is known to all after less."""
SLOW = 20.0
"""Seconds for what is put right at leisure. A heartbeat comes every 10 to 15 s, so after an outage
of the database all are old for as long; and shards are taken one after the other."""
SURE = 3.0
"""Seconds for which something must not answer before it counts as hanging: it may only be slow."""
TOLD = 75.0
"""Seconds for which a probe may find in the logs of its last minute what is over."""
RING, DATABASE, ORPHANS = "ring", "database", "orphans"
_RING = {
    kind.code for kind in (kinds.EMPTY_RING, kinds.ROLE_MISSING, kinds.NOT_JOINED, kinds.SPLIT_RING)
}
_FRONTEND, _WORKER, _UI = "frontend", "worker", "ui"
_NO_NAMESPACE = re.compile(r"Namespace \S+ is not found")
_DATABASE_AWAY = "cannot reach the database"
"""In a note of the probe (operations.probe.dials)."""


def symptoms(seen: Seen) -> Iterator[str]:
    """What may go by itself, by name; the caller knows since when each has been seen."""
    codes = {one.code for one in seen.findings}
    yield from (_silence(name) for name in _silent(seen))
    yield from (_frost(name) for name in seen.frozen)
    if codes & _RING:
        yield RING
    if kinds.NO_DATABASE.code in codes:
        yield DATABASE
    if seen.orphans:
        yield ORPHANS


def _silence(name: str) -> str:
    return f"silent {name}"


def _frost(name: str) -> str:
    return f"frozen {name}"


def decide(seen: Seen, ages: Mapping[str, float], tried: Sequence[Repair]) -> Repair | None:
    """What to do next; None where nothing is wrong that can be seen without a probe.

    `ages` is for how many seconds each of the `symptoms` has been seen without a break.
    """
    dead = [one.name for one in seen.instances if not one.running]
    silent = _silent(seen)
    if any(ages.get(_silence(name), 0) < SURE for name in silent):
        return Repair(Action.WAIT, wrong(seen), silent)
    hung = [one.name for one in seen.instances if one.name in {*silent, *_lost(seen)}]
    if dead:
        return _start(seen, dead, hung, tried)
    if hung:
        return _restart(seen, hung, tried) or _hopeless(seen, hung, tried)
    return _wait(seen, ages, tried) or _tidy(seen, tried)


def after_probe(
    seen: Seen, probe: ProbeResult, age: float | None, tried: Sequence[Repair]
) -> Repair | None:
    """What to do when nothing but the probe may say that something is wrong; None if it does not.

    `age` is for how many seconds probes have failed, None at the first: one may fail by chance. No
    restart opens a closed path, makes a namespace or brings a database back.
    """
    if probe.ok:
        return None
    why = wrong(seen, probe)
    if any(path.certain for path in probe.paths):
        return Repair(Action.GIVE_UP, why)
    away = any(_DATABASE_AWAY in note for note in probe.notes)
    if age is None or (away and age < TOLD):
        return Repair(Action.WAIT, why)
    if any(_NO_NAMESPACE.search(one.error) for one in probe.checks):
        return _no_cure(why, "no restart makes a namespace: dsql-deploy up ENV does")
    if away:
        return _no_cure(why, "no restart brings a database back")
    return _rebuild(seen, why, tried)


def _no_cure(why: list[str], reason: str) -> Repair:
    return Repair(Action.GIVE_UP, [*why, reason])


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
        said += [] if probe.ok else [f"probe: {note}" for note in probe.notes]
    return said


def harm(seen: Seen) -> bool:
    """Whether something is wrong that does harm; rows of the dead do none."""
    return bool(wrong(replace(seen, gone=frozenset())))


def _silent(seen: Seen) -> list[str]:
    """Instances that run and do not serve, and have had the time to begin."""
    return [
        one.name
        for one in seen.instances
        if one.running and one.name not in {*seen.serving, *seen.starting}
    ]


def _outside(seen: Seen) -> list[str]:
    """Roles' instances that run and have not joined the ring.

    gRPC health says nothing of that: a matching may be SERVING for half a minute before it has
    (measured with temporal-server 1.32.2).
    """
    roles = topology.load().roles
    return [
        one.name
        for one in seen.instances
        if one.running and one.component in roles and one.name not in seen.joined
    ]


def _lost(seen: Seen) -> list[str]:
    """Those that have not joined and dial fresh rows of the dead, which takes up to a minute."""
    return _outside(seen) if seen.fresh else []


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


def _left(names: Collection[str], tried: Iterable[Repair]) -> list[str]:
    """Those that no restart was tried for."""
    before = {name for one in tried if one.action == Action.RESTART for name in one.names}
    return [name for name in names if name not in before]


def _restart(seen: Seen, names: Sequence[str], tried: Iterable[Repair]) -> Repair | None:
    left = _left(names, tried)
    if not left:
        return None
    return Repair(Action.RESTART, wrong(seen), _in_order(seen, left), rows=len(seen.gone))


def _hopeless(seen: Seen, hung: Sequence[str], tried: Iterable[Repair]) -> Repair:
    """What to do about what hangs after its restart: a rebuild is one of the roles and no other."""
    others = _others(seen, hung)
    # Roles may hang because of a store, and the Web UI because of them.
    if [name for name in others if name != _UI] or len(others) == len(hung):
        reason = f"a restart was no cure for {', '.join(others)}, and no rebuild of the roles is"
        return _no_cure(wrong(seen), reason)
    return _rebuild(seen, wrong(seen), tried)


def _others(seen: Seen, names: Collection[str]) -> list[str]:
    """Those of these that are no roles."""
    roles = topology.load().roles
    return [one.name for one in seen.instances if one.name in names and one.component not in roles]


def _by_turns(seen: Seen, names: Collection[str]) -> list[str]:
    """Of these, so many that somebody of each role goes on serving, where it has several."""
    chosen = []
    for role in topology.load().roles:
        serving = {one.name for one in seen.instances if one.component == role} & seen.serving
        mine = [one.name for one in seen.instances if one.component == role and one.name in names]
        chosen += mine[:1] if serving and serving <= set(mine) else mine
    return chosen


def _rebuild(seen: Seen, why: list[str], tried: Iterable[Repair]) -> Repair:
    if any(one.action == Action.REBUILD for one in tried):
        return Repair(Action.GIVE_UP, why)
    roles = topology.load().roles
    names = [one.name for one in seen.instances if one.component in roles]
    return Repair(Action.REBUILD, why, names)


def _wait(seen: Seen, ages: Mapping[str, float], tried: Sequence[Repair]) -> Repair | None:
    there = {*symptoms(seen)}
    if seen.starting:
        # Once they are old enough they count as hanging.
        return Repair(Action.WAIT, wrong(seen), sorted(seen.starting))
    if any(ages.get(one, 0) < _patience(one) for one in there):
        return Repair(Action.WAIT, wrong(seen))
    if DATABASE in there:
        return _no_cure(wrong(seen), "no restart brings a database back")
    if RING not in there:
        return None
    # Where nobody has joined there is no ring to join.
    outside = _outside(seen) if seen.joined else []
    apart = _by_turns(seen, _left(sorted({*seen.apart, *outside}), tried))
    return _restart(seen, apart, tried) or _rebuild(seen, wrong(seen), tried)


def _patience(symptom: str) -> float:
    return PATIENCE if symptom in {RING, DATABASE} else SLOW


def _tidy(seen: Seen, tried: Sequence[Repair]) -> Repair | None:
    if seen.frozen:
        # One at a time: they serve, all of them may be frozen, and it may be the database.
        left = _left(_in_order(seen, seen.frozen), tried)
        reason = "a restart was no cure for the heartbeats: see the clocks, and the logs"
        return _restart(seen, left[:1], tried) or _no_cure(wrong(seen), reason)
    if seen.gone and not any(one.action == Action.CLEAN for one in tried):
        return Repair(Action.CLEAN, wrong(seen), rows=len(seen.gone))
    return None
