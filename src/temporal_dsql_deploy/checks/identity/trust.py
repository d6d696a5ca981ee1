"""Rules about who may wear a role."""

from collections.abc import Iterator, Mapping

from temporal_dsql_deploy.checks.identity.documents import (
    CannotRead,
    Context,
    Statement,
    holds,
    matches,
    parse,
)
from temporal_dsql_deploy.checks.identity.excess import allowed
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import Use, said, wearers, worn
from temporal_dsql_deploy.checks.identity.roles import Role, roles
from temporal_dsql_deploy.checks.identity.scopes import Wearer
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import UNKNOWN

_SERVICES = {
    "task": "ecs-tasks.amazonaws.com",
    "execution": "ecs-tasks.amazonaws.com",
    "instance": "ec2.amazonaws.com",
    "flow-log": "vpc-flow-logs.amazonaws.com",
    "backup": "backup.amazonaws.com",
}
_SOURCES = {
    "task": "arn:aws:ecs:{here}:task",
    "execution": "arn:aws:ecs:{here}:task",
    "flow-log": "arn:aws:ec2:{here}:vpc-flow-log/fl-0",
    "backup": "arn:aws:backup:{here}:backup-plan:0",
}
_ASSUME = "sts:AssumeRole"
_ASSUMING = {_ASSUME.lower(), "sts:tagsession", "sts:setsourceidentity"}
_ATTRIBUTE = "assume_role_policy"
_SYMPTOMS = {
    "task": "ECS starts no task: `ECS was unable to assume the role`.",
    "execution": "ECS starts no task: `ECS was unable to assume the role`.",
    "instance": "Instances start without credentials and never join the cluster.",
    "flow-log": "The flow log stays in `Access error` and records nothing.",
    "backup": "Backup jobs fail: AWS Backup cannot assume the role.",
}


@FAMILY.rule(
    "trust",
    holds="A role is trusted to the one service that hands it to its wearers, for this account, "
    "and to nobody else.",
    symptom="Somebody else than the component can act with its rights.",
    fix="Trust that service alone, on condition that aws:SourceAccount is this account.",
    source="Amazon ECS developer guide, task-iam-roles (confused deputy); IAM user guide, "
    "confused-deputy; Amazon VPC "
    "user guide, flow-logs-iam-role. Without the condition for EC2: no document says that EC2 "
    "passes it.",
    seeds=("S0-PR7",),
)
def trust(subject: Subject) -> Iterator[Said]:
    """Who may assume each role."""
    found = roles(subject).all
    if not found:
        raise CannotJudge("the plan has no IAM role")
    for role in found:
        try:
            statements = parse(role.resource[_ATTRIBUTE])
        except CannotRead as reason:
            yield Unjudged(role.address, str(reason))
            continue
        yield from _everybody(role, statements)
        kinds = {one.kind for one in worn(subject)[role.address]}
        services = {_SERVICES[kind] for kind in kinds}
        if not kinds:
            yield Unjudged(role.address, "nothing in the plan wears this role")
            continue
        for service in sorted(services):
            kind = next(one for one in _SERVICES if one in kinds and _SERVICES[one] == service)
            yield from _assumed(subject, role, statements, service, kind)
        yield from _others(role, statements, services)
        yield from _more(role, statements)
    yield Seen(f"{len(found)} roles")


def _say(role: Role, text: str, symptom: str = "", fix: str = "") -> Finding:
    return Finding(role.address, _ATTRIBUTE, f"{role.name} {text}", symptom, fix)


def _everybody(role: Role, statements: tuple[Statement, ...]) -> Iterator[Finding]:
    for one in statements:
        if one.allows and (one.not_principals or "*" in one.principals.get("AWS", ())):
            yield _say(role, f"may be assumed by everybody (statement {one.name})")


def _assumed(
    subject: Subject,
    role: Role,
    statements: tuple[Statement, ...],
    service: str,
    kind: str,
) -> Iterator[Said]:
    """Whether the service may assume the role, and nobody through it."""
    symptom, fix = _SYMPTOMS[kind], f"Let {service} assume it: {_ASSUME}."
    mine = [
        one
        for one in statements
        if service in one.principals.get("Service", ()) and one.about_action(_ASSUME)
    ]
    if any(not one.allows for one in mine):
        yield _say(role, f"denies {service}", symptom, fix)
        return
    if not mine:
        yield _say(role, f"does not trust {service}", symptom, fix)
        return
    if kind == "instance":
        return
    if subject.account is None or subject.region is None:
        yield Unjudged(role.address, "of which account the plan is, nothing says")
        return
    answers = [(one, holds(one.conditions, _context(subject, kind, own=True))) for one in mine]
    if all(answer is False for _, answer in answers):
        text = f"is trusted to {service} on a condition that is never true in this account"
        yield _say(role, text, symptom, f"Set aws:SourceAccount to {subject.account}.")
    for one, _ in answers:
        if holds(one.conditions, _context(subject, kind, own=False)) is not False:
            yield _say(
                role,
                f"is trusted to {service} whoever asks it (statement {one.name}): neither "
                "aws:SourceAccount nor aws:SourceArn binds it to this account",
                "Somebody in another account may talk the service into using this role.",
            )


