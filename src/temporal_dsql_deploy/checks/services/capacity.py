"""By what services run: capacity providers that are attached and scale their instances."""

from collections.abc import Iterator
from typing import Any

from temporal_dsql_deploy.checks.look import LATER, blocks, known, number, on, opaque, texts
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.services.family import FAMILY
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

_FARGATE = {"FARGATE", "FARGATE_SPOT"}
_PROVIDER = "auto_scaling_group_provider.0"


@FAMILY.rule(
    "provider",
    holds="Every service runs by a capacity provider that is attached to the cluster.",
    symptom="A service with a launch type counts for nothing when instances are scaled: its tasks "
    "wait although a provider could add instances. One with a provider that is not attached is "
    "refused: `The specified capacity provider was not found`.",
    fix="Set capacity_provider_strategy to a provider that aws_ecs_cluster_capacity_providers "
    "attaches.",
    source="ECS developer guide, asg-capacity-providers and managed-scaling-behavior",
    seeds=("S0-C3", "S3-5"),
)
def provider(subject: Subject) -> Iterator[Said]:
    """Capacity providers of services."""
    services = subject.plan.of_type("aws_ecs_service")
    if not services:
        raise CannotJudge("the plan has no ECS service")
    ties = subject.plan.of_type("aws_ecs_cluster_capacity_providers")
    attached = {name for tie in ties for name in texts(tie["capacity_providers"]) or ()}
    default = {
        str(each.get("capacity_provider"))
        for tie in ties
        for each in blocks(tie["default_capacity_provider_strategy"])
    }
    for service in services:
        strategy = blocks(service["capacity_provider_strategy"])
        names = {str(each.get("capacity_provider")) for each in strategy}
        launch = service["launch_type"]
        if not names and launch in ("EC2", "EXTERNAL"):
            yield Finding(service.address, "launch_type", f"launch type {launch}, no provider")
        elif not names and not default and not opaque(launch) and launch not in _FARGATE:
            path = "capacity_provider_strategy"
            yield Finding(service.address, path, "neither a provider nor a default of the cluster")
        elif not ties and names - _FARGATE:
            yield Unjudged(service.address, "what is attached to its cluster is not in the plan")
        elif missing := names - attached - _FARGATE:
            path = "capacity_provider_strategy.0.capacity_provider"
            said = f"{', '.join(sorted(missing))} is not attached to the cluster"
            yield Finding(service.address, path, said)
    yield Seen(f"{len(services)} services")


@FAMILY.rule(
    "scaling",
    holds="A capacity provider scales its group and keeps instances that run tasks.",
    symptom="Instances are not added while tasks wait in PROVISIONING, or are taken away under "
    "running tasks.",
    fix="Switch managed scaling, termination protection and draining on, and set "
    "protect_from_scale_in = true on the Auto Scaling group.",
    source="ECS developer guide, asg-capacity-providers and managed-termination-protection",
    seeds=("S0-C3", "S3-5"),
)
def scaling(subject: Subject) -> Iterator[Said]:
    """Managed scaling of capacity providers."""
    providers = subject.plan.of_type("aws_ecs_capacity_provider")
    if not providers:
        raise CannotJudge("the plan makes no capacity provider")
    groups = known(subject.plan.of_type("aws_autoscaling_group"), "arn")
    for one in providers:
        arn = one[f"{_PROVIDER}.auto_scaling_group_arn"]
        yield from _enabled(one, f"{_PROVIDER}.managed_scaling.0.status", "DISABLED")
        yield from _enabled(one, f"{_PROVIDER}.managed_draining", "ENABLED")
        path = f"{_PROVIDER}.managed_termination_protection"
        yield from _enabled(one, path, "DISABLED")
        target = one[f"{_PROVIDER}.managed_scaling.0.target_capacity"]
        if (number(target) or 100) > 100 or target == 0:
            where = f"{_PROVIDER}.managed_scaling.0.target_capacity"
            yield Finding(one.address, where, f"{target} % is not between 1 and 100")
        if opaque(arn):
            yield Unjudged(one.address, f"which group it scales {LATER}")
        elif arn in groups:
            yield from _group(groups[arn], protected=one[path] == "ENABLED")
        elif arn is not None and (groups or subject.plan.of_type("aws_launch_template")):
            where = f"{_PROVIDER}.auto_scaling_group_arn"
            yield Finding(one.address, where, f"the plan has no group {arn}")


