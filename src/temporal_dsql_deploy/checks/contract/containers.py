"""What makes a container end a task, who starts it again, and what it may open."""

from collections.abc import Iterator, Mapping

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.mounts import awaited, mounts
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    containers,
    is_collector,
    is_server,
    judged,
    runs_on,
    servers,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN

_OPEN_FILES = 65_536


@FAMILY.rule(
    "essential",
    holds="The container that a task is for is essential; those beside it are not.",
    symptom="A collector that ends takes a healthy server with it; a preparing container that is "
    "essential ends its task as soon as it is done; a task whose server ended runs on, empty.",
    fix="Set essential to true for the main container, and to false for the others.",
    source="ECS API, ContainerDefinition: essential, true where nothing is said",
)
def essential(subject: Subject) -> Iterator[Said]:
    """Which container is the main one is told by its role; else by who waits for whom."""

    def judge(place: Place) -> Iterator[Said]:
        found = place.definition.get("essential") is not False
        alone = len(place.task.containers or ()) == 1
        beside = place.container is not place.task.main and is_collector(place.container)
        if place.definition.get("firelensConfiguration"):
            return  # Without its router a task loses every line: AWS has it essential.
        if found and (awaited(place) or (beside and is_server(place.task))):
            what = "a container that ends by itself" if awaited(place) else "a collector"
            yield place.finding("essential", f"{what} is essential")
        elif not found and (alone or _is_main(place)):
            yield place.finding("essential", "the task's own container is not essential")

    return judged(containers(subject), judge)


def _is_main(place: Place) -> bool:
    """Whether a container is what its task is for."""
    if is_server(place.task):
        return place.container is place.task.main
    others = [one for one in place.task.containers or () if one is not place.container]
    ends = awaited(place) or is_collector(place.container)
    return not ends and all(awaited(Place(place.task, one)) or is_collector(one) for one in others)


@FAMILY.rule(
    "restart-policy",
    holds="A collector beside another container is started again when it ends.",
    symptom="It is not essential, so nothing notices: metrics and logs of the task are missing "
    "until the task itself is replaced.",
    fix="restartPolicy with enabled true.",
    source="ECS API, ContainerRestartPolicy",
)
def restart_policy(subject: Subject) -> Iterator[Said]:
    """An essential one ends its task, which ECS replaces."""
    least, most = 60, 1800

    def judge(place: Place) -> Iterator[Said]:
        given = place.definition.get("restartPolicy")
        policy = given if isinstance(given, Mapping) else {}
        sidecar = place.container is not place.task.main and is_collector(place.container)
        stays = sidecar and not awaited(place) and place.definition.get("essential") is False
        if stays and policy.get("enabled") is not True:
            yield place.finding("restartPolicy", "nothing starts it again")
        if policy.get("enabled") is True and awaited(place):
            yield place.finding("restartPolicy", "it is to end, and is started again")
        period = policy.get("restartAttemptPeriod")
        if period is not None and not (isinstance(period, int) and least <= period <= most):
            yield place.finding(
                "restartPolicy.restartAttemptPeriod",
                f"restartAttemptPeriod is {period}, {least} to {most}",
                "AWS refuses the task definition.",
                "Set 60 to 1800 seconds.",
            )

    return judged(containers(subject), judge)


@FAMILY.rule(
    "open-files",
    holds="A server may have 65,536 files open: each connection is one.",
    symptom="`accept4: too many open files`: clients cannot connect, and the process goes on.",
    fix="Set ulimits with nofile, soft and hard limit 65536.",
    source="ECS API, ContainerDefinition ulimits: a container has the instance's limits otherwise",
)
def open_files(subject: Subject) -> Iterator[Said]:
    """On EC2; Fargate gives 65,535."""

    def judge(place: Place) -> Iterator[Said]:
        files = next((one for one in place.parts("ulimits") if one.get("name") == "nofile"), None)
        if files is None:
            if runs_on(place.task, "EC2"):
                yield place.finding("ulimits", "no limit for nofile: the instance's holds")
            return
        soft, hard = files.get("softLimit"), files.get("hardLimit")
        if not isinstance(soft, int) or not isinstance(hard, int) or soft < _OPEN_FILES - 1:
            yield place.finding("ulimits", f"nofile is {soft}")
        elif hard < soft:
            yield place.finding("ulimits", f"nofile is {soft}, its hard limit {hard}")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "exec-root",
    holds="No container with ECS Exec has a read-only root file system.",
    symptom="`execute-command` fails with `TargetNotConnectedException`: the agent that it needs "
    "must write files into the container.",
    fix="Leave readonlyRootFilesystem out, or switch Exec off for the service.",
    source="ECS developer guide, ecs-exec: considerations",
)
def exec_root(subject: Subject) -> Iterator[Said]:
    """Of tasks whose service has Exec enabled."""

    def judge(place: Place) -> Iterator[Said]:
        service = place.task.service
        enabled = service is not None and service["enable_execute_command"] is True
        if enabled and place.definition.get("readonlyRootFilesystem") is True:
            yield place.finding("readonlyRootFilesystem", "true, and the service has Exec enabled")

    return judged(containers(subject), judge)


@FAMILY.rule(
    "collector-mount",
    holds="A collector beside a server mounts the volume into which the server writes its log.",
    symptom="Loki has no line of this role, and nothing says so.",
    fix="Mount the same volume at the same path; read only is enough.",
    source="OpenTelemetry Collector, filelog receiver; Grafana Alloy, loki.source.file",
)
def collector_mount(subject: Subject) -> Iterator[Said]:
    """Where the server and a collector have volumes."""

    def judge(place: Place) -> Iterator[Said]:
        mine = mounts(place)
        for sidecar in place.task.sidecars:
            beside = Place(place.task, sidecar)
            if not is_collector(sidecar) or awaited(beside):
                continue
            theirs = mounts(beside)
            for volume in mine.keys() & theirs.keys():
                if mine[volume][0] != theirs[volume][0]:
                    yield beside.finding(
                        "mountPoints",
                        f"{volume} is at {theirs[volume][0]}, for the server at {mine[volume][0]}",
                    )
            if mine and not mine.keys() & theirs.keys():
                yield beside.finding("mountPoints", f"{', '.join(sorted(mine))} is not mounted")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "network-mode",
    holds="A task has a network interface of its own: awsvpc.",
    symptom="AWS refuses the service: `Network Configuration is not valid for the given "
    "networkMode of this task definition`. Without one a role tells the ring an address that "
    "nobody reaches.",
    fix='Set network_mode to "awsvpc".',
    source="ECS developer guide, task-networking; measured with temporal-server 1.32.2",
)
def network_mode(subject: Subject) -> Iterator[Said]:
    """`host` is for who gives no subnets and groups; `bridge` reaches no role."""
    if not subject.tasks:
        raise CannotJudge("the plan has no ECS task definition")
    for task in subject.tasks:
        mode = task.definition["network_mode"]
        if mode is UNKNOWN:
            yield Unjudged(task.definition.address, "its network mode is not known")
            continue
        configured = bool(task.service and task.service["network_configuration.0"] is not None)
        alone = runs_on(task, "FARGATE") or (is_server(task) and mode != "host")
        if mode != "awsvpc" and (configured or alone):
            given = f"network_mode is {mode or 'not set, which means bridge'}"
            yield Finding(task.definition.address, "network_mode", given)
