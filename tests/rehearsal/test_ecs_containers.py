"""The emulated ECS with real containers: services roll, fail, come back, lose instances."""

import os
import signal
from functools import partial
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from temporal_dsql_deploy.rehearsal.aws.server import EmulatedAws
from tests.support import ecs_cluster
from tests.support.ecs_cluster import (
    CLUSTER,
    PROVIDER,
    Tiny,
    containers,
    heard,
    logged,
    messages,
    names,
    says,
)

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("nftables"),
]


def test_a_service_becomes_what_it_is_to_be_and_rolls(tiny: Tiny) -> None:
    tiny.serve("web", tiny.define("web", environment=says("1")), 2)
    first = tiny.until_well("web", 2)
    assert {one["availabilityZone"] for one in first} == set(ecs_cluster.ZONES)
    assert [heard(one) for one in first] == ["1", "1"]
    assert "(service web) has reached a steady state." in messages(tiny.described("web"))

    second = tiny.define("web", environment=says("2"))
    tiny.ecs.update_service(cluster=CLUSTER, service="web", taskDefinition=second)
    assert [one["status"] for one in tiny.described("web")["deployments"]] == ["PRIMARY", "ACTIVE"]
    rolled = tiny.until_well("web", 2)
    assert [heard(one) for one in rolled] == ["2", "2"]
    assert not {one["taskArn"] for one in first} & {one["taskArn"] for one in rolled}
    (deployment,) = tiny.described("web")["deployments"]
    assert deployment["taskDefinition"] == second
    assert deployment["rolloutStateReason"] == f"ECS deployment {deployment['id']} completed."
    stopped = tiny.tasks("web", "STOPPED")
    assert {one["stopCode"] for one in stopped} == {"ServiceSchedulerInitiated"}
    assert all(one["stoppedReason"].startswith("Scaling activity") for one in stopped)


def test_a_revision_that_fails_is_rolled_back_by_the_breaker(tiny: Tiny) -> None:
    good = tiny.define("rolled", environment=says("good"))
    tiny.serve("rolled", good, 2)
    tiny.until_well("rolled", 2)
    bad = tiny.define("rolled", command=["import sys; sys.exit('no such config')"])
    tiny.ecs.update_service(cluster=CLUSTER, service="rolled", taskDefinition=bad)
    back = tiny.until(
        "rolled",
        lambda said: (
            said["deployments"][0]["taskDefinition"] == good
            and said["deployments"][0]["rolloutState"] == "COMPLETED"
        ),
    )
    said = messages(back)
    assert any("deployment failed: tasks failed to start." in one for one in said)
    (deployment,) = [one for one in back["deployments"] if one["status"] == "PRIMARY"]
    assert f"(service rolled) rolling back to deployment {deployment['id']}." in said
    assert [heard(one) for one in tiny.until_well("rolled", 2)] == ["good", "good"]
    failed = [one for one in tiny.tasks("rolled", "STOPPED") if one["taskDefinitionArn"] == bad]
    assert len(failed) >= 3
    assert failed[0]["stopCode"] == "EssentialContainerExited"
    assert failed[0]["containers"][0]["exitCode"] == 1
    assert any("no such config" in one for one in logged("rolled", failed[0], tiny))


def test_a_task_that_is_killed_comes_back_elsewhere(tiny: Tiny) -> None:
    tiny.serve("killed", tiny.define("killed"), 2)
    before = {one["taskArn"] for one in tiny.until_well("killed", 2)}
    (gone,) = tiny.faults.kill_tasks("killed")
    tiny.until("killed", lambda _: tiny.well("killed") == 2 and gone not in names(tiny, "killed"))
    after = names(tiny, "killed")
    assert before - after == {gone}
    (stopped,) = tiny.of([gone])
    assert stopped["stoppedReason"] == "Essential container in task exited"
    assert stopped["containers"][0]["exitCode"] == 137


