"""Other people's Terraform, as small plans: their mistakes are found, their ways are not."""

import base64

import pytest

from temporal_dsql_deploy.checks import Judgement, judge
from temporal_dsql_deploy.checks.model import Outcome, Verdict
from temporal_dsql_deploy.checks.registry import rules
from temporal_dsql_deploy.plan import UNKNOWN
from tests.support.check_plans import ACCOUNT, PRIVATE, REGION, ROLES, VPC, arn, good
from tests.support.draft import SERVICE, TASK, Draft
from tests.support.walled import EGRESS, GROUP, GRPC, INGRESS, RING, walled

SHARED = "sg-shared"
RATES = {"history": (4, 15), "matching": (3, 8), "frontend": (2, 5), "worker": (2, 3)}
"""Tasks and connects per second of the reference system: 4 x 15 + 3 x 8 + 2 x 5 + 2 x 3 = 100."""
NODE_B = ("matching", "frontend", "ui", "grafana")
EVERYWHERE = {"from_port": 0, "to_port": 0, "protocol": "-1"}
PAGES = {"ui": 8080, "grafana": 3000}


def reference() -> Draft:
    """The reference system and its seeds, flat: one shared group, and what else went wrong."""
    draft = walled()
    draft.without(*(one for one in draft.values if one.startswith((INGRESS, EGRESS))))
    draft.outputs = {}
    draft.add(
        f"{GROUP}.shared",
        id=SHARED,
        vpc_id=VPC,
        ingress=[{**EVERYWHERE, "self": True}],
        egress=[{**EVERYWHERE, "cidr_blocks": ["0.0.0.0/0"]}],
    )
    for role in ROLES:
        ring = {"from_port": RING[role], "to_port": RING[role], "protocol": "tcp", "self": True}
        out = {**EVERYWHERE, "cidr_blocks": ["10.0.0.0/16"]}
        draft[f"{GROUP}.{role}"].update(ingress=[ring], egress=[out])
    for name in (*ROLES, *PAGES):
        network = draft.service(name)["network_configuration"][0]
        network["security_groups"] = [SHARED, f"sg-{name}"]
    for role, (tasks, rate) in RATES.items():
        draft.service(role)["desired_count"] = tasks
        _tell(
            draft,
            role,
            DSQL_CONNECTION_RATE_LIMIT=str(rate),
            DSQL_CONNECTION_BURST_LIMIT=str(10 * rate),
            DSQL_RESERVOIR_ENABLED="true",
            DSQL_DISTRIBUTED_CONN_LEASE_ENABLED="true",
            DSQL_DISTRIBUTED_CONN_LEASE_TABLE="shop-leases",
            TEMPORAL_SQL_MAX_CONNS="50",
            CLUSTER_ENDPOINT=None,
        )
        draft.containers[role][0]["command"] = ["temporal", "server", "start", f"--service={role}"]
    _tie(draft)
    return draft


def _tell(draft: Draft, role: str, **variables: str | None) -> None:
    given = {each["name"]: each["value"] for each in draft.containers[role][0]["environment"]}
    told = {**given, **variables}
    draft.containers[role][0]["environment"] = [
        {"name": name, "value": value} for name, value in told.items() if value is not None
    ]


def _tie(draft: Draft) -> None:
    """Four services on the one instance that is called b; it has two interfaces for tasks."""
    script = (
        "#!/bin/bash\necho ECS_CLUSTER=shop-cluster >> /etc/ecs/ecs.config\n"
        """echo 'ECS_INSTANCE_ATTRIBUTES={"workload":"b"}' >> /etc/ecs/ecs.config\n"""
    )
    template = {**draft["aws_launch_template.main"], "id": "lt-b", "name": "shop-b"}
    template["user_data"] = base64.b64encode(script.encode()).decode()
    draft.add("aws_launch_template.b", **template)
    scaling = arn("autoscaling", "autoScalingGroup:2:autoScalingGroupName/shop-b")
    group = {**draft["aws_autoscaling_group.main"], "name": "shop-b", "arn": scaling}
    group |= {"launch_template": [{"id": "lt-b", "name": "shop-b", "version": "1"}]}
    draft.add("aws_autoscaling_group.b", **{**group, "max_size": 1, "desired_capacity": 1})
    (scaled,) = draft["aws_ecs_capacity_provider.main"]["auto_scaling_group_provider"]
    draft.add(
        "aws_ecs_capacity_provider.b",
        name="shop-b",
        auto_scaling_group_provider=[{**scaled, "auto_scaling_group_arn": scaling}],
    )
    attached = draft["aws_ecs_cluster_capacity_providers.main"]
    attached["capacity_providers"] = ["shop-main", "shop-b"]
    tied = {"type": "memberOf", "expression": "attribute:workload == b"}
    for name in NODE_B:
        service = draft.service(name)
        service["capacity_provider_strategy"] = [{"capacity_provider": "shop-b", "weight": 1}]
        service["placement_constraints"] = [tied]
        service["desired_count"] = service["desired_count"] or 1


