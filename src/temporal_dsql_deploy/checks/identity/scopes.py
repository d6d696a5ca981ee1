"""What a component acts on, as rules ask for it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Container, Resource
from temporal_dsql_deploy.plan.tasks import Task


@dataclass(frozen=True, slots=True)
class Scope:
    """Whether a component acts on such things, and on which."""

    used: bool
    arns: tuple[str, ...] | None = ()
    """None where the plan does not tell which; `*` alone where the action knows no resource."""


NOTHING = Scope(used=False)
ANYTHING = Scope(used=True, arns=("*",))


@dataclass(frozen=True, slots=True)
class Wearer:
    """Who uses a role."""

    kind: str
    """`task`, `execution`, `instance`, `flow-log` or `backup`."""
    party: str
    """As topology.json has it; empty for what is not in there and for what is no task."""
    label: str
    """What a reader calls it."""
    resource: Resource
    """What names the role."""
    attribute: str
    task: Task | None = None


def some(arns: Iterable[str | None]) -> Scope:
    """A scope of what was found; used where there is anything, known where all of it is."""
    found = tuple(dict.fromkeys(arns))
    if not found:
        return NOTHING
    told = tuple(one for one in found if one is not None)
    return Scope(used=True, arns=told if len(told) == len(found) else None)


def known(resource: Resource, attribute: str) -> str | None:
    """An attribute that is text; None for anything else."""
    value = resource[attribute]
    return value if isinstance(value, str) else None


def every(subject: Subject, kind: str) -> tuple[str | None, ...]:
    """ARNs of all resources of a type; None for one that is not known."""
    return tuple(known(one, "arn") for one in subject.plan.of_type(kind))


def containers_of(wearer: Wearer) -> tuple[Container, ...]:
    """The containers of a wearer that is a task."""
    return (wearer.task.containers if wearer.task else None) or ()


def values_of(wearer: Wearer) -> Iterator[str]:
    """Values of all its variables."""
    for container in containers_of(wearer):
        yield from container.environment.values()


def setting(wearer: Wearer, name: str) -> str | None:
    """A variable of any of its containers."""
    return next((c.environment[name] for c in containers_of(wearer) if name in c.environment), None)


def made(subject: Subject, service: str, region: str | None, rest: str) -> str | None:
    """An ARN in this account; None where the account is not known."""
    account = subject.account
    return f"arn:aws:{service}:{region}:{account}:{rest}" if region and account else None


def key_arn(subject: Subject, said: object) -> str | None:
    """ARN of a key that is named by ARN, id or alias; None where it cannot be told."""
    if not isinstance(said, str):
        return None
    if said.startswith("arn:") and ":key/" in said:
        return said
    name = said.rsplit(":", 1)[-1]
    for alias in subject.plan.of_type("aws_kms_alias"):
        if alias["name"] == name:
            said = known(alias, "target_key_id") or said
    for key in subject.plan.of_type("aws_kms_key"):
        if said in {known(key, "id"), known(key, "key_id"), known(key, "arn")}:
            return known(key, "arn")
    return None


def shown(probe: str | None) -> str:
    """A resource that was tried, as a policy would name it."""
    if probe is None:
        return "*"
    if probe.endswith("log-group::log-stream:"):
        return probe.replace(":log-stream:", "*")
    return re.sub(r":log-stream:.*$", ":*", probe)
