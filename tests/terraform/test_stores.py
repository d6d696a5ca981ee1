"""What keeps data: DSQL, OpenSearch, DynamoDB, Loki's bucket; and the key of all of them."""

import json
import re

import pytest

from temporal_dsql_deploy.persistence import dsql
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
made = pytest.mark.parametrize("name", plans.MADE)
everywhere = pytest.mark.parametrize("name", plans.ALL)
lokis = pytest.mark.parametrize("name", [n for n in plans.ALL if plans.VARIANTS[n].loki])
counting = pytest.mark.parametrize("name", [n for n in plans.ALL if plans.VARIANTS[n].counts])

SIZES = {
    "dev": ("t3.small.search", 1, 10),
    "bench": ("m6g.large.search", 3, 100),
    "prod": ("m6g.large.search", 3, 100),
}
RETENTION = {"dev": 7, "bench": 14, "prod": 30}


def protected(name: str) -> bool:
    return name == "prod"


def key_of(name: str) -> str:
    if name == "brought":
        return plans.KEY
    return str(plans.one(plans.of(name), "aws_kms_key")["arn"])


@made
def test_dsql_is_made_and_protected_in_production(name: str) -> None:
    cluster = plans.one(plans.of(name), "aws_dsql_cluster")
    assert cluster["deletion_protection_enabled"] is protected(name)


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_the_domain_has_the_size_of_its_environment(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 9: one t3.small.search, in dev, as followed."""
    domain = plans.one(plans.of(name), "aws_opensearch_domain")
    size = domain["cluster_config.0"]
    volume = domain["ebs_options.0"]
    found = (size["instance_type"], size["instance_count"], volume["volume_size"])
    assert found == SIZES[name]
    assert (volume["ebs_enabled"], volume["volume_type"]) == (True, "gp3")


@pytest.mark.parametrize("name", plans.ENVIRONMENTS)
def test_nodes_of_the_domain_stand_in_as_many_zones_as_there_are_nodes(name: str) -> None:
    plan = plans.of(name)
    domain = plans.one(plan, "aws_opensearch_domain")
    _, nodes, _ = SIZES[name]
    size = domain["cluster_config.0"]
    assert size["zone_awareness_enabled"] is (nodes > 1)
    counts = [zones["availability_zone_count"] for zones in size["zone_awareness_config"]]
    assert counts == ([3] if nodes > 1 else [])
    subnets = domain["vpc_options.0.subnet_ids"]
    assert len(set(subnets)) == nodes
    assert set(subnets) <= set(plan.outputs["private_subnet_ids"].value)


@made
def test_the_domain_is_encrypted_and_speaks_tls_1_2_at_least(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 9: VPC, encryption, TLS 1.2."""
    domain = plans.one(plans.of(name), "aws_opensearch_domain")
    assert domain["encrypt_at_rest.0"] == {"enabled": True, "kms_key_id": key_of(name)}
    assert domain["node_to_node_encryption.0.enabled"] is True
    options = domain["domain_endpoint_options.0"]
    assert options["enforce_https"] is True
    assert options["tls_security_policy"].startswith("Policy-Min-TLS-1-2-")
    assert domain["vpc_options.0.subnet_ids"]


@made
def test_the_engine_is_one_that_the_server_supports_and_the_name_fits(name: str) -> None:
    domain = plans.one(plans.of(name), "aws_opensearch_domain")
    engine = re.fullmatch(r"OpenSearch_2[.](\d+)", domain["engine_version"])
    assert engine
    assert int(engine[1]) >= 11
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,27}", domain["domain_name"])


@made
def test_the_domain_admits_servers_and_the_set_up_task_and_nobody_else(name: str) -> None:
    plan = plans.of(name)
    roles = {str(r["name"]): r["arn"] for r in plan.of_type("aws_iam_role")}
    project = plans.project(plan)
    policy = plans.one(plan, "aws_opensearch_domain_policy")
    (statement,) = json.loads(policy["access_policies"])["Statement"]
    assert set(statement["Principal"]["AWS"]) == {
        roles[f"{project}-temporal-task"],
        roles[f"{project}-opensearch-setup-task"],
        *({plans.OPERATOR_ARN} if name == "operators" else ()),
    }
    domain = plans.one(plan, "aws_opensearch_domain")
    assert policy["domain_name"] == domain["domain_name"]
    assert statement["Resource"] == f"{domain['arn']}/*"


@everywhere
def test_the_set_up_task_runs_on_fargate_without_instances(name: str) -> None:
    task = plans.tasks(plans.of(name))["opensearch-setup"]
    assert set(task["requires_compatibilities"]) == {"FARGATE"}
    assert (task["cpu"], task["memory"]) == ("256", "512")
    container = plans.main_container(task)
    tools = "temporalio/admin-tools:" if name == "operators" else "/temporal-dsql-admin-tools:"
    assert tools in container.image
    plan = plans.of(name)
    index = plan.outputs["opensearch_visibility_index"].value
    assert dict(container.environment) == {
        "AWS_REGION": plans.REGION,
        "ES_SERVER": f"https://{plan.outputs['opensearch_endpoint'].value}:443",
        "ES_VISIBILITY_INDEX": index,
    }
    assert index.startswith("temporal_visibility_v1")


