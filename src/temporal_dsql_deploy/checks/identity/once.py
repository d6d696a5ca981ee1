"""What is found once of a subject and asked by several rules."""

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from temporal_dsql_deploy.checks.subject import Subject

Found = TypeVar("Found")
_FOUND: WeakKeyDictionary[Subject, dict[str, Any]] = WeakKeyDictionary()


def once(subject: Subject, name: str, find: Callable[[], Found]) -> Found:
    """What `find` gives, asked only the first time."""
    known = _FOUND.setdefault(subject, {})
    if name not in known:
        known[name] = find()
    found: Found = known[name]
    return found
