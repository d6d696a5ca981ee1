"""What roles must not allow: what nobody who wears them needs."""

import re
from collections.abc import Iterable, Iterator, Mapping

from temporal_dsql_deploy.checks.identity.documents import Statement, matches, whole_service
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import Use, table, uses, worn
from temporal_dsql_deploy.checks.identity.roles import Policy, Role, far_too_much, managed, roles
from temporal_dsql_deploy.checks.identity.scopes import Wearer, shown
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Container

_STRANGER = "somebody-elses"
_NAMED = re.compile(r"(arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:log-group:|secret:|[a-z-]+/)?/?)(.*)")
_BUCKET = re.compile(r"(arn:[^:]*:s3:::)(.*)")


@FAMILY.rule(
    "excess",
    holds="No role allows an action that nothing which wears it needs.",
    symptom="Whoever takes over a container may do more than the container ever does.",
    fix="Take the action out of the policy.",
    source="IAM user guide, best-practices: grant least privilege; needs.json of this family: what "
    "each component does",
    seeds=("S0-PR7",),
    meaning="What counts is what a component does, by the allow-list of this family: the names of "
    "roles and the number "
    "of their policies are free. A policy that AWS manages is taken whole where AWS documents it "
    "for that kind of role.",
)
def excess(subject: Subject) -> Iterator[Said]:
    """What roles allow and nobody needs."""
    count = 0
    for role in _any_roles(subject):
        them = worn(subject)[role.address]
        if reason := _strange(them):
            yield Unjudged(role.address, reason)
            continue
        for policy in role.policies:
            if policy.unread:
                yield Unjudged(policy.resource, f"{policy.unread} ({policy.attribute})")
        named = allowed(subject, them)
        for policy, one in role.statements():
            if not one.allows or _of_its_kind(policy, them):
                continue
            count += len(one.actions)
            yield from _too_much(role, policy, one, named, them)
    yield Seen(f"{count:,} actions of {len(roles(subject).all)} roles")


def _any_roles(subject: Subject) -> tuple[Role, ...]:
    found = roles(subject).all
    if not found:
        raise CannotJudge("the plan has no IAM role")
    return found


def _strange(them: tuple[Wearer, ...]) -> str:
    """Why it cannot be said what the wearers of a role need; empty where it can."""
    if not them:
        return "nothing in the plan wears this role"
    for one in them:
        if one.task is not None and (one.task.containers is None):
            return f"the containers of {one.label}, which wears this role, are not known"
        if one.kind == "task" and one.task and any(map(_routes, one.task.containers or ())):
            return f"where the log router of {one.label}, which wears this role, writes is its own"
        if one.kind == "task" and not one.party:
            return f"what {one.label}, which wears this role, does is not known to this tool"
    return ""


def _routes(container: Container) -> bool:
    return bool(container.definition.get("firelensConfiguration"))


def allowed(subject: Subject, them: Iterable[Wearer]) -> Mapping[str, list[Use]]:
    """The uses in which each action may be granted to these wearers, by action in lower case."""
    found: dict[str, list[Use]] = {}
    for wearer in them:
        for use in uses(subject, wearer):
            for action in (*use.need.needed, *use.need.allowed):
                found.setdefault(action.lower(), []).append(use)
    return found


def _of_its_kind(policy: Policy, them: tuple[Wearer, ...]) -> bool:
    """Whether AWS documents its own policy for everybody who wears the role."""
    known_policy = managed()["policies"].get(policy.managed)
    return known_policy is not None and all(one.kind in known_policy["for"] for one in them)


def _too_much(
    role: Role,
    policy: Policy,
    one: Statement,
    named: Mapping[str, list[Use]],
    them: tuple[Wearer, ...],
) -> Iterator[Finding]:
    who = ", ".join(dict.fromkeys(wearer.label for wearer in them))
    for action in one.actions:
        if whole_service(action) or _named(action, named):
            continue
        yield Finding(
            policy.resource,
            policy.attribute,
            f"{role.name} allows {action} (statement {one.name}), which nothing that wears it "
            f"needs: {who}",
            fix=f"Take {action} out of statement {one.name}.",
        )


def _named(action: str, named: Mapping[str, list[Use]]) -> bool:
    """Whether an action, or every action that a pattern is known to hold, is in an allow-list."""
    low = action.lower()
    if "*" not in low and "?" not in low:
        return low in named
    return low in table().patterns and any(matches(low, one) for one in named)


