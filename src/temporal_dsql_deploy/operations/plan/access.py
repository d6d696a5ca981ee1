"""What an apply opens and closes: network paths and permissions."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations.plan.names import groups, now
from temporal_dsql_deploy.operations.plan.result import Permission, Rule
from temporal_dsql_deploy.plan import UNKNOWN, Action, Change, Plan, Sensitive

_INGRESS = "aws_vpc_security_group_ingress_rule"
_EGRESS = "aws_vpc_security_group_egress_rule"
RULES = (_INGRESS, _EGRESS, "aws_security_group_rule")
POLICIES = {"aws_iam_role_policy": "policy", "aws_iam_policy": "policy"}
ROLES = {"aws_iam_role": "assume_role_policy"}
_ATTACHED = "aws_iam_role_policy_attachment"
_LATER = "known after apply"


def rules(plan: Plan, project: str) -> list[Rule]:
    """Paths that are opened or closed, both of its rules as one, closed ones first."""
    parties = groups(plan, project)
    found: dict[tuple[bool, str, str, str], list[tuple[str, str]]] = {}
    for change in plan.changing():
        if change.type in RULES and change.action != Action.FORGET:
            direction = "ingress" if _is_ingress(change) else "egress"
            sides = ((False, change.before), (True, change.after))
            paths = [(opened, *_path(side, change, parties)) for opened, side in sides if side]
            # What is only described or tagged otherwise is neither opened nor closed.
            if len(paths) == 2 and paths[0][1:] == paths[1][1:]:
                continue
            for path in paths:
                found.setdefault(path, []).append((direction, change.address))
    return [
        Rule(
            source,
            target,
            ports,
            opened=opened,
            directions=sorted({direction for direction, _ in changed}),
            addresses=[address for _, address in changed],
        )
        for (opened, source, target, ports), changed in sorted(found.items())
    ]


def _is_ingress(change: Change) -> bool:
    side = change.after or change.before or {}
    return change.type == _INGRESS or side.get("type") == "ingress"


def _path(
    rule: Mapping[str, Any], change: Change, parties: Mapping[str, str]
) -> tuple[str, str, str]:
    """Who calls, who is called, and the ports, of one security group rule."""
    own = rule.get("security_group_id")
    others = ("referenced_security_group_id", "source_security_group_id")
    other = next((rule[name] for name in others if rule.get(name) is not None), None)
    names = [_party(own, parties), _party(other, parties)]
    if other is None:
        ranges = ("cidr_ipv4", "cidr_ipv6", "cidr_blocks", "prefix_list_id")
        given = [str(rule[name]) for name in ranges if rule.get(name) is not None]
        names[1] = ", ".join(given) or "the same group"
    source, target = reversed(names) if _is_ingress(change) else names
    if UNKNOWN in (own, other):
        source, target = _from_name(change, source, target)
    return source, target, _ports(rule)


def _party(identity: object, parties: Mapping[str, str]) -> str:
    return parties.get(identity, identity) if isinstance(identity, str) else _LATER


def _from_name(change: Change, source: str, target: str) -> tuple[str, str]:
    """The parties by the key of the rule, `history-to-matching-grpc`, where ids are not known."""
    caller, between, called = str(change.index or "").partition("-to-")
    if not between:
        return source, target
    house = topology.load()
    everybody = (house.roles, house.components, house.externals)
    names = {port for some in everybody for one in some.values() for port in one.ports}
    head, _, tail = called.rpartition("-")
    return caller, head if tail in {*names, "metrics", "otlp"} and head else called


def _ports(rule: Mapping[str, Any]) -> str:
    first, last = rule.get("from_port"), rule.get("to_port")
    protocol = rule.get("ip_protocol", rule.get("protocol"))
    if protocol == "-1" or first is None:
        return "all"
    kind = "" if protocol == "tcp" else f"/{protocol}"
    return f"{first}{kind}" if first == last else f"{first}-{last}{kind}"


def permissions(plan: Plan) -> list[Permission]:
    """What roles that exist may do afterwards and not before, and the other way round."""
    # A role that comes or goes as a whole is told as what it is.
    roles = [change for change in plan.changing() if change.type in ROLES]
    whole = {one.address: now(one).get("name") for one in roles if None in (one.before, one.after)}
    names = list(whole.values())
    found: list[Permission] = []
    for change in plan.changing():
        attribute = (POLICIES | ROLES).get(change.type)
        role = now(change).get("role")
        new_and_unknown = change.before is None and role is UNKNOWN
        if (
            change.action == Action.FORGET
            or change.address in whole
            or new_and_unknown
            or (role is not None and role in names)
        ):
            continue
        if attribute:
            found += _policy(change, attribute)
        elif change.type == _ATTACHED:
            found += _attachment(change)
    return found


def _policy(change: Change, attribute: str) -> Iterator[Permission]:
    before, after = ((side or {}).get(attribute) for side in (change.before, change.after))
    if after is UNKNOWN:
        yield Permission(change.address, added=True, action=_LATER, resource=_LATER)
        return
    if isinstance(before, Sensitive) or isinstance(after, Sensitive):
        if before != after:
            added, hidden = after is not None, "(sensitive)"
            yield Permission(change.address, added=added, action=hidden, resource=hidden)
        return
    try:
        was, will = set(grants(before)), set(grants(after))
    except (TypeError, AttributeError, ValueError, RecursionError):
        # Not what IAM takes: AWS will say so, and here it is opaque.
        if before != after:
            added = after is not None
            yield Permission(
                change.address, added=added, action="unreadable", resource="unreadable"
            )
        return
    for added, pairs in ((True, will - was), (False, was - will)):
        for action, resource in sorted(pairs):
            yield Permission(change.address, added=added, action=action, resource=resource)


def _attachment(change: Change) -> Iterator[Permission]:
    for added, side in ((False, change.before), (True, change.after)):
        if side is not None:
            policy = str(side.get("policy_arn"))
            yield Permission(change.address, added=added, action="the policy", resource=policy)


def grants(policy: object) -> Iterator[tuple[str, str]]:
    """What a policy allows: action and resource, or principal of a trust, with its conditions.

    Raises ValueError, TypeError or AttributeError for what is no policy.
    """
    if not isinstance(policy, str) or not policy:
        return
    for statement in _list(json.loads(policy).get("Statement")):
        effect = "" if statement.get("Effect") == "Allow" else "not: "
        actions = _list(statement.get("Action", f"all but {statement.get('NotAction')}"))
        principal = statement.get("Principal")
        targets = (
            [json.dumps(principal, sort_keys=True)]
            if principal
            else _list(statement.get("Resource", f"all but {statement.get('NotResource')}"))
        )
        condition = statement.get("Condition")
        suffix = f" if {json.dumps(condition, sort_keys=True)}" if condition else ""
        for action in actions:
            for target in targets:
                yield f"{effect}{action}", f"{target}{suffix}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