def judged(draft: Draft) -> Judgement:
    return judge(draft.subject(), tuple(rules().values()))


@pytest.fixture(scope="module", name="mistakes")
def of_reference() -> Judgement:
    return judged(reference())


@pytest.mark.parametrize(
    ("rule", "resource", "words"),
    [
        ("reach-shared-group", f"{GROUP}.shared", "needed, and open by it alone"),
        ("reach-useless", f"{GROUP}.shared", "all ports of all protocols is open"),
        ("fit-at-rest", "aws_autoscaling_group.b", "short is RESOURCE:ENI"),
        ("budget-connection-rate", f"{TASK}.history", "200 connects per second (100 at rest)"),
        ("budget-lease", f"{TASK}.worker", "leases on without CLUSTER_ENDPOINT"),
        ("contract-lease-complete", f"{TASK}.worker", "CLUSTER_ENDPOINT is not set"),
        ("contract-server-command", f"{TASK}.worker", "the server's program is temporal-server"),
    ],
)
def test_the_reference_systems_mistakes_are_named_each_by_its_rule(
    rule: str, resource: str, words: str, mistakes: Judgement
) -> None:
    """S3-5: a shared group, a node with two interfaces, exactly 100 per second, half a lease."""
    found = [one for one in mistakes.of(rule).findings if one.resource == resource]
    assert any(words in one.evidence for one in found), mistakes.of(rule)
    assert all(one.symptom or mistakes.of(rule).rule.symptom for one in found)


def test_membership_from_itself_only_is_named_once_no_shared_group_hides_it(
    mistakes: Judgement,
) -> None:
    hidden = next(iter(mistakes.of("reach-shared-group").findings)).evidence
    for role in ROLES:
        others = "/".join(sorted(set(ROLES) - {role}))
        assert f"{role}:{RING[role]} from {others}" in hidden
    draft = reference()
    for name in (*ROLES, *PAGES):
        network = draft.service(name)["network_configuration"][0]
        network["security_groups"] = [f"sg-{name}"]
    apart = judged(draft)
    said = "\n".join(one.evidence for one in apart.of("reach-membership").findings)
    for role in ROLES:
        for other in set(ROLES) - {role}:
            assert f"{role} -> {other}:{RING[other]}" in said
    assert "history -> matching:7235" in "\n".join(
        one.evidence for one in apart.of("reach-needed").findings
    )
    assert GRPC["matching"] == 7235


def outcome(draft: Draft, rule: str) -> Outcome:
    return judge(draft.subject(), (rules()[rule],)).of(rule)


def holds(draft: Draft, *names: str) -> None:
    for name in names:
        found = outcome(draft, name)
        assert not found.findings, found
        assert found.verdict is Verdict.OK, found


def test_a_cluster_for_x86_is_no_mistake_and_a_mixed_one_is() -> None:
    draft = good()
    draft["aws_launch_template.main"]["instance_type"] = "m6i.xlarge"
    draft["aws_launch_template.main"]["image_id"] = (
        "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
    )
    for name in (*ROLES, *PAGES, "setup"):
        draft.task(name)["runtime_platform"] = []
    holds(draft, "architecture-task", "architecture-instance", "architecture-image")
    draft.task("ui")["runtime_platform"] = [
        {"cpu_architecture": "X86_64", "operating_system_family": "LINUX"}
    ]
    draft.task("worker")["runtime_platform"] = [
        {"cpu_architecture": "ARM64", "operating_system_family": "LINUX"}
    ]
    (found,) = outcome(draft, "architecture-task").findings
    assert (found.resource, found.evidence) == (f"{TASK}.worker", "ARM64 instead of X86_64")
    draft["aws_launch_template.main"]["image_id"] = (
        "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
    )
    assert outcome(draft, "architecture-image").verdict is Verdict.NG


