"""Metrics and logs: what collectors scrape, how they sign, where they push."""

import json
import re

import pytest
import yaml

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import Plan
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)
beside = {
    kind: [n for n in plans.ALL if plans.VARIANTS[n].collector == kind]
    for kind in ("otel", "alloy", "none")
}

TOPOLOGY = topology.load()
PORT = TOPOLOGY.metrics_port
EXTRA = {"otel": {"otel-collector"}, "alloy": {"alloy-init", "alloy"}, "none": set()}


def collected(name: str) -> set[str]:
    """Task definitions that have a collector."""
    benchmark = {"benchmark-worker"} if plans.VARIANTS[name].benchmark else set()
    return {f"temporal-{role}" for role in plans.ROLES} | benchmark


def configuration(plan: Plan, path: str) -> str:
    """The text of an SSM parameter, by what stands after the project's name."""
    (parameter,) = [
        one
        for one in plan.of_type("aws_ssm_parameter")
        if one["name"] == f"/{plans.project(plan)}/{path}"
    ]
    return str(parameter["value"])


def remote_write(plan: Plan) -> str:
    return str(plan.outputs["prometheus_endpoint"].value)


@everywhere
def test_the_collector_beside_a_server_is_the_one_that_was_chosen(name: str) -> None:
    plan, variant = plans.of(name), plans.VARIANTS[name]
    for family, task in plans.tasks(plan).items():
        others = {container.name for container in plans.inside(task)[1:]} - {"loki"}
        wanted = EXTRA[variant.collector] if family in collected(name) else set()
        assert others == wanted, family


@everywhere
def test_a_collector_that_ends_takes_no_server_with_it(name: str) -> None:
    for family in collected(name):
        main, *others = plans.inside(plans.tasks(plans.of(name))[family])
        assert main.definition["essential"] is True
        assert [one.definition["essential"] for one in others] == [False] * len(others)


