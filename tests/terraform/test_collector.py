"""The collectors' configuration as Terraform renders it, in a real collector."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scripts import collector
from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import known
from tests.support import otel_collector
from tests.support.otel_collector import LogLine, Series, World

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.needs("collector")]

MODULES = Path(__file__).parents[2] / "terraform" / "modules"
VARIABLES = {
    "project_name": "temporal-dev",
    "service_name": "temporal-history",
    "region": "eu-west-1",
    "log_group_name": "/ecs/temporal-dev/temporal-history",
}
AMP = f"https://aps-workspaces.eu-west-1.amazonaws.com{otel_collector.REMOTE_WRITE}"
LOKI = "http://loki.temporal-dev.internal:3100"
TASKS = {"0f1e2d3c4b5a69788796a5b4c3d2e1f0", "ffeeddccbbaa99887766554433221100"}
LINE = {
    "level": "warn",
    "ts": "2026-11-21T12:00:00.123Z",
    "msg": "shard closed: ${HOME} $1",
    "service": "history",
}


@pytest.fixture(scope="module")
def around() -> Iterator[World]:
    with otel_collector.world() as world:
        yield world


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def sidecar(around: World, logs: Path) -> dict[str, Any]:
    """The outputs of otel-sidecar, with everything where this machine has it."""
    here = f"http://127.0.0.1:{around.port}"
    return outputs(
        known.plan(
            MODULES / "otel-sidecar",
            VARIABLES
            | {
                "prometheus_endpoint": here + otel_collector.REMOTE_WRITE,
                "loki_endpoint": here,
                "metrics_port": around.port,
                "log_directory": str(logs),
            },
        )
    )


def outputs(plan: Plan) -> dict[str, Any]:
    return {name: output.value for name, output in plan.outputs.items()}


def hurried(configuration: str) -> str:
    """The configuration with shorter times, and nothing else changed."""
    for slow, quick in {
        "scrape_interval: 15s": "scrape_interval: 1s",
        "scrape_timeout: 10s": "scrape_timeout: 1s",
        "timeout: 15s": "timeout: 1s",
        "timeout: 2s": "timeout: 200ms",
    }.items():
        assert configuration.count(slow) == 1, slow
        configuration = configuration.replace(slow, quick)
    return configuration


@pytest.fixture(scope="module")
def series(around: World, sidecar: dict[str, Any]) -> list[Series]:
    """What two tasks of one role write, until both have written Temporal's metrics."""
    found: list[Series] = []
    definition = sidecar["sidecar_container_definition"]
    configuration = hurried(sidecar["configuration"])
    around.forget()
    one, two = (
        otel_collector.running(definition, configuration, around.metadata_uri(task))
        for task in sorted(TASKS)
    )
    with one, two:
        for request, written in around.writes():
            assert otel_collector.signature_is_right(request, "eu-west-1", "aps")
            found += written
            if {one["instance"] for one in named(found, "service_requests")} >= TASKS:
                return found
    raise AssertionError


def named(series: list[Series], name: str) -> list[Series]:
    """The distinct series of a metric."""
    distinct: list[Series] = []
    for one in series:
        if one["__name__"] == name and one not in distinct:
            distinct.append(one)
    return distinct


def test_metrics_arrive_signed_under_temporals_own_names(series: list[Series]) -> None:
    names = {one["__name__"] for one in series}
    temporal = {line.split("{")[0] for line in otel_collector.PAGE.splitlines() if line[0] != "#"}
    assert temporal <= names
    assert not [name for name in names if name.endswith("_total")]


def test_two_tasks_of_one_role_write_two_series(series: list[Series]) -> None:
    written = named(series, "service_requests")
    assert len(written) == 2
    assert {one["instance"] for one in written} == TASKS
    assert [{**one, "instance": ""} for one in written] == [
        {
            "__name__": "service_requests",
            "cluster": "temporal-dev",
            "ecs_service": "temporal-dev-temporal-history",
            "instance": "",
            "job": "temporal",
            "namespace": "default",
            "operation": "StartWorkflowExecution",
            "service_name": "history",
        }
    ] * 2


def test_what_else_is_known_of_a_task_is_in_target_info(series: list[Series]) -> None:
    info = {one["instance"]: one for one in named(series, "target_info")}
    assert set(info) == TASKS
    for task, labels in info.items():
        assert labels["aws_ecs_task_arn"].endswith(f":task/temporal-dev-cluster/{task}")
        assert labels["cloud_availability_zone"] == "eu-west-1a"
        assert "aws_log_group_names" not in labels


