"""What the verbs that change a cluster have in common: their plan, and the proof at their end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli.console import terminal

if TYPE_CHECKING:
    from temporal_dsql_deploy.operations.probe.result import ProbeResult
    from temporal_dsql_deploy.operations.restart import RestartPlan
    from temporal_dsql_deploy.operations.scale import ScalePlan
    from temporal_dsql_deploy.operations.up import UpPlan
    from temporal_dsql_deploy.platforms.protocol import Status


def tell_plan(plan: "UpPlan | ScalePlan | RestartPlan", *, as_json: bool) -> None:
    """What a verb would do."""
    if as_json:
        terminal.result(plan)
    else:
        terminal.text(*([str(change) for change in plan.changes] or ["nothing to do"]))


def show(lines: Sequence[str], status: "Status", probe: "ProbeResult | None") -> None:
    """What was done, how the cluster is now, and what a probe says of it."""
    from temporal_dsql_deploy.cli.probe import show as show_probe
    from temporal_dsql_deploy.cli.status import components

    terminal.text(*lines)
    terminal.render(components(status))
    if probe is not None:
        terminal.text("")
        show_probe(probe)
