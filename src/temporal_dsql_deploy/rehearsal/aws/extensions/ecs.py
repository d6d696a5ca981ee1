"""ECS: what moto drops of services, deployments and account settings; ECS Exec.

How many tasks run is moto's affair: none at first, then at once as many as UpdateService asks for.
"""

from copy import copy
from typing import Any
from uuid import uuid4

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import (
    AccountSetting,
    EC2ContainerServiceBackend,
    Service,
    Task,
    TaskDefinition,
)
from moto.ecs.responses import EC2ContainerServiceResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, add, wrap

# Of the request of CreateService and UpdateService; moto forgets them.
_OF_SERVICE = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "deploymentConfiguration",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "loadBalancers",
    "networkConfiguration",
    "placementConstraints",
    "placementStrategy",
    "propagateTags",
    "serviceRegistries",
)
# These are shown by the deployment that runs with them; the first not by the service at all.
_OF_DEPLOYMENT = ("serviceConnectConfiguration", "capacityProviderStrategy", "networkConfiguration")


@wrap(EC2ContainerServiceResponse)
def create_service(original: Method, self: EC2ContainerServiceResponse) -> ActionResult:
    """Keep what is asked for, without which the next plan would replace the service."""
    service = _service(original(self))
    # What AWS shows of a service that asks for no rebalancing.
    vars(service)["availabilityZoneRebalancing"] = "DISABLED"
    _keep(service, self.params)
    return ActionResult({"service": service})


@wrap(EC2ContainerServiceResponse)
def update_service(original: Method, self: EC2ContainerServiceResponse) -> ActionResult:
    """The same for a change, which starts a new deployment when it concerns the tasks."""
    service = _service(original(self))
    _keep(service, self.params)
    return ActionResult({"service": service})


def _service(answer: ActionResult) -> Service:
    result: Any = answer.result
    service: Service = result["service"]
    return service


def _keep(service: Service, asked: dict[str, Any]) -> None:
    for name in _OF_SERVICE:
        if asked.get(name) is not None:
            _put(service, name, asked[name])
    if asked.get("capacityProviderStrategy"):
        vars(service)["launch_type"] = None
    for deployment in service.deployments:
        if deployment["status"] == "PRIMARY":
            _settle(service, deployment, asked)


def _put(service: Service, name: str, value: object) -> None:
    """Under the name of the API, which is what moto's answer is made from first."""
    from botocore import xform_name

    vars(service).pop(xform_name(name), None)
    vars(service)[name] = value


def _settle(service: Service, deployment: dict[str, Any], asked: dict[str, Any]) -> None:
    """Make the deployment say what its service says; moto leaves it as it was at the creation."""
    deployment |= {name: asked[name] for name in _OF_DEPLOYMENT if asked.get(name) is not None}
    if asked.get("capacityProviderStrategy"):
        deployment.pop("launchType", None)
        deployment.pop("platformFamily", None)
    done = service.running_count == service.desired_count
    deployment |= {
        "desiredCount": service.desired_count,
        "pendingCount": service.pending_count,
        "runningCount": service.running_count,
        "taskDefinition": service.task_definition,
        "rolloutState": "COMPLETED" if done else "IN_PROGRESS",
        "updatedAt": utcnow(),
    }


@wrap(EC2ContainerServiceBackend)
def _calculate_task_resource_requirements(
    original: Method, _self: EC2ContainerServiceBackend, definition: TaskDefinition
) -> dict[str, Any]:
    """On Fargate a container may have no memory of its own: moto adds up what is not there."""
    shown = copy(definition)
    shown.container_definitions = [
        {"memory": one.get("memoryReservation", 0), **one}
        for one in definition.container_definitions
    ]
    needs: dict[str, Any] = original(shown)
    return needs


@wrap(EC2ContainerServiceBackend)
def list_tasks(original: Method, self: EC2ContainerServiceBackend, *asked: Any) -> list[Task]:
    """Of a service there are none: moto starts none, and would show the tasks of everybody."""
    cluster, instance, family, started_by, service, *_ = (*asked, None, None, None, None, None)
    found: list[Task] = [] if service else original(self, cluster, instance, family, started_by)
    return found


@add(EC2ContainerServiceResponse)
def put_account_setting_default(self: EC2ContainerServiceResponse) -> ActionResult:
    """Set it for the account; the provider takes an answer without a principal for no answer."""
    setting = self.ecs_backend.put_account_setting(
        self._get_param("name"), self._get_param("value")
    )
    return ActionResult({"setting": _with_principal(self, setting)})


@wrap(EC2ContainerServiceResponse)
def list_account_settings(original: Method, self: EC2ContainerServiceResponse) -> ActionResult:
    """Whose setting it is belongs to the answer."""
    answer: Any = original(self).result
    return ActionResult(
        {"settings": [_with_principal(self, setting) for setting in answer["settings"]]}
    )


def _with_principal(
    response: EC2ContainerServiceResponse, setting: AccountSetting
) -> dict[str, str]:
    principal = f"arn:{response.partition}:iam::{response.current_account}:root"
    return {"name": setting.name, "value": setting.value, "principalArn": principal}


@add(EC2ContainerServiceResponse)
def execute_command(self: EC2ContainerServiceResponse) -> ActionResult:
    """Open a session that leads nowhere: no container runs behind a task of this stand-in."""
    cluster = self._get_param("cluster", "default")
    tasks: list[Task] = self.ecs_backend.describe_tasks(cluster, [self._get_param("task")])
    if not tasks:
        raise InvalidParameterException("The specified task was not found.")
    container = next(
        each for each in tasks[0].containers if self._get_param("container") in {None, each.name}
    )
    session = uuid4().hex[:17]
    return ActionResult(
        {
            "clusterArn": tasks[0].cluster_arn,
            "containerArn": container.container_arn,
            "containerName": container.name,
            "interactive": True,
            "session": {
                "sessionId": f"ecs-execute-command-{session}",
                "streamUrl": f"wss://ssmmessages.{self.region}.amazonaws.com/v1/{session}",
                "tokenValue": session,
            },
            "taskArn": tasks[0].task_arn,
        }
    )
