"""An environment: the settings of one Temporal cluster, as plain data.

What is None or empty is not spoken of, and `up` leaves it as it runs.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from temporal_dsql_deploy.errors import InvalidSetting

PortName = Literal["frontend", "http", "ui", "metrics"]
RoleName = Literal["frontend", "history", "matching", "worker"]
VisibilityStore = Literal["sql", "opensearch"]
Runtime = Literal["processes", "docker"]
SearchAttributeType = Literal["Text", "Keyword", "Int", "Double", "Bool", "Datetime", "KeywordList"]
BUILT_IN = {"local": "local", "cluster": "cluster", "dev": "ecs", "bench": "ecs", "prod": "ecs"}
"""The platforms of the environments that need no file."""
MOST_REPLICAS = 50
"""Of a role on this machine."""
ONLY_FOR = {
    "runtime": "cluster",
    "replicas": "cluster",
    "history_shards": "cluster",
    "network": "cluster",
    "visibility": "cluster",
    "terraform": "ecs",
    "account": "ecs",
    "var_files": "ecs",
}
"""Settings that mean nothing on any other platform; programs do no harm there."""
_UNITS = {"m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment as a verb gets it: found, read, and changed by options."""

    name: str
    platform: str = "local"
    data_dir: Path | None = None
    temporal_binary: Path | None = None
    """The Temporal CLI to run, on the platform `local`."""
    temporal_server: Path | None = None
    """temporal-server to run, with its tools beside it, on the platform `cluster`."""
    postgresql: Path | None = None
    """Folder of PostgreSQL's programs, on the platform `cluster`."""
    opensearch: Path | None = None
    """Folder of an OpenSearch, on the platform `cluster`."""
    runtime: str | None = None
    """A `Runtime`, on the platform `cluster`."""
    visibility: str | None = None
    """A `VisibilityStore`, on the platform `cluster`."""
    replicas: Mapping[str, int] = field(default_factory=dict)
    """Instances by role, on the platform `cluster`."""
    history_shards: int | None = None
    """On the platform `cluster`."""
    network: int | None = None
    """Second number of its loopback addresses, 0 for one address, on the platform `cluster`."""
    terraform: Path | None = None
    """Folder of its Terraform root module, on the platform `ecs`."""
    account: str | None = None
    """AWS account that it must stand in, 12 digits."""
    var_files: tuple[Path, ...] = ()
    """Files of Terraform variables, as with `terraform -var-file`."""
    ports: Mapping[str, int] = field(default_factory=dict)
    """TCP ports by `PortName`."""
    namespaces: Mapping[str, str | None] = field(default_factory=dict)
    """The retention of each namespace that must exist, such as `72h`; None for any."""
    search_attributes: Mapping[str, str] = field(default_factory=dict)
    """Type of each custom search attribute of every namespace."""
    dynamic_config: Mapping[str, Any] | None = None
    """The whole dynamic config."""
    dynamic_config_values: Mapping[str, Any] = field(default_factory=dict)
    """Single values of it, set beside whatever else is set."""

    @property
    def probe_namespace(self) -> str:
        """The namespace that the probe runs in: the first of the environment, or `default`."""
        return next(iter(self.namespaces), "default")

    def with_options(  # noqa: PLR0913 - the settings that have an option
        self,
        *,
        data_dir: Path | None = None,
        temporal_binary: Path | None = None,
        temporal_server: Path | None = None,
        postgresql: Path | None = None,
        opensearch: Path | None = None,
        visibility: str | None = None,
        runtime: str | None = None,
        replicas: Mapping[str, int] | None = None,
        history_shards: int | None = None,
        ports: Mapping[str, int | None] | None = None,
        namespaces: list[str] | None = None,
        search_attributes: Mapping[str, str] | None = None,
        dynamic_config_values: Mapping[str, Any] | None = None,
    ) -> "Environment":
        """This environment with the settings that were given as options in place of its own.

        Raises InvalidSetting.
        """
        given = {name: port for name, port in (ports or {}).items() if port is not None}
        added = {name: self.namespaces.get(name) for name in namespaces or []}
        for name in added:
            check_option("--namespace", check_namespace, name)
        for kind in (search_attributes or {}).values():
            check_option("--search-attribute", check_search_attribute_type, kind)
        for key in dynamic_config_values or {}:
            check_option("--dynamic-config-value", check_dynamic_config_key, key)
        return replace(
            self,
            data_dir=data_dir or self.data_dir,
            temporal_binary=temporal_binary or self.temporal_binary,
            temporal_server=temporal_server or self.temporal_server,
            postgresql=postgresql or self.postgresql,
            opensearch=opensearch or self.opensearch,
            visibility=visibility or self.visibility,
            runtime=runtime or self.runtime,
            replicas={**self.replicas, **(replicas or {})},
            history_shards=history_shards or self.history_shards,
            ports={**self.ports, **given},
            namespaces={**self.namespaces, **added},
            search_attributes={**self.search_attributes, **(search_attributes or {})},
            dynamic_config_values=dynamic_config_values or {},
        )


def check_platform(environment: Environment, where: str) -> None:
    """Refuse what is only for another platform; `where` is said. Raises InvalidSetting."""
    for name, platform in ONLY_FOR.items():
        if getattr(environment, name) not in (None, (), {}) and platform != environment.platform:
            raise InvalidSetting(
                f"{where}: {name} is not right",
                cause=f"it is for the platform {platform}, and this environment is "
                f"{environment.platform}",
                fix=f'write platform = "{platform}" into its file, or leave it out',
            )


def check_option(option: str, check: Callable[[str], str], text: str) -> None:
    """Check the value of an option. Raises InvalidSetting."""
    try:
        check(text)
    except ValueError as error:
        raise InvalidSetting(
            f"{option} {text!r} is not right", cause=str(error), fix="correct it and try again"
        ) from error


def check_namespace(name: str) -> str:
    """`name`, if it can be a namespace's. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", name):
        raise ValueError("a namespace starts with a letter or digit, then also . _ -")
    return name


def check_search_attribute_type(kind: str) -> str:
    """`kind`, if it is a type of search attributes. Raises ValueError."""
    kinds = get_args(SearchAttributeType)
    if kind not in kinds:
        raise ValueError(f"the types are {', '.join(kinds)}")
    return kind


def check_dynamic_config_key(key: str) -> str:
    """`key`, if it can be one of the dynamic config. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(\.[A-Za-z0-9]+)+", key):
        raise ValueError("a dynamic config key looks like limit.maxIDLength, in quotes in a file")
    return key


def retention_seconds(text: str) -> int:
    """Seconds of a retention such as `72h`, `90m` or `30d`; ValueError for anything else."""
    match = re.fullmatch(r"(\d+)([mhd])", text)
    if match is None:
        raise ValueError("a retention is a number with m, h or d: 72h, 30d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds < 3600:
        raise ValueError("Temporal keeps closed workflows for one hour at least")
    return seconds
