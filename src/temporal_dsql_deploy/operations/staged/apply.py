"""The plan, the question, and the apply of exactly that plan."""

from temporal_dsql_deploy.errors import DeployError, TerraformFailed
from temporal_dsql_deploy.operations.plan.result import PlanResult
from temporal_dsql_deploy.operations.staged import leftovers
from temporal_dsql_deploy.operations.staged.applying import Agreed, applied
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import PRODUCTION, Question, Work
from temporal_dsql_deploy.terraform import commands, workdir
from temporal_dsql_deploy.terraform.run import Terraform, ready


def plan(work: Work) -> Step:
    """What an apply would do, shown."""
    return Step(
        "plan",
        "Terraform says what it would change",
        lambda: _look_at_plan(work),
    )


def _look_at_plan(work: Work) -> Seen:
    made = _planned(work)
    work.show_plan()
    return Seen(not made.changes, _counted(made))


def _planned(work: Work) -> PlanResult:
    """Raises TerraformFailed for a plan that says less than all: it may seem to change nothing."""
    made = work.planned()
    if made.errored:
        raise TerraformFailed(
            "planning failed half way",
            cause="; ".join(made.notes) or "Terraform says no more",
            fix="see all that it says: dsql-deploy plan ENV",
        )
    return made


def apply(work: Work) -> Step:
    """Ask, then apply that plan."""
    return Step(
        "apply",
        "what stands on AWS is what the Terraform says",
        lambda: _look(work),
        lambda doing: _do(work, doing),
    )


def _look(work: Work) -> Seen:
    made = _planned(work)
    return Seen(not made.changes, _counted(made))


def _do(work: Work, doing: Doing) -> str:
    made = _planned(work)
    if made.losses and _taken_as_they_are(work, doing):
        made = _planned(work)
    work.show_plan()
    losses = [f"{one.action.upper()} {one.what} {one.address}: {one.lost}" for one in made.losses]
    work.how.ask(
        Question(
            f"apply this to {work.name}: {_counted(made)}",
            losses,
            typed=work.name == PRODUCTION or bool(losses),
        )
    )
    counts = made.counts
    # A replacement is two: one goes and one comes.
    total = counts.create + counts.update + 2 * counts.replace + counts.delete
    try:
        changed = applied(work, Agreed(work.directory, work.plan_file, total), doing)
    finally:
        work.applied()
    _tell_of_orphans(work, doing)
    return f"applied: {changed} resources were changed"


def _taken_as_they_are(work: Work, doing: Doing) -> bool:
    """Whether there was something that holds data and was made half way: it is not replaced."""
    found = leftovers.half_made(workdir.state(work.request))
    for address in found:
        doing.changing()
        with ready(work.how.terraform, work.how.provider_mirror, work.how.on_event) as ours:
            binary, variables = ours
            Terraform(binary, work.directory, variables).run(commands.untaint(address))
        doing.report(
            f"apply: {address} was being made when an apply was stopped; it is kept, and changed "
            "where it lacks something (terraform untaint)"
        )
    if found:
        work.applied()
    return bool(found)


def _tell_of_orphans(work: Work, doing: Doing) -> None:
    """Whatever comes of the look, the apply before it went well."""
    try:
        found = leftovers.orphans(workdir.state(work.request), work.region)
    except DeployError as error:
        why = " ".join(f"{error.message}: {error.cause}".split())
        doing.report(f"apply: not looked for what nobody uses: {why}")
        return
    for one in found:
        doing.report(
            f"apply: {one.type} {one.id} has the tags of {work.name} and is in no state: an apply "
            f"that was stopped may have left it. To remove it: {one.remove}"
        )


def _counted(made: PlanResult) -> str:
    if not made.changes:
        return "no changes: what stands is what is written"
    counts = made.counts
    return (
        f"{counts.create} to create, {counts.update} to update, {counts.replace} to replace, "
        f"{counts.delete} to delete"
    )
