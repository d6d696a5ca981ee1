"""Sizes of tasks: what they are given suffices, adds up, and fits on an empty instance."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.capacity import needs
from temporal_dsql_deploy.capacity.instances import Room
from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.measures import (
    Measure,
    cpu_of,
    limit_mib,
    measure,
    reserved_mib,
    whole,
)
from temporal_dsql_deploy.checks.fit.services import Placings, on_fargate, placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.containers import Container
from temporal_dsql_deploy.plan.tasks import Task

_COLLECTOR = re.compile(r"otel|opentelemetry|collector|adot|alloy", re.IGNORECASE)


@FAMILY.rule(
    "task-size",
    holds="Each task has the CPU and memory that its containers need, and fits on an empty "
    "instance.",
    symptom="The task is refused when it is registered, stays in PROVISIONING for ever, or its "
    "containers are killed: OutOfMemoryError: Container killed due to memory usage.",
    fix="Give the task the sum of what its containers need, on instances that have as much.",
    source="ECS developer guide, task_definition_parameters; memory measured with temporal-server "
    "1.32.2",
)
def task_size(subject: Subject) -> Iterator[Said]:
    """Every task definition, run by a service or not."""
    if not subject.tasks:
        raise CannotJudge("the plan has no ECS task definition")
    found, seen = placings(subject), set()
    for task in subject.tasks:
        if task.definition.address in seen:
            continue
        seen.add(task.definition.address)
        takes = measure(task)
        if takes is None:
            yield Unjudged(task.definition.address, "its CPU or memory is not known")
            continue
        yield from _own(task, takes)
        yield from _containers(task)
        if on_fargate(subject, task):
            yield from _fargate(task, takes)
        else:
            yield from _on_instances(found, task, takes)
    yield Seen(f"{len(seen)} task definitions")


def _own(task: Task, takes: Measure) -> Iterator[Finding]:
    address, cpu = task.definition.address, task.definition["cpu"]
    if takes.memory_mib <= 0:
        yield Finding(
            address,
            "memory",
            "neither the task nor its containers have memory",
            symptom="ECS refuses it: Invalid setting for container. At least one of 'memory' or "
            "'memoryReservation' must be specified.",
        )
    if cpu is not None and takes.cpu < needs.task_cpu():
        least = f"ECS takes {needs.task_cpu()} at least"
        yield Finding(address, "cpu", f"{takes.cpu} CPU units, and {least}")
    elif takes.cpu == 0:
        yield Finding(
            address,
            "cpu",
            "neither the task nor its containers have CPU units: ECS reserves none for it",
            symptom="On a busy instance it gets next to no CPU, and ECS puts any number of tasks "
            "beside it.",
        )


def _containers(task: Task) -> Iterator[Said]:
    if task.containers is None:
        yield Unjudged(task.definition.address, "its containers are not known")
        return
    yield from _sums(task, task.containers)
    for container in task.containers:
        yield from _memory(task, container)
        yield from _shares(task, container)
    if task.main is not None:
        yield from _beside(task, task.main)


def _beside(task: Task, main: Container) -> Iterator[Finding]:
    """Sidecars take no more than their part: a third of the CPU, and half of the memory."""
    cpu, memory = sum(map(cpu_of, task.sidecars)), sum(map(reserved_mib, task.sidecars))
    if cpu * 2 > cpu_of(main):
        yield Finding(
            task.definition.address,
            _inside(task, main, "cpu"),
            f"container {main.name} has {cpu_of(main)} CPU units and those beside it {cpu}: when "
            "CPU is short they get more than a third of it",
            symptom="Under load the server waits for its own sidecars.",
            fix=f"Give {main.name} what the sidecars leave of the task's CPU.",
        )
    there = whole(task.definition["memory"])
    if task.role and there is not None and there >= memory and memory * 2 > there:
        yield Finding(
            task.definition.address,
            "memory",
            f"containers beside {main.name} may take {memory:,} of {there:,} MiB, more than they "
            "leave to it",
            symptom="The server is killed, or its sidecars are paid for what they never use.",
            fix="Limit the sidecars to what they need, or give the task more memory.",
        )


def _sums(task: Task, containers: tuple[Container, ...]) -> Iterator[Finding]:
    for attribute, unit, parts in (
        ("cpu", "CPU units", [cpu_of(each) for each in containers]),
        ("memory", "MiB", [reserved_mib(each) for each in containers]),
    ):
        there = whole(task.definition[attribute])
        if there is not None and sum(parts) > there:
            yield Finding(
                task.definition.address,
                attribute,
                f"{there:,} {unit}, and its containers ask for {sum(parts):,}",
                symptom="ECS refuses it: the containers' total is above the task's.",
            )


def _memory(task: Task, container: Container) -> Iterator[Finding]:
    least, why = needs.memory_mib(_part(task, container))
    floor, reason = needs.memory_mib("container")
    has = _left(task, container)
    if has is None or has >= max(least, floor):
        return
    inside = limit_mib(container) and has == limit_mib(container)
    yield Finding(
        task.definition.address,
        _inside(task, container, "memory") if inside else "memory",
        f"container {container.name} has {has:,} MiB, and needs {max(least, floor):,}: "
        + (why if least >= floor else reason),
    )


def _shares(task: Task, container: Container) -> Iterator[Finding]:
    """What a container has none of, so that others take its part or it takes theirs."""
    address, lasts = task.definition.address, not _prepares(container)
    if task.definition["memory"] is None and not reserved_mib(container):
        yield Finding(
            address,
            "memory",
            f"neither the task nor its container {container.name} has memory",
            symptom="ECS refuses it: Invalid setting for container. At least one of 'memory' or "
            "'memoryReservation' must be specified.",
        )
    elif lasts and _spoils(container) and container is not task.main:
        yield Finding(
            address,
            _inside(task, container, "memory"),
            f"container {container.name} is not essential and has no memory limit: it can take "
            "all that the task has, and the others with it",
        )
    if lasts and not cpu_of(container) and any(map(cpu_of, task.containers or ())):
        yield Finding(
            address,
            _inside(task, container, "cpu"),
            f"container {container.name} has no CPU units beside others that have: Linux gives it "
            "2 shares",
            symptom="While the others are busy it stands still.",
        )


def _inside(task: Task, container: Container, key: str) -> str:
    return f"container_definitions.{(task.containers or ()).index(container)}.{key}"


def _spoils(container: Container) -> bool:
    return container.definition.get("essential") is False and not limit_mib(container)


def _prepares(container: Container) -> bool:
    """Whether a container only prepares: it is gone when the others start."""
    return container.definition.get("essential") is False and "init" in container.name


def _left(task: Task, container: Container) -> int | None:
    """MiB that a container can have: its own limit, or what the others leave of the task's."""
    own, of_task = limit_mib(container), whole(task.definition["memory"])
    if of_task is None:
        return own or None
    others = sum(reserved_mib(each) for each in task.containers or () if each is not container)
    return min(own or of_task, of_task - others)


