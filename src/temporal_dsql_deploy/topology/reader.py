"""Read `topology.json` and `servers.json`: a plain mapping, since tests hold the data itself."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.topology.model import (
    Aws,
    AwsTraffic,
    Component,
    Drain,
    DrainKey,
    EmptyDatabase,
    Membership,
    Role,
    RoleDrain,
    Rule,
    RuntimeVariable,
    Step,
    Topology,
    Traffic,
    Variable,
)
from temporal_dsql_deploy.topology.server import (
    DynamicConfigKey,
    KnownException,
    Metric,
    Metrics,
    MisleadingMetric,
    Schema,
    SchemaRoute,
    Server,
)


@cache
def load() -> Topology:
    """The topology; read once."""
    data = _read("topology.json")
    start_order = tuple(Step(**row) for row in data["start_order"])
    started = [step.component for step in start_order if step.component in data["roles"]]
    return Topology(
        roles={name: Role(name=name, **data["roles"][name]) for name in started},
        components=_components(data["components"]),
        externals=_components(data["externals"]),
        metrics_port=data["metrics"]["port"],
        metrics_path=data["metrics"]["path"],
        opensearch_ports=data["opensearch"]["ports"],
        embedded_ui_port_offset=data["embedded"]["ui_port_offset"],
        membership=Membership(**data["membership"]),
        traffic=tuple(_traffic(row) for row in data["traffic"]),
        start_order=start_order,
        stop_order=tuple(Step(**row) for row in data["stop_order"]),
        one_role_first_on_empty_database=EmptyDatabase(**data["one_role_first_on_empty_database"]),
        drain=_drain(data["drain"]),
        aws=_aws(data["aws"]),
        runtime={
            name: RuntimeVariable(name=name, **row)
            for name, row in data["runtime"]["variables"].items()
        },
        environment={
            name: Variable(name=name, **row)
            for name, row in data["environment"]["variables"].items()
        },
        rules=tuple(Rule(**row) for row in data["environment"]["rules"]),
    )


@cache
def servers() -> Mapping[str, Server]:
    """The servers by name; read once."""
    return {name: _server(name, row) for name, row in _read("servers.json")["servers"].items()}


def _read(name: str) -> Any:
    return _tuples(json.loads(Path(__file__).with_name(name).read_bytes()))


def _tuples(value: Any) -> Any:
    """The same data with tuples for lists: it is shared, so nobody may change it."""
    if isinstance(value, dict):
        return {key: _tuples(part) for key, part in value.items()}
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value


def _components(rows: dict[str, Any]) -> dict[str, Component]:
    return {name: Component(name=name, **row) for name, row in rows.items()}


def _traffic(row: dict[str, Any]) -> Traffic:
    return Traffic(**_renamed(row))


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with `from_` for `from`, which is a word of Python."""
    return {"from_" if key == "from" else key: part for key, part in row.items()}


def _aws(row: dict[str, Any]) -> Aws:
    return Aws(
        components=_components(row["components"]),
        traffic=tuple(AwsTraffic(**_renamed(one)) for one in row["traffic"]),
        apis=row["apis"],
        apis_source=row["apis_source"],
        source=row["source"],
    )


def _drain(row: dict[str, Any]) -> Drain:
    roles = {
        name: RoleDrain(tuple(DrainKey(**key) for key in part["keys"]), part["measured"])
        for name, part in row["roles"].items()
    }
    return Drain(**{**row, "roles": roles})


def _server(name: str, row: dict[str, Any]) -> Server:
    schema, metrics = row["schema"], row["metrics"]
    parsed = {
        "schema": Schema(
            default=SchemaRoute(**schema["default"]),
            visibility=SchemaRoute(**schema["visibility"]),
            source=schema["source"],
        ),
        "dynamic_config": tuple(DynamicConfigKey(**key) for key in row["dynamic_config"]),
        "metrics": Metrics(
            **{
                **metrics,
                "usable": tuple(Metric(**metric) for metric in metrics["usable"]),
                "misleading": tuple(MisleadingMetric(**metric) for metric in metrics["misleading"]),
            }
        ),
        "exceptions": {each["id"]: KnownException(**each) for each in row["exceptions"]},
    }
    return Server(name=name, **{**row, **parsed})
