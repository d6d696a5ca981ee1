"""What ECS's API answers where containers are started: moto's answers, replaced or completed."""

import copy
import secrets
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.responses import EC2ContainerServiceResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap
from temporal_dsql_deploy.rehearsal.ecs import (
    definition,
    deployments,
    documents,
    refusals,
    words,
    world,
)
from temporal_dsql_deploy.rehearsal.ecs.ecs import Ecs, cluster_arn
from temporal_dsql_deploy.rehearsal.ecs.model import (
    ACTIVE,
    BY_USER,
    DRAINING,
    EC2,
    FARGATE,
    RUNNING,
    STOPPED,
    Service,
    Task,
)
from temporal_dsql_deploy.rehearsal.ecs.placing import Misfit
from temporal_dsql_deploy.rehearsal.ecs.scheduler import Scheduler

_DEFAULT = "default"
Response = EC2ContainerServiceResponse


def install(ecs: Ecs) -> None:
    """Let moto's ECS answer with what is there, from now on."""
    _definitions()
    _services(ecs)
    _tasks(ecs)
    _instances(ecs)


def _definitions() -> None:
    @wrap(Response)
    def register_task_definition(original: Method, self: Response) -> ActionResult:
        if why := refusals.of_definition(_asked(self)):
            raise EcsClientException(why)
        answer: ActionResult = original(self)
        return answer


