"""What a plan and a state are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from temporal_dsql_deploy.plan import values


class Action(StrEnum):
    """What an apply does with one resource, in Terraform's words."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    """Made anew; `Change.create_before_destroy` says in which order."""
    FORGET = "forget"
    """Taken out of the state and left alone."""
    NO_OP = "no-op"


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource or data source as it will be after the apply, or as a state has it."""

    address: str
    """Such as `module.temporal.module.vpc[0].aws_subnet.private["eu-west-1a"]`."""
    module: str
    """Address of its module, such as `module.temporal.module.vpc[0]`; empty for the root."""
    mode: str
    """`managed`, or `data` for a data source."""
    type: str
    name: str
    index: str | int | None = None
    """Key of `for_each` or number of `count`."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """Attributes as Terraform has them, `UNKNOWN` wherever the value is known only after apply,
    and a `Sensitive` wherever it must not be shown."""
    unknown: frozenset[str] = frozenset()
    """Dotted paths of what is not known: `arn`, `network_configuration.0.subnets.1`."""
    sensitive: frozenset[str] = frozenset()
    """Dotted paths of what must not be shown; what is below such a path must not either."""

    def __getitem__(self, path: str) -> Any:
        """The value at a dotted path: `resource["network_configuration.0.subnets"]`.

        None where there is nothing or null, `UNKNOWN` where it is known only after apply.
        """
        return values.at(self.values, path)


@dataclass(frozen=True, slots=True)
class Change:
    """What an apply does with one resource."""

    address: str
    module: str
    mode: str
    type: str
    name: str
    index: str | int | None
    action: Action
    before: Mapping[str, Any] | None
    """Attributes now; None where there is nothing. A `Sensitive` stands for what must not be
    shown before or after, and says only whether it differs."""
    after: Mapping[str, Any] | None
    """Attributes afterwards with `UNKNOWN` in them; None where there will be nothing."""
    unknown: frozenset[str] = frozenset()
    """Dotted paths of `after` that are not known."""
    sensitive: frozenset[str] = frozenset()
    """Dotted paths, of before or after, that must not be shown."""
    replace_paths: tuple[str, ...] = ()
    """Dotted paths of the attributes that force a replacement."""
    reason: str = ""
    """Terraform's `action_reason`, such as `replace_because_cannot_update`."""
    create_before_destroy: bool = False
    previous_address: str = ""
    """Where it stood before it was moved."""
    importing: bool = False
    """Whether it exists and is taken into the state."""
    deposed: str = ""
    """Key of an object that a failed replacement has left."""

    def differences(self) -> list[tuple[str, Any, Any]]:
        """Dotted path, before and after of each attribute that differs or may differ."""
        return list(values.differences(self.before or {}, self.after or {}))


@dataclass(frozen=True, slots=True)
class Output:
    """An output of the root module."""

    name: str
    value: Any
    """`UNKNOWN`, or with it inside, where it is known only after apply."""
    before: Any = None
    sensitive: bool = False


class _Resources:
    """Ways to find resources."""

    __slots__ = ()
    resources: tuple[Resource, ...]

    def __getitem__(self, address: str) -> Resource:
        """The resource at an address. Raises KeyError."""
        for resource in self.resources:
            if resource.address == address:
                return resource
        raise KeyError(address)

    def of_type(self, *types: str) -> tuple[Resource, ...]:
        """Managed resources of these types, in the order of their addresses."""
        return tuple(r for r in self.resources if r.type in types and r.mode == "managed")

    def data(self, *types: str) -> tuple[Resource, ...]:
        """Data sources of these types that have been read."""
        return tuple(r for r in self.resources if r.type in types and r.mode == "data")

    def in_module(self, module: str) -> tuple[Resource, ...]:
        """Resources of a module and of all modules that it calls, by its address."""
        inside = (f"{module}.", f"{module}[")
        return tuple(r for r in self.resources if f"{r.module}.".startswith(inside) or not module)


@dataclass(frozen=True, slots=True)
class Plan(_Resources):
    """A plan: what will be, and what changes on the way there."""

    terraform_version: str
    """Empty in a plan of `terraform test`."""
    resources: tuple[Resource, ...] = ()
    """What there will be, of all modules, by address; data sources too where they were read."""
    changes: tuple[Change, ...] = ()
    """One for each resource, unchanged ones too (`no-op`), by address."""
    drift: tuple[Change, ...] = ()
    """What was changed outside Terraform since the last apply."""
    outputs: Mapping[str, Output] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    """Values of the root module's variables; empty in a plan of `terraform test`."""
    complete: bool = True
    """Whether nothing was deferred to a later plan."""
    errored: bool = False
    """Whether planning failed half way, so that it says less than all."""
    applyable: bool = True
    """Whether an apply of it would do anything."""
    warnings: tuple[str, ...] = ()
    """What Terraform warned of when it was made; a plan in a file has none."""

    def changing(self) -> tuple[Change, ...]:
        """Changes of managed resources other than `no-op`."""
        quiet = (Action.NO_OP, Action.READ)
        return tuple(c for c in self.changes if c.mode == "managed" and c.action not in quiet)


@dataclass(frozen=True, slots=True)
class State(_Resources):
    """A state: what was there when Terraform last looked."""

    terraform_version: str
    """Empty in the state of an environment that was never applied."""
    resources: tuple[Resource, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
