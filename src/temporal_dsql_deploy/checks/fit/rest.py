"""All tasks find room when nothing else happens."""

from collections.abc import Iterator

from temporal_dsql_deploy.capacity.scenarios import AT_REST
from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import described, judged, misfit, unknown
from temporal_dsql_deploy.checks.fit.services import placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen
from temporal_dsql_deploy.checks.subject import Subject

SYMPTOM = (
    "Tasks stay in PROVISIONING for ever: unable to place a task because no container instance met "
    "all of its requirements (RESOURCE:ENI, RESOURCE:MEMORY or RESOURCE:CPU)."
)


@FAMILY.rule(
    "at-rest",
    holds="All tasks find room on the instances that there may be, in whatever order they start.",
    symptom=SYMPTOM,
    fix="Switch awsvpcTrunking on, raise max_size, or take a larger instance type.",
    source="ECS developer guide, task-placement-strategies, container-instance-eni and "
    "managed-scaling-behavior; amazon-vpc-resource-controller-k8s, limits.go",
    seeds=("S0-P3", "S1-ST", "S2-4"),
    meaning="Three nodes tied to a workload each, or six of them, do not carry what is placed on "
    "them without trunking: what is proven is that every task finds room, by CPU, memory and "
    "network interfaces, on as many instances as ECS may start.",
)
def at_rest(subject: Subject) -> Iterator[Said]:
    """Every order of start; see `capacity.scenarios`."""
    nowhere = [one for one in placings(subject).services if one.impossible]
    for one in nowhere:
        address = one.task.service.address if one.task.service else ""
        yield Finding(
            address,
            "placement_constraints",
            one.reason,
            fix="Give the instances the attribute by ECS_INSTANCE_ATTRIBUTES, or drop the "
            "constraint.",
        )
    pools = judged(subject)
    unjudged = unknown(subject)
    yield from unjudged
    if not pools and not unjudged and not nowhere:
        raise CannotJudge("the plan has no service on EC2 instances")
    for pool in pools:
        found = misfit(pool, AT_REST)
        if found:
            yield found
    if pools:
        yield Seen(described(pools))
