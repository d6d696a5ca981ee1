"""What is lost finds room elsewhere."""

from collections.abc import Iterator

from temporal_dsql_deploy.capacity.pool import TaskKind
from temporal_dsql_deploy.capacity.scenarios import Loss, Scenario
from temporal_dsql_deploy.checks.fit.family import FAMILY
from temporal_dsql_deploy.checks.fit.misfits import Pool, described, elsewhere, judged, misfit
from temporal_dsql_deploy.checks.fit.rest import SYMPTOM
from temporal_dsql_deploy.checks.fit.services import placings
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_NOTHING = "the plan has no service on EC2 instances of which enough is known"


@FAMILY.rule(
    "instance-lost",
    holds="With any one instance lost and not yet replaced, its tasks find room on the others.",
    symptom="A lost instance takes its tasks away until another one joins. " + SYMPTOM,
    fix="Raise max_size by one, or take a larger instance type.",
    source="ECS developer guide, managed-scaling-behavior; EC2 Auto Scaling user guide, health "
    "checks of instances: one whose ECS agent is gone is healthy to EC2",
    seeds=("S1-ST", "S2-4"),
)
def instance_lost(subject: Subject) -> Iterator[Said]:
    """The lost one still counts against max_size; see `capacity.scenarios`."""
    pools = judged(subject)
    if not pools:
        raise CannotJudge(_NOTHING)
    for pool in pools:
        found = misfit(pool, Scenario(loss=Loss.INSTANCE), sure=False)
        if found:
            yield found
    yield from elsewhere(subject)
    yield Seen(described(pools))


@FAMILY.rule(
    "zone-lost",
    holds="With any one zone lost, its tasks find room on the instances of the other zones.",
    symptom="An outage of one zone stops the cluster. " + SYMPTOM,
    fix="Give the group and the services subnets of several zones, and raise max_size.",
    source="EC2 Auto Scaling user guide, as-add-availability-zone: Auto Scaling launches instances "
    "in an unaffected zone; ECS developer guide, task-networking-awsvpc",
)
def zone_lost(subject: Subject) -> Iterator[Said]:
    """Auto Scaling starts as many elsewhere; a group or service of one zone has no elsewhere."""
    pools = judged(subject)
    if not pools:
        raise CannotJudge(_NOTHING)
    several(subject)
    for pool in pools:
        single = list(_single(pool))
        yield from single
        if single:
            continue
        unknown = [one for one in pool.groups if pool.found.named(one.name).zones is None]
        for group in unknown:
            where = pool.found.named(group.name).group.address
            yield Unjudged(where, "the zones of its subnets are not known")
        if not unknown:
            found = misfit(pool, Scenario(loss=Loss.ZONE), sure=False)
            if found:
                yield found
    yield from elsewhere(subject)
    yield Seen(described(pools))


def several(subject: Subject) -> set[str]:
    """The zones of a plan. Raises CannotJudge where there are not several."""
    zones = {zone for one in placings(subject).instances for zone in one.zones or ()}
    zones |= {
        zone
        for placing in placings(subject).services
        for zone in (placing.kind.zones if placing.kind else None) or ()
    }
    if not zones:
        raise CannotJudge("the zones of the instances are not known")
    if len(zones) == 1:
        raise CannotJudge("the plan has one zone only")
    return zones


def _single(pool: Pool) -> Iterator[Finding]:
    """Groups and services that stand in one zone where the plan has several."""
    for group in pool.groups:
        one = pool.found.named(group.name)
        if one.zones is not None and len(one.zones) == 1:
            yield Finding(
                one.group.address,
                "vpc_zone_identifier",
                f"all its instances stand in {one.zones[0]}, and the plan has other zones",
            )
    for kind in pool.kinds:
        service = pool.found.placing(kind).task.service
        if service is not None and kind.count and _in_one_zone(kind):
            yield Finding(
                service.address,
                "network_configuration.0.subnets",
                f"its tasks run in {', '.join(kind.zones or ())} only, and the plan has other "
                "zones",
            )


def _in_one_zone(kind: TaskKind) -> bool:
    return kind.zones is not None and len(kind.zones) == 1
