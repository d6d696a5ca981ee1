"""Steps that are run in order: each looks whether it is done, and does what is not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from temporal_dsql_deploy.errors import DeployError, RefusedError, StoppedHalfway
from temporal_dsql_deploy.platforms.protocol import Report, Result


class Outcome(StrEnum):
    """What came of a step."""

    IS_SO = "is-so"
    """There was nothing to do."""
    NOT_SO = "not-so"
    """It was looked at, and this step alone does nothing about it."""
    DONE = "done"
    TO_DO = "to-do"
    """It would be done, and with --dry-run is not."""
    UNKNOWN = "unknown"
    """It cannot be looked at before a step that is yet to be done."""
    LEFT_OUT = "left-out"
    """It was not asked for."""


@dataclass(frozen=True, slots=True)
class StepResult(Result):
    """What came of one step."""

    name: str
    does: str
    """What it is for, one sentence."""
    outcome: Outcome
    told: str
    """What was seen, or done."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a step has found."""

    done: bool
    told: str
    """The evidence, in words."""


class Doing:
    """What a step is given that does something."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.has_changed = False

    def changing(self) -> None:
        """Say that from here on something is another than before."""
        self.has_changed = True

    def news(self, line: str) -> None:
        """A line of progress of what has begun to change something."""
        self.changing()
        self.report(line)


@dataclass(frozen=True, slots=True)
class Step:
    """One step; a gate has nothing to do and raises what speaks against going on."""

    name: str
    does: str
    look: Callable[[], Seen]
    do: Callable[[Doing], str] | None = None
    """Does it, and says what it has done."""
    always: bool = False
    """Whether it is run also when others are asked for."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which steps are asked for; all without either."""

    first: str | None = None
    """This one and those after it."""
    only: str | None = None
    last: str | None = None
    """None after this one."""

    def has(self, steps: Sequence[str], name: str) -> bool:
        """Whether the step called `name`, one of `steps`, is asked for."""
        if self.only is not None:
            return name == self.only
        begun = self.first is None or steps.index(name) >= steps.index(self.first)
        ended = self.last is not None and steps.index(name) > steps.index(self.last)
        return begun and not ended


class Runner:
    """Runs steps, and keeps what came of them."""

    def __init__(
        self, names: Sequence[str], chosen: Chosen, report: Report, *, dry_run: bool
    ) -> None:
        """`names` are those of all steps, in their order."""
        self.results: list[StepResult] = []
        self.changed: list[str] = []
        """The steps that have changed something."""
        self._names = names
        self._chosen = chosen
        self._report = report
        self._dry_run = dry_run

    def run(self, steps: Sequence[Step], check: Callable[[], None] = lambda: None) -> None:
        """Run those of these that are asked for; `check` is called before each.

        What fails keeps its own error, with the name of the step, as long as nothing was changed,
        and where it is refused. Else raises StoppedHalfway, also for an interruption.
        """
        for step in steps:
            if not (step.always or self._chosen.has(self._names, step.name)):
                self._keep(step, Outcome.LEFT_OUT, "not asked for")
                continue
            doing = Doing(self._report)
            try:
                check()
                self._run(step, doing)
            except KeyboardInterrupt as error:
                if not (self.changed or doing.has_changed):
                    raise
                raise self._interrupted(step) from error
            except DeployError as error:
                raise self._failed(step, doing, error) from error

    def _run(self, step: Step, doing: Doing) -> None:
        try:
            seen = step.look()
        except DeployError as error:
            if not any(one.outcome is Outcome.TO_DO for one in self.results):
                raise
            # With --dry-run: what it looks at is made by a step that would be done before.
            self._keep(step, Outcome.UNKNOWN, f"not to be seen yet: {error.message}")
            return
        if seen.done or step.do is None:
            self._keep(step, Outcome.IS_SO if seen.done else Outcome.NOT_SO, seen.told)
            return
        if self._dry_run:
            self._keep(step, Outcome.TO_DO, seen.told)
            return
        self._report(f"{step.name}: {seen.told}")
        told = step.do(doing)
        if doing.has_changed:
            self.changed.append(step.name)
        self._keep(step, Outcome.DONE, told)

    def _keep(self, step: Step, outcome: Outcome, told: str) -> None:
        self.results.append(StepResult(step.name, step.does, outcome, told))
        if outcome is not Outcome.LEFT_OUT:
            self._report(f"{step.name}: {told}")

    def _failed(self, step: Step, doing: Doing, error: DeployError) -> DeployError:
        if isinstance(error, RefusedError) or not (self.changed or doing.has_changed):
            error.message = f"step {step.name}: {error.message}"
            error.args = (error.message,)
            return error
        return StoppedHalfway(
            f"step {step.name} has failed: {error.message}",
            cause=f"{error.cause or error.message} [{error.code}]{self._before()}",
            fix=error.fix
            if "same command" in error.fix
            else ". ".join(
                filter(None, (error.fix, "Then run the same command again: it goes on"))
            ),
        )

    def _interrupted(self, step: Step) -> StoppedHalfway:
        return StoppedHalfway(
            f"step {step.name} was interrupted",
            cause=f"it was asked to stop{self._before()}",
            fix="run the same command again: it looks at what there is, and goes on",
        )

    def _before(self) -> str:
        return f"; done before it: {', '.join(self.changed)}" if self.changed else ""
