"""ECS services and their task definitions: how many, how they start, stop and are replaced."""

import math
import re

import pytest

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import Resource
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)

TOPOLOGY = topology.load()
TEMPORAL = {f"temporal-{role}" for role in plans.ROLES}
REPLICAS = {
    "dev": {"history": 1, "matching": 1, "frontend": 1, "worker": 1},
    "bench": {"history": 6, "matching": 4, "frontend": 3, "worker": 2},
    "prod": {"history": 4, "matching": 3, "frontend": 2, "worker": 2},
}
DYNAMIC_CONFIG = "/etc/temporal/config/dynamicconfig"


def roles(name: str) -> dict[str, Resource]:
    """Services of the four roles."""
    found = plans.services(plans.of(name))
    return {role: found[f"temporal-{role}"] for role in plans.ROLES}


def reservoir(name: str) -> bool:
    task = plans.tasks(plans.of(name))["temporal-history"]
    return plans.main_container(task).environment.get("DSQL_RESERVOIR_ENABLED") == "true"


@everywhere
def test_there_are_five_services_and_task_definitions_of_temporal(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 12: five task definitions and five services."""
    plan, variant = plans.of(name), plans.VARIANTS[name]
    temporal = TEMPORAL | ({"temporal-ui"} if variant.ui else set())
    others = {
        "grafana": variant.grafana,
        "loki": variant.loki,
        "adot": variant.adot,
        "benchmark-worker": variant.benchmark,
    }
    beside = {service for service, present in others.items() if present}
    assert set(plans.services(plan)) == temporal | beside
    one_off = {"opensearch-setup", "schema-setup", "admin-task"}
    one_off |= {"benchmark"} if variant.benchmark else set()
    assert set(plans.tasks(plan)) == temporal | beside | one_off


@everywhere
def test_each_service_runs_its_own_task_definition(name: str) -> None:
    plan = plans.of(name)
    tasks = plans.tasks(plan)
    for service, resource in plans.services(plan).items():
        assert resource["task_definition"] == tasks[service]["arn"], service


@everywhere
def test_services_are_made_with_no_tasks(name: str) -> None:
    for service in plans.of(name).of_type("aws_ecs_service"):
        assert service["desired_count"] == 0, service.address


def test_a_later_plan_leaves_the_number_of_tasks_alone() -> None:
    found = 0
    for path in sorted(plans.TERRAFORM.rglob("*.tf")):
        for block in path.read_text().split('resource "aws_ecs_service" ')[1:]:
            found += 1
            assert "ignore_changes = [desired_count]" in block.split("\n}\n")[0], path
    assert found == 4


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_the_number_of_tasks_to_aim_at_is_an_output(name: str) -> None:
    told = plans.of(name).outputs["services"].value
    assert {role: told[role]["replicas"] for role in plans.ROLES} == REPLICAS[name]
    assert {"ui", "grafana", "loki"} < set(told)


def test_production_has_4096_shards_and_development_fewer() -> None:
    shards = {}
    for name in plans.ENVIRONMENTS:
        task = plans.tasks(plans.of(name))["temporal-history"]
        shards[name] = plans.main_container(task).environment["TEMPORAL_HISTORY_SHARDS"]
    assert shards == {"dev": "512", "bench": "4096", "prod": "4096"}


@everywhere
def test_health_is_asked_of_the_service_that_the_role_is(name: str) -> None:
    tasks = plans.tasks(plans.of(name))
    for role, known in TOPOLOGY.roles.items():
        check = plans.main_container(tasks[f"temporal-{role}"]).definition["healthCheck"]
        assert check["command"] == [
            "CMD",
            "grpc_health_probe",
            f"-addr=localhost:{known.ports['grpc']}",
            f"-service={known.health_service}",
        ]
        assert (check["interval"], check["retries"]) == (30, 3)


@everywhere
def test_a_start_has_longer_than_the_worst_that_was_measured(name: str) -> None:
    """60 s for a join among members that are gone, after the stagger of 5 s.

    In reservoir mode 91 s more, otherwise the connects of four pools beyond the burst.
    """
    tasks = plans.tasks(plans.of(name))
    for role, service in roles(name).items():
        container = plans.main_container(tasks[f"temporal-{role}"])
        connects = 4 * int(container.environment["TEMPORAL_SQL_MAX_CONNS"])
        rate = int(container.environment.get("DSQL_CONNECTION_RATE_LIMIT", 10))
        burst = int(container.environment.get("DSQL_CONNECTION_BURST_LIMIT", 100))
        worst = 60 + 5 + (91 if reservoir(name) else max(0, connects - burst) / rate)
        check = container.definition["healthCheck"]
        assert worst < check["startPeriod"] <= 300
        assert service["health_check_grace_period_seconds"] > worst


def test_both_modes_of_connections_are_among_the_plans() -> None:
    assert {reservoir(name) for name in plans.ALL} == {True, False}


@everywhere
def test_a_stop_has_as_long_as_the_drain_takes(name: str) -> None:
    tasks = plans.tasks(plans.of(name))
    for role in plans.ROLES:
        definition = plans.main_container(tasks[f"temporal-{role}"]).definition
        assert definition["stopTimeout"] == TOPOLOGY.drain.stop_timeout_seconds >= 21


@everywhere
def test_the_dynamic_configuration_is_a_tmpfs_that_the_server_may_fill(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 14: a tmpfs on the four services, as followed.

    It belongs to the user of the image, since the mount hides what the image has there.
    """
    for family, task in plans.tasks(plans.of(name)).items():
        for container in plans.inside(task):
            mounts = container.definition["linuxParameters"].get("tmpfs", [])
            if container.name not in TEMPORAL:
                assert DYNAMIC_CONFIG not in [mount["containerPath"] for mount in mounts], family
                continue
            (mount,) = mounts
            assert mount["containerPath"] == DYNAMIC_CONFIG
            assert 1 <= mount["size"] <= 10
            assert {"uid=1000", "gid=1000", "noexec", "nosuid"} <= set(mount["mountOptions"])


@everywhere
def test_a_shell_can_be_opened_in_every_container(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 3: ECS Exec and an init process everywhere.

    The root file system stays writable: Exec does not work with one that is read only.
    """
    plan = plans.of(name)
    for service in plan.of_type("aws_ecs_service"):
        assert service["enable_execute_command"] is True, service.address
    for family, task in plans.tasks(plan).items():
        for container in plans.inside(task):
            where = f"{family}/{container.name}"
            assert container.definition["linuxParameters"]["initProcessEnabled"] is True, where
            assert not container.definition.get("readonlyRootFilesystem"), where
            assert not container.definition.get("privileged"), where


@everywhere
def test_a_failed_deployment_goes_back(name: str) -> None:
    for service in plans.of(name).of_type("aws_ecs_service"):
        (breaker,) = service["deployment_circuit_breaker"]
        assert breaker == {"enable": True, "rollback": True}, service.address


def test_no_service_is_deployed_anew_at_every_apply() -> None:
    for path in sorted(plans.TERRAFORM.rglob("*.tf")):
        assert not re.search(r"^\s*force_new_deployment", path.read_text(), re.MULTILINE), path
    for name in plans.ALL:
        for service in plans.of(name).of_type("aws_ecs_service"):
            assert service["force_new_deployment"] is None


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_a_deployment_can_replace_a_task_and_moves_few_shards_at_a_time(name: str) -> None:
    for role, service in roles(name).items():
        count = REPLICAS[name][role]
        most = math.floor(count * service["deployment_maximum_percent"] / 100)
        least = math.ceil(count * service["deployment_minimum_healthy_percent"] / 100)
        assert most > least, role
        if count == 1:
            assert (least, most) == (1, 2), role
        elif role in {"history", "worker"}:
            assert (least, most) == (count - 1, count), role
        else:
            assert least == count < most <= math.ceil(count * 1.5), role


@everywhere
def test_service_connect_serves_the_frontend_as_tcp_and_has_the_ui_as_its_client(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 11: Service Connect, as followed.

    History and matching are dialled by their addresses in the ring, never by a name.
    """
    plan = plans.of(name)
    connected = {
        service: resource["service_connect_configuration.0"]
        for service, resource in plans.services(plan).items()
        if resource["service_connect_configuration"]
    }
    ui = {"temporal-ui"} if plans.VARIANTS[name].ui else set()
    assert set(connected) == {"temporal-frontend"} | ui
    namespaces = plan.of_type("aws_service_discovery_http_namespace")
    arn = namespaces[0]["arn"] if namespaces else plans.NAMESPACE_ARN
    assert {one["namespace"] for one in connected.values()} == {arn}
    assert all(one["enabled"] is True for one in connected.values())
    (served,) = connected["temporal-frontend"]["service"]
    assert served["port_name"] == "grpc"
    assert not served["timeout"]
    port = TOPOLOGY.roles["frontend"].ports["grpc"]
    (alias,) = served["client_alias"]
    assert (alias["dns_name"], alias["port"]) == ("temporal-frontend", port)
    if ui:
        assert not connected["temporal-ui"]["service"]
    for service, one in connected.items():
        (log,) = one["log_configuration"]
        assert log["log_driver"] == "awslogs"
        (own,) = {
            container.definition["logConfiguration"]["options"]["awslogs-group"]
            for container in plans.inside(plans.tasks(plan)[service])[:1]
        }
        assert log["options"]["awslogs-group"] == own
        assert log["options"]["awslogs-stream-prefix"] == "service-connect"
        assert log["options"]["mode"] == "non-blocking"


@everywhere
def test_the_agent_gives_the_main_container_more_cpu_than_those_beside_it(name: str) -> None:
    """Shares are relative: a container without a number has 2, however large its task is."""
    for family, task in plans.tasks(plans.of(name)).items():
        main, *others = [one.definition.get("cpu", 0) for one in plans.inside(task)]
        assert main + sum(others) <= int(task["cpu"]), family
        if sum(others):
            assert main > sum(others), family
        if family in TEMPORAL:
            assert main + sum(others) == int(task["cpu"]), family


@everywhere
def test_revisions_of_task_definitions_stay_for_a_rollback(name: str) -> None:
    for family, task in plans.tasks(plans.of(name)).items():
        assert task["skip_destroy"] is True, family


@everywhere
def test_containers_listen_where_topology_says_and_no_port_has_an_app_protocol(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 10: the port map."""
    tasks = plans.tasks(plans.of(name))
    for role, known in TOPOLOGY.roles.items():
        ports = {
            port["name"]: port["containerPort"]
            for port in plans.main_container(tasks[f"temporal-{role}"]).definition["portMappings"]
        }
        assert ports == {**known.ports, "metrics": TOPOLOGY.metrics_port}
    if "temporal-ui" in tasks:
        assert plans.main_container(tasks["temporal-ui"]).ports == (TOPOLOGY.ui_port,)
    for task in tasks.values():
        assert "appProtocol" not in task["container_definitions"]


@everywhere
def test_the_frontend_has_a_dns_name_for_tasks_without_service_connect(name: str) -> None:
    plan = plans.of(name)
    registries = roles(name)["frontend"]["service_registries"]
    (discovery,) = [
        one
        for one in plan.of_type("aws_service_discovery_service")
        if one["name"] == "temporal-frontend"
    ]
    assert [registry["registry_arn"] for registry in registries] == [discovery["arn"]]
    domain = "theirs.internal" if name == "brought" else f"{plans.project(plan)}.internal"
    assert plan.outputs["frontend_address"].value == f"temporal-frontend.{domain}:7233"


@everywhere
def test_every_container_logs_to_cloudwatch_with_a_prefix_of_its_own(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 5: awslogs in every container, as followed.

    Its group is made by Terraform: the execution role may not create one.
    """
    plan = plans.of(name)
    groups = {group["name"] for group in plan.of_type("aws_cloudwatch_log_group")}
    seen: dict[tuple[str, str], str] = {}
    for family, task in plans.tasks(plan).items():
        for container in plans.inside(task):
            where = f"{family}/{container.name}"
            log = container.definition["logConfiguration"]
            assert log["logDriver"] == "awslogs", where
            options = log["options"]
            assert options["awslogs-group"] in groups, where
            assert options["awslogs-group"].startswith(f"/ecs/{plans.project(plan)}/"), where
            assert "awslogs-create-group" not in options, where
            assert options["mode"] == "non-blocking", where
            key = (options["awslogs-group"], options["awslogs-stream-prefix"])
            own = container.name.removesuffix("-init")
            assert seen.setdefault(key, f"{family}/{own}") == f"{family}/{own}", where


@everywhere
def test_images_have_tags_of_their_own(name: str) -> None:
    for family, task in plans.tasks(plans.of(name)).items():
        for container in plans.inside(task):
            tag = container.image.rsplit("/", 1)[-1].partition(":")[2]
            assert tag, f"{family}/{container.name}"
            assert tag != "latest", f"{family}/{container.name}"


@everywhere
def test_no_task_sees_the_host_or_its_docker(name: str) -> None:
    for task in plans.tasks(plans.of(name)).values():
        for volume in task["volume"]:
            assert not volume["host_path"], task.address
            assert not volume["docker_volume_configuration"], task.address
        assert "docker.sock" not in task["container_definitions"]
        assert task["network_mode"] == "awsvpc"
        assert (task["pid_mode"], task["ipc_mode"]) == (None, None)


@everywhere
def test_mounted_volumes_are_those_of_the_task(name: str) -> None:
    for task in plans.tasks(plans.of(name)).values():
        volumes = {volume["name"] for volume in task["volume"]}
        mounted = {
            mount["sourceVolume"]
            for container in plans.inside(task)
            for mount in container.definition.get("mountPoints", [])
        }
        assert mounted == volumes, task.address
