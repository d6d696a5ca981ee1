"""Every path between two roles closed in turn, and what the probe says of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from temporal_dsql_deploy import topology
from tests.support import closed_paths
from tests.support.closed_paths import Case, Outcome

GOAL_SECONDS = 30.0
"""Within which a closed path is to be named."""
_CONTROLS = 3
_ITSELF = ("frontend", "frontend")

HEAD = """\
# Closed paths, {date}

Four roles of temporal-server, each in a network namespace of its own, PostgreSQL in place of DSQL.
For each case the packets from one role to one port of another are dropped, as a security group
does, before the roles start; then `dsql-deploy probe` (deadline of a check {deadline:g} s). Paths
from a role to itself are closed between two instances of it.

**{named} of {effective} closed paths that have an effect were named, the slowest in {slowest:g} s;
{silent} of {harmless} cases without effect were silent.**

| Closed | Effect | Named | In a log | Seconds | Failed checks | Not serving | Right |
|---|---|---|---|---|---|---|---|"""


def cases() -> list[Case]:
    """Nothing closed, some times; then every ordered pair, with every port of the callee."""
    roles = topology.load().roles
    paths = [
        [caller, callee, port]
        for caller in roles
        for callee in roles
        for port in roles[callee].ports
    ]
    found = [Case([]) for _ in range(_CONTROLS)] + [Case([], instances=2)]
    return found + [Case([path], instances=1 + (path[0] == path[1])) for path in paths]


def effective(case: Outcome) -> bool:
    """Whether the closed path is one that something takes, by the topology.

    A membership port alone has none: what one member does not hear, it hears from another. Nor has
    the way from one frontend to another: each reaches itself, and asks whichever it reaches.
    """
    used = {
        (row.from_, row.to, row.port_name)
        for row in topology.load().traffic
        if row.seen and row.port_name != "membership" and (row.from_, row.to) != _ITSELF
    }
    return any(tuple(path) in used for path in case.closed)


def right(outcome: Outcome) -> bool:
    """Whether what was named is what was closed, and in time."""
    if effective(outcome):
        return outcome.named == outcome.closed and outcome.seconds < GOAL_SECONDS
    return not outcome.named and not outcome.failed


def resumed(progress: Path) -> list[Outcome]:
    """What an earlier, interrupted run has found."""
    if not progress.exists():
        return []
    return [Outcome(**json.loads(line)) for line in progress.read_text().splitlines()]


def run(progress: Path, say: Callable[[str], None]) -> list[Outcome]:
    """The outcome of every case: those found before, and those that are left."""
    found = resumed(progress)
    left = cases()[len(found) :]
    if not left:
        return found
    progress.parent.mkdir(parents=True, exist_ok=True)
    for outcome in closed_paths.run(left):
        with progress.open("a") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")
        found.append(outcome)
        say(
            f"closed: {outcome.name}: named {_paths(outcome.named) or 'nothing'} in "
            f"{outcome.seconds} s{'' if right(outcome) else ', WRONG'}"
        )
    return found


def _paths(named: Sequence[Sequence[str]]) -> str:
    return ", ".join(f"{caller} -> {callee} {port}" for caller, callee, port in named)


def report(outcomes: Sequence[Outcome], *, date: str) -> str:
    """The campaign as a page."""
    worth = [one for one in outcomes if effective(one)]
    rest = [one for one in outcomes if not effective(one)]
    lines = [
        HEAD.format(
            date=date,
            deadline=closed_paths.DEADLINE,
            named=sum(right(one) for one in worth),
            effective=len(worth),
            slowest=max((one.seconds for one in worth), default=0),
            silent=sum(right(one) for one in rest),
            harmless=len(rest),
        )
    ]
    lines += [
        f"| {one.name} | {'yes' if effective(one) else 'none'} | {_paths(one.named)} "
        f"| {'yes' if one.logged else ''} | {one.seconds} | {', '.join(one.failed)} "
        f"| {', '.join(one.not_serving)} | {'yes' if right(one) else '**no**'} |"
        for one in outcomes
    ]
    return "\n".join(lines) + "\n"