def _context(subject: Subject, kind: str, *, own: bool) -> Context:
    """What the service tells IAM when it acts for this account, or for a stranger's."""
    account = str(subject.account) if own else "000000000000"
    here = f"{subject.region}:{account}"
    return {
        "aws:sourceaccount": account,
        "aws:sourcearn": _SOURCES[kind].format(here=here),
        "aws:sourceowner": account,
    }


def _more(role: Role, statements: tuple[Statement, ...]) -> Iterator[Finding]:
    for one in statements:
        for action in one.actions if one.allows else ():
            if action.lower() not in _ASSUMING:
                text = f"lets those whom it trusts {action} (statement {one.name})"
                yield _say(role, text, fix=f"Name {_ASSUME} in place of {action}.")
        if one.allows and one.not_actions:
            text = f"lets those whom it trusts do all but {', '.join(one.not_actions)}"
            yield _say(role, text, fix=f"Name {_ASSUME}.")


def _others(role: Role, statements: tuple[Statement, ...], services: set[str]) -> Iterator[Finding]:
    for one in statements:
        for kind, names in one.principals.items():
            for name in names:
                wanted = kind == "Service" and name in services
                if one.allows and not wanted and name != "*":
                    text = f"is trusted to {name} too (statement {one.name})"
                    fix = f"Take {name} out of the trust policy."
                    yield _say(role, text, fix=fix)


@FAMILY.rule(
    "shared-role",
    holds="Components that do different things wear different roles, and no task wears a role of "
    "instances.",
    symptom="Whoever takes over the lesser component acts with the rights of the greater one.",
    fix="Give each component a role of its own.",
    source="Amazon ECS developer guide, security-iam-roles: one role for each task, and not the "
    "instance's; IAM user "
    "guide, best-practices: grant least privilege",
    seeds=("S0-PR7", "S0-I1"),
)
def shared_role(subject: Subject) -> Iterator[Said]:
    """Roles that several kinds of wearers share."""
    found = roles(subject).all
    if not wearers(subject):
        raise CannotJudge("the plan has no task, instance profile or service that wears a role")
    for wearer in wearers(subject):
        name = said(subject, wearer)
        if name is UNKNOWN:
            yield Unjudged(wearer.resource.address, "its role is known only after the apply")
    for role in found:
        them = worn(subject)[role.address]
        yield from _across_kinds(role, them)
        yield from _across_tasks(subject, role, [one for one in them if one.kind == "task"])
    yield Seen(f"{len(found)} roles of {len(wearers(subject))} wearers")


def _across_kinds(role: Role, them: tuple[Wearer, ...]) -> Iterator[Finding]:
    first: dict[str, Wearer] = {}
    for one in them:
        first.setdefault(one.kind, one)
    if len(first) > 1:
        who = " and ".join(f"{kind} role of {one.label}" for kind, one in first.items())
        last = list(first.values())[-1]
        yield Finding(last.resource.address, last.attribute, f"{role.name} is {who}")


def _across_tasks(subject: Subject, role: Role, them: list[Wearer]) -> Iterator[Finding]:
    parties = {one.party: one for one in them if one.party}
    may: Mapping[str, Mapping[str, list[Use]]] = {
        party: allowed(subject, [one for one in them if one.party == party]) for party in parties
    }
    granted = {action for _, one in role.statements() if one.allows for action in one.actions}
    for party, wearer in parties.items():
        # What the role allows because of another wearer, and this one never does.
        extra = sorted(
            action
            for action in granted
            if not _within(action, may[party]) and any(_within(action, may[o]) for o in parties)
        )
        if extra:
            others = ", ".join(one for one in parties if one != party)
            yield Finding(
                wearer.resource.address,
                wearer.attribute,
                f"{wearer.label} shares {role.name} with {others}, and may {', '.join(extra)}",
            )


def _within(action: str, may: Mapping[str, list[Use]]) -> bool:
    return any(matches(action.lower(), one) for one in may)
