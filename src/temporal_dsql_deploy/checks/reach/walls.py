"""Rules about the rules of security groups: no addresses, nothing without a use."""

from collections.abc import Iterator, Sequence

from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach.needs import HTTPS, ports_of
from temporal_dsql_deploy.checks.reach.network import texts
from temporal_dsql_deploy.checks.reach.outside import Outside
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.paths import admits
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.firewall import Direction, Rule
from temporal_dsql_deploy.plan.model import Plan

_VPC_GUIDE = "VPC user guide, security group rules"


@FAMILY.rule(
    "ingress-anywhere",
    holds="No security group lets in every address there is.",
    symptom=(
        "Nothing fails. The port is open to whoever gets an address in reach of it: one public "
        "address, one peering, and it is open to strangers."
    ),
    fix="Name the security group of the caller (referenced_security_group_id) for the CIDR.",
    source=_VPC_GUIDE,
    seeds=("S0-PR1", "S1-2.5*", "S1-6.3*"),
)
def ingress_anywhere(subject: Subject) -> Iterator[Said]:
    """Ingress from everywhere."""
    for rule in _ingress(subject):
        if rule.anywhere():
            yield _by_address(rule, "every address there is")
    yield Seen(f"{len(_ingress(subject))} ingress rules")


@FAMILY.rule(
    "ingress-by-group",
    holds="Ingress rules name security groups, never addresses, a load balancer's aside.",
    symptom=(
        "Nothing fails. Every task, instance and function that gets an address in the range is let "
        "in, whatever it is: isolation by role ends there."
    ),
    fix="Name the security group of the caller (referenced_security_group_id) for the CIDR.",
    source=_VPC_GUIDE,
    seeds=("S0-PR8", "S1-6.3*"),
    meaning="A load balancer is there for those outside the VPC, who have addresses only; a NAT "
    "instance for all addresses of its subnets.",
)
def ingress_by_group(subject: Subject) -> Iterator[Said]:
    """Ingress from addresses."""
    outer = {
        group
        for balancer in subject.plan.of_type("aws_lb")
        for group in texts(balancer["security_groups"]) or ()
    }
    outer |= _of_translators(subject)
    for rule in _ingress(subject):
        if rule.kind != "group" and not rule.anywhere() and rule.group not in outer:
            yield _by_address(rule, rule.peer)
    yield Seen(f"{len(_ingress(subject))} ingress rules")


def _of_translators(subject: Subject) -> set[str]:
    """Groups of NAT instances, which pass on what the addresses of whole subnets send."""
    worn = {"aws_instance": "vpc_security_group_ids", "aws_network_interface": "security_groups"}
    return {
        group
        for one in subject.plan.of_type(*worn)
        if one["source_dest_check"] is False
        for group in texts(one[worn[one.type]]) or ()
    }


def _ingress(subject: Subject) -> tuple[Rule, ...]:
    walls = subject.firewall
    found = tuple(rule for rule in walls.rules if rule.direction == "ingress")
    if not found:
        if walls.unknown:
            raise CannotJudge("what security groups let in is known only after apply")
        raise CannotJudge("the plan has no ingress rule")
    return found


def _by_address(rule: Rule, who: str) -> Finding:
    ports = _ports(rule)
    return Finding(rule.address, rule.attribute, f"{who} is let in on {ports}")


def _ports(rule: Rule) -> str:
    if rule.protocol == "-1":
        return "all ports of all protocols"
    first, last = rule.ports
    return f"{rule.protocol} {first}" if first == last else f"{rule.protocol} {first} to {last}"


@FAMILY.rule(
    "egress-limited",
    holds=(
        "Egress rules by address or prefix list are for what has no security group: 443 for AWS "
        "APIs without an endpoint and for public registries, 5432 for DSQL's public endpoint, 443 "
        "to a gateway whose API is called. What stands in the VPC is named by its group."
    ),
    symptom=(
        "Nothing fails. Whoever takes over the task can send data anywhere; and a path inside the "
        "VPC that hangs on a rule to every address closes on the day when that rule goes."
    ),
    fix="Take the rule away, or narrow it to one port and to a group or prefix list.",
    source=f"{_VPC_GUIDE}; ECS developer guide, vpc-endpoints; Aurora DSQL user guide, accessing",
    seeds=("S0-PR8", "S1-6.3*"),
)
def egress_limited(subject: Subject) -> Iterator[Said]:
    """Egress that names no group."""
    found = survey(subject)
    outside = Outside(found)
    looked = 0
    for rule in found.all_walls.rules:
        if rule.direction != "egress" or rule.kind == "group":
            continue
        wearers = [party for party in found.parties.known if rule.group in party.groups]
        if not wearers:
            continue
        looked += 1
        try:
            problem = outside.problem(rule, wearers)
        except CannotJudge as reason:
            yield Unjudged(rule.address, str(reason))
            continue
        if problem:
            yield Finding(rule.address, rule.attribute, *problem)
    yield Seen(f"{looked} egress rules by address or prefix list")


@FAMILY.rule(
    "useless",
    holds=(
        "A rule between the groups of two parties opens what the one needs of the other, no more, "
        "and the other end has its half."
    ),
    symptom=(
        "Nothing fails and nothing passes by it: the rule misleads whoever reads it, and becomes a "
        "leak with the first rule at the other end."
    ),
    fix="Take the rule away, or narrow it to the port that is needed.",
    source=f"{_VPC_GUIDE}: a connection passes where both ends let it",
    seeds=("S0-PR8", "S1-6.3*"),
)
def useless(subject: Subject) -> Iterator[Said]:
    """Rules between groups that open nothing of use, or more than that."""
    found = survey(subject)
    for rule in found.walls.rules:
        if rule.kind == "group" and (text := _idle(found, rule)):
            yield Finding(rule.address, rule.attribute, text)
    yield Seen(f"{len(found.walls.rules)} rules")


