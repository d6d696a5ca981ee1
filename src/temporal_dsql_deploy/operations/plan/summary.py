"""A plan, summarised: what matters to those who run a cluster comes first, the rest is counted."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from temporal_dsql_deploy.operations.plan import access, first, names
from temporal_dsql_deploy.operations.plan.restarts import restarts
from temporal_dsql_deploy.operations.plan.result import (
    Counts,
    Loss,
    Move,
    Other,
    PlanResult,
    Source,
)
from temporal_dsql_deploy.plan import UNKNOWN, Action, Change, Plan
from temporal_dsql_deploy.plan.parts import component

HOLDS_DATA = {
    "aws_dsql_cluster": ("DSQL cluster", "every workflow, its history and all namespaces"),
    "aws_opensearch_domain": ("OpenSearch domain", "what lists and searches of workflows find"),
    "aws_dynamodb_table": ("DynamoDB table", "the connections that servers have counted"),
    "aws_s3_bucket": ("S3 bucket", "the logs, or whatever else is in it"),
    "aws_prometheus_workspace": ("Prometheus workspace", "all metrics"),
    "aws_cloudwatch_log_group": ("log group", "its logs"),
    "aws_kms_key": ("KMS key", "everything that is encrypted with it"),
    "aws_backup_vault": ("backup vault", "its backups"),
    "aws_secretsmanager_secret": ("secret", "its value"),
    "aws_ecr_repository": ("image repository", "its images"),
}
"""What it is called and what is lost with it, by type."""
_INSTANCES = {
    "aws_autoscaling_group": ("min_size", "max_size", "desired_capacity"),
    "aws_launch_template": ("instance_type", "image_id", "user_data"),
}
"""Attributes that have a sentence of their own."""


def summarise(
    plan: Plan, environment: str, source: Source, *, plan_file: Path | None = None
) -> PlanResult:
    """What a plan does to the cluster of an environment."""
    project = names.project(plan)
    changing = plan.changing()
    by_action = Counter(change.action for change in changing)
    created = Counter(change.type for change in changing if change.action == Action.CREATE)
    losses = [loss for change in changing if (loss := _loss(change))]
    restarted = restarts(plan, project)
    permissions = access.permissions(plan)
    opened = access.rules(plan, project)
    moved = [change for change in plan.changes if change.mode == "managed"]
    moves = [Move(one.address, one.previous_address) for one in moved if one.previous_address]
    imports = [one.address for one in moved if one.importing]
    told = {
        *(loss.address for loss in losses),
        *(restart.service for restart in restarted),
        *(address for restart in restarted for address in restart.definitions),
        *(permission.address for permission in permissions),
        *(address for rule in opened for address in rule.addresses),
    }
    return PlanResult(
        environment=environment,
        source=source,
        changes=bool(changing or moves or imports)
        or any(o.before != o.value for o in plan.outputs.values()),
        complete=plan.complete and not plan.errored,
        losses=losses,
        restarts=restarted,
        instances=[text for change in changing for text in _instances(change, project)],
        rules=opened,
        permissions=permissions,
        others=[other for change in changing if (other := _other(change, told))],
        created=dict(sorted(created.items())),
        creating=[change.address for change in changing if change.action == Action.CREATE],
        moves=moves,
        imports=imports,
        drift=[change.address for change in plan.drift],
        counts=Counts(
            create=by_action[Action.CREATE],
            update=by_action[Action.UPDATE],
            replace=by_action[Action.REPLACE],
            delete=by_action[Action.DELETE],
            forget=by_action[Action.FORGET],
            move=len(moves),
            imported=len(imports),
        ),
        makes=first.made(plan, project) if first.is_first(plan) else [],
        errored=plan.errored,
        terraform_version=plan.terraform_version,
        plan_file=plan_file,
    )


def _loss(change: Change) -> Loss | None:
    if change.type not in HOLDS_DATA or change.action not in {Action.DELETE, Action.REPLACE}:
        return None
    what, lost = HOLDS_DATA[change.type]
    return Loss(change.address, what, lost, change.action.value, list(change.replace_paths))


def _other(change: Change, told: set[str]) -> Other | None:
    """What is told of a change of something that exists and that has no better words."""
    if change.action == Action.CREATE or change.address in told:
        return None
    if change.type == "aws_autoscaling_group" and change.action in {Action.DELETE, Action.REPLACE}:
        return None
    if change.action != Action.UPDATE:
        return Other(change.address, change.action.value, list(change.replace_paths))
    differing = change.differences()
    # What AWS computes anew says nothing where something else is changed.
    given = [path for path, _, new in differing if new is not UNKNOWN]
    paths = given or [path for path, _, _ in differing]
    attributes = list(dict.fromkeys(path.partition(".")[0] for path in paths))
    spoken = {name for name, _ in _sentences(change, "")}
    left = [name for name in attributes if name not in spoken]
    # Without a sentence it is told here, even if nothing is seen to differ.
    return Other(change.address, change.action.value, left) if left or not spoken else None


def _instances(change: Change, project: str) -> Iterator[str]:
    name = component(names.now(change).get("name"), project)
    return (f"{said} ({change.address})" for _, said in _sentences(change, name))


def _sentences(change: Change, name: str) -> Iterator[tuple[str, str]]:
    """An attribute that is spoken of, empty for the whole, and what is said."""
    if change.type == "aws_autoscaling_group":
        yield from _group(change, name)
    if change.type == "aws_launch_template" and change.before and change.after:
        for attribute in _INSTANCES[change.type]:
            old, new = change.before.get(attribute), change.after.get(attribute)
            if old != new:
                shown = "" if attribute == "user_data" else f" {old} -> {new}"
                said = f"{attribute.replace('_', ' ')}{shown} for new instances"
                run = "those that run stay as they are until they are replaced"
                yield attribute, f"{name}: {said}; {run}"


def _group(change: Change, name: str) -> Iterator[tuple[str, str]]:
    before, after = change.before, change.after
    if before is None and after is not None:
        counts = ", ".join(f"{size} {after.get(f'{size}_size')}" for size in ("min", "max"))
        yield "", f"{name}: a new group of instances ({counts})"
    elif change.action in {Action.DELETE, Action.REPLACE}:
        how = f"the group is {change.action}d"
        yield "", f"{name}: {how}: its instances end, and all tasks on them"
    elif before is not None and after is not None:
        for attribute in _INSTANCES[change.type]:
            old, new = before.get(attribute), after.get(attribute)
            if old != new and new is not UNKNOWN:
                yield attribute, f"{name}: {attribute.replace('_', ' ')} {old} -> {new}"