@pytest.mark.parametrize("name", beside["otel"])
def test_a_collector_scrapes_the_server_beside_it_and_nothing_else(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 15: all four roles on 9090, as followed.

    Each by a collector of its own: a name would answer for one random task.
    """
    plan = plans.of(name)
    for family in collected(name):
        told = yaml.safe_load(configuration(plan, f"collector/{family}"))
        (job,) = told["receivers"]["prometheus"]["config"]["scrape_configs"]
        (static,) = job["static_configs"]
        assert static == {"targets": [f"localhost:{PORT}"]}
        assert not [key for key in job if key.endswith("_sd_configs")]
        assert job["scrape_interval"] == "15s"


@pytest.mark.parametrize("name", beside["otel"])
def test_a_collector_signs_what_it_writes_to_the_workspace(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 15: remote write with SigV4."""
    plan = plans.of(name)
    for family in collected(name):
        told = yaml.safe_load(configuration(plan, f"collector/{family}"))
        assert told["extensions"]["sigv4auth"] == {"region": plans.REGION, "service": "aps"}
        exporter = told["exporters"]["prometheus_remote_write"]
        assert exporter["endpoint"] == remote_write(plan)
        assert exporter["auth"] == {"authenticator": "sigv4auth"}
        assert "sigv4auth" in told["service"]["extensions"]
        pipeline = told["service"]["pipelines"]["metrics"]
        assert pipeline["receivers"] == ["prometheus"]
        assert pipeline["exporters"] == ["prometheus_remote_write"]


@pytest.mark.parametrize("name", beside["otel"])
def test_a_collector_pushes_the_log_file_of_the_server_to_loki(name: str) -> None:
    plan = plans.of(name)
    loki = plan.outputs["loki_endpoint"].value
    for family in collected(name):
        told = yaml.safe_load(configuration(plan, f"collector/{family}"))
        (receiver,) = told["service"]["pipelines"]["logs"]["receivers"]
        (file,) = told["receivers"][receiver]["include"]
        assert told["exporters"]["otlp_http"]["endpoint"] == f"{loki}/otlp"
        assert told["service"]["pipelines"]["logs"]["exporters"] == ["otlp_http"]
        if family.startswith("temporal-"):
            main, collector = plans.inside(plans.tasks(plan)[family])
            assert main.environment["TEMPORAL_LOG_FILE"] == file
            (ours,) = main.definition["mountPoints"]
            (theirs,) = collector.definition["mountPoints"]
            assert ours["sourceVolume"] == theirs["sourceVolume"]
            assert (ours["readOnly"], theirs["readOnly"]) == (False, True)
            assert file.startswith(f"{ours['containerPath']}/")


@pytest.mark.parametrize("name", beside["alloy"])
def test_alloy_does_the_same(name: str) -> None:
    plan = plans.of(name)
    for family in collected(name):
        text = configuration(plan, f"collector/{family}")
        assert re.findall(r'"__address__" = (.+),', text) == [f'"localhost:{PORT}"']
        assert re.findall(r"^(\w+[.]\w+) ", text, re.MULTILINE).count("prometheus.scrape") == 1
        assert f"url = {json.dumps(remote_write(plan))}" in text
        assert f'sigv4 {{\n      region = "{plans.REGION}"' in text
        loki = plan.outputs["loki_endpoint"].value
        assert f'url = "{loki}/loki/api/v1/push"' in text


@everywhere
def test_each_collector_reads_its_own_configuration_as_a_secret(name: str) -> None:
    plan, variant = plans.of(name), plans.VARIANTS[name]
    if variant.collector == "none":
        assert not [p for p in plan.of_type("aws_ssm_parameter") if "/collector/" in p["name"]]
        return
    arns = {p["name"]: p["arn"] for p in plan.of_type("aws_ssm_parameter")}
    for family in collected(name):
        containers = plans.inside(plans.tasks(plan)[family])
        secrets = [arn for container in containers for arn in container.secrets.values()]
        assert secrets == [arns[f"/{plans.project(plan)}/collector/{family}"]]


def test_adot_finds_every_task_of_the_four_roles_by_asking_ecs() -> None:
    """Feature: temporal-ecs-fargate, Property 15: ADOT, as followed: tasks, never names."""
    plan = plans.of("adot")
    told = yaml.safe_load(configuration(plan, "adot/collector-config").replace("$$", "$"))
    observer = told["extensions"]["ecs_observer"]
    assert observer["cluster_name"] == plan.outputs["ecs_cluster_name"].value
    assert observer["cluster_region"] == plans.REGION
    (services,) = observer["services"]
    assert services["metrics_ports"] == [PORT]
    names = {str(service["name"]) for service in plan.of_type("aws_ecs_service")}
    found = {name for name in names if re.search(services["name_pattern"], name)}
    assert found == {f"{plans.project(plan)}-temporal-{role}" for role in plans.ROLES}
    containers = {c.name for t in plans.tasks(plan).values() for c in plans.inside(t)}
    pattern = services["container_name_pattern"]
    assert {c for c in containers if re.search(pattern, c)} == {
        f"temporal-{role}" for role in plans.ROLES
    }
    (job,) = told["receivers"]["prometheus"]["config"]["scrape_configs"]
    assert "static_configs" not in job
    assert job["file_sd_configs"][0]["files"] == [observer["result_file"]]
    exporter = told["exporters"]["prometheusremotewrite"]
    assert exporter["endpoint"] == remote_write(plan)
    assert exporter["auth"] == {"authenticator": "sigv4auth"}
    assert told["extensions"]["sigv4auth"]["service"] == "aps"


def test_adot_has_one_task_and_reads_its_configuration_as_a_secret() -> None:
    plan = plans.of("adot")
    service = plans.services(plan)["adot"]
    assert service["deployment_maximum_percent"] == 100
    adot = plans.main_container(plans.tasks(plan)["adot"])
    (arn,) = adot.secrets.values()
    arns = {p["arn"]: p["name"] for p in plan.of_type("aws_ssm_parameter")}
    assert arns[arn] == f"/{plans.project(plan)}/adot/collector-config"


@everywhere
def test_loki_keeps_its_chunks_in_the_bucket_and_has_a_dns_name(name: str) -> None:
    plan = plans.of(name)
    if not plans.VARIANTS[name].loki:
        assert "loki" not in plans.tasks(plan)
        assert plan.of_type("aws_s3_bucket") == ()
        assert plan.outputs["loki_endpoint"].value is None
        return
    told = yaml.safe_load(configuration(plan, "loki/config"))
    bucket = plans.one(plan, "aws_s3_bucket")["bucket"]
    assert bucket in json.dumps(told)
    assert told["server"]["http_listen_port"] == 3100
    domain = "theirs.internal" if name == "brought" else f"{plans.project(plan)}.internal"
    assert plan.outputs["loki_endpoint"].value == f"http://loki.{domain}:3100"
    (named,) = [s for s in plan.of_type("aws_service_discovery_service") if s["name"] == "loki"]
    registries = plans.services(plan)["loki"]["service_registries"]
    assert [registry["registry_arn"] for registry in registries] == [named["arn"]]


@pytest.mark.parametrize("name", plans.MADE)
def test_container_insights_is_what_was_asked_for(name: str) -> None:
    cluster = plans.one(plans.of(name), "aws_ecs_cluster")
    wanted = {"adot": "enhanced", "bare": "disabled"}.get(name, "enabled")
    assert cluster["setting"] == [{"name": "containerInsights", "value": wanted}]


@pytest.mark.parametrize("name", plans.MADE)
def test_what_is_typed_in_a_shell_is_kept(name: str) -> None:
    plan = plans.of(name)
    exec_ = plans.one(plan, "aws_ecs_cluster")["configuration.0.execute_command_configuration.0"]
    assert exec_["logging"] == "OVERRIDE"
    group = exec_["log_configuration"][0]["cloud_watch_log_group_name"]
    assert group == f"/ecs/{plans.project(plan)}/ecs-exec"
    assert group in {one["name"] for one in plan.of_type("aws_cloudwatch_log_group")}
    # With a key of the session every task role would need kms:Decrypt, or no shell opens.
    assert exec_["kms_key_id"] is None


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_metrics_go_to_a_workspace_of_the_environment(name: str) -> None:
    plan = plans.of(name)
    workspace = plans.one(plan, "aws_prometheus_workspace")
    assert workspace["alias"] == f"{plans.project(plan)}-metrics"
    assert remote_write(plan) == f"{workspace['prometheus_endpoint']}api/v1/remote_write"
    assert plan.outputs["prometheus_workspace_id"].value == workspace["id"]
