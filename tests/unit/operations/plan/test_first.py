"""A first plan: what somebody who decides about it wants to know."""

from typing import Any

from temporal_dsql_deploy.cli.plan import lines
from temporal_dsql_deploy.operations.plan.result import Source
from temporal_dsql_deploy.operations.plan.summary import summarise
from temporal_dsql_deploy.plan import read_plan
from tests.unit.plan.documents import change, plan


def task(name: str, cpu: str) -> dict[str, Any]:
    return change(
        f"aws_ecs_task_definition.{name.replace('-', '_')}",
        "create",
        after={"family": f"x-{name}", "cpu": cpu, "memory": "1024"},
    )


def group(name: str) -> dict[str, Any]:
    return change(
        f"aws_security_group.{name}", "create", after={"id": f"sg-{name}", "name": f"x-{name}"}
    )


def egress(own: str, **other: str) -> dict[str, Any]:
    ports = {"ip_protocol": "tcp", "from_port": 443, "to_port": 443}
    after = {"security_group_id": f"sg-{own}", **ports, **other}
    kind = "ingress" if "ingress" in other else "egress"
    after.pop("ingress", None)
    name = f"{own}_{'_'.join(other)}"
    return change(f"aws_vpc_security_group_{kind}_rule.{name}", "create", after=after)


FIRST = [
    task("ui", "128"),
    task("temporal-history", "512"),
    task("opensearch-setup", "256"),
    change("aws_dsql_cluster.this", "create", after={"deletion_protection_enabled": False}),
    change(
        "aws_opensearch_domain.this",
        "create",
        after={
            "engine_version": "OpenSearch_2.19",
            "cluster_config": [{"instance_count": 3, "instance_type": "m6g.large.search"}],
            "ebs_options": [{"volume_size": 100}],
        },
    ),
    change("terraform_data.history_shards", "create", after={"input": 512}),
    change("aws_launch_template.this", "create", after={"instance_type": "m7g.large"}),
    change(
        "aws_autoscaling_group.this",
        "create",
        after={"name": "x-main", "desired_capacity": 3, "min_size": 1, "max_size": 6},
    ),
    change("aws_subnet.a", "create", after={"availability_zone": "eu-west-1a"}),
    change("aws_nat_gateway.a", "create", after={}),
    group("ui"),
    egress("ui", cidr_ipv4="0.0.0.0/0"),
    egress("ui", referenced_security_group_id="sg-history"),
    egress("ui", ingress="", cidr_ipv4="0.0.0.0/0"),
]


def summary(*changes: dict[str, Any]) -> Any:
    services = {"history": {"replicas": 4}, "ui": {"replicas": 1}}
    outputs = {"services": {"actions": ["create"], "after": services}}
    document = plan(*changes, variables={"project_name": {"value": "x"}}, output_changes=outputs)
    return summarise(read_plan(document), "dev", Source.KNOWN_VALUES)


def test_what_there_will_be_comes_first() -> None:
    said = lines(summary(*FIRST))
    assert said == [
        "what there will be:",
        "  history: 4 tasks, 512 CPU units, 1024 MiB each",
        "  opensearch-setup: on demand, 256 CPU units, 1024 MiB",
        "  ui: 1 task, 128 CPU units, 1024 MiB",
        "  DSQL cluster: NO deletion protection",
        "  OpenSearch domain: OpenSearch_2.19, 3 x m6g.large.search, 100 GiB each",
        "  history_shards: 512, which cannot be changed later",
        "  instances main: 3 x m7g.large (min 1, max 6)",
        "  zones: 1 (eu-west-1a)",
        "  NAT gateways: 1",
        "",
        "network:",
        "  open 0.0.0.0/0 -> ui 443 (ingress only)",
        "  open ui -> 0.0.0.0/0 443 (egress only)",
        "  1 paths within the cluster; --json has all",
        "",
        "created:",
        "  14 resources of 11 types; --json has all",
        "",
        "dev: 14 to create, 0 to update, 0 to replace, 0 to delete",
    ]


def test_where_something_exists_it_is_no_first_plan() -> None:
    made = summary(*FIRST, change("aws_vpc.this", "no-op", before={}, after={}))
    assert made.makes == []
    assert "what there will be:" not in lines(made)
    assert "  1 subnet" in lines(made)