@everywhere
def test_the_set_up_task_signs_waits_and_fails_with_the_step_that_failed(name: str) -> None:
    definition = plans.main_container(plans.tasks(plans.of(name))["opensearch-setup"]).definition
    assert definition["entryPoint"] == ["/bin/sh", "-euc"]
    (script,) = definition["command"]
    assert "--aws aws-sdk-default" in script
    assert "--quiet" not in script
    assert "||" not in script
    steps = ["tool ping", "tool setup-schema", "tool create-index", "tool update-schema"]
    places = [script.index(step) for step in steps]
    assert places == sorted(places)
    assert "exit 1" in script[: places[1]]


@everywhere
def test_the_schemas_task_finds_its_cluster_and_its_files(name: str) -> None:
    plan = plans.of(name)
    task = plans.tasks(plan)["schema-setup"]
    assert set(task["requires_compatibilities"]) == {"FARGATE"}
    container = plans.main_container(task)
    assert dict(container.environment) == {
        "AWS_REGION": plans.REGION,
        "CLUSTER_ENDPOINT": plan.outputs["dsql_cluster_endpoint"].value,
        "DSQL_DEPLOY_SCHEMA": "/etc/temporal/schema/dsql/temporal",
    }
    assert container.definition["entryPoint"] == ["dsql-deploy"]
    assert container.definition["command"] == ["schema", "setup", plans.project(plan)]
    assert dsql.Endpoint.parse(container.environment["CLUSTER_ENDPOINT"]).region == plans.REGION
    told = plan.outputs["schema_setup"].value
    assert told["task_definition_arn"] == task["arn"]
    assert told["container_name"] == container.name
    assert told["subnet_ids"] == plan.outputs["private_subnet_ids"].value


@everywhere
def test_the_task_of_operators_verbs_finds_its_cluster(name: str) -> None:
    plan = plans.of(name)
    task = plans.tasks(plan)["admin-task"]
    assert set(task["requires_compatibilities"]) == {"FARGATE"}
    container = plans.main_container(task)
    assert dict(container.environment) == {
        "AWS_REGION": plans.REGION,
        "CLUSTER_ENDPOINT": plan.outputs["dsql_cluster_endpoint"].value,
    }
    assert container.definition["entryPoint"] == ["dsql-deploy"]
    told = plan.outputs["admin_task"].value
    assert told["task_definition_arn"] == task["arn"]
    assert told["container_name"] == container.name
    assert told["subnet_ids"] == plan.outputs["private_subnet_ids"].value


@everywhere
def test_the_command_of_the_set_up_task_starts_it_where_it_may_run(name: str) -> None:
    plan = plans.of(name)
    told = plan.outputs["opensearch_setup"].value
    command = plan.outputs["opensearch_setup_command"].value
    assert told["task_definition_arn"] == plans.tasks(plan)["opensearch-setup"]["arn"]
    for part in (
        "--launch-type FARGATE",
        f"--task-definition {told['task_definition_arn']}",
        f"securityGroups=[{told['security_group_id']}]",
        f"subnets=[{','.join(told['subnet_ids'])}]",
    ):
        assert part in command


@counting
def test_tables_have_the_key_and_expiry_that_the_plugin_knows(name: str) -> None:
    tables = plans.of(name).of_type("aws_dynamodb_table")
    assert len(tables) == (2 if name == "isolated" else 1)
    for table in tables:
        assert (table["hash_key"], table["range_key"]) == ("pk", None)
        assert [(a["name"], a["type"]) for a in table["attribute"]] == [("pk", "S")]
        assert table["ttl.0"] == {"attribute_name": "ttl_epoch", "enabled": True}
        assert table["billing_mode"] == "PAY_PER_REQUEST"


@counting
def test_tables_can_be_restored_are_encrypted_and_protected_in_production(name: str) -> None:
    for table in plans.of(name).of_type("aws_dynamodb_table"):
        assert table["point_in_time_recovery.0.enabled"] is True
        assert table["deletion_protection_enabled"] is protected(name)
        assert table["server_side_encryption.0.enabled"] is True
        assert table["server_side_encryption.0.kms_key_arn"] == key_of(name)


@everywhere
def test_tables_are_made_for_what_is_counted(name: str) -> None:
    plan = plans.of(name)
    told = plan.outputs["dynamodb_table_names"].value
    tables = {table["name"] for table in plan.of_type("aws_dynamodb_table")}
    assert {table for table in told.values() if table} == tables
    assert bool(told["conn_lease"]) is plans.VARIANTS[name].counts
    assert bool(told["rate_limiter"]) is (name == "isolated")


