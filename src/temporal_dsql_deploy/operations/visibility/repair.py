"""Mend a visibility index: add what can be added, make an empty one anew, else tell the way."""

from dataclasses import dataclass

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.errors import Protected
from temporal_dsql_deploy.operations.visibility import judge, reindex
from temporal_dsql_deploy.operations.visibility.judge import Cure, Fault
from temporal_dsql_deploy.operations.visibility.result import (
    Request,
    Step,
    VisibilityPlan,
    VisibilityResult,
)
from temporal_dsql_deploy.operations.visibility.seeing import Seen, see
from temporal_dsql_deploy.operations.visibility.setup import do, look, mending
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.visibility import calls
from temporal_dsql_deploy.visibility.calls import Call


@dataclass(frozen=True, slots=True)
class Outlook:
    """What can be done about an index."""

    calls: list[Call]
    """That mend in place."""
    anew: list[Call]
    """That delete an empty index and make it again; empty where that is not what is to be done."""
    steps: list[Step]
    """For somebody, where there is no other way."""
    faults: list[Fault]

    def plan(self, request: Request) -> VisibilityPlan:
        """The same as a result."""
        return VisibilityPlan(
            environment=request.environment,
            calls=[str(call) for call in (*self.calls, *self.anew)],
            findings=[one.finding for one in self.faults],
            steps=self.steps,
        )


def outlook(request: Request) -> Outlook:
    """What `repair` would do now. Raises what Domain.ask does."""
    seen = see(request.domain, request.index)
    found = judge.faults(request, seen)
    if not any(one.cure is Cure.REBUILD for one in found):
        return Outlook(mending(found, {Cure.PREPARE, Cure.ADD}), [], [], found)
    prepare = mending(found, {Cure.PREPARE})
    if any(one.cure is Cure.OTHER for one in found):
        # A new index would not be right either.
        return Outlook(prepare, [], [], found)
    name = next(iter(seen.index or {}))
    if name == request.index and _is_empty(request, name):
        return Outlook(prepare, _anew(request, seen, name), [], found)
    return Outlook(prepare, [], reindex.steps(request, seen, name), found)


def repair(request: Request, there: Outlook, report: Report) -> VisibilityResult:
    """Do what `there` says, and compare what there is then.

    An index that is made anew has to be empty still: nobody may write to it meanwhile, and if
    somebody has, it stays. Raises Protected for that, and what Domain.ask does.
    """
    done = [do(request, call, report) for call in there.calls]
    if there.anew:
        done += _make_anew(request, there.anew, report)
    return VisibilityResult(
        environment=request.environment,
        done=[str(call) for call in done],
        status=look(request),
        steps=there.steps,
    )


def _is_empty(request: Request, name: str) -> bool:
    """Whether no document is in it, one that was written just now too."""
    request.domain.ask(calls.refresh(name))
    answer = request.domain.ask(calls.count(name))
    shards = answer["_shards"]
    # One that does not answer may have some.
    return bool(answer["count"] == 0 and shards["successful"] == shards["total"])


def _anew(request: Request, seen: Seen, name: str) -> list[Call]:
    """Delete it and make it again, with the fields of custom search attributes that it had."""
    own = reindex.search_attributes(request, seen)
    return [calls.block_writes(name, blocked=True), calls.delete(name), calls.create(name, own)]


def _make_anew(request: Request, made: list[Call], report: Report) -> list[Call]:
    block, *rest = made
    empty = False
    do(request, block, report)
    try:
        empty = _is_empty(request, request.index)
    finally:
        if not empty:
            request.domain.ask(calls.block_writes(request.index, blocked=False))
    if not empty:
        raise Protected(
            f"index {request.index} is not empty any more, and was not deleted",
            cause="a document has been written to it since it was looked at",
            fix="see what there is to do then: dsql-deploy visibility repair ENV --dry-run",
        )
    # Between the two there is no index, and nobody else knows its search attributes.
    with interrupts.uninterrupted():
        return [block, *(do(request, call, report) for call in rest)]
