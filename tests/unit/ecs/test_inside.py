"""A verb inside the VPC: what a task is told, and what comes back in its log."""

import json
import time
from dataclasses import asdict
from typing import Any

import pytest

from temporal_dsql_deploy.bench import options as bench_options
from temporal_dsql_deploy.bench.option import Duration
from temporal_dsql_deploy.cli import console, options
from temporal_dsql_deploy.cli.bench import ecs as bench
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import (
    InvalidSetting,
    NotApplied,
    NotConfirmed,
    RolledBack,
    TaskFailed,
)
from temporal_dsql_deploy.operations import deployed as finding
from temporal_dsql_deploy.operations.on_ecs import benchmark, inside
from temporal_dsql_deploy.operations.probe.result import CheckResult, ProbeResult
from temporal_dsql_deploy.platforms.clock import Clock
from temporal_dsql_deploy.platforms.ecs import carried, one_off, rollout
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.one_off import Ended, OneOff
from tests.support.fake_ecs import CLUSTER, START, FakeEcs, clients, deployed, deployment, service

COMPONENTS = ("loki", "adot", "history", "matching", "frontend", "worker", "ui", "grafana")
TASK = f"{CLUSTER}/0123456789abcdef"
ADMIN = {
    "task_definition_arn": "arn:task-definition/temporal-dev-admin-task:1",
    "security_group_id": "sg-1",
    "subnet_ids": ["subnet-1"],
    "log_group_name": "/ecs/temporal-dev/admin-task",
    "container_name": "admin-task",
}
HOST = "abc.dsql.eu-west-1.on.aws"
CHECK = CheckResult("start", ok=False, seconds=1.0, error="no answer")
PROBE = ProbeResult("a:7233", "default", "queue", ok=False, at=START, seconds=1, checks=[CHECK])


def there(**outputs: Any) -> Deployed:
    return deployed(*COMPONENTS, admin_task=ADMIN, dsql_cluster_endpoint=HOST, **outputs)


def document(result: object) -> str:
    return json.dumps(asdict(result), default=str)  # type: ignore[call-overload]


def ends(monkeypatch: pytest.MonkeyPatch, code: int, *log: str) -> list[OneOff]:
    """A task that ends so, and has logged this; those that were run."""
    ran: list[OneOff] = []

    def run(one: OneOff, _: object, report: Any, **more: Any) -> Ended:
        ran.append(one)
        assert code in more["codes"]
        for line in log:
            report(line)
        return Ended(TASK, code, list(log))

    monkeypatch.setattr(one_off, "run", run)
    return ran


def probe(said: list[str]) -> ProbeResult:
    command = ["probe", "dev"]
    return inside.run(there(), clients(FakeEcs()), command, ProbeResult, said.append)


def test_the_result_is_the_document_that_it_prints_last(monkeypatch: pytest.MonkeyPatch) -> None:
    ran = ends(monkeypatch, 1, "  1.20s  start failed: no answer", document(PROBE))
    said: list[str] = []
    assert probe(said) == PROBE
    assert said == ["start failed: no answer"]
    assert ran[0].command == ["probe", "dev", "--json"]
    assert ran[0].container == "admin-task"


