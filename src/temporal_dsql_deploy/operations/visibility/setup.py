"""Make the visibility index: the setting, the template, then the index, and look at what came."""

from collections.abc import Sequence

from temporal_dsql_deploy.operations.visibility import judge, ready
from temporal_dsql_deploy.operations.visibility.judge import Cure, Fault
from temporal_dsql_deploy.operations.visibility.result import (
    Request,
    VisibilityPlan,
    VisibilityResult,
    VisibilityStatus,
)
from temporal_dsql_deploy.operations.visibility.seeing import see
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.visibility.calls import Call

_CURES = {Cure.PREPARE, Cure.CREATE}


def look(request: Request) -> VisibilityStatus:
    """What there is; it changes nothing. Raises what Domain.ask does."""
    return judge.status(request, see(request.domain, request.index))


def plan(request: Request) -> VisibilityPlan:
    """What `setup` would do now. Raises what Domain.ask does."""
    found = judge.faults(request, see(request.domain, request.index))
    return VisibilityPlan(
        environment=request.environment,
        calls=[str(call) for call in mending(found, _CURES)],
        findings=[one.finding for one in found],
        steps=[],
    )


def setup(request: Request, report: Report, *, wait: float) -> VisibilityResult:
    """Make what is missing, in the order that matters, and compare what there is then.

    An index that is there and wrong is not touched: it is among the findings. Where something
    would make a wrong index of a new one, nothing is made. Raises NotReady, and what Domain.ask
    does.
    """
    ready.until_ready(request.domain, report, wait=wait)
    found = judge.faults(request, see(request.domain, request.index))
    done = [do(request, call, report) for call in mending(found, _CURES)]
    return VisibilityResult(
        environment=request.environment, done=[str(call) for call in done], status=look(request)
    )


def mending(found: Sequence[Fault], cures: set[Cure]) -> list[Call]:
    """The calls that mend these faults, each once; none while something else has to be done first.

    An index that is made where the template does not count would be wrong, and to stay.
    """
    if any(one.cure is Cure.OTHER for one in found):
        return []
    made = [one.call for one in found if one.cure in cures and one.call is not None]
    return [call for at, call in enumerate(made) if call not in made[:at]]


def do(request: Request, call: Call, report: Report) -> Call:
    """Make a call that changes something."""
    request.domain.ask(call)
    tell(call, report)
    return call


def tell(call: Call, report: Report) -> None:
    """Say that a call was made."""
    report(f"{call.method} {call.path}")
