"""What a cluster runs with: what is asked for, else as it last ran, else the default."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.cluster import layout

SQL, OPENSEARCH = "sql", "opensearch"
"""The visibility stores."""
SHARDS = 64
"""History shards unless told otherwise: an instance without one never serves."""
_SHARDS_EACH = 8
"""Least shards for each history instance: the ring does not spread them evenly."""


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """One way to run a cluster; kept beside its run records."""

    server: str
    """Path of temporal-server; its tools are beside it."""
    postgresql: str
    """Folder of PostgreSQL's programs."""
    ui: str
    """Path of the Web UI's server."""
    replicas: dict[str, int]
    """Instances by role."""
    shards: int
    network: int
    """Second number of all addresses; layout.SHARED for one address."""
    ports: dict[str, dict[str, int]]
    """By the name of a process."""
    dynamic_config: dict[str, Any]
    visibility: str = SQL
    """Visibility store."""
    opensearch: str = ""
    """Folder of the OpenSearch; empty without one, as is `java`."""
    java: str = ""
    """Home of the Java that runs it."""

    @property
    def with_opensearch(self) -> bool:
        """Whether an OpenSearch is among its processes."""
        return self.visibility == OPENSEARCH

    def found(self) -> "Found":
        """The programs that it runs."""
        return Found(self.server, self.postgresql, self.ui, self.opensearch, self.java)

    def places(self) -> list[layout.Place]:
        """Where everything stands."""
        return [
            layout.Place(
                name,
                component,
                layout.address_of(component, number, self.network),
                self.ports[name],
            )
            for name, component, number in layout.names(
                self.replicas, opensearch=self.with_opensearch
            )
        ]


@dataclass(frozen=True, slots=True)
class Found:
    """The programs of this machine, for whoever did not ask for others."""

    server: str
    postgresql: str
    ui: str
    opensearch: str = ""
    """Empty where none is wanted, as is `java`."""
    java: str = ""


def visibility(environment: Environment, last: ClusterSettings | None) -> str:
    """The visibility store that is asked for, else that of before. Raises InvalidSetting."""
    before = last.visibility if last else None
    store = environment.visibility or before or SQL
    if before is not None and store != before:
        raise InvalidSetting(
            f"the visibility store is {before} and cannot become {store}",
            cause="the workflows that are in it would not be found any more: nothing moves them",
            fix="leave it out, or begin anew: dsql-deploy destroy ENV",
        )
    return store


def wanted(
    environment: Environment,
    found: Found,
    *,
    last: ClusterSettings | None,
    running: bool,
    is_free: layout.IsFree,
) -> ClusterSettings:
    """The settings to run with.

    `running` is whether the cluster does; then its programs stay, which else are those found now.
    Raises InvalidSetting.
    """
    before = dict.fromkeys(layout.roles(), 1) | (last.replicas if last else {})
    replicas = {**before, **environment.replicas}
    number = shards(environment, last.shards if last else None, replicas["history"])
    store = visibility(environment, last)
    opensearch = store == OPENSEARCH
    network = environment.network
    if network is None and last is not None:
        network = last.network
    if network is None:
        network = layout.find_network(replicas, environment.ports, is_free, opensearch=opensearch)
    before_ports = _ports(last, network, running, is_free)
    places = layout.places(
        replicas, network, environment.ports, before_ports, is_free, opensearch=opensearch
    )
    layout.taken_twice(places)
    dynamic_config = environment.dynamic_config
    if dynamic_config is None:
        dynamic_config = last.dynamic_config if last else {}
    programs = last.found() if last and running else found
    return ClusterSettings(
        server=str(environment.temporal_server or programs.server),
        postgresql=str(environment.postgresql or programs.postgresql),
        ui=programs.ui,
        replicas=replicas,
        shards=number,
        network=network,
        ports={place.name: dict(place.ports) for place in places},
        dynamic_config={**dynamic_config, **environment.dynamic_config_values},
        visibility=store,
        opensearch=(found if environment.opensearch else programs).opensearch,
        java=(found if environment.opensearch else programs).java,
    )


def scaled(
    last: ClusterSettings, replicas: Mapping[str, int], *, is_free: layout.IsFree
) -> ClusterSettings:
    """The settings of a cluster that runs, with other numbers of instances.

    Raises InvalidSetting.
    """
    wanted = {**last.replicas, **replicas}
    check_shards(last.shards, wanted["history"])
    places = layout.places(
        wanted,
        last.network,
        _asked(last),
        last.ports,
        is_free,
        opensearch=last.with_opensearch,
    )
    layout.taken_twice(places)
    return replace(last, replicas=wanted, ports={place.name: dict(place.ports) for place in places})


def _asked(last: ClusterSettings) -> dict[str, int]:
    """The ports that were asked for, by the names of an environment: the first have just those."""
    frontend, page = last.ports["frontend-1"], last.ports[layout.UI]
    metrics = [ports["metrics"] for ports in last.ports.values() if "metrics" in ports]
    return {
        "frontend": frontend["grpc"],
        "http": frontend["http"],
        "ui": page["http"],
        "metrics": min(metrics),
    }


def _ports(
    last: ClusterSettings | None,
    network: int,
    running: bool,  # noqa: FBT001
    is_free: layout.IsFree,
) -> dict[str, dict[str, int]]:
    """Ports of the last run that stay; of a stopped one those that nobody has taken since."""
    if last is None or network != last.network:
        return {}
    return {
        place.name: {
            name: port
            for name, port in place.ports.items()
            if running or is_free(port, place.address)
        }
        for place in last.places()
    }


def shards(environment: Environment, before: int | None, histories: int) -> int:
    """History shards for so many instances; `before` is how many are stored.

    Raises InvalidSetting.
    """
    wanted = environment.history_shards or before or SHARDS
    if before is not None and wanted != before:
        raise InvalidSetting(
            f"the cluster has {before} history shards and cannot get {wanted}",
            cause="their number is stored in the database at the first start",
            fix="leave it out, or begin anew: dsql-deploy destroy ENV",
        )
    check_shards(wanted, histories)
    return wanted


def check_shards(shards: int, histories: int) -> None:
    """Raise InvalidSetting where they are too few."""
    if shards < _SHARDS_EACH * histories:
        raise InvalidSetting(
            f"{shards} history shards are too few for {histories} history instances",
            cause="an instance that owns none never serves, and the ring does not spread them "
            f"evenly: {_SHARDS_EACH} for each are safe",
            fix=f"run {shards // _SHARDS_EACH} instances at most, or begin anew with more: "
            "--shards, after dsql-deploy destroy ENV",
        )


def read(path: Path) -> ClusterSettings | None:
    """What a cluster was last run with; None where nothing was, or the file is not one."""
    try:
        return ClusterSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(path: Path, settings: ClusterSettings) -> None:
    """Replace the file in one step. Raises OSError."""
    files.write(path, json.dumps(asdict(settings), indent=2) + "\n")


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What a restart would change, one phrase for each setting; a part of one is named with it."""
    phrases = []
    for name in sorted({**old, **new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            phrases += differences(before, after)
        else:
            phrases.append(f"{name} {_shown(before)} -> {_shown(after)}")
    return phrases


def _shown(value: Any) -> str:
    return "default" if value is None else str(value)
