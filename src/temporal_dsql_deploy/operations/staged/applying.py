"""Apply a plan, and follow it."""

from dataclasses import dataclass, replace
from pathlib import Path

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.operations.staged.steps import Doing
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.terraform import commands, survive, unwritten
from temporal_dsql_deploy.terraform.messages import Event
from temporal_dsql_deploy.terraform.run import Terraform, ready

_LINES = 10
"""Of progress, from nothing to all."""


def take_over(work: Work, directory: Path, report: Report) -> None:
    """Wait for a Terraform that was left alone there; make the state what one could not write.

    Raises what `unwritten.hand_in` raises.
    """
    survive.wait_for_others(directory, report)
    if unwritten.hand_in(replace(work.request, directory=directory)):
        report("state: it has what an apply made and could not write (terraform state push)")


@dataclass(frozen=True, slots=True)
class Agreed:
    """A plan that somebody has said yes to."""

    directory: Path
    plan: Path
    """The file."""
    total: int
    """How many resources it changes."""
    destroys: bool = False
    """It makes nothing, so the first interrupt stops it: nothing gets lost beside the state."""


def applied(work: Work, agreed: Agreed, doing: Doing) -> int:
    """Do exactly what the plan file says; how many resources were changed.

    Raises what `failures` makes of Terraform's errors, StoppedHalfway when it was interrupted, and
    KeyboardInterrupt when it was and was done all the same: nothing is to follow it.
    """
    changed, told, is_interrupted = 0, 0, False
    total = max(agreed.total, 1)

    def follow(event: Event) -> None:
        nonlocal changed, told, is_interrupted
        if event.kind == "apply_start":
            doing.changing()
        if event.kind == "apply_complete":
            changed += 1
            if changed * _LINES // total > told:
                told = changed * _LINES // total
                doing.report(f"terraform: {changed} of {total} resources are changed")
        is_interrupted = is_interrupted or event.kind == "interrupted"
        work.how.on_event(event)

    with ready(work.how.terraform, work.how.provider_mirror, follow) as (binary, variables):
        try:
            finishes = work.how.stays and not agreed.destroys
            Terraform(binary, agreed.directory, variables, follow, finishes=finishes).run(
                commands.apply(agreed.plan), keep=lambda _: False
            )
        except DeployError:
            # It hides what has failed, and has to be seen to first.
            unwritten.check(agreed.directory)
            raise
    if is_interrupted:
        raise KeyboardInterrupt
    return changed
