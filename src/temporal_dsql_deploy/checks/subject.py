"""What is judged: a plan or state, and what else is known of it."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, wraps
from typing import Any, TypeVar

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import firewall as firewalls
from temporal_dsql_deploy.plan import tasks as plan_tasks
from temporal_dsql_deploy.plan.configuration import Configuration
from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.parts import project_of

Found = TypeVar("Found")
_REGION = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]+):(\d{12})?")

_ECS = ("aws_ecs_cluster", "aws_ecs_task_definition", "aws_ecs_service")
_REGIONAL = ("aws_autoscaling_group", "aws_vpc", "aws_subnet", "aws_security_group")
_OF_CALLED = {"image", "value", "valueFrom"}
_SECRET = 6
"""Characters."""


class Subject:
    """One plan or state with all that rules ask of it, found once."""

    def __init__(
        self,
        plan: Plan | State,
        *,
        before: State | None = None,
        configuration: Configuration | None = None,
        trunking: bool | None = None,
        server: str = "temporal-dsql",
    ) -> None:
        self.plan = plan
        self.before = before
        """The state that the plan is to be applied to; None where it is not known."""
        self.configuration = configuration
        """What the Terraform behind it declares; None where that is not known."""
        self.trunking = trunking
        """Whether the account has `awsvpcTrunking` switched on; None where the plan may say so."""
        self.server = topology.servers()[server]
        """The server that its images hold."""
        self.found: dict[Callable[[Subject], Any], Any] = {}
        """What functions have found of it; see `once`."""

    @cached_property
    def tasks(self) -> tuple[plan_tasks.Task, ...]:
        """All task definitions with their services."""
        return plan_tasks.tasks(self.plan)

    @cached_property
    def roles(self) -> Mapping[str, plan_tasks.Task]:
        """The task of each Temporal role that there is, in the order in which they start."""
        found = {task.role: task for task in reversed(self.tasks) if task.role}
        return {role: found[role] for role in topology.load().roles if role in found}

    @cached_property
    def firewall(self) -> firewalls.Firewall:
        """All security group rules."""
        return firewalls.firewall(self.plan)

    @cached_property
    def project(self) -> str:
        """What all names begin with; empty where it cannot be told."""
        named = self.plan.outputs.get("project_name")
        if named is not None and isinstance(named.value, str):
            return named.value
        return project_of(service["name"] for service in self.plan.of_type("aws_ecs_service"))

    @cached_property
    def region(self) -> str | None:
        """The AWS region, such as `eu-west-1`; None where nothing says so."""
        return self._place[0]

    @cached_property
    def account(self) -> str | None:
        """The AWS account; None where nothing says so."""
        return self._place[1]

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Every text that Terraform marks as sensitive, longest first: none may be printed."""
        texts = {
            text
            for resource in self.plan.resources
            for path in resource.sensitive
            for text in _texts(resource[path])
        }
        # A short one, such as `true`, would be found in every sentence, and what a resource is
        # called is known to all.
        public = "\n".join(name for one in self.plan.resources for name in _names(one))
        hidden = (one for one in texts if len(one) >= _SECRET and one not in public)
        return tuple(sorted(hidden, key=len, reverse=True))

    @cached_property
    def _place(self) -> tuple[str | None, str | None]:
        named = self.plan.outputs.get("region")
        region = named.value if named is not None and isinstance(named.value, str) else None
        account = None
        # Others may stand elsewhere: a certificate, a bucket of logs, somebody's secret.
        ecs = self.plan.of_type(*_ECS)
        for resource in (*ecs, *self.plan.of_type(*_REGIONAL), *self.plan.resources):
            arn = resource.values.get("arn")
            found = _REGION.match(arn) if isinstance(arn, str) else None
            region = region or (found[1] if found else None)
            account = account or (found[2] if found else None)
            if region and account:
                break
        return region, account


def _names(resource: Resource) -> Iterator[str]:
    """Its address, and what AWS calls it."""
    yield resource.address
    for key in ("name", "family"):
        if key not in resource.sensitive and isinstance(resource[key], str):
            yield resource[key]


def _texts(value: Any) -> Iterator[str]:
    """A text, or all that are in a list, an object, or the JSON that a text holds."""
    if isinstance(value, Mapping):
        # What a container or a variable is called is in every message about it.
        called = not value.keys().isdisjoint(_OF_CALLED)
        for key, part in value.items():
            if not (called and key == "name"):
                yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value
        if value.lstrip()[:1] in {"{", "["}:
            # Such as container definitions with a password in the environment.
            with contextlib.suppress(ValueError, RecursionError):
                yield from _texts(json.loads(value))


def once(find: Callable[[Subject], Found]) -> Callable[[Subject], Found]:
    """`find`, asked only once of each subject; what it gives is kept with the subject."""

    @wraps(find)
    def asked(subject: Subject) -> Found:
        if find not in subject.found:
            subject.found[find] = find(subject)
        found: Found = subject.found[find]
        return found

    return asked
