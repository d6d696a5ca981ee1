"""What a container is told against what it understands, and how ECS starts, probes and stops it.

Each module holds the rules about one thing; importing them, in this order, fills the family.
"""

from importlib import import_module

from temporal_dsql_deploy.checks.contract.family import FAMILY

_MODULES = (
    "plugin",
    "reservoir",
    "runtime",
    "stores",
    "agreement",
    "shards",
    "stock",
    "documents",
    "dynamic_config",
    "clients",
    "service_connect",
    "grafana",
    "collectors",
    "health",
    "lifetimes",
    "mounts",
    "preparation",
    "containers",
    "images",
)
for _name in _MODULES:
    import_module(f"{__name__}.{_name}")

__all__ = ["FAMILY"]
