"""Fetch a page of a cluster's own web servers, never by way of a proxy."""

import urllib.request
from http.client import HTTPException

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
TIMEOUT = 2.0
"""Seconds."""


def fetch(url: str) -> bytes:
    """The body of a page that answers 200. Raises OSError (urllib's errors are OSErrors)."""
    try:
        with _DIRECT.open(url, timeout=TIMEOUT) as answer:
            body: bytes = answer.read()
            return body
    except HTTPException as error:
        raise OSError(f"{url} broke off: {error!r}") from error


def answers(url: str) -> bool:
    """Whether the page is there."""
    try:
        fetch(url)
    except OSError:
        return False
    return True