def _part(task: Task, container: Container) -> str:
    if task.role and container is task.main:
        return "history" if task.role == "history" else "server"
    if _prepares(container):
        return ""
    if _COLLECTOR.search(container.name):
        return "collector"
    return "" if task.role else task.party


def _fargate(task: Task, takes: Measure) -> Iterator[Finding]:
    sizes = needs.fargate_memory(takes.cpu)
    if takes.memory_mib in sizes:
        return
    offered = f"from {sizes[0]:,} to {sizes[-1]:,} MiB" if sizes else "nothing"
    yield Finding(
        task.definition.address,
        "memory" if sizes else "cpu",
        f"{takes.memory_mib:,} MiB with {takes.cpu:,} CPU units: Fargate has {offered} with these",
        symptom="ECS refuses it: No Fargate configuration exists for given values.",
        fix="Take a pair of CPU and memory that Fargate has.",
    )


def _on_instances(found: Placings, task: Task, takes: Measure) -> Iterator[Finding]:
    """A task without service may be started on any group."""
    kind = next((one.kind for one in found.services if one.task is task), None)
    rooms = {
        one.name: room
        for one in found.instances
        if (kind is None or one.name in kind.groups)
        and (room := one.room(trunking=found.trunking is not False))
    }
    if not rooms or any(_fits(takes, room) for room in rooms.values()):
        return
    largest = max(rooms.values(), key=lambda room: (room.memory_mib, room.cpu))
    attribute = "cpu" if takes.memory_mib <= largest.memory_mib else "memory"
    yield Finding(
        task.definition.address,
        attribute,
        f"{takes.cpu:,} CPU units and {takes.memory_mib:,} MiB, and an empty instance of "
        f"{', '.join(rooms)} has {largest.cpu:,} and {largest.memory_mib:,}",
        symptom="unable to place a task because no container instance met all of its "
        f"requirements (RESOURCE:{attribute.upper()})",
    )


def _fits(takes: Measure, room: Room) -> bool:
    return (
        takes.cpu <= room.cpu
        and takes.memory_mib <= room.memory_mib
        and takes.interfaces <= room.interfaces
    )
