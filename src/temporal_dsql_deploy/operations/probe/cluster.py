"""Probe a cluster of whatever platform, and name the closed paths that explain what failed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.operations.probe import checks, dials, paths
from temporal_dsql_deploy.operations.probe.dials import Dial
from temporal_dsql_deploy.operations.probe.names import BASICS
from temporal_dsql_deploy.operations.probe.paths import Pair
from temporal_dsql_deploy.operations.probe.result import ClosedPath, ProbeResult
from temporal_dsql_deploy.operations.probe.run import NO_HOST, Question, probe
from temporal_dsql_deploy.platforms.protocol import (
    LogLine,
    LogQuery,
    Member,
    Platform,
    Report,
    State,
)
from temporal_dsql_deploy.topology import Server

SERVERS = {"local": "temporal-cli", "cluster": "temporal-server", "ecs": "temporal-dsql"}
"""By platform, the server of servers.json that it runs."""
_BEFORE = timedelta(seconds=60)
"""A role that dials in vain logs it every 20 to 30 s: what is older says nothing of now."""
_LINES = 5000
_QUOTED = 3


def probe_platform(  # noqa: PLR0913 - what a probe can be asked
    platform: Platform,
    namespace: str,
    *,
    deadline: float,
    report: Report,
    thorough: bool = True,
    left_out: Mapping[str, str] = MappingProxyType({}),
) -> ProbeResult:
    """Try everything once, or what nearly everybody uses where not `thorough`, and diagnose it.

    `deadline` is in seconds, for each check; `left_out` says why some are not to be tried.
    Raises NotRunning.
    """
    wanted = names(platform, thorough=thorough)
    question = Question(platform.frontend(), namespace, deadline, report, wanted, left_out)
    return diagnosed(platform, probe(question))


def names(platform: Platform, *, thorough: bool) -> list[str]:
    """The checks that the server of a platform can do."""
    able = checks.able(_server(platform).exceptions)
    return [name for name in able if thorough or name in BASICS]


def _server(platform: Platform) -> Server:
    return topology.servers()[SERVERS[platform.name]]


def one_process(platform: Platform) -> bool:
    """Whether all roles are one process, so that there is no path between them."""
    return "one-process" in _server(platform).exceptions


def diagnosed(platform: Platform, result: ProbeResult) -> ProbeResult:
    """The result with what explains its failed checks, if any failed."""
    if result.ok or one_process(platform):
        return result
    members = _members(platform)
    lines = _lines(platform, result.at - timedelta(seconds=result.seconds) - _BEFORE)
    down, alone = _down(platform), _without_hosts(result)
    notes = [*down, *alone, *dials.notes(lines)]
    if dials.database_is_away(lines):
        return replace(result, notes=notes)
    found = closed(result, members, lines, certain=not down and not alone)
    return replace(result, notes=notes, paths=found)


def _without_hosts(result: ProbeResult) -> list[str]:
    """That a role knows no member of another, which no closed gRPC port brings about."""
    names = ", ".join(check.name for check in result.checks if NO_HOST in check.error)
    look = "look at the ring with: dsql-deploy membership doctor ENV"
    return [f"a role knows no member of another (`{NO_HOST}`: {names}): {look}"] if names else []


def closed(
    result: ProbeResult, members: Sequence[Member], lines: Iterable[LogLine], *, certain: bool
) -> list[ClosedPath]:
    """The closed paths that explain a result; none where an answer shows that it is no path.

    `members` are the processes that run, if known; `lines` what they logged meanwhile; `certain`
    is whether a path that alone explains the checks is surely it.
    """
    failed = [check for check in result.checks if not check.ok]
    if any(check.name == "start" and not check.silent for check in failed):
        # History answered, if only to say that it cannot: that comes before all paths.
        return []
    counted = Counter(member.role for member in members)
    single = [role for role, count in counted.items() if count == 1]
    tried = [check.name for check in result.checks]
    uses = checks.uses(tried, single)
    passed = [check.name for check in result.checks if check.ok and not check.left_out]
    silent = [check.name for check in failed if check.silent]
    found = paths.explanations(uses, passed, silent, checks.may(tried, single))
    roles = {f"{member.address}:{member.grpc_port}": member.role for member in members}
    logged = dials.dials(lines, roles) if failed else []
    found = paths.supported(found, (dial.pair for dial in logged))
    # An instance may not be reached where another is, and an address that is gone is no path.
    over = {
        pair
        for pair in paths.shown_open(uses, passed)
        if max(counted[pair.from_], counted[pair.to]) < 2
    }
    seen = {dial.pair for dial in logged if dial.alive} - over
    sure = frozenset.intersection(*found) if found and certain else frozenset[Pair]()
    return [
        _path(pair, result, logged, certain=pair in sure or pair in seen)
        for pair in sorted(seen.union(*found))
    ]


def _path(pair: Pair, result: ProbeResult, logged: list[Dial], *, certain: bool) -> ClosedPath:
    failed = [check.name for check in result.checks if check.silent]
    uses = checks.uses(failed)
    return ClosedPath(
        caller=pair.from_,
        callee=pair.to,
        port_name=pair.port_name,
        port=topology.load().roles[pair.to].ports[pair.port_name],
        certain=certain,
        checks=[name for name in failed if pair in uses[name]],
        log=[dial.line for dial in logged if dial.pair == pair][:_QUOTED],
    )


def _members(platform: Platform) -> list[Member]:
    try:
        return platform.members()
    except DeployError:
        return []


def _lines(platform: Platform, since: datetime) -> list[LogLine]:
    """What was logged since then; empty where the platform has no logs."""
    try:
        lines = list(platform.logs(LogQuery(level="warn", tail=_LINES)))
    except DeployError:
        return []
    return [line for line in lines if line.time and line.time.astimezone(UTC) >= since]


def _down(platform: Platform) -> list[str]:
    """The roles that do not serve, a sentence each."""
    parts = [part for part in platform.status().components if dials.role_of(part.name)]
    fine = (State.SERVING, State.STARTING)
    return [f"{part.name} is {part.state}" for part in parts if part.state not in fine]
