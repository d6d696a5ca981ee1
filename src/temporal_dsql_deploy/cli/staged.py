"""What `up` and `destroy` have in common on ECS: the question before a change, and the steps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli.console import table, terminal
from temporal_dsql_deploy.cli.progress import watching
from temporal_dsql_deploy.errors import NotConfirmed, NotForPlatform

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.plan.result import PlanResult
    from temporal_dsql_deploy.operations.staged.steps import StepResult
    from temporal_dsql_deploy.operations.staged.work import How, Question
    from temporal_dsql_deploy.terraform.messages import Event

_WORDS: "Mapping[str, str]" = {
    "is-so": "is so",
    "not-so": "is NOT so",
    "done": "done",
    "to-do": "would be done",
    "unknown": "not known yet",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say, whatever is done on ECS."""

    environment: str
    yes: bool = False
    confirm: str | None = None
    var_files: Sequence[Path] = ()
    terraform: Path | None = None
    provider_mirror: Path | None = None
    wait: float | None = None
    dry_run: bool = False

    @contextmanager
    def how(self) -> Iterator["How"]:
        """How it is to be done, with what Terraform is at shown meanwhile."""
        from temporal_dsql_deploy.operations.staged.work import WAIT, How

        with watching() as told:
            # Each step that runs Terraform would say it again.
            said: set[str] = set()

            def on_event(event: "Event") -> None:
                if event.kind == "providers":
                    if event.text in said:
                        return
                    said.add(event.text)
                told(event)

            yield How(
                ask=self.ask,
                show=_show,
                terraform=self.terraform,
                provider_mirror=self.provider_mirror,
                var_files=self.var_files,
                wait=WAIT if self.wait is None else self.wait,
                dry_run=self.dry_run,
                on_event=on_event,
            )

    def ask(self, question: "Question") -> None:
        """Ask the user, or heed what the options say. Raises NotConfirmed."""
        for line in question.details:
            terminal.progress(line)
        if question.typed:
            self._ask_for_name(question)
        elif not self.yes:
            self._ask_for_yes(question)

    def _ask_for_name(self, question: "Question") -> None:
        said = self.confirm
        if said is None and terminal.interactive():
            said = terminal.ask(f"This will {question.does}.", f"Type {self.environment}:")
        if said is None:
            raise NotConfirmed(
                f"{self.environment} is not changed without its name as a confirmation",
                cause=f"it would {question.does}, and there is no terminal to ask on",
                fix=f"say that you are sure: --confirm {self.environment}",
            )
        if said != self.environment:
            raise NotConfirmed(
                f"{self.environment} is not changed",
                cause=f"{said!r} is not its name",
                fix=f"to be sure, what has to be typed is {self.environment}",
            )

    def _ask_for_yes(self, question: "Question") -> None:
        if not terminal.interactive():
            raise NotConfirmed(
                f"{self.environment} is not changed without a confirmation",
                cause=f"it would {question.does}, and there is no terminal to ask on",
                fix="say that you are sure: --yes",
            )
        if not terminal.confirm(f"This will {question.does}.", "Do it?"):
            raise NotConfirmed(
                f"{self.environment} is not changed",
                cause="the question was answered with no",
                fix="see what would be done, and do nothing: --dry-run",
            )


def refuse_given(environment: "Environment", given: Mapping[str, object]) -> None:
    """Refuse options that mean nothing on the environment's platform. Raises NotForPlatform."""
    said = [option for option, value in given.items() if value not in (None, [], False)]
    if said:
        raise NotForPlatform(
            f"{', '.join(said)}: not on {environment.platform}, the platform of environment "
            f"{environment.name}",
            cause="there Terraform's variables say it"
            if environment.platform == "ecs"
            else "it is for environments on ECS",
            fix=f"leave {'it' if len(said) == 1 else 'them'} out",
        )


def _show(plan: "PlanResult") -> None:
    """A plan, beside the progress: stdout is for the result."""
    from temporal_dsql_deploy.cli.plan import lines

    for note in plan.notes:
        terminal.warning(note)
    if not terminal.json:
        # Its file is gone when this command has ended.
        terminal.aside(*lines(replace(plan, plan_file=None)))


def show_steps(steps: "Sequence[StepResult]") -> None:
    """The steps as a table."""
    run = [one for one in steps if one.outcome in _WORDS]
    rows = [(one.name, _WORDS[one.outcome], terminal.spelled(one.told)) for one in run]
    terminal.render(table(("step", "", "seen"), rows))
    left = [one.name for one in steps if one not in run]
    if left:
        terminal.text("", f"left out: {', '.join(left)}")
