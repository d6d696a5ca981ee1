"""What `plan` finds."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from temporal_dsql_deploy.platforms.protocol import Result


class Source(StrEnum):
    """Where a plan comes from."""

    TERRAFORM = "terraform"
    """From Terraform, AWS and the state: what an apply would do."""
    KNOWN_VALUES = "known-values"
    """Without AWS, for an empty account, with invented ids: everything is created."""
    FILE = "file"
    """From a file that was handed in."""


@dataclass(frozen=True, slots=True)
class Restart(Result):
    """A component whose tasks an apply touches."""

    component: str
    """Temporal role, or the name of the service without its project."""
    service: str
    """Address of the ECS service; of the task definition where no service runs it."""
    effect: str
    """What happens to its tasks, one sentence."""
    reasons: list[str]
    """What has changed, such as `environment DSQL_CONNECTION_RATE_LIMIT 10 -> 12`; long values are
    cut."""
    definitions: list[str] = field(default_factory=list)
    """Addresses of the task definitions that it runs and that change."""


@dataclass(frozen=True, slots=True)
class Loss(Result):
    """Something with data in it that an apply deletes."""

    address: str
    what: str
    """The kind of thing, such as `DSQL cluster`."""
    lost: str
    """What is gone with it."""
    action: str
    """`delete` or `replace`."""
    because: list[str] = field(default_factory=list)
    """Attributes that force a replacement."""


@dataclass(frozen=True, slots=True)
class Rule(Result):
    """A network path that an apply opens or closes."""

    source: str
    """Role, component, address range or id of who calls."""
    target: str
    ports: str
    """`7235`, `6933-6939`, or `all`."""
    opened: bool
    directions: list[str]
    """Which security group rules change: `ingress` at the target, `egress` at the source."""
    addresses: list[str] = field(default_factory=list)
    """Addresses of these rules."""


@dataclass(frozen=True, slots=True)
class Permission(Result):
    """A permission that an apply adds to an IAM policy, or takes away."""

    address: str
    """The policy, or what attaches it."""
    added: bool
    action: str
    """Such as `dynamodb:PutItem`; `known after apply` where the policy is."""
    resource: str


@dataclass(frozen=True, slots=True)
class Other(Result):
    """Any other change of something that exists."""

    address: str
    action: str
    """`update`, `replace`, `delete` or `forget`."""
    attributes: list[str]
    """What differs; for a replacement, what forces it."""


@dataclass(frozen=True, slots=True)
class Move(Result):
    """A resource that gets another address in the state, whether it changes or not."""

    address: str
    previous: str
    """Its address until now."""


@dataclass(frozen=True, slots=True)
class Counts(Result):
    """How many resources an apply changes, by action."""

    create: int = 0
    update: int = 0
    replace: int = 0
    delete: int = 0
    forget: int = 0
    move: int = 0
    """Those that get another address in the state; they may be counted by another action too."""
    imported: int = 0
    """Those that are taken into the state; they may be counted by another action too."""


@dataclass(frozen=True, slots=True)
class PlanResult(Result):
    """A Terraform plan, in Temporal's words."""

    environment: str
    source: Source
    changes: bool
    """Whether an apply would do anything."""
    complete: bool
    """False when planning failed half way or left something to a later plan."""
    losses: list[Loss]
    """What holds data and is deleted or replaced."""
    restarts: list[Restart]
    instances: list[str]
    """What happens to the EC2 instances, a sentence each, with the address of what changes."""
    rules: list[Rule]
    """Network paths, closed ones first."""
    permissions: list[Permission]
    """Of policies that exist, and new policies of roles that exist."""
    others: list[Other]
    created: dict[str, int]
    """How many resources are created, by type."""
    drift: list[str]
    """Addresses of what was changed outside Terraform."""
    counts: Counts
    terraform_version: str = ""
    plan_file: Path | None = None
    """Where `--out` has kept the plan, for `terraform apply`."""
    notes: list[str] = field(default_factory=list)
    """What to know about how it was made."""
    makes: list[str] = field(default_factory=list)
    """What a first plan makes, a line each: tasks, stores, shards, instances, network; empty where
    something is there already."""
    errored: bool = False
    """Whether planning failed half way: there may be changes that are not told."""
    creating: list[str] = field(default_factory=list)
    """Addresses of what is created."""
    moves: list[Move] = field(default_factory=list)
    """What gets another address in the state."""
    imports: list[str] = field(default_factory=list)
    """Addresses of what exists and is taken into the state."""
