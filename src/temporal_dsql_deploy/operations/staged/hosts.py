"""The EC2 instances: as many registered with ECS as their Auto Scaling groups are to have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import NotApplied, NotReady
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.platforms.clock import REAL, Clock
from temporal_dsql_deploy.platforms.ecs.clients import Clients, batches
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed

_POLL = 5.0
_AT_ONCE = 100
"""Container instances that one DescribeContainerInstances takes (ECS API reference)."""
_ACTIVITIES = 20
_FAILED = ("Failed", "Cancelled")


@dataclass(frozen=True, slots=True)
class Group:
    """One Auto Scaling group, and what ECS knows of its instances."""

    name: str
    desired: int
    instances: Sequence[str]
    """Ids of those that it has."""
    registered: Sequence[str]
    """Ids of those that are ACTIVE in the cluster, with an agent that is connected."""

    @property
    def complete(self) -> bool:
        """Whether as many are registered as are desired."""
        return len(self.registered) >= self.desired

    def told(self) -> str:
        """For a sentence."""
        return f"{self.name}: {len(self.registered)} of {self.desired} registered"


def step(work: Work) -> Step:
    """Look at the hosts; wait for those that are starting."""
    return Step(
        "hosts",
        "the instances have registered with ECS",
        lambda: _look(work),
        lambda doing: wait(
            work.deployed(), Clients.of(work.deployed().region), doing, limit=work.how.wait
        ),
    )


def _look(work: Work) -> Seen:
    deployed = work.deployed()
    groups = look(deployed, Clients.of(deployed.region))
    if not groups:
        return Seen(True, "the ECS cluster is a brought one, with capacity of its own")
    return Seen(all(one.complete for one in groups), _told(groups))


def look(deployed: Deployed, clients: Clients) -> list[Group]:
    """The groups of the environment, in the order of their names; none of a brought cluster.

    Raises NotApplied, and what `aws.told` makes of a refusal.
    """
    names: Mapping[str, str] = deployed.output("asg_names")
    if not names:
        return []
    with aws.calling("look at the instances (autoscaling:DescribeAutoScalingGroups)"):
        said = clients.autoscaling.describe_auto_scaling_groups(
            AutoScalingGroupNames=sorted(names.values())
        )["AutoScalingGroups"]
    lacking = sorted({*names.values()} - {one["AutoScalingGroupName"] for one in said})
    if lacking:
        raise NotApplied(
            f"there is no Auto Scaling group {', '.join(lacking)}",
            cause="the state of its Terraform names it, and somebody has deleted it",
            fix="run the same command again without --from and --only: the apply makes it anew",
        )
    registered = set(_registered(deployed.cluster, clients))
    return [_group(one, registered) for one in said]


def _group(said: Mapping[str, Any], registered: set[str]) -> Group:
    instances = [one["InstanceId"] for one in said["Instances"]]
    return Group(
        said["AutoScalingGroupName"],
        said["DesiredCapacity"],
        instances,
        [one for one in instances if one in registered],
    )


def _registered(cluster: str, clients: Clients) -> Iterator[str]:
    """Ids of the instances that can take tasks."""
    with aws.calling("list the hosts (ecs:ListContainerInstances)"):
        pages = clients.ecs.get_paginator("list_container_instances").paginate(
            cluster=cluster, status="ACTIVE"
        )
        arns = [arn for page in pages for arn in page["containerInstanceArns"]]
    for some in batches(arns, _AT_ONCE):
        with aws.calling("describe the hosts (ecs:DescribeContainerInstances)"):
            said = clients.ecs.describe_container_instances(
                cluster=cluster, containerInstances=some
            )
        for one in said["containerInstances"]:
            if one.get("agentConnected", True):
                yield one["ec2InstanceId"]


def wait(
    deployed: Deployed, clients: Clients, doing: Doing, *, limit: float, clock: Clock = REAL
) -> str:
    """Until all groups are complete; `limit` is in seconds. Raises NotReady with evidence."""
    deadline = clock.now() + limit
    said = ""
    while True:
        groups = look(deployed, clients)
        if _told(groups) != said:
            said = _told(groups)
            doing.report(f"hosts: {said}")
        lacking = [one for one in groups if not one.complete]
        if not lacking:
            return said
        if clock.now() >= deadline:
            raise NotReady(
                f"the instances have not registered with ECS within {limit:g} s: {said}",
                cause="\n".join(line for one in lacking for line in evidence(one, clients)),
                fix="correct what it says (quotas of vCPUs, a type that the zone does not have, "
                "the way of the subnets to ECS), then run the same command again",
            )
        clock.sleep(_POLL)


def evidence(group: Group, clients: Clients) -> list[str]:
    """Why a group is not complete, a line each."""
    with aws.calling("see why (autoscaling:DescribeScalingActivities)"):
        said = clients.autoscaling.describe_scaling_activities(
            AutoScalingGroupName=group.name, MaxRecords=_ACTIVITIES
        )["Activities"]
    failed = [
        f"{group.name}: {one.get('StatusMessage') or one.get('Description', 'an activity failed')}"
        for one in said
        if one.get("StatusCode") in _FAILED
    ]
    lines = list(dict.fromkeys(failed))
    silent = [one for one in group.instances if one not in group.registered]
    if silent:
        lines.append(
            f"{group.name}: {', '.join(silent)} are there, and their ECS agents have not "
            "registered: they do not reach ECS, or their user data names another cluster"
        )
    if not lines:
        lines.append(f"{group.name}: has {len(group.instances)} instances, and starts no more")
    return lines


def _told(groups: Sequence[Group]) -> str:
    return "; ".join(one.told() for one in groups)
