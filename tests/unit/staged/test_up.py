"""The steps of `up`: their names, and the images that they look for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.plan.result import PlanResult
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.staged import before, up
from temporal_dsql_deploy.operations.staged.steps import Chosen, Runner
from temporal_dsql_deploy.operations.staged.work import WAIT, How, Question, Work

ROOT = Path(__file__).parents[3]


def _work(variables: Mapping[str, Any]) -> Work:
    def ask(_question: Question) -> None:
        pass

    def show(_plan: PlanResult) -> None:
        pass

    work = Work(Environment("dev", platform="ecs"), How(ask, show), Path("/nowhere"))
    work.__dict__["variables"] = variables
    return work


def test_the_names_are_those_of_the_steps_in_their_order() -> None:
    def probe(_work: Work, _changed: bool) -> ProbeResult:  # noqa: FBT001
        raise AssertionError

    work = _work({})
    steps = [make(work) for make in (*up._UNLOCKED, *up._LOCKED)]
    runner = Runner(up.NAMES, Chosen(), lambda _line: None, dry_run=True)
    last = up._Proof(work, probe, runner).step()
    assert tuple(step.name for step in [*steps, last]) == up.NAMES
    assert [step.name for step in steps if step.always] == ["account"]


def test_help_and_guide_name_all_steps() -> None:
    guide = (ROOT / "docs" / "guides" / "deploy.md").read_text()
    rows = [line.split("`")[1] for line in guide.splitlines() if line.startswith("| `")]
    assert tuple(rows) == up.NAMES
    help_text = (ROOT / "src/temporal_dsql_deploy/cli/up.py").read_text()
    assert ", ".join(up.NAMES) in " ".join(help_text.split())


def test_the_wait_that_help_names_is_the_default() -> None:
    options = (ROOT / "src/temporal_dsql_deploy/cli/options.py").read_text()
    assert f"may take [{WAIT:g}]" in options


@given(
    collector=st.sampled_from(["otel", "alloy", "none"]),
    parts=st.fixed_dictionaries({one: st.booleans() for one in ("loki", "grafana", "adot")}),
    beside=st.sets(st.sampled_from(["ui", "benchmark"])),
)
def test_only_images_of_what_is_switched_on_are_looked_for(
    collector: str, parts: dict[str, bool], beside: set[str]
) -> None:
    names = ("ui", "grafana", "loki", "adot", "otel_collector", "alloy", "benchmark")
    telemetry = {f"{part}_enabled": on for part, on in parts.items()}
    work = _work(
        {
            "temporal_image": "runtime:1",
            "temporal_admin_tools_image": "tools:1",
            "images": {name: f"{name}:1" for name in names},
            "telemetry": {**telemetry, "collector": collector},
            "ui": {"enabled": "ui" in beside},
            "benchmark": {"enabled": "benchmark" in beside},
        }
    )
    found = {one.variable.removeprefix("images.") for one in before.named(work)}
    wanted = {"temporal_image", "temporal_admin_tools_image"}
    wanted |= {part for part, on in parts.items() if on} | beside
    wanted |= {"otel": {"otel_collector"}, "alloy": {"alloy"}, "none": set()}[collector]
    assert found == wanted


def test_an_image_of_ecr_is_taken_apart() -> None:
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    digest = f"sha256:{'a' * 64}"
    for name, tag, named in (
        (f"{host}/temporal-dsql:sha-1", "sha-1", None),
        (f"{host}/team/temporal-dsql@{digest}", None, digest),
        (f"{host}.cn/temporal-dsql", None, None),
    ):
        found = before._ECR.fullmatch(name)
        assert found is not None
        assert (found["tag"], found["digest"], found["region"]) == (tag, named, "eu-west-1")
    for other in ("temporalio/ui:2.54.1", "public.ecr.aws/x/y:1", f"ghcr.io/{host}/x"):
        assert before._ECR.fullmatch(other) is None
