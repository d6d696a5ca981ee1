"""Wait until an OpenSearch can be worked with: the gate before anything is changed in it."""

from temporal_dsql_deploy.errors import NotReady
from temporal_dsql_deploy.operations.visibility import seeing
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.visibility import calls
from temporal_dsql_deploy.visibility.domain import Domain

WAIT = 300.0
"""Seconds, as the one-off task waits."""
_POLL = 2.0
_USABLE = {"green", "yellow"}


def until_ready(domain: Domain, report: Report, *, wait: float, clock: Clock = REAL) -> None:
    """Wait until all primary shards have a place; `wait` is in seconds.

    Raises NotReady with the reason, and what Domain.ask does where waiting does not help.
    """
    deadline = clock.now() + wait
    told = ""
    while state := _state(domain):
        if state != told:
            report(f"OpenSearch at {domain.url}: {state}; waiting up to {wait:g} s")
            told = state
        if clock.now() >= deadline:
            raise NotReady(
                f"the OpenSearch at {domain.url} is not ready after {wait:g} s",
                cause=state,
                fix="see to what is said there, then try again; to wait longer: --wait SECONDS",
            )
        clock.sleep(_POLL)


def _state(domain: Domain) -> str:
    """Why it cannot be used; empty where it can."""
    try:
        health = domain.ask(calls.health())
        if health["status"] in _USABLE:
            return ""
        return ": ".join([health["status"], *filter(None, ["; ".join(seeing.explain(domain))])])
    except NotReady as error:
        return error.cause
