"""Mend a visibility index: add what can be added, make an empty one anew, else tell the way."""

from dataclasses import dataclass

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.errors import DeployError, Protected, StoppedHalfway
from temporal_dsql_deploy.operations.visibility import judge, reindex
from temporal_dsql_deploy.operations.visibility.judge import Cure, Fault
from temporal_dsql_deploy.operations.visibility.result import (
    Request,
    Step,
    VisibilityPlan,
    VisibilityResult,
)
from temporal_dsql_deploy.operations.visibility.seeing import Seen, see
from temporal_dsql_deploy.operations.visibility.setup import do, look, mending, tell
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
        cures = {Cure.PREPARE, Cure.RESUME, Cure.ADD}
        return Outlook(mending(found, cures), [], [], found)
    prepare = mending(found, {Cure.PREPARE})
    if any(one.cure is Cure.OTHER for one in found):
        # A new index would not be right either.
        return Outlook(prepare, [], [], found)
    name = next(iter(seen.index or {}))
    if name == request.index and _is_empty(request, name):
        return Outlook(prepare, _anew(request, seen, name), [], found)
    resumed = mending(found, {Cure.PREPARE, Cure.RESUME})
    return Outlook(resumed, [], reindex.steps(request, seen, name), found)


def repair(request: Request, there: Outlook, report: Report) -> VisibilityResult:
    """Do what `there` says, and compare what there is then.

    An index that is made anew has to be empty still: nobody may write to it meanwhile, and if
    somebody has, it stays. Raises Protected for that, StoppedHalfway where the index stays closed
    to writes or is gone, and what Domain.ask does.
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
    return [
        calls.mark_repair(name),
        calls.block_writes(name, blocked=True),
        calls.delete(name),
        calls.create(name, own),
    ]


def _make_anew(request: Request, made: list[Call], report: Report) -> list[Call]:
    mark, block, delete, create = made
    do(request, mark, report)
    gone = False
    try:
        # A call that failed may have been done all the same.
        do(request, block, report)
        _refuse_documents(request)
        # Between the two there is no index, and nobody else knows its search attributes.
        with interrupts.uninterrupted():
            _delete(request, made)
            gone = True
            _create(request, create)
    except BaseException as stopped:
        if not gone and not isinstance(stopped, StoppedHalfway):
            _open_again(request, stopped)
        raise
    # Not between the two: an output that is gone would end it there.
    for call in (delete, create):
        tell(call, report)
    return made


def _refuse_documents(request: Request) -> None:
    if _is_empty(request, request.index):
        return
    raise Protected(
        f"index {request.index} is not empty any more, and was not deleted",
        cause="a document has been written to it since it was looked at",
        fix="see what there is to do then: dsql-deploy visibility repair ENV --dry-run",
    )


def _open_again(request: Request, stopped: BaseException) -> None:
    try:
        with interrupts.uninterrupted():
            request.domain.find(calls.block_writes(request.index, blocked=False))
            request.domain.find(calls.unmark_repair(request.index))
    except DeployError as error:
        raise StoppedHalfway(
            f"index {request.index} stays as it is, and may still be closed to writes",
            cause=f"{_told(stopped)}; then, to open it again: {_told(error)}",
            fix="the same command goes on: dsql-deploy visibility repair ENV",
        ) from error


def _delete(request: Request, made: list[Call]) -> None:
    """Raises what has failed where the index is still there."""
    _, block, delete, create = made
    try:
        request.domain.ask(delete)
    except DeployError as error:
        try:
            # A deletion may still be on its way; OpenSearch does this after it, one by one.
            there = request.domain.find(block)
        except DeployError:
            raise StoppedHalfway(
                f"whether index {request.index} was deleted is not known",
                cause=_told(error),
                fix="see whether it is there: dsql-deploy visibility status ENV; if it is, the "
                "same command goes on: dsql-deploy visibility repair ENV; if it is missing, make "
                f"it: {create}",
            ) from error
        if there is not None:
            raise


def _create(request: Request, create: Call) -> None:
    try:
        request.domain.ask(create)
    except DeployError as error:
        again = f"make it with its custom search attributes: {create}"
        if create.body is None:
            again = "make it: dsql-deploy visibility setup ENV"
        raise StoppedHalfway(
            f"index {request.index} was deleted, and may not have been made again",
            cause=_told(error),
            fix=f"{again}; then compare it: dsql-deploy visibility status ENV",
        ) from error


def _told(stopped: BaseException) -> str:
    if isinstance(stopped, DeployError):
        return stopped.cause or stopped.message
    return "it was interrupted"