def test_a_cluster_without_exec_is_no_mistake() -> None:
    draft = good()
    for name in (*ROLES, *PAGES):
        draft.service(name)["enable_execute_command"] = None
        for container in draft.containers[name]:
            container.pop("linuxParameters")
    holds(draft, "exec-service", "exec-init")


def test_an_image_that_brings_its_dynamic_configuration_needs_no_mount() -> None:
    draft = good()
    for role in ROLES:
        draft.containers[role][0]["linuxParameters"].pop("tmpfs")
    holds(draft, "mounts-dynamic-config")
    draft.containers["history"][0]["readonlyRootFilesystem"] = True
    assert outcome(draft, "mounts-dynamic-config").verdict is Verdict.NG


def test_roles_that_nobody_scrapes_on_the_usual_port_map_their_own() -> None:
    draft = good()
    for role in ROLES:
        ports = draft.containers[role][0]["portMappings"]
        draft.containers[role][0]["portMappings"] = [
            one for one in ports if one["name"] != "metrics"
        ]
    holds(draft, "ports-role")


def test_a_port_range_and_a_statsd_agent_beside_a_server_hide_nothing() -> None:
    draft = good()
    agent = {
        "name": "statsd",
        "image": "public.ecr.aws/datadog/agent:7.60.0",
        "essential": False,
        "portMappings": [
            {"containerPortRange": "9000-9010"},
            {"containerPort": 8125, "protocol": "udp"},
        ],
    }
    draft.containers["history"].append(agent)
    (history,) = (task for task in draft.subject().tasks if task.name == "history")
    assert history.containers is not None
    assert history.containers[-1].ports == (8125,)
    holds(draft, "ports-same-number", "ports-role")


def test_a_log_router_is_essential_and_keeps_its_own_lines() -> None:
    draft = good()
    parameter = draft.add(
        "aws_ssm_parameter.key",
        name="/shop/logs/key",
        arn=arn("ssm", "parameter/shop/logs/key"),
        type="SecureString",
    )
    draft.containers["history"].append(
        {
            "name": "router",
            "image": "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.34.0",
            "essential": True,
            "firelensConfiguration": {"type": "fluentbit"},
        }
    )
    draft.containers["history"][0]["logConfiguration"] = {
        "logDriver": "awsfirelens",
        "options": {"Name": "http", "Host": "logs.example.com"},
        "secretOptions": [{"name": "http_passwd", "valueFrom": parameter["arn"]}],
    }
    holds(draft, "logs-driver", "conditional-parameters")
    assert (f"{TASK}.history", "container_definitions.router.essential") not in [
        (one.resource, one.attribute) for one in outcome(draft, "contract-essential").findings
    ]


def test_blue_and_green_are_two_services_of_one_role() -> None:
    draft = good()
    draft.containers["green"] = draft.containers["frontend"]
    draft.add(
        f"{TASK}.green",
        **{**draft.task("frontend"), "family": "green", "arn": arn("ecs", "task-definition/g:1")},
    )
    draft.add(
        f"{SERVICE}.green",
        **{
            **draft.service("frontend"),
            "name": "green",
            "task_definition": draft.task("green")["arn"],
        },
    )
    holds(draft, "services-five")
    _tell(draft, "worker", TEMPORAL_SERVICES="frontend")
    draft.containers["worker"][0]["portMappings"] = draft.containers["frontend"][0]["portMappings"]
    found = outcome(draft, "services-five").findings
    assert "no task definition runs worker" in [one.evidence for one in found]
    assert len(found) == 3


def test_the_internal_frontend_is_a_role() -> None:
    draft = good()
    _tell(draft, "frontend", TEMPORAL_SERVICES="internal-frontend")
    assert not outcome(draft, "contract-role").findings


def test_outputs_that_are_not_made_for_this_tool_are_not_judged() -> None:
    draft = good()
    draft.outputs = {"vpc": VPC}
    assert outcome(draft, "interface-outputs").verdict is Verdict.SKIP


