"""Environments in which nothing is wrong; tests spoil one thing of them."""

from pathlib import Path
from typing import Any

from temporal_dsql_deploy.runtime import address
from temporal_dsql_deploy.runtime.entrypoint import Rendered, render
from tests.unit.checks.contract.good import LEASE, LIMITER, RESERVOIR, SERVER

DSQL = {**SERVER, "TEMPORAL_SERVICES": "history"}
FULL = {**DSQL, **RESERVOIR, **LEASE, **LIMITER}
POSTGRESQL = {
    "BIND_ON_IP": "127.0.0.12",
    "DEPLOY_ENVIRONMENT": "cluster",
    "TEMPORAL_HISTORY_SHARDS": "16",
    "TEMPORAL_SERVICES": "matching",
    "TEMPORAL_SQL_DATABASE": "temporal",
    "TEMPORAL_SQL_HOST": "127.0.0.1",
    "TEMPORAL_SQL_MAX_CONNS": "10",
    "TEMPORAL_SQL_MAX_CONN_LIFETIME": "50m",
    "TEMPORAL_SQL_MAX_IDLE_CONNS": "10",
    "TEMPORAL_SQL_PASSWORD": "sesame",
    "TEMPORAL_SQL_PLUGIN_NAME": "postgres12_pgx",
    "TEMPORAL_SQL_PORT": "5432",
    "TEMPORAL_SQL_TLS_ENABLED": "false",
    "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "false",
    "TEMPORAL_SQL_USER": "temporal",
    "TEMPORAL_VISIBILITY_STORE": "sql",
}
FOLDER = Path("/etc/temporal/config/dynamicconfig")
ADDRESS = "10.0.2.106"


def world(host: list[str] | None = None, routed: str | None = None) -> address.World:
    """A machine whose host name has one address of a network, unless told otherwise."""

    def fetch(uri: str) -> bytes:
        raise OSError(f"no metadata at {uri}")

    addresses = [ADDRESS] if host is None else host
    return address.World(fetch, lambda: addresses, lambda: routed)


def refused(environ: dict[str, str]) -> dict[str, str]:
    """What is wrong with an environment, by the variable; empty where it is rendered."""
    found = render(environ, FOLDER, world())
    if isinstance(found, Rendered):
        return {}
    assert found, "refused without a reason"
    assert all(fault.what and fault.fix for fault in found)
    names = [fault.variable for fault in found]
    assert len(names) == len(set(names)), names
    return {fault.variable: fault.what for fault in found}


def rendered(environ: dict[str, str]) -> Rendered:
    """The rendered configuration of an environment in which nothing is wrong."""
    found = render(environ, FOLDER, world())
    assert isinstance(found, Rendered), found
    return found


def store(environ: dict[str, str], name: str) -> dict[str, Any]:
    """A data store of the rendered configuration."""
    found: dict[str, Any] = rendered(environ).config["persistence"]["datastores"][name]
    return found
