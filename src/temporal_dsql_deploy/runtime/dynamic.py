"""The dynamic configuration of an environment: only keys that the server has."""

from __future__ import annotations

from typing import Any

from .contract import Contract
from .values import Value, parse_settings
from .variables import Settings

VARIABLE = "TEMPORAL_DYNAMIC_CONFIG"


def build(settings: Settings, contract: Contract) -> dict[str, list[dict[str, Any]]]:
    """The file that dynamicConfigClient reads: each key with its one value, without constraints.

    What comes later wins: every environment's, the environment's own, a gentle stop's, what
    TEMPORAL_DYNAMIC_CONFIG says; it may lower the limits of the store, and not raise them.
    """
    values = {
        **contract.every,
        **contract.environments.get(settings.text("DEPLOY_ENVIRONMENT"), {}),
        **contract.drain,
        **contract.plugins[settings.text("TEMPORAL_SQL_PLUGIN_NAME")],
        **given(settings, contract),
    }
    return {key: [{"value": values[key]}] for key in sorted(values)}


def given(settings: Settings, contract: Contract) -> dict[str, Value]:
    """What TEMPORAL_DYNAMIC_CONFIG says; a key in the server's spelling, which ignores case."""
    text = settings.optional(VARIABLE)
    known = [contract.every, contract.drain, *contract.plugins.values()]
    spelt = {key.lower(): key for keys in (*known, *contract.environments.values()) for key in keys}
    found = parse_settings(str(text)) if text is not None else {}
    return {spelt.get(key.lower(), key): value for key, value in found.items()}