def _services(ecs: Ecs) -> None:
    @wrap(Response)
    def create_service(original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            asked = _with_default(self)
            _check(self, asked, self._get_param("taskDefinition"))
            answer: ActionResult = original(self)
            made = _of(answer, "service")
            found = definition.read(self.ecs_backend.describe_task_definition(made.task_definition))
            first = deployments.make(made.arn, found, asked, ecs.namespaces)
            cluster = made.cluster_arn
            service = Service(made.arn, made.name, cluster, made.desired_count, [first], asked)
            ecs.services[service.arn] = service
            deployments.show(service, [])
            return answer

    @wrap(Response)
    def update_service(original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            if there := _named(ecs, self):
                wanted = self._get_param("taskDefinition") or there.primary.definition.arn
                _check(self, {**there.asked, **_asked(self)}, wanted)
            answer: ActionResult = original(self)
            made = _of(answer, "service")
            _update(ecs, self, ecs.services[made.arn], made.task_definition)
            return answer

    @wrap(Response)
    def delete_service(original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            answer: ActionResult = original(self)
            service = ecs.services[_of(answer, "service").arn]
            service.status, service.desired = DRAINING, 0
            deployments.show(service, ecs.of_service(service.arn))
            return answer

    @wrap(Response)
    def describe_services(original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            answer: Any = original(self).result
            # As it is now: it is put into words when others may change it again.
            now = [copy.copy(one) for one in answer["services"]]
            return ActionResult({**answer, "services": now})

    @wrap(Response)
    def list_services(original: Method, self: Response) -> ActionResult:
        answer: Any = original(self).result
        with ecs.lock:
            return ActionResult(
                {
                    "serviceArns": [
                        arn
                        for arn in answer["serviceArns"]
                        if arn in ecs.services and ecs.services[arn].status == ACTIVE
                    ]
                }
            )


def _of(answer: ActionResult, name: str) -> Any:
    result: Any = answer.result
    return result[name]


def _asked(response: Response) -> dict[str, Any]:
    return {name: value for name, value in response.params.items() if value is not None}


def _with_default(response: Response) -> dict[str, Any]:
    """What a new service is asked to be: one that names neither has the cluster's strategy.

    ECS API, CreateService; an UpdateService to none goes back to the launch type.
    """
    asked = _asked(response)
    if asked.get("launchType") or asked.get("capacityProviderStrategy"):
        return asked
    cluster = response.ecs_backend._get_cluster(response._get_param("cluster") or _DEFAULT)
    return {**asked, "capacityProviderStrategy": cluster.default_capacity_provider_strategy or []}


def _named(ecs: Ecs, response: Response) -> Service | None:
    """The service that is asked about; None where moto has to say that there is none."""
    name = str(response._get_param("service")).rpartition("/")[2]
    cluster = cluster_arn(response.region, response._get_param("cluster") or _DEFAULT)
    found = (one for one in ecs.services.values() if one.name == name and one.cluster == cluster)
    return next(found, None)


def _check(response: Response, asked: Mapping[str, Any], wanted: str | None) -> None:
    """Raises InvalidParameterException for what ECS would refuse."""
    if not wanted:
        return
    said = response.ecs_backend.describe_task_definition(wanted)
    providers = [one.name for one in response.ecs_backend.capacity_providers.values()]
    mode = said.network_mode
    if why := refusals.of_service(asked, definition.read(said), mode, providers):
        raise InvalidParameterException(why)


def _update(ecs: Ecs, response: Response, service: Service, wanted: str) -> None:
    asked = _asked(response)
    if "desiredCount" in asked:
        service.desired = int(asked["desiredCount"])
        service.was_steady = False
    before = {name: service.asked.get(name) for name in deployments.SETTINGS}
    service.asked = {**service.asked, **asked}
    after = {name: service.asked.get(name) for name in deployments.SETTINGS}
    found = definition.read(response.ecs_backend.describe_task_definition(wanted))
    changed = found.arn != service.primary.definition.arn or before != after
    if changed or asked.get("forceNewDeployment"):
        new = deployments.make(service.arn, found, service.asked, ecs.namespaces)
        deployments.replace(service, new)
    deployments.show(service, ecs.of_service(service.arn))


def _tasks(ecs: Ecs) -> None:
    @wrap(Response)
    def run_task(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            tasks, failures = _run(ecs, self)
            return ActionResult({"tasks": tasks, "failures": failures})

    @wrap(Response)
    def list_tasks(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            cluster = _cluster(self)
            found = [one.arn for one in ecs.tasks.values() if _is_asked_for(self, one, cluster)]
            return ActionResult({"taskArns": found})

    @wrap(Response)
    def describe_tasks(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            _cluster(self)
            tagged = "TAGS" in (self._get_param("include") or [])
            tasks, failures = [], []
            for arn in self._get_param("tasks") or []:
                one = ecs.tasks.get(arn.rpartition("/")[2])
                if one is None:
                    failures.append({"arn": arn, "reason": "MISSING"})
                    continue
                said = documents.task(one)
                tasks.append(said if tagged else said | {"tags": []})
            return ActionResult({"tasks": tasks, "failures": failures})

    @wrap(Response)
    def stop_task(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            _cluster(self)
            one = ecs.tasks.get(str(self._get_param("task")).rpartition("/")[2])
            if one is None:
                raise InvalidParameterException("The referenced task was not found.")
            ecs.stop(one, BY_USER, self._get_param("reason") or words.USER)
            return ActionResult({"task": documents.task(one)})

    @wrap(Response)
    def execute_command(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            return ActionResult(_session(ecs, self))


def _cluster(response: Response) -> str:
    """The ARN of the cluster that is asked about. Raises ClusterNotFoundException."""
    name = response._get_param("cluster") or _DEFAULT
    return str(response.ecs_backend._get_cluster(name).arn)


def _is_asked_for(response: Response, one: Task, cluster: str) -> bool:
    service = response._get_param("serviceName")
    filters = {
        "desiredStatus": (response._get_param("desiredStatus") or RUNNING, one.desired),
        "startedBy": (response._get_param("startedBy"), one.deployment or one.started_by),
        "family": (response._get_param("family"), one.definition.family),
        "launchType": (response._get_param("launchType"), one.launch),
        "serviceName": (service and service.rpartition("/")[2], one.service.rpartition("/")[2]),
        "containerInstance": (
            (response._get_param("containerInstance") or "").rpartition("/")[2],
            one.instance.rpartition("/")[2],
        ),
    }
    return one.cluster == cluster and all(
        not wanted or wanted == has for wanted, has in filters.values()
    )


def _run(ecs: Ecs, response: Response) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    asked = _asked(response)
    cluster = _cluster(response)
    found = definition.read(response.ecs_backend.describe_task_definition(asked["taskDefinition"]))
    providers = _providers(response, asked, cluster)
    network = (asked.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}
    if found.room.interfaces and not network.get("subnets"):
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    is_fargate = asked.get("launchType") == FARGATE or any(
        name.startswith(FARGATE) for name in providers
    )
    tasks, failures = [], []
    for _ in range(int(asked.get("count") or 1)):
        task = ecs.make_task(
            found,
            cluster,
            launch=FARGATE if is_fargate else EC2,
            group=asked.get("group") or f"family:{found.family}",
            network=network,
            started_by=asked.get("startedBy") or "",
            providers=() if is_fargate else providers,
            overrides=asked.get("overrides") or {},
            tags=asked.get("tags") or (),
        )
        refused = None if is_fargate or providers else _refusal(ecs, task)
        if refused:
            del ecs.tasks[task.id]
            failures.append(refused)
        else:
            tasks.append(documents.task(task))
    return tasks, failures


def _providers(response: Response, asked: Mapping[str, Any], cluster: str) -> tuple[str, ...]:
    strategy = asked.get("capacityProviderStrategy")
    if not strategy and not asked.get("launchType"):
        found = response.ecs_backend._get_cluster(cluster)
        strategy = found.default_capacity_provider_strategy
    return tuple(one["capacityProvider"] for one in strategy or [])


def _refusal(ecs: Ecs, task: Task) -> dict[str, str] | None:
    """Why a task of no capacity provider is not placed. Raises InvalidParameterException."""
    found = Scheduler(ecs).find_place(task)
    if not isinstance(found, Misfit):
        return None
    if not found.closest:
        raise InvalidParameterException("No Container Instances were found in your cluster.")
    arn = next(
        one.arn
        for one in ecs.fleet(world.region_of(task.arn)).of(task.cluster)
        if one.arn.endswith(found.closest)
    )
    reason = "ATTRIBUTE" if found.short == "ATTRIBUTE" else f"RESOURCE:{found.short}"
    return {"arn": arn, "reason": reason}


def _session(ecs: Ecs, response: Response) -> dict[str, Any]:
    """A session that leads nowhere: Session Manager is none of what runs here."""
    one = ecs.tasks.get(str(response._get_param("task")).rpartition("/")[2])
    if one is None or one.status == STOPPED:
        raise InvalidParameterException("The specified task was not found.")
    name = response._get_param("container")
    container = next(each for each in one.containers if name in {None, each.part.name})
    session = secrets.token_hex(8)
    return {
        "clusterArn": one.cluster,
        "containerArn": container.arn,
        "containerName": container.part.name,
        "interactive": True,
        "session": {
            "sessionId": f"ecs-execute-command-{session}",
            "streamUrl": f"wss://ssmmessages.{response.region}.amazonaws.com/v1/{session}",
            "tokenValue": session,
        },
        "taskArn": one.arn,
    }


def _instances(ecs: Ecs) -> None:
    @wrap(Response)
    def list_container_instances(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            there = ecs.fleet(self.region).of(_cluster(self))
            return ActionResult({"containerInstanceArns": [one.arn for one in there]})

    @wrap(Response)
    def describe_container_instances(_original: Method, self: Response) -> ActionResult:
        with ecs.lock:
            _cluster(self)
            said, failures = [], []
            for arn in self._get_param("containerInstances") or []:
                one = ecs.instance(arn)
                if one is None:
                    failures.append({"arn": arn, "reason": "MISSING"})
                else:
                    said.append(documents.instance(one, ecs.on(one)))
            return ActionResult({"containerInstances": said, "failures": failures})

    @wrap(Response)
    def describe_clusters(original: Method, self: Response) -> ActionResult:
        answer: ActionResult = original(self)
        with ecs.lock:
            for cluster in _of(answer, "clusters"):
                _count(ecs, self.region, cluster)
        return answer


def _count(ecs: Ecs, region: str, cluster: Any) -> None:
    arn = cluster_arn(region, cluster.name)
    there = [one for one in ecs.tasks.values() if one.cluster == arn and one.status != STOPPED]
    cluster.running_tasks_count = sum(one.status == RUNNING for one in there)
    cluster.pending_tasks_count = len(there) - cluster.running_tasks_count
    cluster.registered_container_instances_count = len(ecs.fleet(region).of(arn))
    active = [one for one in ecs.services.values() if one.cluster == arn and one.status == ACTIVE]
    cluster.active_services_count = len(active)
