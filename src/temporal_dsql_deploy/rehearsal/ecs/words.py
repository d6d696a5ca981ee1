"""What ECS says, in its own words: service events, stopped reasons, reasons of deployments.

Sources: ECS developer guide, service-event-messages-list and stopped-task-error-codes; ECS API,
Deployment and Task; and what is quoted of DescribeServices and DescribeTasks in public reports.
"""

from collections.abc import Sequence

GUIDE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
ESSENTIAL = "Essential container in task exited"
HEALTH = "Task failed container health checks"
BROKEN = "ECS deployment circuit breaker: tasks failed to start."
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
USER = "Task stopped by user"
_SHORT = {
    "CPU": "has insufficient CPU units available",
    "MEMORY": "has insufficient memory available",
    "ENI": 'encountered error "RESOURCE:ENI"',
    "ATTRIBUTE": 'encountered error "ATTRIBUTE"',
}


def lost(instance: str) -> str:
    """Why the tasks of an EC2 instance that is gone have stopped."""
    return f"Host EC2 (instance {instance}) terminated."


def scaled(deployment: str) -> str:
    """Why a task stops that its service has no use for."""
    return f"Scaling activity initiated by (deployment {deployment})"


def in_progress(deployment: str) -> str:
    """Why a deployment is in its state."""
    return f"ECS deployment {deployment} in progress."


def completed(deployment: str) -> str:
    """The same, afterwards."""
    return f"ECS deployment {deployment} completed."


def rolling_back(deployment: str) -> str:
    """The same of the deployment that a roll-back has made the primary one."""
    return f"ECS deployment circuit breaker: rolling back to deploymentId {deployment}."


class Events:
    """The events of one service."""

    def __init__(self, service: str) -> None:
        self.service = service

    def started(self, tasks: Sequence[str]) -> str:
        """Tasks were started."""
        return f"(service {self.service}) has started {len(tasks)} tasks: {_tasks(tasks)}."

    def stopped(self, tasks: Sequence[str]) -> str:
        """Tasks were stopped."""
        return f"(service {self.service}) has stopped {len(tasks)} running tasks: {_tasks(tasks)}."

    def unhealthy(self, task: str) -> str:
        """A health check has failed."""
        return f"(service {self.service}) (task {task}) failed container health checks."

    def steady(self) -> str:
        """As many run as are desired, and all are well."""
        return f"(service {self.service}) has reached a steady state."

    def deployed(self, deployment: str) -> str:
        """A deployment has done its work."""
        return f"(service {self.service}) (deployment {deployment}) deployment completed."

    def failed(self, deployment: str) -> str:
        """The circuit breaker has ended a deployment."""
        return (
            f"(service {self.service}) (deployment {deployment}) deployment failed: "
            "tasks failed to start."
        )

    def rolls_back(self, deployment: str) -> str:
        """It goes back to another."""
        return f"(service {self.service}) rolling back to deployment {deployment}."

    def stuck(self) -> str:
        """The two percentages leave no room for a step."""
        return (
            f"(service {self.service}) was unable to stop or start tasks during a deployment "
            "because of the service deployment configuration. Update the minimumHealthyPercent or "
            "maximumPercent value and try again."
        )

    def throttled(self) -> str:
        """Tasks fail again and again."""
        return (
            f"(service {self.service}) is unable to consistently start tasks successfully. {GUIDE}"
        )

    def unplaced(self, closest: str, short: str, *, provider: bool) -> str:
        """No instance carries a task; both are empty where there is no instance."""
        if closest:
            why = f"The closest matching (container-instance {closest}) {_SHORT[short]}."
        else:
            where = "capacity provider" if provider else "cluster"
            why = f"Reason: No Container Instances were found in your {where}."
        return (
            f"(service {self.service}) was unable to place a task because no container instance "
            f"met all of its requirements. {why} {GUIDE}"
        )

    def unstarted(self, reason: str) -> str:
        """A task has not started, for this reason."""
        return f"(service {self.service}) was unable to place a task. Reason: {reason}"


def _tasks(tasks: Sequence[str]) -> str:
    return " ".join(f"(task {one})" for one in tasks)


def cannot_pull(image: str) -> str:
    """An image that is not there."""
    return (
        f"CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
        f"resolve ref {image}: {image}: not found"
    )


def no_secret(arn: str, reason: str) -> str:
    """A secret of Secrets Manager that cannot be read."""
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): failed to fetch secret {arn} from secrets manager: {reason}"
    )


def no_parameter(name: str) -> str:
    """A parameter of Systems Manager that is not there."""
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 "
        f"time(s): invalid parameters: {name}"
    )


def no_key(key: str) -> str:
    """A field of a secret that it does not have."""
    return (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
        f"time(s): retrieved secret from Secrets Manager did not contain json key {key}"
    )


def no_group(group: str) -> str:
    """A log group that is not there."""
    return (
        "CannotStartContainerError: Error response from daemon: failed to initialize logging "
        "driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified "
        f"log group does not exist: {group}"
    )
