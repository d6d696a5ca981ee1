"""The roles of the small good plan, for tests of the family `identity`.

One role for each kind of task, one for ECS itself, one for instances, with policies by hand.
"""

import json
from collections.abc import Callable
from typing import Any

from tests.support.check_plans import ACCOUNT, DATABASE_ID, KEY, REGION, ROLES, SECRET, arn, good
from tests.support.draft import Draft

Document = dict[str, Any]
DATABASE = arn("dsql", f"cluster/{DATABASE_ID}")
DOMAIN = arn("es", "domain/shop-visibility")
WORKSPACE = arn("aps", "workspace/ws-shop")
TABLE = arn("dynamodb", "table/shop-leases")
BUCKET = "arn:aws:s3:::shop-loki"
MANAGED = "arn:aws:iam::aws:policy"
TASK = "ecs-tasks.amazonaws.com"


def with_roles() -> Draft:
    """The good plan with every role that it needs."""
    draft = good()
    for role in ROLES:
        add_role(draft, role, TASK, [*exec_statements(), *server_statements()])
    add_role(draft, "ui", TASK, exec_statements())
    add_role(draft, "grafana", TASK, [*exec_statements(), *grafana_statements()])
    add_role(draft, "setup", TASK, [index_statement()])
    add_role(draft, "execution", TASK, execution_statements())
    add_role(draft, "instance", "ec2.amazonaws.com", [])
    attach(draft, "instance", "service-role/AmazonEC2ContainerServiceforEC2Role")
    profile = f"arn:aws:iam::{ACCOUNT}:instance-profile/shop-instance"
    draft.add(
        "aws_iam_instance_profile.main", name="shop-instance", arn=profile, role="shop-instance"
    )
    return draft


def add_role(draft: Draft, name: str, service: str, statements: list[Document]) -> None:
    """A role `shop-NAME`, and a policy for it where there are statements."""
    draft.add(
        f"aws_iam_role.{name}",
        name=f"shop-{name}",
        id=f"shop-{name}",
        arn=f"arn:aws:iam::{ACCOUNT}:role/shop-{name}",
        assume_role_policy=document([trust_statement(service)]),
        inline_policy=[],
        permissions_boundary=None,
    )
    if statements:
        draft.add(f"aws_iam_role_policy.{name}", role=f"shop-{name}", policy=document(statements))


def attach(draft: Draft, name: str, policy: str) -> str:
    """One of AWS's own policies for a role; the address of the attachment."""
    address = f"aws_iam_role_policy_attachment.{name}-{policy.rsplit('/', 1)[-1].lower()}"
    draft.add(address, role=f"shop-{name}", policy_arn=f"{MANAGED}/{policy}")
    return address


def document(statements: list[Document]) -> str:
    """A policy with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def statements_of(draft: Draft, address: str, attribute: str = "policy") -> list[Document]:
    """The statements of a policy of the draft."""
    found: list[Document] = json.loads(draft[address][attribute])["Statement"]
    return found


def change(
    draft: Draft,
    address: str,
    how: Callable[[list[Document]], list[Document] | None],
    attribute: str = "policy",
) -> Draft:
    """The draft after a policy's statements were changed, in place or for those returned."""
    statements = statements_of(draft, address, attribute)
    made = how(statements)
    draft[address][attribute] = document(statements if made is None else made)
    return draft


def allow(actions: list[str], *resources: str, sid: str = "") -> Document:
    """A statement that allows."""
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": list(resources)}


def trust_statement(service: str) -> Document:
    """A statement of a trust policy, bound to this account but for EC2."""
    given: Document = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": service},
    }
    if service != "ec2.amazonaws.com":
        given["Condition"] = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    return given


def exec_statements() -> list[Document]:
    """What ECS Exec needs, its log among it."""
    channels = [
        f"ssmmessages:{v}{c}Channel" for v in ("Create", "Open") for c in ("Control", "Data")
    ]
    log = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return [
        allow(channels, "*", sid="Shell"),
        allow(["logs:DescribeLogGroups"], "*", sid="FindLog"),
        allow(log, arn("logs", "log-group:/shop/exec:*"), sid="Record"),
    ]


def index_statement() -> Document:
    """Requests to the domain."""
    verbs = ("Delete", "Get", "Head", "Post", "Put")
    return allow([f"es:ESHttp{verb}" for verb in verbs], f"{DOMAIN}/*", sid="Index")


def server_statements() -> list[Document]:
    """What a Temporal role needs."""
    return [
        allow(["dsql:DbConnectAdmin"], DATABASE, sid="Database"),
        index_statement(),
        allow(["aps:RemoteWrite"], WORKSPACE, sid="Metrics"),
    ]


def grafana_statements() -> list[Document]:
    """What Grafana needs."""
    read = [f"aps:{v}" for v in ("GetLabels", "GetMetricMetadata", "GetSeries", "QueryMetrics")]
    return [allow(read, WORKSPACE, sid="Metrics")]


def execution_statements() -> list[Document]:
    """What ECS needs to start every task."""
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    names = ("temporal-dsql", "otel-collector", "temporal-ui", "grafana", "admin-tools")
    repositories = [arn("ecr", f"repository/{name}") for name in names]
    return [
        allow(["ecr:GetAuthorizationToken"], "*", sid="LogIn"),
        allow(pull, *repositories, sid="Pull"),
        allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/shop/*",
            sid="Logs",
        ),
        allow(["ssm:GetParameters"], arn("ssm", "parameter/shop/*"), sid="Parameters"),
        allow(["secretsmanager:GetSecretValue"], SECRET, sid="Secret"),
        allow(["kms:Decrypt"], KEY, sid="Key"),
    ]