def test_postgresql_has_a_password() -> None:
    draft = good().without("aws_dsql_cluster.main")
    for role in ROLES:
        server = draft.containers[role][0]
        server["image"] = "temporalio/server:1.31.2"
        server["environment"] = [
            {"name": "SERVICES", "value": role},
            {"name": "DB", "value": "postgres12"},
            {"name": "POSTGRES_SEEDS", "value": "db.example.com"},
        ]
        secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf:password::"
        server["secrets"] = [{"name": "POSTGRES_PWD", "valueFrom": secret}]
    assert not outcome(draft, "secrets-database").findings
    budget = [one for one in judged(draft).outcomes if one.rule.id.startswith(("budget-", "dsql-"))]
    assert not [one for one in budget if one.findings]


def test_an_entrypoint_of_somebody_else_has_variables_of_its_own() -> None:
    draft = good()
    for role in ROLES:
        _tell(draft, role, TEMPORAL_SQL_CONNECTION_TIMEOUT="30s", TEMPORAL_SQL_IAM_AUTH="true")
    assert outcome(draft, "contract-runtime-required").verdict is Verdict.SKIP
    holds(draft, "contract-known-names")
    _tell(draft, "history", DSQL_RESERVIOR_ENABLED="true")
    (found,) = outcome(draft, "contract-known-names").findings
    assert "DSQL_RESERVIOR_ENABLED" in found.evidence


def nat_instance(draft: Draft) -> Draft:
    """The NAT gateway is an instance, which passes on what its interface is sent."""
    draft.without("aws_nat_gateway.main")
    draft.add(
        "aws_network_interface.nat",
        id="eni-nat",
        subnet_id="subnet-public",
        security_groups=["sg-nat"],
        source_dest_check=False,
    )
    draft.add("aws_instance.nat", id="i-nat", instance_type="t4g.nano")
    draft.add(f"{GROUP}.nat", id="sg-nat", vpc_id=VPC, ingress=[], egress=[])
    draft.add(
        f"{INGRESS}.nat",
        security_group_id="sg-nat",
        cidr_ipv4="10.0.0.0/20",
        ip_protocol="-1",
    )
    draft["aws_eip.nat"]["network_interface"] = "eni-nat"
    draft["aws_route.private"].update(nat_gateway_id=None, network_interface_id="eni-nat")
    return draft


@pytest.mark.parametrize("interface", ["eni-nat", UNKNOWN])
def test_a_nat_instance_is_a_way_out(interface: object) -> None:
    draft = nat_instance(walled())
    draft["aws_route.private"]["network_interface_id"] = interface
    holds(draft, "network-elastic-address", "reach-ingress-by-group")
    for rule in ("reach-database", "reach-images", "reach-api"):
        assert not outcome(draft, rule).findings
    assert outcome(draft, "reach-database").verdict is Verdict.SKIP
    draft["aws_network_interface.nat"]["source_dest_check"] = True
    assert outcome(draft, "network-elastic-address").verdict is Verdict.NG
    assert outcome(draft, "reach-ingress-by-group").verdict is Verdict.NG


@pytest.mark.parametrize(("observer", "needed"), [(False, False), (True, True)])
def test_a_collector_of_fixed_targets_asks_ecs_nothing(observer: bool, needed: bool) -> None:  # noqa: FBT001
    draft = good()
    text = "extensions:\n  ecs_observer: {}\n" if observer else ""
    told = [{"name": "AOT_CONFIG_CONTENT", "value": f"{text}receivers:\n  prometheus: {{}}\n"}]
    draft.containers["adot"] = [
        {"name": "adot", "image": "aws-otel-collector:v0.43.0", "environment": told}
    ]
    role = f"arn:aws:iam::{ACCOUNT}:role/shop-adot"
    draft.add(f"{TASK}.adot", family="shop-adot", arn="arn:adot:1", task_role_arn=role)
    draft.add("aws_iam_role.adot", name="shop-adot", id="shop-adot", arn=role, inline_policy=[])
    draft.add(
        f"{SERVICE}.adot",
        name="shop-adot",
        task_definition="arn:adot:1",
        network_configuration=[{"subnets": list(PRIVATE), "security_groups": ["sg-adot"]}],
    )
    found = outcome(draft, "identity-missing").findings
    assert any("ecs:ListTasks" in one.evidence for one in found) is needed
