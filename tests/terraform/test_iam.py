"""Roles: who may do what, to which resource."""

import json
import re
from typing import Any

import pytest

from temporal_dsql_deploy.plan import Plan
from tests.support import plans

pytestmark = [pytest.mark.needs("terraform"), pytest.mark.timeout(600)]
everywhere = pytest.mark.parametrize("name", plans.ALL)

HERE = f"{plans.REGION}:{plans.ACCOUNT}"
# Actions that know no resource (service authorisation reference), or only a condition in its place.
WITHOUT_RESOURCE = {
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
    "ecr:GetAuthorizationToken",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "ec2:DescribeInstances",
    "ecs:DescribeTaskDefinition",
}
DISCOVERY = {"ec2:DescribeInstances", "ecs:DescribeTaskDefinition"}
BY_CONDITION = {
    "ecs:DescribeContainerInstances",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListServices",
    "ecs:ListTasks",
    "ecs:StopTask",
    "ecs:UpdateService",
}
FIND = {"ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"}
OPERATE = {
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "ecs:StopTask",
    "ecs:UpdateService",
}
EXEC = {
    *(action for action in WITHOUT_RESOURCE if action.startswith("ssmmessages:")),
    "logs:DescribeLogGroups",
    "logs:CreateLogStream",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
}
INDEX = {f"es:ESHttp{verb}" for verb in ("Delete", "Get", "Head", "Post", "Put")}
WRITE = {"aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:RemoteWrite"}
READ = (WRITE - {"aps:RemoteWrite"}) | {"aps:QueryMetrics"}
COUNT = {f"dynamodb:{verb}Item" for verb in ("Delete", "Get", "Put", "Update")}
EXECUTION = {
    "ecr:GetAuthorizationToken",
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ssm:GetParameters",
    "kms:Decrypt",
}
ECR_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com/(?P<repository>[^:@]+)"
)
Statement = dict[str, Any]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def short(plan: Plan, name: str) -> str:
    return name.removeprefix(f"{plans.project(plan)}-")


def policies(plan: Plan) -> dict[str, list[Statement]]:
    """Statements by role, all its inline policies together."""
    found: dict[str, list[Statement]] = {}
    for policy in plan.of_type("aws_iam_role_policy"):
        statements = json.loads(policy["policy"])["Statement"]
        role = short(plan, str(policy["role"]))
        found.setdefault(role, []).extend(statements)
    return found


def actions(statements: list[Statement]) -> set[str]:
    return {action for one in statements for action in listed(one["Action"])}


def resources(statements: list[Statement], action: str) -> set[str]:
    """The resources for which an action is allowed."""
    return {
        resource
        for one in statements
        if action in listed(one["Action"])
        for resource in listed(one["Resource"])
    }


