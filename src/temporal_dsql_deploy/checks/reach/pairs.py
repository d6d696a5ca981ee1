"""Rules about pairs: needed and closed, open and not needed, open only by a shared group."""

from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.model import Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach import hcl
from temporal_dsql_deploy.checks.reach.needs import Want
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.paths import Passage, foreign, passage, without
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.firewall import Rule

MEMBERSHIP = "membership"
_SHOWN = 6
"""Pairs that a finding names; of more it says how many there are."""
_MEASURED = "measured with temporal-server 1.32.2, one pair of ports closed at a time"
_PAIR = tuple[Party, Party, int]


@FAMILY.rule(
    "needed",
    holds=(
        "Whoever calls a role, a store or Loki is let out by its own security groups and let in "
        "by those of the other end, on the port that is called."
    ),
    symptom=(
        "Most closed pairs leave every health check SERVING while workflows, schedules or queries "
        "hang; the finding says what was measured for its pair."
    ),
    fix="Add the missing rule, which each finding gives as Terraform.",
    source=f"{_MEASURED}; the pairs are topology.json's",
)
def needed(subject: Subject) -> Iterator[Said]:
    """Needed pairs that are closed, membership aside."""
    found = survey(subject)
    yield from _closed(found, membership=False)
    for store in ("visibility",):
        if subject.roles and not found.parties.present(store):
            yield Unjudged("", f"{store} is not in the plan: its security groups are not known")


@FAMILY.rule(
    "membership",
    holds=(
        "Every Temporal task reaches every other on the membership port of its role: there is one "
        "ring for all roles, so a rule with `self` for each role's own group is not enough."
    ),
    symptom=topology.load().membership.closed_symptom,
    fix="Open the membership ports between all roles, each in both directions.",
    source=f"temporalio/temporal common/membership/ringpop/monitor.go; {_MEASURED}",
)
def membership(subject: Subject) -> Iterator[Said]:
    """Pairs of the ring that are closed."""
    yield from _closed(survey(subject), membership=True)


def _closed(found: Survey, *, membership: bool) -> Iterator[Said]:
    pairs = [
        (one, other, port, want)
        for one, other, port, want in found.needed()
        if (want.port_name == MEMBERSHIP) == membership
    ]
    names = {
        name
        for flow, want in found.wants.items()
        if want.needed and (want.port_name == MEMBERSHIP) == membership
        for name in flow[:2]
    }
    yield from found.unnamed(*names)
    yield from found.filters()
    said = [_judged(found, *pair) for pair in pairs]
    closed = [one for one in said if isinstance(one, Finding)]
    across = sum(1 for one, other, _, _ in pairs if one.name != other.name)
    alone = membership and across > 0 and len(closed) >= across
    for one in said:
        if alone and isinstance(one, Finding):
            # All of it is closed: the symptom is that of the ring, not that of one pair.
            yield Finding(one.resource, one.attribute, one.evidence, fix=one.fix)
        elif one is not None:
            yield one
    yield Seen(f"{len(pairs)} pairs")


def _judged(
    found: Survey, source: Party, target: Party, port: int, want: Want
) -> Finding | Unjudged | None:
    path = passage(found.walls, source, target, port)
    if path.open:
        return None
    if path.doubt:
        return Unjudged(_unsure(found, source, target), f"{_pair(source, target, port)}: {_DOUBT}")
    halves = [
        *([] if path.out else [f"no egress rule of {source.label} lets it out"]),
        *([] if path.into else [f"no ingress rule of {target.label} lets it in"]),
    ]
    lacking = target if path.out else source
    group = hcl.group_of(found.walls, lacking)
    evidence = f"{_pair(source, target, port)} ({want.port_name}): {' and '.join(halves)}"
    if beside := _only_self(found, source, target, port):
        evidence += f"; {beside} admits only the group that it belongs to"
    fix = hcl.missing_rules(found.walls, source, target, port, path)
    return Finding(
        group or lacking.wearer, "" if group else lacking.attribute, evidence, want.symptom, fix
    )


_DOUBT = "some rules of the security groups are not in the plan or not known"


def _unsure(found: Survey, *ends: Party) -> str:
    for end in ends:
        if foreign(found.walls, end):
            return end.wearer
    return found.walls.unknown[0] if found.walls.unknown else ends[0].wearer


