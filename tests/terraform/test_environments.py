"""The three environments: thin, alike, and apart from each other; and that everything validates."""

import re
import subprocess
from functools import cache
from ipaddress import ip_network
from itertools import combinations

import pytest

from temporal_dsql_deploy.terraform import commands, find
from tests.support import plans, roots

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
environments = pytest.mark.parametrize("name", plans.ENVIRONMENTS)

ENVS = plans.TERRAFORM / "envs"
MODULES = plans.TERRAFORM / "modules"
CLUSTER = MODULES / "temporal-cluster"
ROOTS = (*(ENVS / name for name in plans.ENVIRONMENTS), plans.TERRAFORM / "account")
# What S0-V2, S3-3 and S3-17 of the requirements name, and what old scripts asked for in vain.
WANTED = {
    "ecs_cluster_arn",
    "ecs_cluster_name",
    *(f"temporal_{part}_service_name" for part in (*plans.ROLES, "ui")),
    "grafana_service_name",
    "opensearch_endpoint",
    "prometheus_workspace_id",
    "prometheus_workspace_arn",
    "prometheus_endpoint",
    "loki_endpoint",
    "ecs_exec_commands",
    "vpc_id",
    "private_subnet_ids",
    "public_subnet_id",
    "dsql_cluster_endpoint",
    "dsql_cluster_arn",
    "ec2_instance_count",
    "aws_account_id",
    "project_name",
    "region",
    "dynamodb_table_names",
    "client_vpn_endpoint_id",
    "port_forward_commands",
    "opensearch_setup_command",
}


@cache
def validated(root: str) -> tuple[bool, list[str], dict[str, set[str]]]:
    """Whether a root is valid, what is wrong with it, and what waits for what in it."""
    with roots.initialised(plans.TERRAFORM / root) as terraform:
        said = terraform.document(commands.validate())
        graph = roots.edges(terraform)
    return said["valid"], [one["summary"] for one in said["diagnostics"]], graph


RULE = "module.temporal.aws_vpc_security_group_"
"""Ingress and egress rules: the composition makes them all."""


def nodes(graph: dict[str, set[str]]) -> set[str]:
    """Every address that waits for another, or is waited for."""
    return set(graph).union(*graph.values())


def source_of(name: str, file: str) -> str:
    return (ENVS / name / file).read_text()


@pytest.mark.parametrize("root", [str(root.relative_to(plans.TERRAFORM)) for root in ROOTS])
def test_every_environment_and_the_account_validate_without_a_warning(root: str) -> None:
    valid, said, _ = validated(root)
    assert (valid, said) == (True, [])


def test_every_module_is_validated_by_an_environment() -> None:
    called: set[str] = set()
    remaining = [ENVS / "dev"]
    while remaining:
        for path in sorted(remaining.pop().glob("*.tf")):
            for name in re.findall(
                r'source\s*=\s*"(?:[.][.]/)+(?:modules/)?([\w-]+)"', path.read_text()
            ):
                if name not in called:
                    called.add(name)
                    remaining.append(MODULES / name)
    assert called == {path.name for path in MODULES.iterdir() if path.is_dir()}


