"""Apply a plan, and follow it."""

from pathlib import Path

from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.operations.staged.steps import Doing
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.terraform import commands, survive
from temporal_dsql_deploy.terraform.messages import Event
from temporal_dsql_deploy.terraform.run import Terraform, ready

_LINES = 10
"""Of progress, from nothing to all."""


def applied(work: Work, directory: Path, plan: Path, doing: Doing, *, total: int) -> int:
    """Do exactly what the plan file says; how many resources were changed.

    `total` is how many it changes.

    Raises what `failures` makes of Terraform's errors, StoppedHalfway when it was interrupted, and
    KeyboardInterrupt when it was and was done all the same: nothing is to follow it.
    """
    changed, told, is_interrupted = 0, 0, False
    total = max(total, 1)

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
            Terraform(binary, directory, variables, follow).run(
                commands.apply(plan), keep=lambda _: False
            )
        except DeployError:
            # It hides what has failed, and has to be seen to first.
            survive.check_written(directory)
            raise
    if is_interrupted:
        raise KeyboardInterrupt
    return changed
