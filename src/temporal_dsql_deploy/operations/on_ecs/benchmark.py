"""A benchmark on ECS: workers as a service, the generator as a one-off task beside them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.errors import DeployError, NotApplied
from temporal_dsql_deploy.operations.on_ecs import inside
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs import carried, rollout, services
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.one_off import OneOff
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.platforms.protocol import Report

OUTPUT = "benchmark"
_CONTAINER = "benchmark"
T = TypeVar("T")


def generator(deployed: Deployed, arguments: Sequence[str]) -> OneOff:
    """The task that starts workflows. Raises NotApplied where the Terraform has no benchmark."""
    told = deployed.output(OUTPUT)
    return OneOff(
        cluster=deployed.output("ecs_cluster_arn"),
        task_definition=told["task_definition_arn"],
        subnets=deployed.output("private_subnet_ids"),
        security_groups=[told["security_group_id"]],
        log_group=told["log_group_name"],
        command=[*arguments, "--json"],
        container=_CONTAINER,
        # So it prints its result as one line: those of one millisecond may come in any order.
        environment={carried.VARIABLE: carried.text(deployed)},
        capacity_provider=told["capacity_provider_name"],
    )


def run(  # noqa: PLR0913 - what is run, with what, and who is told
    deployed: Deployed,
    clients: Clients,
    kind: type[T],
    report: Report,
    *,
    workers: int,
    arguments: Sequence[str],
    clock: Clock = REAL,
) -> T:
    """The result that the generator prints; `arguments` are those of `bench run`.

    The workers are scaled to none again whatever happens. Raises NotApplied, RolledBack, NotReady,
    TaskFailed, and what the generator has raised.
    """
    one = generator(deployed, arguments)
    service = _workers(deployed, clients)
    with _running(service, workers, clients, report, clock):
        return inside.result_of(one, clients, kind, report)


def _workers(deployed: Deployed, clients: Clients) -> Service:
    name = deployed.output(OUTPUT)["worker_service_name"]
    found = services.described(deployed.cluster, {name: "benchmark-worker"}, clients)
    if not found:
        raise NotApplied(
            f"ECS has no service {name}",
            cause="the state of its Terraform names it, and ECS does not know it",
            fix="see what an apply would make: dsql-deploy plan ENV",
        )
    return found["benchmark-worker"]


@contextmanager
def _running(
    service: Service, count: int, clients: Clients, report: Report, clock: Clock
) -> Iterator[None]:
    """So many workers for the block. Instances may have to start for them."""
    try:
        wanted = rollout.ask(service, clients, desired=count)
        rollout.wait([wanted], clients, report, clock=clock)
        yield
    finally:
        with interrupts.uninterrupted():
            _end(service, clients, report)


def _end(service: Service, clients: Clients, report: Report) -> None:
    try:
        rollout.ask(service, clients, desired=0)
    except DeployError as error:
        report(
            f"the workers still run, and their instances cost: {error.message}: {error.cause}; "
            f"set the desired count of {service.name} to 0"
        )
        return
    report("workers are scaled to none; their instances go some 15 minutes later")
