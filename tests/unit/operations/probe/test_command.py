"""The words of `dsql-deploy probe`."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from temporal_dsql_deploy.cli import probe
from temporal_dsql_deploy.cli.main import app
from temporal_dsql_deploy.operations.probe.result import CheckResult, ClosedPath, ProbeResult

LOGGED = "network dial error: dial tcp 10.0.0.2:7234: i/o timeout"
PATH = ClosedPath(
    "worker", "history", "grpc", 7234, certain=True, checks=["schedule"], log=[LOGGED]
)
GUESS = ClosedPath("worker", "frontend", "grpc", 7233, certain=False, checks=["batch"])
GUESSED = (
    "worker -> frontend port 7233 (grpc): closed, perhaps, or frontend does not run; "
    "takes part in: batch"
)
FAILED = ProbeResult(
    "127.0.0.1:7233",
    "default",
    "x",
    ok=False,
    at=datetime(2026, 11, 22, tzinfo=UTC),
    seconds=15.2,
    checks=[
        CheckResult("workflow", ok=True, seconds=0.1),
        CheckResult("schedule", ok=False, seconds=15.0, error="not done after 15 s", silent=True),
        CheckResult("batch", ok=True, seconds=15.0, left_out="another batch job does not end"),
    ],
    paths=[PATH, GUESS],
    notes=["worker is UNREACHABLE"],
)


def test_what_explains_the_failed_checks_is_said() -> None:
    assert probe.explanation(FAILED) == [
        "worker is UNREACHABLE",
        "worker -> history port 7234 (grpc): closed; takes part in: schedule",
        f"  worker logged {LOGGED}",
        GUESSED,
    ]


def test_a_round_is_a_line() -> None:
    assert probe.line(FAILED).endswith(
        "  15.2 s  FAILED: schedule (not done after 15 s); left out: batch"
    )


def test_a_check_that_was_left_out_is_shown_with_the_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    probe.show(FAILED)
    shown = capsys.readouterr().out
    assert "LEFT OUT" in shown
    assert "another batch job does not end" in shown


@pytest.mark.parametrize(
    "arguments",
    [["--metrics-port", "9464"], ["--watch", "0"], ["--watch", "nan"], ["--watch", "inf"]],
    ids=" ".join,
)
def test_wrong_use_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["probe", "local", *arguments]).exit_code == 2
