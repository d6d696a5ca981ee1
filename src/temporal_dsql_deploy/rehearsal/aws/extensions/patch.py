"""How moto is extended: loudly, when it is no longer the moto that an extension was written for."""

from collections.abc import Callable
from functools import wraps
from typing import Any

MOTO_VERSION = "5.2.5"
"""The moto that the extensions were written for; pyproject.toml pins it."""

Method = Callable[..., Any]


class MotoChangedError(Exception):
    """moto's inside is not what an extension was written for."""


def check_version() -> None:
    """Raise MotoChangedError unless moto is the one that the extensions were written for."""
    import moto

    if moto.__version__ != MOTO_VERSION:
        raise MotoChangedError(
            f"the extensions were written for moto {MOTO_VERSION}, this is {moto.__version__}: "
            "read each one again, then change MOTO_VERSION"
        )


def add(owner: type) -> Callable[[Method], Method]:
    """Give `owner` a method that moto does not have; raises MotoChangedError when it has it."""

    def put(method: Method) -> Method:
        if hasattr(owner, method.__name__):
            raise MotoChangedError(f"moto has {owner.__name__}.{method.__name__} now")
        setattr(owner, method.__name__, method)
        return method

    return put


def wrap(owner: type) -> Callable[[Method], Method]:
    """Put a function around a method of `owner`: it is given the original as its first argument."""

    def put(function: Method) -> Method:
        name = function.__name__
        original = getattr(owner, name, None)
        if original is None:
            raise MotoChangedError(f"moto has no {owner.__name__}.{name} any more")

        @wraps(original)
        def method(*args: Any, **kwargs: Any) -> Any:
            return function(original, *args, **kwargs)

        setattr(owner, name, method)
        return function

    return put
