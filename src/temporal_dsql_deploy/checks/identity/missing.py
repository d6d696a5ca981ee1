"""What roles must allow: every action that their wearers take."""

import json
import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.identity.documents import Answer, Context
from temporal_dsql_deploy.checks.identity.domains import domain_lets_in
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import (
    PROFILE,
    Use,
    context,
    role_of,
    said,
    uses,
    wearers,
)
from temporal_dsql_deploy.checks.identity.roles import Role, roles
from temporal_dsql_deploy.checks.identity.scopes import Wearer, shown
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/.+|[\w+=,.@-]+")
"""An ARN of a role, or the name of one (IAM API, CreateRole)."""


def statement(action: str, resource: str) -> str:
    """A statement that would allow it, as a policy has it."""
    return json.dumps({"Effect": "Allow", "Action": [action], "Resource": [resource]})


@FAMILY.rule(
    "missing",
    holds="Each role allows what the component that wears it does, on the resources that it uses.",
    symptom="An AWS API answers AccessDenied to the component.",
    fix="Add the statement to the policy of the role.",
    source="needs.json of this family, each entry with its own source: the DSQL plugin, "
    "temporalio/temporal, "
    "Amazon ECS developer guide (task_execution_IAM_role, ecs-exec, instance_IAM_role)",
    seeds=("S0-PR7", "S0-I1"),
)
def missing(subject: Subject) -> Iterator[Said]:
    """What components need and their roles do not allow."""
    them = wearers(subject)
    if not them:
        raise CannotJudge("the plan has no task, instance profile or service that wears a role")
    yield from _astray(subject)
    told: set[tuple[str, str, str]] = set()
    doubts: set[Unjudged] = set()
    count = 0
    for wearer in them:
        needed = [one for one in uses(subject, wearer) if one.need.needed]
        if wearer.task is not None and wearer.task.containers is None:
            yield Unjudged(wearer.resource.address, "what its containers are is not known")
        role = role_of(subject, wearer)
        if role is None:
            yield from _without_role(subject, wearer, needed)
            continue
        count += sum(len(one.need.needed) for one in needed)
        known_here = context(subject, wearer, role)
        for use in needed:
            lacking = _lacking(subject, role, use, known_here, told)
            yield from (one for one in lacking if not _repeated(one, doubts))
    yield Seen(f"{count:,} rights of {len(them)} wearers")


def _repeated(one: Said, doubts: set[Unjudged]) -> bool:
    """Whether the same doubt was told before."""
    if not isinstance(one, Unjudged):
        return False
    before = one in doubts
    doubts.add(one)
    return before


def _astray(subject: Subject) -> Iterator[Unjudged]:
    for address in roles(subject).astray:
        yield Unjudged(address, "which role it gives the policy to is known only after the apply")


def _without_role(subject: Subject, wearer: Wearer, needed: list[Use]) -> Iterator[Said]:
    name = said(subject, wearer)
    if name is None or name == "":
        if not needed:
            return
        actions = sorted({action for use in needed for action in use.need.needed})
        yield Finding(
            wearer.resource.address,
            wearer.attribute,
            f"{wearer.label} has no {wearer.kind} role, and needs {', '.join(actions)}",
            needed[0].need.symptom,
            f"Give it a role that allows: {', '.join(actions)}.",
        )
    elif isinstance(name, str) and not _ROLE.fullmatch(name):
        text = f"{wearer.label} has {name} for its {wearer.kind} role, and that names no role"
        yield Finding(wearer.resource.address, wearer.attribute, text)
    elif isinstance(name, str):
        if needed:
            yield Unjudged(wearer.resource.address, f"the role {name} is not in the plan")
    elif name is PROFILE:
        yield Unjudged(wearer.resource.address, "its instance profile is not in the plan")
    else:
        yield Unjudged(wearer.resource.address, "its role is known only after the apply")


def _lacking(
    subject: Subject, role: Role, use: Use, known_here: Context, told: set[tuple[str, str, str]]
) -> Iterator[Said]:
    probes: tuple[str | None, ...] = (None,) if use.scope.arns is None else use.scope.arns
    for action in use.need.needed:
        for probe in probes:
            key = (role.address, action, probe or "")
            if key in told:
                continue
            told.add(key)
            answer = role.may(action, probe, known_here)
            if answer is Answer.MAYBE or (answer is Answer.NO and roles(subject).astray):
                yield Unjudged(role.address, _doubt(role, action))
            elif answer is Answer.NO and _let_in(subject, role, action, probe):
                continue
            elif answer is not Answer.YES:
                yield _lack(role, use, action, probe, answer)


def _doubt(role: Role, action: str) -> str:
    unread = [one.unread for one in role.policies if one.unread]
    if unread:
        return f"whether it allows all that is needed: {unread[0]}"
    if role.boundary is not None and role.boundary.unread:
        return f"what bounds it is not known: {role.boundary.unread}"
    return f"whether it allows {action} hangs on something that a plan does not decide"


def _let_in(subject: Subject, role: Role, action: str, probe: str | None) -> bool:
    """Whether the policy of the resource itself lets a role in.

    Within one account either is enough (OpenSearch Service developer guide, ac).
    """
    return (
        action.startswith("es:")
        and probe is not None
        and domain_lets_in(subject, role, action, probe)
    )


def _lack(role: Role, use: Use, action: str, probe: str | None, answer: Answer) -> Finding:
    resource, attribute = role.place
    where = "" if probe in {None, "*"} else f" on {shown(probe)}"
    verb = "denies" if answer is Answer.DENIED else "does not allow"
    return Finding(
        resource,
        attribute,
        f"{role.name} {verb} {action}{where}, which {use.wearer.label} needs: {use.need.why}",
        use.need.symptom,
        f"Add to the policy of {role.name}: {statement(action, shown(probe))}",
    )