def test_everything_is_formatted() -> None:
    command = [str(find.find().path), "fmt", "-check", "-recursive", str(plans.TERRAFORM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("directory", [*ROOTS, *sorted(MODULES.iterdir())], ids=lambda p: p.name)
def test_every_variable_and_output_is_described(directory: object) -> None:
    """Feature: temporal-ecs-fargate, Property 13: every variable and output has a description."""
    path = plans.TERRAFORM / str(directory)
    variables, outputs = roots.blocks(path, "variable"), roots.blocks(path, "output")
    assert outputs
    for block in (*variables.values(), *outputs.values()):
        assert re.match(r'"[A-Z`\w].+[.]"$', block.attributes["description"]), block.name
    assert all("type" in block.attributes for block in variables.values())


@environments
def test_the_variables_are_those_of_the_cluster(name: str) -> None:
    """Name, type and description; defaults are the environment's own."""
    ours, cluster = roots.blocks(ENVS / name, "variable"), roots.blocks(CLUSTER, "variable")
    assert set(ours) ^ set(cluster) == {"account_id", "environment_name"}
    for variable in sorted(set(ours) & set(cluster)):
        mine, theirs = ours[variable], cluster[variable]
        assert mine.attributes["description"] == theirs.attributes["description"], variable
        if variable != "roles":
            assert mine.shape == theirs.shape, variable


@environments
def test_every_role_of_an_environment_has_the_fields_of_the_cluster(name: str) -> None:
    mine = roots.blocks(ENVS / name, "variable")["roles"].shape
    role = roots.blocks(CLUSTER, "variable")["roles"].shape.removeprefix("map(").removesuffix(")")
    wanted = "".join(f"{one}=optional({role})" for one in plans.ROLES)
    assert mine == f"object({{{wanted}}})"


@environments
def test_every_variable_is_passed_on(name: str) -> None:
    text = source_of(name, "main.tf")
    passed = dict(re.findall(r"^  (\w+)\s+= var[.](\w+)$", text, re.MULTILINE))
    assert all(argument == variable for argument, variable in passed.items())
    assert set(passed) == set(roots.blocks(ENVS / name, "variable")) - {"account_id"}
    assert re.search(rf'^  environment_name\s+= "{name}"$', text, re.MULTILINE)


@environments
def test_an_environment_is_a_backend_a_provider_and_one_module(name: str) -> None:
    text = source_of(name, "main.tf")
    assert re.findall(r'^module "(\w+)"', text, re.MULTILINE) == ["temporal"]
    resources = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.MULTILINE)
    assert resources == ([("terraform_data", "protection")] if name == "prod" else [])


def test_outputs_are_the_same_in_all_environments_and_have_what_was_asked_for() -> None:
    """Feature: temporal-ecs-fargate, Property 13: ARNs, names, endpoints and Exec commands."""
    assert len({source_of(name, "outputs.tf") for name in plans.ENVIRONMENTS}) == 1
    assert set(roots.blocks(ENVS / "dev", "output")) >= WANTED
    for name in plans.ENVIRONMENTS:
        outputs = plans.of(name).outputs
        missing = {key for key in WANTED if outputs[key].value is None}
        assert missing <= {"client_vpn_endpoint_id"}, name


@environments
def test_commands_lead_to_every_container_and_page(name: str) -> None:
    plan = plans.of(name)
    commands_ = plan.outputs["ecs_exec_commands"].value
    assert set(commands_) >= {f"temporal_{part}" for part in (*plans.ROLES, "ui")} | {"grafana"}
    for container, command in commands_.items():
        assert f"--container {container.replace('_', '-')} " in command
        assert f"--cluster {plan.outputs['ecs_cluster_name'].value} " in command
    pages = plan.outputs["port_forward_commands"].value
    assert set(pages) == {"ui", "grafana"}
    # An underscore between two words must not become part of a shell variable's name.
    assert not [command for command in (*pages.values(), *commands_.values()) if "$" in command]


def test_every_output_of_the_cluster_is_an_output_of_the_environments() -> None:
    assert set(roots.blocks(CLUSTER, "output")) <= set(roots.blocks(ENVS / "dev", "output"))


def test_states_are_apart_and_locked() -> None:
    keys = set()
    for name in plans.ENVIRONMENTS:
        text = source_of(name, "terraform.tf")
        backend = text[text.index('backend "s3"') :]
        assert re.search(r"^\s+use_lockfile = true$", backend, re.MULTILINE)
        assert re.search(r"^\s+encrypt\s+= true$", backend, re.MULTILINE)
        keys |= set(re.findall(r'^\s+key\s+= "(.+)"$', backend, re.MULTILINE))
    assert keys == {f"temporal-dsql/{name}/terraform.tfstate" for name in plans.ENVIRONMENTS}


def test_only_production_refuses_to_be_destroyed() -> None:
    found = {
        str(path.relative_to(plans.TERRAFORM))
        for path in plans.TERRAFORM.rglob("*.tf")
        if re.search(r"^\s+prevent_destroy\s+= true", path.read_text(), re.MULTILINE)
    }
    assert {path for path in found if not path.startswith("account/")} == {"envs/prod/main.tf"}


def test_networks_and_names_of_environments_differ() -> None:
    all_plans = [plans.of(name) for name in plans.ENVIRONMENTS]
    assert len({plans.project(plan) for plan in all_plans}) == 3
    networks = [ip_network(plans.one(plan, "aws_vpc")["cidr_block"]) for plan in all_plans]
    assert not [pair for pair in combinations(networks, 2) if pair[0].overlaps(pair[1])]


def test_nothing_that_an_account_has_once_has_the_same_name_in_two_environments() -> None:
    named = (
        ("aws_iam_role", "name"),
        ("aws_iam_instance_profile", "name"),
        ("aws_kms_alias", "name"),
        ("aws_cloudwatch_log_group", "name"),
        ("aws_ssm_parameter", "name"),
        ("aws_ecs_cluster", "name"),
        ("aws_ecs_capacity_provider", "name"),
        ("aws_autoscaling_group", "name"),
        ("aws_launch_template", "name"),
        ("aws_ecs_task_definition", "family"),
        ("aws_dynamodb_table", "name"),
        ("aws_s3_bucket", "bucket"),
        ("aws_opensearch_domain", "domain_name"),
        ("aws_cloudwatch_log_resource_policy", "policy_name"),
        ("aws_service_discovery_http_namespace", "name"),
        ("aws_service_discovery_private_dns_namespace", "name"),
    )
    for kind, attribute in named:
        found = [r[attribute] for n in plans.ENVIRONMENTS for r in plans.of(n).of_type(kind)]
        assert found, kind
        assert len(set(found)) == len(found), kind


@environments
def test_services_wait_for_the_attachment_of_their_capacity_provider(name: str) -> None:
    """ECS refuses a service whose provider is not attached to the cluster."""
    _, _, graph = validated(f"envs/{name}")
    attached = "module.temporal.aws_ecs_cluster_capacity_providers.this"
    services = [address for address in graph if ".aws_ecs_service." in address]
    assert len(services) == 4
    without = [one for one in services if attached not in roots.waits_for(graph, one)]
    assert without == []


NEEDS_THE_RULES = (".aws_autoscaling_group.", ".aws_ecs_service.")
NEEDED_BY_NO_RULE = (
    *NEEDS_THE_RULES,
    ".aws_opensearch_domain.",
    ".aws_ec2_client_vpn_network_association.",
)


def test_what_must_come_after_the_rules_is_in_every_graph() -> None:
    for name in plans.ENVIRONMENTS:
        addresses = nodes(validated(f"envs/{name}")[2])
        for kind in (*NEEDED_BY_NO_RULE, RULE):
            assert any(kind in address for address in addresses), (name, kind)


@environments
def test_no_rule_waits_for_what_takes_long_or_needs_rules_itself(name: str) -> None:
    _, _, graph = validated(f"envs/{name}")
    late = {
        (rule, other)
        for rule in nodes(graph)
        if RULE in rule
        for other in roots.waits_for(graph, rule)
        if any(kind in other for kind in NEEDED_BY_NO_RULE)
    }
    assert late == set()


@environments
def test_instances_and_services_wait_for_every_rule(name: str) -> None:
    """And are destroyed before it: a task that cannot reach ECS does not stop in good order."""
    _, _, graph = validated(f"envs/{name}")
    rules = {address for address in nodes(graph) if RULE in address}
    for address in nodes(graph):
        if any(kind in address for kind in NEEDS_THE_RULES):
            assert rules - roots.waits_for(graph, address) == set(), address


def test_clients_of_the_frontend_wait_for_the_service_that_owns_its_name() -> None:
    _, _, graph = validated("envs/dev")
    ui = "module.temporal.module.temporal_ui.aws_ecs_service.this"
    frontend = "module.temporal.module.temporal_service.aws_ecs_service.this"
    assert frontend in roots.waits_for(graph, ui)
