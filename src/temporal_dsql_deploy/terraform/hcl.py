"""Values in Terraform's language."""

import json
from collections.abc import Mapping
from typing import Any


def literal(value: Any) -> str:
    """A value as an option `-var=NAME=...` takes it: text as it is, the rest as an expression."""
    return value if isinstance(value, str) else json.dumps(escaped(value))


def escaped(value: Any) -> Any:
    """A value for a file in Terraform's JSON syntax, in which every text is a template."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, Mapping):
        return {escaped(key): escaped(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [escaped(part) for part in value]
    return value
