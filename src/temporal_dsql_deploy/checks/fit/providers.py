"""Capacity providers: each service has one, attached to its cluster, that scales its instances."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.pools import Instances
from temporal_dsql_deploy.checks.fit.services import (
    FARGATE,
    attachment,
    on_fargate,
    placings,
    providers,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import UNKNOWN

_PROVIDER = "auto_scaling_group_provider.0"
_DEFAULT = "default_capacity_provider_strategy"
_SWITCH = ("ENABLED", "DISABLED")


@FAMILY.rule(
    "capacity-provider",
    holds="Each service has a capacity provider that is attached to its cluster and scales its "
    "instances.",
    symptom="The apply fails: InvalidParameterException: The specified capacity provider was not "
    "found. A service without one gets no new instance: its tasks fail with unable to place a "
    "task, and nothing adds room.",
    fix="Name the provider in capacity_provider_strategy with a weight of 1, attach it by "
    "aws_ecs_cluster_capacity_providers, and set its managed_scaling status to ENABLED.",
    source="ECS developer guide, asg-capacity-providers, managed-scaling-behavior and "
    "managed-termination-protection",
)
def capacity_provider(subject: Subject) -> Iterator[Said]:
    """Services by their strategy, and providers by what they need of their group."""
    found = placings(subject)
    services = [one for one in subject.tasks if one.service and not on_fargate(subject, one)]
    if not services:
        raise CannotJudge("the plan has no service on EC2 instances")
    said: list[Said] = []
    for task in services:
        if task.service:
            said.extend(_service(subject, task.service, found.instances))
    for one in found.instances:
        said.extend(_provider(one))
    said.extend(_defaults(subject))
    said.extend(_orphans(subject))
    yield from dict.fromkeys(said)
    yield Seen(f"{len(services)} services, {len(found.instances)} groups")


def _service(subject: Subject, service: Resource, there: tuple[Instances, ...]) -> Iterator[Said]:
    names = providers(subject, service)
    attached = _attached(subject, service)
    if names is None:
        yield Unjudged(service.address, "its capacity provider is not known")
    elif (
        not names
        and any(one.managed is True for one in there)
        and service["launch_type"] != "EXTERNAL"
    ):
        yield Finding(
            service.address,
            "capacity_provider_strategy",
            "it has no capacity provider with a weight, and neither has its cluster a default: "
            "ECS adds no instance for its tasks",
        )
    for name in names or ():
        if attached is None:
            reason = f"whether capacity provider {name} is attached to its cluster is not known"
            yield Unjudged(service.address, reason)
        elif name not in attached:
            yield Finding(
                service.address,
                "capacity_provider_strategy",
                f"{name} is not among the cluster's: {', '.join(sorted(attached)) or 'none'}",
            )
        elif name not in {*FARGATE, *(one.name for one in there if one.provider)}:
            yield from _missing(service, name, there)


def _defaults(subject: Subject) -> Iterator[Finding]:
    """The default strategy of a cluster names only what is attached to it."""
    for listed in subject.plan.of_type("aws_ecs_cluster_capacity_providers"):
        attached, strategy = listed["capacity_providers"], listed[_DEFAULT]
        if not isinstance(attached, list | tuple) or not isinstance(strategy, list | tuple):
            continue
        for number, each in enumerate(strategy):
            name = each.get("capacity_provider") if isinstance(each, dict) else UNKNOWN
            if name is not UNKNOWN and UNKNOWN not in attached and name not in attached:
                yield Finding(
                    listed.address,
                    f"{_DEFAULT}.{number}.capacity_provider",
                    f"{name!r} is not among the cluster's: {', '.join(map(str, attached))}",
                )


def _orphans(subject: Subject) -> Iterator[Finding]:
    """A provider whose group is gone, while the launch template of a group is left."""
    found = placings(subject).instances
    scaled = {one.provider.address for one in found if one.provider}
    used = {one.template.address for one in found if one.template}
    left = [one for one in subject.plan.of_type("aws_launch_template") if one.address not in used]
    for provider in subject.plan.of_type("aws_ecs_capacity_provider"):
        arn = provider[f"{_PROVIDER}.auto_scaling_group_arn"]
        beside = [one for one in left if one.module == provider.module]
        groups = [one for one in found if one.group.module == provider.module]
        if provider.address not in scaled and isinstance(arn, str) and beside and not groups:
            yield Finding(
                provider.address,
                f"{_PROVIDER}.auto_scaling_group_arn",
                f"the plan has no such group, and nothing starts from {beside[0].address}",
                fix="Make an aws_autoscaling_group with that launch template.",
            )


def _missing(service: Resource, name: str, there: tuple[Instances, ...]) -> Iterator[Said]:
    """A provider that the plan does not make, perhaps for a group that it does make."""
    left = [one for one in there if one.provider is None and isinstance(one.group["arn"], str)]
    if not left:
        yield Unjudged(service.address, f"capacity provider {name} is not in the plan")
    for one in left:
        yield Finding(
            one.group.address,
            "",
            f"no capacity provider of the plan scales it, and {name}, which {service['name']} "
            "asks for, is not in the plan",
            fix="Make an aws_ecs_capacity_provider with the group's auto_scaling_group_arn.",
        )


def _attached(subject: Subject, service: Resource) -> set[str] | None:
    """Capacity providers of a service's cluster; None where they are not in the plan."""
    listed = attachment(subject, service)
    if listed is not None:
        names = listed["capacity_providers"]
        if isinstance(names, list | tuple) and all(isinstance(name, str) for name in names):
            return set(names)
        return set() if names is None else None
    # A cluster that the plan makes, and to which it attaches nothing, has none.
    made = {
        cluster[key]
        for cluster in subject.plan.of_type("aws_ecs_cluster")
        for key in ("arn", "id", "name")
        if isinstance(cluster[key], str)
    }
    return set() if isinstance(service["cluster"], str) and service["cluster"] in made else None