def test_who_finds_no_room_says_so_and_managed_scaling_adds_an_instance(tiny: Tiny) -> None:
    # An m7g.large carries two interfaces for tasks without a trunk.
    tiny.serve("many", tiny.define("many", command=["import time; time.sleep(600)"]), 7)
    said = tiny.until("many", lambda said: "RESOURCE:ENI" in str(messages(said)))
    tiny.until("many", lambda said: said["runningCount"] == 6)
    instances = tiny.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
    assert len(instances) == 3, "the group may have three"
    (message,) = [one for one in messages(said) if "RESOURCE:ENI" in one]
    assert message.startswith("(service many) was unable to place a task because no container")
    tiny.until("many", lambda _: bool(tiny.tasks("many", "STOPPED")))
    assert tiny.tasks("many", "STOPPED")[0]["stoppedReason"] == "RESOURCE:ENI"
    large = tiny.define("large", memory=9000)
    refused = tiny.ecs.run_task(
        cluster=CLUSTER,
        taskDefinition=large,
        launchType="EC2",
        networkConfiguration=tiny.awsvpc(),
    )
    assert refused["tasks"] == []
    assert refused["failures"][0]["reason"] == "RESOURCE:MEMORY"
    described = tiny.ecs.describe_container_instances(
        cluster=CLUSTER, containerInstances=instances
    )["containerInstances"]
    assert all(one["agentConnected"] for one in described)
    assert {one["runningTasksCount"] for one in described} == {2}


def test_an_instance_that_is_lost_takes_its_tasks_and_they_come_back_where_there_is_room(
    tiny: Tiny,
) -> None:
    tiny.serve("lost", tiny.define("lost"), 2)
    before = tiny.until_well("lost", 2)
    (host,) = tiny.ecs.describe_container_instances(
        cluster=CLUSTER, containerInstances=[before[0]["containerInstanceArn"]]
    )["containerInstances"]
    tiny.faults.no_capacity()
    assert tiny.faults.lose_instance(host["ec2InstanceId"]) == [host["ec2InstanceId"]]
    gone = before[0]["taskArn"]
    tiny.until("lost", lambda _: tiny.well("lost") == 2 and gone not in names(tiny, "lost"))
    (stopped,) = tiny.of([gone])
    assert stopped["stoppedReason"] == f"Host EC2 (instance {host['ec2InstanceId']}) terminated."


def test_a_zone_is_lost_and_another_takes_its_tasks(tiny: Tiny) -> None:
    tiny.serve("zones", tiny.define("zones"), 2)
    tiny.until_well("zones", 2)
    assert tiny.faults.lose_zone(ecs_cluster.ZONES[0])
    left = {ecs_cluster.ZONES[1]}
    tiny.until(
        "zones",
        lambda _: (
            tiny.well("zones") == 2
            and {one["availabilityZone"] for one in tiny.tasks("zones")} == left
        ),
    )


def test_what_a_killed_emulator_has_left_is_removed_by_the_next(
    docker: dict[str, str], tmp_path: Path
) -> None:
    with ecs_cluster.tiny(docker, tmp_path, beside=True) as tiny:
        tiny.serve("left", tiny.define("left"), 1)
        tiny.until_well("left", 1)
        assert tiny.aws.pid is not None
        os.kill(tiny.aws.pid, signal.SIGKILL)
        tiny.aws.stop()
        assert containers(tiny) != []
        with EmulatedAws(tmp_path / "next", containers=tiny.settings):
            assert containers(tiny) == []


def test_a_service_that_names_no_capacity_provider_has_the_clusters(tiny: Tiny) -> None:
    default = [{"capacityProvider": PROVIDER, "weight": 1}]
    definition = tiny.define("default")
    put = partial(tiny.ecs.put_cluster_capacity_providers, cluster=CLUSTER)
    put(capacityProviders=[PROVIDER], defaultCapacityProviderStrategy=default)
    try:
        tiny.serve("default", definition, 1, capacityProviderStrategy=[])
    finally:
        put(capacityProviders=[PROVIDER], defaultCapacityProviderStrategy=[])
    (task,) = tiny.until_well("default", 1)
    assert task["capacityProviderName"] == PROVIDER


def test_what_ecs_refuses_changes_nothing(tiny: Tiny) -> None:
    tiny.serve("refused", tiny.define("refused"), 0)
    tiny.until_well("refused", 0)
    before = tiny.described("refused")["deployments"]
    other = [{"capacityProvider": "other", "weight": 1}]
    with pytest.raises(ClientError, match="capacity provider 'other' was not found"):
        tiny.serve("never", tiny.define("never"), 0, capacityProviderStrategy=other)
    with pytest.raises(ClientError, match="Invalid placement strategy"):
        tiny.ecs.update_service(
            cluster=CLUSTER,
            service="refused",
            placementStrategy=[{"type": "spread", "field": "memory"}],
        )
    with pytest.raises(ClientError, match="must match"):
        tiny.define("ports", portMappings=[{"containerPort": 80, "hostPort": 81}])
    assert tiny.described("refused")["deployments"] == before
