"""What each component needs of its role: needs.json over the plan."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from temporal_dsql_deploy.checks.identity import starting, stores
from temporal_dsql_deploy.checks.identity.documents import Context
from temporal_dsql_deploy.checks.identity.roles import Role, roles
from temporal_dsql_deploy.checks.identity.scopes import Scope, Wearer, known
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan import UNKNOWN

PROFILE = object()
"""In place of a role: an instance profile that is not in the plan, or not known."""
_PROFILE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:instance-profile/.+|[\w+=,.@-]+")
SCOPES = {**stores.SCOPES, **starting.SCOPES}
"""What finds the resources of each name that needs.json may use."""


@dataclass(frozen=True, slots=True)
class Need:
    """One entry of needs.json."""

    name: str
    wearer: str
    """Kind of the role's wearer: task, execution, instance, flow-log or backup."""
    parties: tuple[str, ...]
    on: str
    """Name of the scope."""
    needed: tuple[str, ...]
    allowed: tuple[str, ...]
    """May be granted beside what is needed."""
    why: str
    symptom: str
    source: str


@dataclass(frozen=True, slots=True)
class Table:
    """needs.json."""

    needs: tuple[Need, ...]
    without_resource: frozenset[str]
    """Actions that know no resource, in lower case."""
    patterns: frozenset[str]
    """Patterns of actions that hold nothing but what a need names, in lower case."""


@dataclass(frozen=True, slots=True)
class Use:
    """One need of one wearer, and what it is about in the plan."""

    wearer: Wearer
    need: Need
    scope: Scope


@cache
def table() -> Table:
    """What needs.json says."""
    text = resources.files(__package__).joinpath("needs.json").read_text(encoding="utf-8")
    given = json.loads(text)
    return Table(
        needs=tuple(_need(one) for one in given["needs"]),
        without_resource=frozenset(one.lower() for one in given["without_resource"]["actions"]),
        patterns=frozenset(one.lower() for one in given["families_of_actions"]["patterns"]),
    )


def _need(given: Mapping[str, object]) -> Need:
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return Need(**values)  # type: ignore[arg-type]


def uses(subject: Subject, wearer: Wearer) -> tuple[Use, ...]:
    """Every need of needs.json that a wearer has in this plan."""
    found = _found(subject)
    key = (wearer.kind, wearer.resource.address, wearer.label)
    if key not in found:
        found[key] = tuple(_uses(subject, wearer))
    return found[key]


@once
def _found(_subject: Subject) -> dict[tuple[str, str, str], tuple[Use, ...]]:
    return {}


def _uses(subject: Subject, wearer: Wearer) -> Iterator[Use]:
    for need in table().needs:
        mine = need.wearer == wearer.kind and {"*", wearer.party} & set(need.parties)
        found = SCOPES[need.on](subject, wearer) if mine else None
        if found is not None and found.used:
            yield Use(wearer, need, found)


@once
def wearers(subject: Subject) -> tuple[Wearer, ...]:
    """Everybody in the plan who uses a role."""
    return tuple(_wearers(subject))


def _wearers(subject: Subject) -> Iterator[Wearer]:
    seen = set()
    for task in subject.tasks:
        one = task.definition
        if (one.address, task.name) in seen:
            continue
        seen.add((one.address, task.name))
        yield Wearer("task", task.party, task.name, one, "task_role_arn", task)
        yield Wearer("execution", task.party, task.name, one, "execution_role_arn", task)
    for template in subject.plan.of_type("aws_launch_template"):
        yield Wearer("instance", "", "instances", template, "iam_instance_profile")
    for one in subject.plan.of_type("aws_flow_log"):
        if one["iam_role_arn"] is not None:
            yield Wearer("flow-log", "", "flow logs", one, "iam_role_arn")
    for one in subject.plan.of_type("aws_backup_selection"):
        yield Wearer("backup", "", "backups", one, "iam_role_arn")


def said(subject: Subject, wearer: Wearer) -> object:
    """What names the role of a wearer: ARN or name, None, UNKNOWN or PROFILE."""
    if wearer.kind != "instance":
        return wearer.resource[wearer.attribute]
    given = [wearer.resource[f"iam_instance_profile.0.{key}"] for key in ("arn", "name")]
    names = {name for name in given if isinstance(name, str) and name}
    for one in subject.plan.of_type("aws_iam_instance_profile"):
        if {known(one, "arn"), known(one, "name")} & names:
            return one["role"]
    if strange := [name for name in names if not _PROFILE.fullmatch(name)]:
        return strange[0]
    return PROFILE if names or UNKNOWN in given else None


def role_of(subject: Subject, wearer: Wearer) -> Role | None:
    """The role of a wearer; None where it is not in the plan."""
    return roles(subject).of(said(subject, wearer))


def context(subject: Subject, wearer: Wearer, role: Role | None) -> Context:
    """What is known of a request that a wearer makes with its role."""
    service = wearer.task.service if wearer.task else None
    told = {
        "aws:principalaccount": subject.account,
        "aws:resourceaccount": subject.account,
        "aws:requestedregion": subject.region,
        "aws:securetransport": "true",
        "aws:principalarn": known(role.resource, "arn") if role else None,
        "ecs:cluster": known(service, "cluster") if service else _one_cluster(subject),
    }
    return {key: value for key, value in told.items() if value is not None}


def _one_cluster(subject: Subject) -> str | None:
    """The cluster of all services, where a task that none has is started too."""
    found = {known(one, "cluster") for one in subject.plan.of_type("aws_ecs_service")}
    return found.pop() if len(found) == 1 else None


@once
def worn(subject: Subject) -> Mapping[str, tuple[Wearer, ...]]:
    """Wearers of each role of the plan, by its address."""
    found: dict[str, list[Wearer]] = {role.address: [] for role in roles(subject).all}
    for wearer in wearers(subject):
        role = role_of(subject, wearer)
        if role is not None:
            found[role.address].append(wearer)
    return {address: tuple(them) for address, them in found.items()}
