"""What an earlier benchmark has left, where namespaces come and go meanwhile."""

import asyncio
from datetime import timedelta
from typing import cast

import pytest
from temporalio.service import RPCStatusCode, ServiceClient

from temporal_dsql_deploy.bench import namespace
from temporal_dsql_deploy.errors import BenchmarkFailed, ResidueFound
from temporal_dsql_deploy.platforms import temporal_api
from temporal_dsql_deploy.platforms.temporal_api import CallFailed

NOT_FOUND = CallFailed("NOT_FOUND: Namespace is not found.", RPCStatusCode.NOT_FOUND)
UNAVAILABLE = CallFailed("UNAVAILABLE: shutting down", RPCStatusCode.UNAVAILABLE)


def look(monkeypatch: pytest.MonkeyPatch, **found: int | CallFailed) -> None:
    """Look for residue where so many workflows are open, by namespace; or the answer is that."""

    async def namespaces(client: ServiceClient) -> dict[str, timedelta]:
        return dict.fromkeys(found, namespace.RETENTION)

    async def count(client: ServiceClient, name: str, query: str) -> int:
        answer = found[name]
        if isinstance(answer, CallFailed):
            raise answer
        return answer

    monkeypatch.setattr(temporal_api, "namespaces", namespaces)
    monkeypatch.setattr(namespace, "count", count)
    asyncio.run(namespace.refuse_residue(cast("ServiceClient", None), "benchmark_own", "here:1"))


def test_a_namespace_that_cannot_be_used_yet_has_no_residue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Workers that are started at the same time may have made it a moment ago."""
    look(monkeypatch, benchmark_own=NOT_FOUND, benchmark_other=NOT_FOUND)


def test_what_is_open_elsewhere_is_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResidueFound, match="are open") as refused:
        look(monkeypatch, benchmark_own=NOT_FOUND, benchmark_other=3, default=5)
    assert refused.value.cause == "3 in benchmark_other"


def test_a_cluster_that_does_not_say_is_not_taken_for_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(BenchmarkFailed) as failed:
        look(monkeypatch, benchmark_own=0, benchmark_other=UNAVAILABLE)
    assert "UNAVAILABLE" in failed.value.cause


def emptied(monkeypatch: pytest.MonkeyPatch, counts: list[int], *, listed: bool) -> list[int]:
    """The counts that `empty` did not ask for, where a visibility store gives these in turn."""

    async def count(client: ServiceClient, name: str, query: str) -> int:
        return counts.pop(0)

    async def terminate_all(client: ServiceClient, name: str, query: str) -> str:
        return "job"

    async def ended(client: ServiceClient, name: str, job: str) -> bool:
        return False

    monkeypatch.setattr(namespace, "count", count)
    monkeypatch.setattr(namespace, "_terminate_all", terminate_all)
    monkeypatch.setattr(namespace, "_ended", ended)
    monkeypatch.setattr(namespace, "_POLL", 0.0)
    monkeypatch.setattr(namespace, "_SETTLED", 0.0)
    client = cast("ServiceClient", None)
    assert asyncio.run(namespace.empty(client, "n", "prefix", listed=listed)) == ""
    return counts


def test_zero_is_believed_once_where_all_are_listed_else_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A store that is behind says zero, and then lists one that is open."""
    assert emptied(monkeypatch, [1, 0, 9], listed=True) == [9]
    assert emptied(monkeypatch, [1, 0, 2, 0, 0, 9], listed=False) == [9]
    # The mark of the run itself is open for certain: it was not listed yet.
    assert emptied(monkeypatch, [0, 1, 0, 9], listed=True) == [9]
