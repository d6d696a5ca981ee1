"""What a first plan makes, in the words of those who decide about it."""

from collections.abc import Iterator
from typing import Any

from temporal_dsql_deploy.operations.plan.result import Rule
from temporal_dsql_deploy.plan import UNKNOWN, Plan
from temporal_dsql_deploy.plan.parts import component, instance_groups, replicas

EVERYBODY = ("0.0.0.0/0", "::/0")
_SIZES = ("min_size", "desired_capacity", "max_size")
_LATER = "known after apply"


def is_first(plan: Plan) -> bool:
    """Whether everything is created and nothing was there."""
    changing = plan.changing()
    return bool(changing) and all(
        change.before is None or change.mode == "data" for change in plan.changes
    )


def made(plan: Plan, project: str) -> list[str]:
    """What there will be, a line each; what is brought along is not in it."""
    return [*_tasks(plan, project), *_stores(plan), *_instances(plan, project), *_network(plan)]


def open_to_everybody(rules: list[Rule]) -> list[Rule]:
    """Paths from or to any address: who may come in first."""
    found = [rule for rule in rules if {rule.source, rule.target} & set(EVERYBODY)]
    return sorted(found, key=lambda rule: (rule.source not in EVERYBODY, rule.source, rule.target))


def _tasks(plan: Plan, project: str) -> Iterator[str]:
    wanted = replicas(plan)
    rows = []
    for task in plan.of_type("aws_ecs_task_definition"):
        name = component(task["family"], project)
        number = wanted.get(name)
        count = "on demand, " if wanted else ""
        if number is not None:
            count = f"{number} task{'' if number == 1 else 's'}, "
        size = f"{_said(task['cpu'])} CPU units, {_said(task['memory'])} MiB"
        rows.append(
            f"{name}: {count}{size}" + (" each" if count and number not in (1, None) else "")
        )
    yield from sorted(rows, key=lambda row: _order(row.partition(":")[0]))


def _order(name: str) -> tuple[int, str]:
    roles = ("history", "matching", "frontend", "worker")
    return (roles.index(name) if name in roles else len(roles), name)


def _stores(plan: Plan) -> Iterator[str]:
    for cluster in plan.of_type("aws_dsql_cluster"):
        kept = cluster["deletion_protection_enabled"]
        protection = "deletion protection on" if kept is True else "NO deletion protection"
        yield f"DSQL cluster: {protection}"
    for domain in plan.of_type("aws_opensearch_domain"):
        nodes = domain["cluster_config.0.instance_count"]
        kind = domain["cluster_config.0.instance_type"]
        disk = domain["ebs_options.0.volume_size"]
        yield (
            f"OpenSearch domain: {_said(domain['engine_version'])}, {_said(nodes)} x {_said(kind)}"
            f", {_said(disk)} GiB each"
        )
    for guard in plan.of_type("terraform_data"):
        if guard.name == "history_shards":
            yield f"history_shards: {_said(guard['input'])}, which cannot be changed later"


def _instances(plan: Plan, project: str) -> Iterator[str]:
    for group, template in instance_groups(plan):
        kind = _said(template["instance_type"]) if template else "instances"
        name = component(group["name"], project)
        low, now, most = (_said(group[size]) for size in _SIZES)
        yield f"instances {name}: {now} x {kind} (min {low}, max {most})"


def _network(plan: Plan) -> Iterator[str]:
    zones = sorted({_said(subnet["availability_zone"]) for subnet in plan.of_type("aws_subnet")})
    if zones:
        yield f"zones: {len(zones)} ({', '.join(zones)})"
        yield f"NAT gateways: {len(plan.of_type('aws_nat_gateway'))}"
    endpoints = [
        one for one in plan.of_type("aws_vpc_endpoint") if one["vpc_endpoint_type"] == "Interface"
    ]
    if endpoints:
        yield f"interface endpoints: {len(endpoints)}"


def _said(value: Any) -> str:
    return _LATER if value is UNKNOWN else "-" if value is None else str(value)