@FAMILY.rule(
    "attached",
    holds="Every capacity provider is attached to the cluster of the plan.",
    symptom="ECS ignores a provider that is not attached: its instances start and run nothing.",
    fix="Name it in aws_ecs_cluster_capacity_providers, and one of them as the default.",
    source="ECS API, PutClusterCapacityProviders",
    seeds=("S0-C3",),
)
def attached(subject: Subject) -> Iterator[Said]:
    """What is attached to clusters."""
    made = known(subject.plan.of_type("aws_ecs_capacity_provider"), "name")
    ties = subject.plan.of_type("aws_ecs_cluster_capacity_providers")
    ours = bool(made) or bool(subject.plan.of_type("aws_autoscaling_group"))
    if not ours:
        raise CannotJudge("the plan makes no capacity provider")
    clusters = known(subject.plan.of_type("aws_ecs_cluster"), "name")
    lists = [texts(tie["capacity_providers"]) for tie in ties]
    if None in lists:
        raise CannotJudge(f"what is attached {LATER}")
    held = {name for each in lists for name in each or ()}
    for name, one in made.items():
        if name not in held:
            yield Finding(one.address, "name", f"{name} is attached to no cluster of the plan")
    for tie in ties:
        if (
            clusters
            and isinstance(tie["cluster_name"], str)
            and tie["cluster_name"] not in clusters
        ):
            said = f"the plan has no cluster {tie['cluster_name']}"
            yield Finding(tie.address, "cluster_name", said)
        for name in sorted(held - set(made) - _FARGATE):
            said = f"the plan has no capacity provider {name}"
            yield Finding(tie.address, "capacity_providers", said)
        for index, each in enumerate(blocks(tie["default_capacity_provider_strategy"])):
            if str(each.get("capacity_provider")) not in held:
                path = f"default_capacity_provider_strategy.{index}.capacity_provider"
                yield Finding(tie.address, path, f"{each.get('capacity_provider')} is not attached")


@FAMILY.rule(
    "cluster",
    holds="All services are in the cluster that the plan makes.",
    symptom="`ClusterNotFoundException: Cluster not found`, or the service runs in another "
    "cluster, on other instances.",
    fix="Set cluster to the ARN of the plan's cluster.",
    source="ECS API, CreateService",
    seeds=("S0-C1",),
)
def cluster(subject: Subject) -> Iterator[Said]:
    """Clusters of services."""
    clusters = subject.plan.of_type("aws_ecs_cluster")
    names = {str(one[key]) for one in clusters for key in ("arn", "id", "name")}
    services = subject.plan.of_type("aws_ecs_service")
    if not clusters or not services:
        raise CannotJudge("the plan does not make both a cluster and services")
    unsure = any(opaque(one["arn"]) for one in clusters)
    for service in services:
        value = service["cluster"]
        if opaque(value) or (unsure and str(value).startswith("arn:")):
            yield Unjudged(service.address, f"its cluster {LATER}")
        elif str(value) not in names:
            yield Finding(service.address, "cluster", f"{value or 'default'} is not of the plan")


def _enabled(one: Resource, path: str, default: str) -> Iterator[Said]:
    value: Any = one[path]
    if opaque(value):
        yield Unjudged(one.address, f"{path} {LATER}")
    elif (value or default) != "ENABLED":
        yield Finding(one.address, path, f"{path.rsplit('.', 1)[1]} is {value or default}")


def _group(group: Resource, *, protected: bool) -> Iterator[Said]:
    if protected and on(group["protect_from_scale_in"]) is False:
        said = "termination protection of the provider needs it, and AWS refuses the provider"
        yield Finding(group.address, "protect_from_scale_in", said)
    sizes = [number(group[key]) for key in ("min_size", "desired_capacity", "max_size")]
    least, wanted, most = sizes
    if most is not None and most < 1:
        yield Finding(group.address, "max_size", "no instance may start")
    elif least is not None and most is not None and least > most:
        yield Finding(group.address, "min_size", f"{least:g} is above max_size {most:g}")
    elif wanted is not None and most is not None and not (least or 0) <= wanted <= most:
        said = f"{wanted:g} is not between {least or 0:g} and {most:g}"
        yield Finding(group.address, "desired_capacity", said)
    tags = [each.get("key") for each in blocks(group["tag"])]
    if tags and "AmazonECSManaged" not in tags:
        said = "ECS adds the tag AmazonECSManaged, and each later plan takes it away"
        yield Finding(group.address, "tag", said)