def _idle(found: Survey, rule: Rule) -> str:
    """Why a rule between groups is of no use, or of more than that; empty where it is right."""
    sources = _wearers(found, rule.peer if rule.direction == "ingress" else rule.group)
    targets = _wearers(found, rule.group if rule.direction == "ingress" else rule.peer)
    pairs = [(one, other) for one in sources for other in targets]
    if not pairs:
        return ""
    allowed = {port for pair in pairs for port in _allowed(found, *pair) if rule.opens(port)}
    ends = f"{_labels(sources)} -> {_labels(targets)}"
    if not allowed:
        return f"{ends} has no use on {_ports(rule)}"
    listened = {port for _, other in pairs for port in ports_of(other.name).values()}
    excess = sorted(port for port in listened - allowed if rule.opens(port))
    if rule.protocol == "-1" or excess:
        more = f", {', '.join(map(str, excess))} among them" if excess else ""
        return f"{ends} needs {sorted(allowed)} alone, and {_ports(rule)} is open{more}"
    if any(_answered(found, rule, pair, port) for pair in pairs for port in allowed):
        return ""
    if any(_is_needed(found, *pair, port) for pair in pairs for port in allowed):
        return ""  # What lacks is said by the rule about the pair.
    other = "ingress" if rule.direction == "egress" else "egress"
    return f"{ends}:{min(allowed)} has no {other} rule at the other end"


def _answered(found: Survey, rule: Rule, pair: tuple[Party, Party], port: int) -> bool:
    """Whether the other end lets the connection pass too, or could."""
    own, other = pair if rule.direction == "egress" else (pair[1], pair[0])
    way: Direction = "ingress" if rule.direction == "egress" else "egress"
    if any(group not in found.walls.groups for group in other.groups):
        return True
    if found.walls.unknown:
        return True  # It may be among those.
    theirs = found.walls.of(other.groups, way)
    return any(one.opens(port) and admits(one, own) is not False for one in theirs)


def _allowed(found: Survey, source: Party, target: Party) -> set[int]:
    return {p for p in ports_of(target.name).values() if found.allowed(source, target, p)}


def _is_needed(found: Survey, source: Party, target: Party, port: int) -> bool:
    want = found.wants.get((source.name, target.name, port))
    if want is not None:
        return want.needed
    api = target.name.removeprefix("endpoint ")
    return port == HTTPS and found.calls[source].get(api, False)


def _wearers(found: Survey, group: str) -> list[Party]:
    return [party for party in found.parties.known if group in party.groups]


def _labels(parties: Sequence[Party]) -> str:
    return "/".join(sorted({party.label for party in parties}))


@FAMILY.rule(
    "worn",
    holds="Every security group that has rules, or that a rule names, is worn by something.",
    symptom=(
        "What the group was made for wears another one, or is not there: its rules open nothing, "
        "and calls to it take another way or time out."
    ),
    fix="Give the group to what it is for, or take it and its rules away.",
    source=_VPC_GUIDE,
)
def worn(subject: Subject) -> Iterator[Said]:
    """Groups with rules that nothing wears."""
    found = survey(subject)
    wearing = {group for party in found.parties.known for group in party.groups}
    used: dict[str, list[str]] = {}
    for rule in found.walls.rules:
        for group in (rule.group, rule.peer):
            if group in found.walls.groups and group not in wearing:
                used.setdefault(group, []).append(rule.address)
    bare = set(used) - _named_elsewhere(subject, set(used)) if used else set()
    if bare and (found.parties.nameless or found.network.opaque_endpoints):
        yield from found.unnamed()
        yield from (
            Unjudged(address, "it may wear a group that nothing else wears")
            for address in found.network.opaque_endpoints
        )
        return
    for group in sorted(bare, key=lambda one: found.walls.groups[one].address):
        rules = used[group]
        resource = found.walls.groups[group]
        yield Finding(
            resource.address, "", f"{len(rules)} rules, such as {rules[0]}, and nothing wears it"
        )
    yield Seen(f"{len(found.walls.groups)} groups")


def _named_elsewhere(subject: Subject, groups: set[str]) -> set[str]:
    """Groups that a resource other than groups and rules names, or that an output hands out."""
    found: set[str] = set()
    values = [
        resource.values
        for resource in subject.plan.resources
        if "security_group" not in resource.type
    ]
    waiting: list[object] = [*values, *(output.value for output in subject.plan.outputs.values())]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple):
            waiting += value
        elif isinstance(value, str) and value in groups:
            found.add(value)
    return found


@FAMILY.rule(
    "twice",
    holds="No two resources make the same rule.",
    symptom=("The apply fails: `InvalidPermission.Duplicate: the specified rule already exists`."),
    fix="Take one of the two away.",
    source="EC2 API reference, AuthorizeSecurityGroupIngress and its error codes",
)
def twice(subject: Subject) -> Iterator[Said]:
    """Rules that AWS would refuse as duplicates."""
    first: dict[tuple[object, ...], str] = {}
    rules = subject.firewall.rules
    if not rules:
        raise CannotJudge("the plan has no rule whose group is known")
    for rule in rules:
        if rule.attribute:
            continue  # Blocks of a group are a set.
        key = (rule.direction, rule.group, rule.kind, rule.peer, rule.protocol, rule.ports)
        before = first.setdefault(key, rule.address)
        if before != rule.address:
            yield Finding(rule.address, "", f"{before} makes the same rule")
    if isinstance(subject.plan, Plan) and not subject.plan.complete:
        yield Unjudged("", "the plan is not complete")
    yield Seen(f"{len(rules)} rules")