def expected(name: str) -> dict[str, set[str]]:
    """Actions by role."""
    variant = plans.VARIANTS[name]
    count = COUNT | {"kms:Decrypt"} if variant.counts else set()
    found = {
        "ecs-execution": EXECUTION,
        "temporal-task": EXEC | {"dsql:DbConnectAdmin"} | INDEX | count | WRITE,
        "temporal-ui-task": EXEC,
        "opensearch-setup-task": EXEC | INDEX,
        "schema-setup-task": EXEC | {"dsql:DbConnectAdmin"},
        "admin-task": EXEC | {"dsql:DbConnectAdmin"} | OPERATE,
    }
    if variant.grafana:
        found["grafana-execution"] = EXECUTION | {"secretsmanager:GetSecretValue"}
        cloudwatch = {"cloudwatch:GetMetricData", "cloudwatch:ListMetrics"}
        found["grafana-task"] = EXEC | READ | cloudwatch
    if variant.loki:
        chunks = {"s3:ListBucket", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
        found["loki-task"] = EXEC | chunks | {"kms:Decrypt", "kms:GenerateDataKey"}
    if variant.benchmark:
        found["benchmark-task"] = EXEC | WRITE
    if variant.adot:
        found["adot-task"] = EXEC | WRITE | (BY_CONDITION - OPERATE) | FIND | DISCOVERY
    if name in plans.MADE and name != "bare":
        write = {"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}
        found["flow-logs"] = write | {"logs:DescribeLogGroups"}
    return found


@everywhere
def test_each_role_may_do_what_its_tasks_do_and_nothing_else(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: least privilege, action by action."""
    plan = plans.of(name)
    found = {role: actions(statements) for role, statements in policies(plan).items()}
    assert found == expected(name)


@everywhere
def test_only_actions_that_know_no_resource_have_a_star(name: str) -> None:
    """Feature: temporal-ecs-fargate, Property 7: least privilege, resource by resource."""
    plan = plans.of(name)
    for role, statements in policies(plan).items():
        for statement in statements:
            assert statement["Effect"] == "Allow"
            assert "NotAction" not in statement
            assert "NotResource" not in statement
            assert not [action for action in listed(statement["Action"]) if "*" in action], role
            if "*" not in listed(statement["Resource"]):
                continue
            free = set(listed(statement["Action"])) - WITHOUT_RESOURCE
            assert free <= BY_CONDITION, role
            if free:
                cluster = plan.outputs["ecs_cluster_arn"].value
                assert statement["Condition"] == {"ArnEquals": {"ecs:cluster": cluster}}


@everywhere
def test_resources_are_those_of_this_cluster(name: str) -> None:
    plan, variant = plans.of(name), plans.VARIANTS[name]
    found = policies(plan)
    temporal = found["temporal-task"]
    out = {key: output.value for key, output in plan.outputs.items()}
    domain = f"arn:aws:es:{HERE}:domain/{plans.project(plan)}-visibility"
    domain = plans.DOMAIN_ARN if name == "brought" else domain
    assert resources(temporal, "dsql:DbConnectAdmin") == {out["dsql_cluster_arn"]}
    for role in ("temporal-task", "opensearch-setup-task"):
        assert resources(found[role], "es:ESHttpPut") == {f"{domain}/*"}
    assert resources(temporal, "aps:RemoteWrite") == {out["prometheus_workspace_arn"]}
    tables = {table["arn"] for table in plan.of_type("aws_dynamodb_table")}
    assert resources(temporal, "dynamodb:UpdateItem") == tables
    assert bool(tables) is variant.counts
    if variant.grafana:
        assert resources(found["grafana-task"], "aps:QueryMetrics") == {
            out["prometheus_workspace_arn"]
        }
    if variant.loki:
        bucket = plans.one(plan, "aws_s3_bucket")["arn"]
        assert resources(found["loki-task"], "s3:ListBucket") == {bucket}
        assert resources(found["loki-task"], "s3:PutObject") == {f"{bucket}/*"}


def repositories(plan: Plan) -> set[str]:
    """ARNs of the ECR repositories that images of the tasks come from."""
    images = {one.image for task in plans.tasks(plan).values() for one in plans.inside(task)}
    found = {image: ECR_IMAGE.match(image) for image in images}
    return {
        f"arn:aws:ecr:{place['region']}:{place['account']}:repository/{place['repository']}"
        for place in found.values()
        if place
    }


def test_images_of_another_account_and_region_are_among_the_plans() -> None:
    (theirs,) = {arn for arn in repositories(plans.of("operators")) if HERE not in arn}
    assert theirs == plans.THEIR_REPOSITORY_ARN


@everywhere
def test_execution_roles_read_what_is_this_clusters_and_grafanas_alone_its_secret(
    name: str,
) -> None:
    plan = plans.of(name)
    project = plans.project(plan)
    found = policies(plan)
    for role in {"ecs-execution", "grafana-execution"} & set(found):
        logs = f"arn:aws:logs:{HERE}:log-group:/ecs/{project}/*"
        assert resources(found[role], "logs:PutLogEvents") == {logs}
        parameters = f"arn:aws:ssm:{HERE}:parameter/{project}/*"
        assert resources(found[role], "ssm:GetParameters") == {parameters}
        assert resources(found[role], "ecr:BatchGetImage") == repositories(plan)
    roles = {short(plan, str(r["name"])): r["arn"] for r in plan.of_type("aws_iam_role")}
    for family, task in plans.tasks(plan).items():
        grafana = family == "grafana"
        own = roles["grafana-execution" if grafana else "ecs-execution"]
        assert task["execution_role_arn"] == own, family
    for task in plan.of_type("aws_ssm_parameter"):
        assert task["name"].startswith(f"/{project}/")


@everywhere
def test_each_task_wears_the_role_of_its_kind(name: str) -> None:
    plan = plans.of(name)
    kinds = {
        **{f"temporal-{role}": "temporal-task" for role in plans.ROLES},
        "temporal-ui": "temporal-ui-task",
        "opensearch-setup": "opensearch-setup-task",
        "schema-setup": "schema-setup-task",
        "admin-task": "admin-task",
        "benchmark": "benchmark-task",
        "benchmark-worker": "benchmark-task",
        **{kind: f"{kind}-task" for kind in ("grafana", "loki", "adot")},
    }
    arns = {r["arn"]: short(plan, str(r["name"])) for r in plan.of_type("aws_iam_role")}
    for family, task in plans.tasks(plan).items():
        assert arns[task["task_role_arn"]] == kinds[family]


@everywhere
def test_servers_and_the_tasks_for_data_connect_to_dsql_as_its_administrator(
    name: str,
) -> None:
    who = {
        role
        for role, statements in policies(plans.of(name)).items()
        if any(action.startswith("dsql:") for action in actions(statements))
    }
    assert who == {"temporal-task", "schema-setup-task", "admin-task"}
    assert "dsql:DbConnect" not in actions(policies(plans.of(name))["temporal-task"])


@everywhere
def test_transactions_are_authorised_by_their_members(name: str) -> None:
    for statements in policies(plans.of(name)).values():
        assert not [one for one in actions(statements) if one.startswith("dynamodb:Transact")]


@pytest.mark.parametrize("name", plans.MADE)
def test_instances_may_register_and_open_shells_and_nothing_of_their_own(name: str) -> None:
    plan = plans.of(name)
    nodes = {str(r["name"]) for r in plan.of_type("aws_iam_role") if r.name == "instance"}
    assert nodes
    assert not {f"{plans.project(plan)}-{role}" for role in policies(plan)} & nodes
    allowed = {
        "arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role",
        "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
    }
    attached: dict[str, set[str]] = {}
    for one in plan.of_type("aws_iam_role_policy_attachment"):
        attached.setdefault(str(one["role"]), set()).add(one["policy_arn"])
    for node in nodes:
        assert attached[node] <= allowed
    others = set(attached) - nodes
    assert others <= {f"{plans.project(plan)}-dsql-backup"}


@everywhere
def test_a_boundary_is_on_every_role_where_there_is_one(name: str) -> None:
    wanted = plans.BOUNDARY if name == "brought" else None
    for role in plans.of(name).of_type("aws_iam_role"):
        assert role["permissions_boundary"] == wanted, role.address


def test_every_module_that_makes_a_role_bounds_it() -> None:
    for path in sorted(plans.TERRAFORM.joinpath("modules").rglob("*.tf")):
        for block in path.read_text().split('resource "aws_iam_role" ')[1:]:
            assert "= var.permissions_boundary_arn" in block.split("\n}\n")[0], path


@everywhere
def test_roles_trust_one_service_and_it_only_for_this_account(name: str) -> None:
    """EC2's role is without the condition: no document says that EC2 passes it."""
    for role in plans.of(name).of_type("aws_iam_role"):
        (statement,) = json.loads(role["assume_role_policy"])["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        service = statement["Principal"]["Service"]
        assert isinstance(service, str)
        if service == "ec2.amazonaws.com":
            assert role.name == "instance"
            continue
        condition = statement["Condition"]["StringEquals"]
        assert condition["aws:SourceAccount"] == plans.ACCOUNT, role.address
        if service == "ecs-tasks.amazonaws.com":
            source = statement["Condition"]["ArnLike"]["aws:SourceArn"]
            assert source == f"arn:aws:ecs:{HERE}:*"