def test_a_document_may_be_in_several_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log driver cuts a long line, and a program may print one that is indented."""
    whole = document(PROBE)
    ends(monkeypatch, 1, "working", whole[:40], whole[40:])
    assert probe([]) == PROBE
    indented = json.dumps(json.loads(whole), indent=2).split("\n")
    ends(monkeypatch, 1, *indented)
    said: list[str] = []
    assert probe(said) == PROBE
    assert said == []


def test_what_it_raises_there_is_raised_here(monkeypatch: pytest.MonkeyPatch) -> None:
    reason = {"code": "not-confirmed", "exit_code": 4, "message": "m", "cause": "c", "fix": "f"}
    ends(monkeypatch, 4, "looking", json.dumps({"error": reason}))
    with pytest.raises(NotConfirmed) as told:
        probe([])
    assert (told.value.message, told.value.cause, told.value.fix) == ("m", "c", "f")
    ends(monkeypatch, 1, json.dumps({"error": {**reason, "code": "of-a-later-version"}}))
    with pytest.raises(TaskFailed, match="m"):
        probe([])


@pytest.mark.parametrize("log", [[], ["nothing"], ["{broken"], ['{"a": 1}'], ["{}"]])
def test_without_a_result_its_log_is_told(monkeypatch: pytest.MonkeyPatch, log: list[str]) -> None:
    ends(monkeypatch, 0, *log)
    with pytest.raises(TaskFailed, match="task 0123456789abcdef has printed no result") as told:
        probe([])
    assert (log[-1] if log else "nothing") in told.value.cause


def test_without_the_task_it_says_so() -> None:
    with pytest.raises(NotApplied, match="has no admin_task"):
        inside.task(deployed("history"), ["probe", "dev"])


def test_what_it_is_told_is_what_it_finds_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """All overrides of a task together have 8192 characters at most (ECS API, TaskOverride)."""
    one = inside.task(there(), ["recover", "dev", "--deadline", "15", "--yes", "--json"])
    assert len(json.dumps(one.request("dsql-deploy")["overrides"])) < 8192
    monkeypatch.setenv(carried.VARIABLE, one.environment[carried.VARIABLE])
    monkeypatch.delenv(carried.ENDPOINT, raising=False)
    found = finding.find(Environment("ours", platform="ecs"))
    assert (found.environment, found.account, found.project) == (
        "ours",
        "123456789012",
        "temporal-dev",
    )
    assert found.components == list(COMPONENTS)
    assert found.service("history")["replicas"] == 1
    assert found.output("dsql_cluster_endpoint") == HOST
    # From inside it may be reached by another name.
    monkeypatch.setenv(carried.ENDPOINT, "abc.dsql-fnh4.eu-west-1.on.aws")
    again = carried.here("ours")
    assert again is not None
    assert again.output("dsql_cluster_endpoint") == "abc.dsql-fnh4.eu-west-1.on.aws"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"outputs": 1}', "7"])
def test_what_is_not_written_by_the_tool_is_refused(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv(carried.VARIABLE, text)
    with pytest.raises(InvalidSetting, match=carried.VARIABLE):
        carried.here("dev")


def test_the_names_of_the_variable_agree() -> None:
    assert options.INSIDE == carried.VARIABLE
    assert console._INSIDE == carried.VARIABLE


def test_inside_a_result_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(carried.VARIABLE, "x")
    console.Terminal().result(PROBE)
    assert len(capsys.readouterr().out.splitlines()) == 1


BENCHMARK = {
    "task_definition_arn": "arn:task-definition/temporal-dev-benchmark:1",
    "worker_service_name": "temporal-dev-temporal-benchmark-worker",
    "capacity_provider_name": "temporal-dev-benchmark",
    "security_group_id": "sg-2",
    "log_group_name": "/ecs/temporal-dev/benchmark",
}


def measured(monkeypatch: pytest.MonkeyPatch, ecs: FakeEcs, code: int, *log: str) -> list[OneOff]:
    none = deployment("benchmark-worker", desiredCount=0, runningCount=0)
    idle = service("benchmark-worker", desiredCount=0, runningCount=0, deployments=[none])
    ecs.put(idle)
    return ends(monkeypatch, code, *log)


def bench_run(ecs: FakeEcs, said: list[str]) -> ProbeResult:
    return benchmark.run(
        there(benchmark=BENCHMARK, private_subnet_ids=["subnet-1"]),
        clients(ecs),
        ProbeResult,
        said.append,
        workers=2,
        arguments=["--generator-only"],
        clock=Clock(time.monotonic, lambda _: None),
    )


def test_a_benchmark_has_its_workers_for_as_long_as_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ecs, said = FakeEcs(), list[str]()
    ran = measured(monkeypatch, ecs, 1, document(PROBE))
    assert bench_run(ecs, said) == PROBE
    assert [change for _, change in ecs.asked] == [{"desiredCount": 2}, {"desiredCount": 0}]
    request = ran[0].request("x")
    assert request["capacityProviderStrategy"] == [{"capacityProvider": "temporal-dev-benchmark"}]
    override = request["overrides"]["containerOverrides"][0]
    # With it the result is one line: the log may have those of one millisecond in any order.
    assert carried.VARIABLE in {one["name"] for one in override["environment"]}
    assert "launchType" not in request
    assert request["networkConfiguration"]["awsvpcConfiguration"].get("assignPublicIp") is None
    assert said[-1].startswith("workers are scaled to none")


def test_workers_go_too_when_the_generator_fails_or_they_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ecs = FakeEcs()
    measured(monkeypatch, ecs, 0)
    with pytest.raises(TaskFailed):
        bench_run(ecs, [])
    assert ecs.asked[-1][1] == {"desiredCount": 0}

    def rolled_back(*_: object, **__: object) -> None:
        raise RolledBack("no")

    monkeypatch.setattr(rollout, "wait", rolled_back)
    ecs.asked.clear()
    with pytest.raises(RolledBack):
        bench_run(ecs, [])
    assert ecs.asked[-1][1] == {"desiredCount": 0}


def test_the_generators_command_line_says_what_was_given() -> None:
    """Read again by the same options it is the same settings, but for what makes it apart."""
    given = {"rate": 62.5, "max_p99": Duration(0.25), "seed": 7, "workers": 3}
    made = bench_options.settings(given, now="now")
    said = bench.arguments(made)
    assert said[:3] == ["--generator-only", "--namespace", "benchmark"]
    pairs = dict(zip(said[3::2], said[4::2], strict=True))
    assert (pairs["--rate"], pairs["--seed"], pairs["--workers"]) == ("62.5", "7", "3")
    assert pairs["--max-p99"] == "250ms"
    for option in bench_options.OPTIONS:
        if option.flag in pairs and option.type is Duration:
            again = Duration.parse(pairs[option.flag])
            assert again == getattr(made, option.name)