def _only_self(found: Survey, source: Party, target: Party, port: int) -> str:
    """The target's rule that opens the port to its own group alone, where that is the mistake."""
    if source.name == target.name:
        return ""
    rules = [r for r in found.walls.of(target.groups, "ingress") if r.opens(port)]
    own = [rule for rule in rules if rule.kind == "group" and rule.peer == rule.group]
    return own[0].address if own and len(own) == len(rules) else ""


@FAMILY.rule(
    "leak",
    holds="Nobody reaches a port of a role, a store, a page or an endpoint without a use for it.",
    symptom=(
        "Nothing fails. Whoever takes over the one end has a way to the other: history and "
        "matching take every call that comes, and pages have a password at best."
    ),
    fix="Narrow the rule to the security groups of those who need the port.",
    source="topology.json: all pairs that were seen, measured with temporal-server 1.32.2",
    seeds=("S0-PR8", "S1-6.3*"),
)
def leak(subject: Subject) -> Iterator[Said]:
    """Pairs that are open without a use."""
    found = survey(subject)
    yield from found.unnamed()
    by_rule: dict[tuple[str, str], list[_PAIR]] = {}
    for pair, path in found.flows.items():
        if not found.allowed(*pair):
            rule = _responsible(path)
            by_rule.setdefault((rule.address, rule.attribute), []).append(pair)
    for (address, attribute), pairs in by_rule.items():
        yield Finding(address, attribute, f"open without a use: {_listed(pairs)}")
    yield Seen(f"{len(found.flows)} open paths")


def _responsible(path: Passage) -> Rule:
    """The rule that opens most of what it should not: by address before by group."""
    return min(path.into, key=lambda rule: (rule.kind == "group", rule.address))


@FAMILY.rule(
    "shared-group",
    holds=(
        "A security group that several parties wear does not stand in for rules between them: what "
        "passes by it passes for all of them."
    ),
    symptom=(
        "Nothing fails as long as everybody wears the group. It opens pairs that must be closed, "
        "and hides that rules between those who need each other are missing: the day it is taken "
        "off or narrowed, workflows hang with every health check green."
    ),
    fix=(
        "Give each party a group of its own with a rule for each pair that is needed, then take "
        "the shared group off the tasks; the instances keep it."
    ),
    source="VPC user guide, security groups: rules of all groups of an interface add up",
    seeds=("S0-PR8", "S1-6.3*"),
)
def shared_group(subject: Subject) -> Iterator[Said]:
    """Groups by which alone pairs pass that should not."""
    found = survey(subject)
    shared = 0
    for group, resource in found.walls.groups.items():
        wearers = [party for party in found.parties.known if group in party.groups]
        names = {party.name for party in wearers}
        if len(names) < 2 or all(name.startswith("endpoint ") for name in names):
            continue
        shared += 1
        kept = dict(found.open_in(without(found.walls, group)))
        only = [pair for pair in found.flows if pair not in kept]
        leaks = [pair for pair in only if not found.allowed(*pair)]
        if not leaks:
            continue
        hidden = [pair for pair in only if found.allowed(*pair)]
        labels = sorted({party.label for party in wearers})
        evidence = f"worn by {', '.join(labels)}; open by it alone and without a use: "
        evidence += _listed(leaks)
        if hidden:
            evidence += f"; needed, and open by it alone: {_to_each(hidden)}"
        yield Finding(resource.address, "", evidence)
    yield Seen(f"{shared} shared groups")


def _listed(pairs: list[_PAIR]) -> str:
    shown = ", ".join(_pair(*pair) for pair in pairs[:_SHOWN])
    more = len(pairs) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def _to_each(pairs: list[_PAIR]) -> str:
    """Pairs by their ends: what has to be opened once the way is closed, nothing left out."""
    ends: dict[str, list[str]] = {}
    for source, target, port in pairs:
        ends.setdefault(f"{target.label}:{port}", []).append(source.label)
    return ", ".join(f"{end} from {'/'.join(sorted(sources))}" for end, sources in ends.items())


def _pair(source: Party, target: Party, port: int) -> str:
    return f"{source.label} -> {target.label}:{port}"