@lokis
def test_the_bucket_of_loki_is_private_and_encrypted(name: str) -> None:
    plan = plans.of(name)
    bucket = plans.one(plan, "aws_s3_bucket")
    block = plans.one(plan, "aws_s3_bucket_public_access_block")
    assert block["bucket"] == bucket["id"]
    for switch in (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ):
        assert block[switch] is True
    encryption = plans.one(plan, "aws_s3_bucket_server_side_encryption_configuration")
    rule = encryption["rule.0.apply_server_side_encryption_by_default.0"]
    assert rule == {"kms_master_key_id": key_of(name), "sse_algorithm": "aws:kms"}
    (refused,) = json.loads(plans.one(plan, "aws_s3_bucket_policy")["policy"])["Statement"]
    assert (refused["Effect"], refused["Action"]) == ("Deny", "s3:*")
    assert refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@lokis
def test_the_name_of_the_bucket_is_one_in_all_of_aws(name: str) -> None:
    plan = plans.of(name)
    bucket = plans.one(plan, "aws_s3_bucket")
    assert bucket["bucket"] == f"{plans.project(plan)}-loki-{plans.ACCOUNT}-{plans.REGION}"
    assert len(bucket["bucket"]) <= 63
    assert plan.outputs["loki_s3_bucket_name"].value == bucket["bucket"]


@lokis
def test_a_full_bucket_is_deleted_except_in_production(name: str) -> None:
    bucket = plans.one(plans.of(name), "aws_s3_bucket")
    assert bucket["force_destroy"] is not protected(name)


@made
def test_dsql_is_copied_by_aws_backup_where_that_is_on(name: str) -> None:
    plan = plans.of(name)
    selections = plan.of_type("aws_backup_selection")
    assert len(selections) == (1 if name == "operators" else 0)
    for selection in selections:
        assert list(selection["resources"]) == [plans.one(plan, "aws_dsql_cluster")["arn"]]
        assert selection["plan_id"] == plans.one(plan, "aws_backup_plan")["id"]
        (rule,) = plans.one(plan, "aws_backup_plan")["rule"]
        assert rule["target_vault_name"] == plans.one(plan, "aws_backup_vault")["name"]
        assert rule["lifecycle"][0]["delete_after"] == 35


@everywhere
def test_every_log_group_is_kept_for_the_time_of_its_environment(name: str) -> None:
    plan = plans.of(name)
    groups = plan.of_type("aws_cloudwatch_log_group")
    assert groups
    for group in groups:
        wanted = RETENTION[plans.VARIANTS[name].environment]
        assert group["retention_in_days"] == wanted, group.address


@everywhere
def test_log_groups_have_the_names_of_the_design(name: str) -> None:
    plan, variant = plans.of(name), plans.VARIANTS[name]
    parts = {*(f"temporal-{role}" for role in plans.ROLES)}
    parts |= {"opensearch-setup", "schema-setup", "admin-task"}
    optional = {
        "ecs-exec": name in plans.MADE,
        "temporal-ui": variant.ui,
        "grafana": variant.grafana,
        "loki": variant.loki,
        "adot": variant.adot,
        "benchmark": variant.benchmark,
    }
    parts |= {part for part, present in optional.items() if present}
    prefix = f"/ecs/{plans.project(plan)}/"
    found = {
        str(group["name"]).removeprefix(prefix)
        for group in plan.of_type("aws_cloudwatch_log_group")
        if str(group["name"]).startswith(prefix)
    }
    domain = {"opensearch-application", "opensearch-index-slow", "opensearch-search-slow"}
    assert found - domain - {"client-vpn"} == parts


@everywhere
def test_everything_that_can_be_is_encrypted_with_the_key_of_the_environment(name: str) -> None:
    plan, key = plans.of(name), key_of(name)
    assert len(plan.of_type("aws_kms_key")) == (0 if name == "brought" else 1)
    for group in plan.of_type("aws_cloudwatch_log_group"):
        assert group["kms_key_id"] == key, group.address
    for parameter in plan.of_type("aws_ssm_parameter"):
        assert (parameter["type"], parameter["key_id"]) == ("SecureString", key)
    for workspace in plan.of_type("aws_prometheus_workspace"):
        assert workspace["kms_key_arn"] in {key, UNKNOWN}, workspace.address


@made
def test_the_key_is_rotated_and_lets_cloudwatch_logs_use_it(name: str) -> None:
    key = plans.one(plans.of(name), "aws_kms_key")
    assert key["enable_key_rotation"] is True
    statements = json.loads(key["policy"])["Statement"]
    logs = f"logs.{plans.REGION}.amazonaws.com"
    assert logs in [statement["Principal"].get("Service") for statement in statements]
    assert key["deletion_window_in_days"] == (30 if protected(name) else 7)
