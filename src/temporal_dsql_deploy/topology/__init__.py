"""Roles, ports, traffic, order, drain, environment contract and servers: one vocabulary, as data.

`topology.json` and `servers.json` are read here by Python, and as they are by Terraform and by the
container entrypoint.
"""

from temporal_dsql_deploy.topology.durations import parse_duration
from temporal_dsql_deploy.topology.model import (
    AwsTraffic,
    Component,
    Role,
    Topology,
    Traffic,
    Variable,
)
from temporal_dsql_deploy.topology.reader import load, servers
from temporal_dsql_deploy.topology.server import Server

__all__ = [
    "AwsTraffic",
    "Component",
    "Role",
    "Server",
    "Topology",
    "Traffic",
    "Variable",
    "load",
    "parse_duration",
    "servers",
]
