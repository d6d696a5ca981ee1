"""From whatever is there to a running, probed cluster on ECS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.staged import (
    account,
    apply,
    before,
    data,
    hosts,
    running,
    state,
)
from temporal_dsql_deploy.operations.staged.applying import take_over
from temporal_dsql_deploy.operations.staged.steps import (
    Chosen,
    Runner,
    Seen,
    Step,
    StepResult,
)
from temporal_dsql_deploy.operations.staged.work import How, Work
from temporal_dsql_deploy.platforms.ecs import lock
from temporal_dsql_deploy.platforms.protocol import Report, Result
from temporal_dsql_deploy.terraform import scratch

Probe = Callable[[Work, bool], ProbeResult]
"""Probes the cluster; whether something was changed just now."""
_UNLOCKED: tuple[Callable[[Work], Step], ...] = (account.step, state.step)
"""The lock lies beside the state, so it can be taken only once there is a place for that."""
_LOCKED: tuple[Callable[[Work], Step], ...] = (
    before.secret,
    before.images,
    before.check,
    apply.plan,
    apply.apply,
    hosts.step,
    data.schema,
    data.visibility,
    running.start,
    running.clients,
)
NAMES = (
    "account",
    "state",
    "secret",
    "images",
    "check",
    "plan",
    "apply",
    "hosts",
    "schema",
    "visibility",
    "services",
    "clients",
    "probe",
)
"""All steps, in their order; a test compares."""
_PAGES = ("ui", "grafana")


@dataclass(frozen=True, slots=True)
class StagedUp(Result):
    """What `up` has done of an environment on ECS, or with --dry-run would do."""

    environment: str
    changed: bool
    """Whether any step has done something."""
    steps: list[StepResult]
    probe: ProbeResult | None = None
    """Null where that step was left out, or was not reached."""
    open: dict[str, str] = field(default_factory=dict)
    """What to open next, by page: a command that brings it to this machine."""


def up(
    environment: Environment,
    how: How,
    chosen: Chosen,
    report: Report,
    probe: Probe,
) -> StagedUp:
    """Run the steps that are asked for; a probe that fails is told by its result.

    Raises what a step does, StoppedHalfway once something was changed, and Locked.
    """
    runner = Runner(NAMES, chosen, report, dry_run=how.dry_run)
    with scratch.folder() as folder:
        work = Work(environment, how, folder)
        work.is_to_plan = any(chosen.has(NAMES, name) for name in ("plan", "apply"))
        runner.run([make(work) for make in _UNLOCKED])
        proof = _Proof(work, probe, runner)
        steps = [*(make(work) for make in _LOCKED), proof.step()]
        if how.dry_run:
            runner.run(steps)
        else:
            _run_locked(work, runner, steps, report)
        return StagedUp(
            environment.name,
            bool(runner.changed),
            runner.results,
            proof.result,
            {} if how.dry_run else _to_open(work, proof.result),
        )


def _run_locked(work: Work, runner: Runner, steps: Sequence[Step], report: Report) -> None:
    with lock.held(work.directory, "up", report) as taken:
        take_over(work, work.directory, report)
        runner.run(steps, check=lambda: taken.check() if taken else None)


class _Proof:
    """The last step."""

    def __init__(self, work: Work, probe: Probe, runner: Runner) -> None:
        self._work = work
        self._probe = probe
        self._runner = runner
        self.result: ProbeResult | None = None

    def step(self) -> Step:
        """Probe, which is always looked at and never done; but for --dry-run, as it runs some."""
        does = "workflows run, from end to end"
        if not self._work.how.dry_run:
            return Step("probe", does, self._look)
        told = "a probe would run workflows, in a task where this machine is not in the VPC"
        return Step("probe", does, lambda: Seen(False, told), lambda _: self._look().told)

    def _look(self) -> Seen:
        self.result = self._probe(self._work, bool(self._runner.changed))
        failed = [one.name for one in self.result.checks if not one.ok]
        return Seen(
            self.result.ok,
            f"{len(self.result.checks)} checks are right"
            if self.result.ok
            else f"failed: {', '.join(failed)}",
        )


def _to_open(work: Work, proof: ProbeResult | None) -> dict[str, str]:
    """The commands that bring pages to this machine, as the outputs have them."""
    if proof is None:
        return {}
    said: Any = work.deployed().outputs.get("port_forward_commands")
    commands = said if isinstance(said, dict) else {}
    return {page: str(commands[page]) for page in _PAGES if commands.get(page)}
