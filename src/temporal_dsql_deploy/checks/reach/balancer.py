"""The load balancer before the frontend: listener, target group, and the tasks behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.checks.model import (
    CannotJudge,
    Finding,
    Said,
    Seen,
    SwitchedOff,
    Unjudged,
)
from temporal_dsql_deploy.checks.reach.needs import ports_of
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.tasks import Task

_PROTOCOLS = ("TCP", "TLS", "TCP_UDP", "HTTP", "HTTPS")


@FAMILY.rule(
    "load-balancer",
    holds=(
        "The load balancer before the frontend passes on what comes: it lets callers in on the "
        "port of its listener, its target group takes addresses, and the frontend's tasks register "
        "there."
    ),
    symptom=(
        "Applications that come by the load balancer time out or are reset, while everything "
        "inside the cluster works; or ECS refuses the service, since its tasks are addresses."
    ),
    fix="Tie listener, target group and the frontend's load_balancer block to one another.",
    source="Elastic Load Balancing user guide, Network Load Balancers; ECS developer guide, "
    "service load balancing",
)
def load_balancer(subject: Subject) -> Iterator[Said]:
    """Listener, target group and service of the frontend's load balancer."""
    found = survey(subject)
    if not found.parties.present("load-balancer"):
        raise SwitchedOff("no load balancer")
    yield from found.unnamed("load-balancer")
    for party in found.parties.of("load-balancer"):
        yield from _listeners(found, party)
    frontend = subject.roles.get("frontend")
    if frontend is None or frontend.service is None:
        raise CannotJudge("the service of the frontend is not in the plan")
    yield from _registered(subject, frontend, frontend.service)
    yield Seen(f"{len(found.parties.of('load-balancer'))} load balancers")


def _listeners(found: Survey, party: Party) -> Iterator[Said]:
    arn = found.subject.plan[party.wearer]["arn"]
    theirs = [
        one
        for one in found.subject.plan.of_type("aws_lb_listener")
        if isinstance(arn, str) and one["load_balancer_arn"] == arn
    ]
    if isinstance(arn, str) and not theirs:
        yield Finding(party.wearer, "", "no listener takes what comes")
    rules = found.walls.of(party.groups, "ingress")
    for listener in theirs:
        yield from _carries(listener)
        port = listener["port"]
        if not isinstance(port, int):
            yield Unjudged(listener.address, "its port is not known")
        elif not any(rule.opens(port) for rule in rules):
            yield Finding(
                listener.address,
                "port",
                f"{party.label} lets nobody in on {port}, where it listens",
            )


def _registered(subject: Subject, task: Task, service: Resource) -> Iterator[Said]:
    blocks = service["load_balancer"]
    if not isinstance(blocks, list) or not all(isinstance(one, Mapping) for one in blocks):
        if blocks is not None:
            yield Unjudged(service.address, "its load_balancer is not known")
            return
        blocks = []
    if not blocks:
        yield Finding(service.address, "load_balancer", "its tasks register in no target group")
    groups = {
        group["arn"]: group
        for group in subject.plan.of_type("aws_lb_target_group", "aws_alb_target_group")
        if isinstance(group["arn"], str)
    }
    for index, block in enumerate(blocks):
        where = f"load_balancer.{index}"
        arn = block.get("target_group_arn")
        group = groups.get(arn) if isinstance(arn, str) else None
        if group is not None:
            yield from _of_group(group)
        elif arn is None or isinstance(arn, str):
            text = "it names no target group of the plan"
            yield Finding(service.address, f"{where}.target_group_arn", text)
        yield from _of_container(task, service, where, block)


def _of_group(group: Resource) -> Iterator[Said]:
    kind = group["target_type"]
    if kind is None or (isinstance(kind, str) and kind != "ip"):
        text = f"{kind or 'instance'}: tasks in awsvpc mode are registered by address, ip"
        yield Finding(group.address, "target_type", text)
    yield from _carries(group)


def _carries(resource: Resource) -> Iterator[Said]:
    """Whether its protocol carries gRPC."""
    protocol = resource["protocol"]
    if protocol is None or (isinstance(protocol, str) and protocol not in _PROTOCOLS):
        text = f'"{protocol or ""}" does not carry gRPC: one of {", ".join(_PROTOCOLS)}'
        yield Finding(resource.address, "protocol", text)


def _of_container(
    task: Task, service: Resource, where: str, block: Mapping[str, Any]
) -> Iterator[Said]:
    names = {container.name for container in task.containers or ()}
    name, port = block.get("container_name"), block.get("container_port")
    if names and (name is None or (isinstance(name, str) and name not in names)):
        text = f'"{name or ""}" is no container of {task.definition.address}'
        yield Finding(service.address, f"{where}.container_name", text)
    wanted = set(ports_of("frontend").values())
    if port is None or (isinstance(port, int) and port not in wanted):
        text = f"the frontend does not listen on {port}"
        yield Finding(service.address, f"{where}.container_port", text)