@FAMILY.rule(
    "wildcard-action",
    holds="No role allows all actions, or all actions of a service.",
    symptom="Whoever takes over a container owns the service or the account, deletion of the "
    "database included.",
    fix="Name the actions that are needed.",
    source="IAM user guide, best-practices: grant least privilege",
    seeds=("S0-PR7",),
)
def wildcard_action(subject: Subject) -> Iterator[Said]:
    """Statements that allow a whole service, or everything but something."""
    for role in _any_roles(subject):
        for policy, one in role.statements():
            if not one.allows:
                continue
            if policy.managed and far_too_much(policy.managed):
                text = f"{role.name} has AWS's own policy {policy.managed}"
                yield Finding(policy.resource, policy.attribute, text)
                continue
            for action in filter(whole_service, one.actions):
                text = f"{role.name} allows {action} (statement {one.name})"
                yield Finding(policy.resource, policy.attribute, text)
            if one.not_actions:
                text = f"{role.name} allows everything but {', '.join(one.not_actions)}"
                yield Finding(policy.resource, policy.attribute, f"{text} (statement {one.name})")
    yield Seen(f"{len(roles(subject).all)} roles")


@FAMILY.rule(
    "resource-scope",
    holds="A role may act on the resources that its wearers use, and on no others where IAM can "
    "tell them apart.",
    symptom="A component may read or change what belongs to other systems in the account.",
    fix="Name the resource in the place of the wildcard.",
    source="service authorisation reference: resource types of each action; IAM user guide, "
    "best-practices",
    seeds=("S0-PR7",),
    meaning="`*` is right where an action knows no resource. A policy that AWS manages is not "
    "judged by its resources: "
    "nobody can narrow it.",
)
def resource_scope(subject: Subject) -> Iterator[Said]:
    """Statements that speak of more than the wearers of the role use."""
    count = 0
    for role in _any_roles(subject):
        them = worn(subject)[role.address]
        if _strange(them):
            continue  # identity-excess says why
        named = allowed(subject, them)
        for policy, one in role.statements():
            if one.allows and not policy.managed:
                count += len(one.resources)
                yield from _too_wide(subject, role, policy, one, named)
    yield Seen(f"{count:,} resources of {len(roles(subject).all)} roles")


def _too_wide(
    subject: Subject,
    role: Role,
    policy: Policy,
    one: Statement,
    named: Mapping[str, list[Use]],
) -> Iterator[Finding]:
    if one.not_resources:
        text = f"{role.name} may act on everything but {', '.join(one.not_resources)}"
        yield Finding(policy.resource, policy.attribute, f"{text} (statement {one.name})")
    for resource in one.resources:
        for action in one.actions:
            mine = [
                use for low, them in named.items() if matches(action.lower(), low) for use in them
            ]
            if not mine or action.lower() in table().without_resource:
                continue
            if any(
                key.lower() == "ecs:cluster" for keys in one.conditions.values() for key in keys
            ):
                continue
            reason = _width(subject, resource, mine)
            if reason:
                yield Finding(
                    policy.resource,
                    policy.attribute,
                    f"{role.name} may {action} on {resource} (statement {one.name}): {reason}",
                )
                break


def _width(subject: Subject, resource: str, mine: list[Use]) -> str:
    """What is wrong with a resource; empty where it is one that is used, or one like it."""
    arns = {arn for use in mine for arn in use.scope.arns or ()} - {"*"}
    if resource.strip("*") == "" or re.fullmatch(r"arn:[^:]*:[^:]*:[^:]*:[^:]*:[*]+", resource):
        return f"used is {_listed(arns)}" if arns else "that is everybody's"
    for arn in arns:
        stranger = _stranger(arn, subject.project)
        if matches(resource, stranger):
            return f"that is {shown(stranger)} too, and used is {_listed(arns)}"
    unknown = any(use.scope.arns is None for use in mine)
    if arns and not unknown and not any(_meets(resource, arn) for arn in arns):
        return f"nothing that wears it uses that; used is {_listed(arns)}"
    return ""


def _listed(arns: Iterable[str]) -> str:
    found = sorted(map(shown, arns))
    return ", ".join(found[:2]) + (f" and {len(found) - 2} more" if len(found) > 2 else "")


def _meets(pattern: str, arn: str) -> bool:
    """Whether a pattern and a used resource, itself perhaps a pattern, have something in common.

    The resource of a log group is written without its streams too.
    """
    group = arn.partition(":log-stream:")[0]
    return matches(pattern, arn) or matches(pattern, group) or matches(arn, pattern)


def _stranger(arn: str, project: str) -> str:
    """An ARN of the same kind that is not of this cluster: of another project, or name."""
    found = _BUCKET.fullmatch(arn) or _NAMED.fullmatch(arn)
    if found is None:
        return arn
    name, colon, stream = found[2].partition(":")
    parts = name.split("/")
    at = next((i for i, part in enumerate(parts) if project and project in part), 0)
    parts[at] = _STRANGER
    return f"{found[1]}{'/'.join(parts)}{colon}{stream}"
