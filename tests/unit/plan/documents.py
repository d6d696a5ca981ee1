"""Plans as Terraform writes them, built for tests."""

import re
from typing import Any


def change(address: str, *actions: str, **rest: Any) -> dict[str, Any]:
    """One entry of resource_changes; `before`, `after` and what else a change has in `rest`."""
    module, kind, name = re.fullmatch(
        r"(?:(module\..+)\.)?(\w+)\.(\w+(?:\[.+\])?)", address
    ).groups()  # type: ignore[union-attr]
    made: dict[str, Any] = {
        "address": address,
        "mode": "managed",
        "type": kind,
        "name": name.partition("[")[0],
        "change": {
            "actions": list(actions or ("no-op",)),
            "before": rest.pop("before", None),
            "after": rest.pop("after", None),
            "after_unknown": rest.pop("after_unknown", {}),
            "before_sensitive": rest.pop("before_sensitive", False),
            "after_sensitive": rest.pop("after_sensitive", False),
            "replace_paths": rest.pop("replace_paths", []),
        },
        **rest,
    }
    if module:
        made["module_address"] = module
    return made


def plan(*changes: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """The document of a plan."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": list(changes),
        **rest,
    }
