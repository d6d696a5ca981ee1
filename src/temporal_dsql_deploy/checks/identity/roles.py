"""Roles of a plan: their policies, who wears them, and what they may do."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from temporal_dsql_deploy.checks.identity.documents import (
    Answer,
    CannotRead,
    Context,
    Statement,
    decide,
    matches,
    parse,
)
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan import UNKNOWN, Plan, Resource, State

_ARN = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/")


@cache
def managed() -> Mapping[str, Any]:
    """managed.json: policies of AWS by name, and those that are far too much."""
    text = resources.files(__package__).joinpath("managed.json").read_text(encoding="utf-8")
    found: Mapping[str, Any] = json.loads(text)
    return found


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy that a role has."""

    resource: str
    """Address of the resource that says so."""
    attribute: str
    statements: tuple[Statement, ...] = ()
    unread: str = ""
    """Why its statements are not known; empty where they are."""
    managed: str = ""
    """Its name where AWS manages it."""


@dataclass(frozen=True, slots=True)
class Role:
    """One role of the plan."""

    resource: Resource
    policies: tuple[Policy, ...]
    boundary: Policy | None
    """What bounds it; None where nothing does."""

    @property
    def address(self) -> str:
        """Of its resource."""
        return self.resource.address

    @property
    def name(self) -> str:
        """Its name, or its address where that is not known."""
        name = self.resource["name"]
        return name if isinstance(name, str) else self.address

    @property
    def place(self) -> tuple[str, str]:
        """Resource and attribute in which a missing statement belongs."""
        own = [one for one in self.policies if not one.managed and not one.unread]
        return (own[0].resource, own[0].attribute) if own else (self.address, "")

    def statements(self) -> Iterator[tuple[Policy, Statement]]:
        """All statements that are known, with the policies that they are in."""
        for policy in self.policies:
            for statement in policy.statements:
                yield policy, statement

    def may(self, action: str, resource: str | None, known: Context) -> Answer:
        """What IAM says to an action of this role on a resource."""
        answer = decide((s for _, s in self.statements()), action, resource, known)
        if answer is Answer.NO and any(one.unread for one in self.policies):
            return Answer.MAYBE
        if answer in {Answer.NO, Answer.DENIED} or self.boundary is None:
            return answer
        if self.boundary.unread:
            return Answer.MAYBE
        bounded = decide(self.boundary.statements, action, resource, known)
        return answer if bounded is Answer.YES else bounded


@dataclass(frozen=True, slots=True)
class Roles:
    """All roles of a plan."""

    all: tuple[Role, ...]
    astray: tuple[str, ...]
    """Addresses of policies of which the plan does not tell the role."""

    def of(self, said: Any) -> Role | None:
        """The role that an attribute names by ARN or name; None where the plan has none such."""
        if not isinstance(said, str):
            return None
        for role in self.all:
            arn = role.resource["arn"]
            if said == arn or (not said.startswith("arn:") and said == role.resource["name"]):
                return role
            # Before it is made a role has a name and no ARN.
            if arn is UNKNOWN and _ARN.match(said) and said.endswith(f"/{role.name}"):
                return role
        return None


@once
def roles(subject: Subject) -> Roles:
    """The roles of a plan."""
    plan = subject.plan
    made = plan.of_type("aws_iam_role")
    found: dict[str, list[Policy]] = {role.address: [] for role in made}
    astray: list[str] = []
    customers = {
        one["arn"]: one for one in plan.of_type("aws_iam_policy") if isinstance(one["arn"], str)
    }
    bare = Roles(tuple(Role(one, (), None) for one in made), ())
    for holder, said, policy in _given(plan, customers):
        if not isinstance(said, str):
            astray.append(holder)
        elif (role := bare.of(said)) is not None:
            found[role.address].append(policy)
    for one in made:
        found[one.address] += _inside(one, customers)
    return Roles(
        tuple(Role(one, tuple(found[one.address]), _boundary(one, customers)) for one in made),
        tuple(sorted(set(astray))),
    )


def _given(
    plan: Plan | State, customers: Mapping[str, Resource]
) -> Iterator[tuple[str, Any, Policy]]:
    """Address, role and policy of each resource that gives a policy to a role."""
    for one in plan.of_type("aws_iam_role_policy"):
        yield one.address, one["role"], _read(one, "policy")
    for one in plan.of_type("aws_iam_role_policy_attachment"):
        yield one.address, one["role"], _attached(one, "policy_arn", one["policy_arn"], customers)
    for one in plan.of_type("aws_iam_policy_attachment"):
        users = one["roles"]
        for user in users if isinstance(users, list) else [users]:
            yield one.address, user, _attached(one, "policy_arn", one["policy_arn"], customers)
    for one in plan.of_type("aws_iam_role_policy_attachments_exclusive"):
        arns = one["policy_arns"]
        for arn in arns if isinstance(arns, list) else []:
            yield one.address, one["role_name"], _attached(one, "policy_arns", arn, customers)


def _inside(role: Resource, customers: Mapping[str, Resource]) -> Iterator[Policy]:
    """Policies that stand in the role's own resource."""
    inline = role["inline_policy"]
    for number, given in enumerate(inline if isinstance(inline, list) else []):
        # An empty block says that there is no inline policy.
        if isinstance(given, dict) and given.get("policy"):
            yield _read(role, f"inline_policy.{number}.policy")
    arns = role["managed_policy_arns"]
    for number, arn in enumerate(arns if isinstance(arns, list) else []):
        yield _attached(role, f"managed_policy_arns.{number}", arn, customers)


def _boundary(role: Resource, customers: Mapping[str, Resource]) -> Policy | None:
    arn = role["permissions_boundary"]
    if arn is None or arn == "":
        return None
    return _attached(role, "permissions_boundary", arn, customers)


def _read(resource: Resource, attribute: str) -> Policy:
    try:
        return Policy(resource.address, attribute, parse(resource[attribute]))
    except CannotRead as reason:
        return Policy(resource.address, attribute, unread=str(reason))


def _attached(
    resource: Resource, attribute: str, arn: Any, customers: Mapping[str, Resource]
) -> Policy:
    if not isinstance(arn, str):
        unread = "the policy that is attached is known only after the apply"
        return Policy(resource.address, attribute, unread=unread)
    if arn in customers:
        return _read(customers[arn], "policy")
    if ":iam::aws:policy/" not in arn:
        return Policy(resource.address, attribute, unread=f"{arn} is not in the plan")
    name = arn.rsplit("/", 1)[-1]
    known = managed()["policies"].get(name)
    if known is None and far_too_much(name):
        everything = Statement("Allow", actions=("*",), resources=("*",), name=name)
        return Policy(resource.address, attribute, (everything,), managed=name)
    if known is None:
        unread = f"what AWS's own policy {name} allows is not in the table of this check"
        return Policy(resource.address, attribute, unread=unread, managed=name)
    allow = Statement("Allow", actions=tuple(known["actions"]), resources=("*",), name=name)
    return Policy(resource.address, attribute, (allow,), managed=name)


def far_too_much(name: str) -> bool:
    """Whether a policy of AWS, by its name, allows a whole service or more."""
    return any(matches(pattern, name) for pattern in managed()["far_too_much"])
