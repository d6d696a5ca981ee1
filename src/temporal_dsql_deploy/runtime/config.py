"""The server's one configuration file, as plain data made from the settings."""

from __future__ import annotations

from typing import Any

from .contract import Contract
from .stores import default_store, visibility_store
from .values import join_host_port
from .variables import Settings

_POLL_INTERVAL = "10s"
_CLUSTER = "active"


def build(
    settings: Settings, contract: Contract, broadcast: str, dynamic_config: str
) -> dict[str, Any]:
    """The configuration of one role; `broadcast` is a literal IP, `dynamic_config` a path.

    Keys are those of temporalio/temporal common/config; a whole map of services is in every
    process, since a role reads the ports of the others there.
    """
    address = settings.optional("TEMPORAL_FRONTEND_ADDRESS")
    config: dict[str, Any] = {
        "log": {"stdout": True, "level": settings.text("TEMPORAL_LOG_LEVEL")},
        "persistence": {
            "numHistoryShards": settings.number("TEMPORAL_HISTORY_SHARDS"),
            "defaultStore": "default",
            "visibilityStore": "visibility",
            "datastores": {
                "default": default_store(settings),
                "visibility": visibility_store(settings),
            },
        },
        "global": {
            "membership": {
                "maxJoinDuration": contract.max_join_duration,
                "broadcastAddress": broadcast,
            },
            "metrics": {"prometheus": _metrics(settings, contract)},
        },
        "services": _services(settings, contract),
        "clusterMetadata": {
            "enableGlobalNamespace": False,
            "failoverVersionIncrement": 10,
            "masterClusterName": _CLUSTER,
            "currentClusterName": _CLUSTER,
            "clusterInformation": {
                _CLUSTER: {
                    "enabled": True,
                    "initialFailoverVersion": 1,
                    # Other clusters would dial it. It is stored at the first start, and roles that
                    # change it race for the row, so it is no address that may ever be another.
                    "rpcAddress": f"127.0.0.1:{contract.roles['frontend']['grpc']}",
                }
            },
        },
        "dcRedirectionPolicy": {"policy": "noop"},
        "archival": {"history": {"state": "disabled"}, "visibility": {"state": "disabled"}},
        "dynamicConfigClient": {"filepath": dynamic_config, "pollInterval": _POLL_INTERVAL},
    }
    if address is not None:
        config["publicClient"] = {"hostPort": address}
    return config


def ports(settings: Settings, contract: Contract) -> dict[str, int]:
    """Ports on which this role listens: grpc, membership, metrics, and http of a frontend."""
    role = settings.text("TEMPORAL_SERVICES")
    known = {**contract.roles[role], "metrics": contract.metrics_port}
    return {
        name: int(settings.optional(f"TEMPORAL_{name.upper()}_PORT") or port)
        for name, port in known.items()
    }


def _services(settings: Settings, contract: Contract) -> dict[str, Any]:
    """All roles: this one with its own ports, the others with the standard ones."""
    bind = settings.text("BIND_ON_IP")
    own = settings.text("TEMPORAL_SERVICES")
    found = {}
    for role, standard in contract.roles.items():
        chosen = ports(settings, contract) if role == own else standard
        rpc: dict[str, Any] = {
            "grpcPort": chosen["grpc"],
            "membershipPort": chosen["membership"],
            "bindOnIP": bind,
        }
        if "http" in chosen:
            rpc["httpPort"] = chosen["http"]
        found[role] = {"rpc": rpc}
    return found


def _metrics(settings: Settings, contract: Contract) -> dict[str, Any]:
    """Names differ from framework to framework, and dashboards are made for one."""
    port = ports(settings, contract)["metrics"]
    return {
        "framework": "tally",
        "listenAddress": join_host_port(settings.text("BIND_ON_IP"), port),
        "handlerPath": contract.metrics_path,
    }