def test_lines_of_the_log_file_arrive_as_they_are(
    around: World, sidecar: dict[str, Any], logs: Path
) -> None:
    (task,) = sorted(TASKS)[:1]
    file = Path(sidecar["main_container_environment"]["TEMPORAL_LOG_FILE"])
    assert file.parent == logs
    structured, plain, rotated = json.dumps(LINE), "panic: no JSON at all", '{"level":"info"}'
    around.forget()
    file.write_text(f"{structured}\n{plain}\n")
    arriving = around.lines()
    definition = sidecar["sidecar_container_definition"]
    with otel_collector.running(
        definition, hurried(sidecar["configuration"]), around.metadata_uri(task)
    ):
        found = {line.body: line for line in (next(arriving), next(arriving))}
        # What writes the file rotates it: the container's disk is the instance's.
        file.rename(file.with_suffix(".log.1"))
        file.write_text(f"{rotated}\n")
        third = next(arriving)
    assert set(found) == {structured, plain}
    assert third.body == rotated
    assert found[structured] == LogLine(
        body=structured,
        time_ns=int(datetime(2026, 11, 21, 12, 0, 0, 123_000, tzinfo=UTC).timestamp() * 1000)
        * 1_000_000,
        severity="warn",
        severity_number=13,
        attributes=0,
        resource=found[structured].resource,
    )
    assert (
        found[structured].resource.items()
        >= {
            "cluster": "temporal-dev",
            "ecs_service": "temporal-dev-temporal-history",
            "service.name": "history",
            "service.instance.id": task,
        }.items()
    )
    assert (found[plain].attributes, found[plain].severity) == (0, "")


def test_a_collector_that_cannot_tell_its_task_writes_nothing(
    around: World, sidecar: dict[str, Any]
) -> None:
    around.forget()
    definition = sidecar["sidecar_container_definition"]
    nowhere = f"http://127.0.0.1:{around.port}/nothing-here"
    with otel_collector.running(definition, hurried(sidecar["configuration"]), nowhere) as process:
        assert process.wait(timeout=otel_collector.PATIENCE) != 0
    assert around.arrived[otel_collector.REMOTE_WRITE].empty()


def test_every_kind_of_sidecar_is_valid(tmp_path: Path) -> None:
    cases = [
        known.Case("both", VARIABLES | {"prometheus_endpoint": AMP, "loki_endpoint": LOKI}),
        known.Case("metrics", VARIABLES | {"prometheus_endpoint": AMP}),
        known.Case(
            "logs",
            VARIABLES | {"prometheus_endpoint": AMP, "loki_endpoint": LOKI, "metrics_port": None},
        ),
        known.Case("neither", VARIABLES | {"prometheus_endpoint": AMP, "metrics_port": None}),
    ]
    *made, refused = known.plans(MODULES / "otel-sidecar", cases, known.Settings(revealed=True))
    assert refused.refused_because("the collector has nothing to do")
    for outcome in made:
        assert outcome.plan
        said = outputs(outcome.plan)
        parameter = outcome.plan["aws_ssm_parameter.this"].values
        assert parameter["value"] == said["configuration"]
        assert parameter["tier"] == "Standard"
        assert otel_collector.validate(said["configuration"], tmp_path) == "", outcome.case.name
        logs = outcome.case.name != "metrics"
        assert said["volumes"] == (["logs"] if logs else [])
        assert bool(said["main_container_environment"]) == logs


def test_the_collector_that_is_tested_is_the_version_that_is_deployed(
    sidecar: dict[str, Any],
) -> None:
    image = sidecar["sidecar_container_definition"]["image"]
    assert image == f"otel/opentelemetry-collector-contrib:{collector.VERSION}"


def test_the_service_that_stands_in_for_sidecars_is_valid(tmp_path: Path) -> None:
    role = "arn:aws:iam::123456789012:role/temporal-dev"
    plan = known.plan(
        MODULES / "observability",
        {
            "project_name": "temporal-dev",
            "region": "eu-west-1",
            "vpc_id": "vpc-0123456789abcdef0",
            "subnet_ids": ["subnet-0123456789abcdef0"],
            "cluster_arn": "arn:aws:ecs:eu-west-1:123456789012:cluster/temporal-dev-cluster",
            "cluster_name": "temporal-dev-cluster",
            "capacity_provider_name": "temporal-dev-main",
            "private_dns_namespace_id": "ns-0123456789abcdef0",
            "private_dns_namespace_name": "temporal-dev.internal",
            "grafana_enabled": False,
            "execution_role_arn": f"{role}-ecs-execution",
            "adot": {"enabled": True},
            "adot_task_role_arn": f"{role}-adot-task",
        },
        known.Settings(revealed=True),
    )
    configuration = plan["aws_ssm_parameter.adot[0]"].values["value"]
    assert "^temporal-dev-temporal-(frontend|history|matching|worker)$$" in configuration
    assert otel_collector.validate(configuration, tmp_path) == ""
