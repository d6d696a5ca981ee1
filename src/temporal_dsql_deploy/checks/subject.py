"""What is judged: a plan or state, and what else is known of it."""

import re
from collections.abc import Mapping
from functools import cached_property

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import firewall as firewalls
from temporal_dsql_deploy.plan import tasks as plan_tasks
from temporal_dsql_deploy.plan.configuration import Configuration
from temporal_dsql_deploy.plan.model import Plan, State
from temporal_dsql_deploy.plan.parts import project_of

_REGION = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:([a-z0-9-]+):(\d{12})?")

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
        found = (resource[path] for resource in self.plan.resources for path in resource.sensitive)
        # A short one, such as `true`, would be found in every sentence.
        texts = {text for text in found if isinstance(text, str) and len(text) >= _SECRET}
        return tuple(sorted(texts, key=len, reverse=True))

    @cached_property
    def _place(self) -> tuple[str | None, str | None]:
        named = self.plan.outputs.get("region")
        region = named.value if named is not None and isinstance(named.value, str) else None
        account = None
        for resource in self.plan.resources:
            arn = resource.values.get("arn")
            found = _REGION.match(arn) if isinstance(arn, str) else None
            region = region or (found[1] if found else None)
            account = account or (found[2] if found else None)
            if region and account:
                break
        return region, account
