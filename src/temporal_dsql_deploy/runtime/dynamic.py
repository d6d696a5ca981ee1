"""The dynamic configuration of an environment: only keys that the server has."""

from __future__ import annotations

from typing import Any

from .contract import Contract
from .variables import Settings


def build(settings: Settings, contract: Contract) -> dict[str, list[dict[str, Any]]]:
    """The file that dynamicConfigClient reads: each key with its one value, without constraints.

    The environment's own come over those of every environment, and what the store or a gentle stop
    needs over both: DSQL refuses what is larger, however much an environment wants it.
    """
    plugin = settings.text("TEMPORAL_SQL_PLUGIN_NAME")
    values = {
        **contract.every,
        **contract.environments.get(settings.text("DEPLOY_ENVIRONMENT"), {}),
        **contract.plugins[plugin],
        **contract.drain,
    }
    return {key: [{"value": values[key]}] for key in sorted(values)}