def _provider(one: Instances) -> Iterator[Said]:
    provider = one.provider
    if provider is None:
        return
    status = provider[f"{_PROVIDER}.managed_scaling.0.status"]
    if status is UNKNOWN:
        yield Unjudged(provider.address, "whether it scales its group is not known")
        return
    if status != "ENABLED" and one.sizes and one.sizes[0] != one.sizes[2]:
        yield Finding(
            provider.address,
            f"{_PROVIDER}.managed_scaling",
            f"managed scaling is {status or 'not set'}: ECS leaves the group at its "
            f"desired_capacity of {one.sizes[1]}",
        )
    yield from _numbers(provider)
    yield from _draining(provider)
    yield from _protection(one, provider, status)


def _numbers(provider: Resource) -> Iterator[Finding]:
    path = f"{_PROVIDER}.managed_scaling.0"
    for key, least, most in (("target_capacity", 1, 100), ("instance_warmup_period", 0, 10_000)):
        value = provider[f"{path}.{key}"]
        if isinstance(value, int) and not least <= value <= most:
            yield Finding(
                provider.address,
                f"{path}.{key}",
                f"{value}, and ECS takes {least} to {most:,}",
                symptom="The apply fails: the value is out of range.",
                fix=f"Set {key} within the range.",
            )


def _draining(provider: Resource) -> Iterator[Finding]:
    draining = provider[f"{_PROVIDER}.managed_draining"]
    if draining not in {None, UNKNOWN, "ENABLED"}:
        yield Finding(
            provider.address,
            f"{_PROVIDER}.managed_draining",
            f"it is {draining!r}",
            symptom="ECS ends an instance beneath its tasks: shards and queues move unprepared, "
            "and calls on their way fail.",
            fix='Set managed_draining to "ENABLED", which is the default.',
        )


def _protection(one: Instances, provider: Resource, status: object) -> Iterator[Finding]:
    path = f"{_PROVIDER}.managed_termination_protection"
    managed, protected = provider[path], one.group["protect_from_scale_in"]
    if managed is UNKNOWN or protected is UNKNOWN:
        return
    if managed not in {None, *_SWITCH}:
        yield Finding(
            provider.address,
            path,
            f"it is {managed!r}",
            symptom="The apply fails: the value is neither ENABLED nor DISABLED.",
            fix="Set it to ENABLED.",
        )
    elif managed == "ENABLED" and protected is not True:
        yield Finding(
            one.group.address,
            "protect_from_scale_in",
            f"managed termination protection of {one.name} needs it",
            symptom="The apply fails: The managed termination protection setting for the capacity "
            "provider is invalid.",
            fix="Set protect_from_scale_in = true.",
        )
    elif managed == "ENABLED" and status != "ENABLED":
        yield Finding(
            provider.address,
            path,
            "it is ENABLED without managed scaling",
            symptom="The apply fails: managed termination protection needs managed scaling.",
            fix="Enable managed scaling, or disable the protection.",
        )
    elif managed != "ENABLED" and protected is True and status == "ENABLED":
        yield Finding(
            provider.address,
            path,
            "instances are protected from scale-in, and ECS does not manage the protection",
            symptom="The group never shrinks: nobody takes the protection from instances that "
            "stand empty.",
            fix='Set managed_termination_protection to "ENABLED".',
        )
