"""A difference between two plans as calls of the emulated AWS, and the way back."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from temporal_dsql_deploy.plan import Plan, Resource
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from tests.support.measured import differs
from tests.support.measured.differs import Difference

_DEFINITION = {
    "cpu": "cpu",
    "memory": "memory",
    "network_mode": "networkMode",
    "requires_compatibilities": "requiresCompatibilities",
    "execution_role_arn": "executionRoleArn",
    "task_role_arn": "taskRoleArn",
}
"""Attributes of Terraform by the parameters of ecs:RegisterTaskDefinition."""
_READ_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
)


class Refused(Exception):
    """AWS does not take it; its words."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What was changed."""

    restarted: list[str]
    """Components that were given a new deployment."""
    undo: Callable[[], None]
    """Gives each of these a deployment as it was."""


class Carrier:
    """Changes what stands."""

    def __init__(self, plan: Plan, cluster: str, clients: Clients) -> None:
        self._plan = plan
        self._cluster = cluster
        self._clients = clients

    def carry(self, one: Difference) -> Carried:
        """Apply a difference; who is concerned gets a new deployment. Raises Refused."""
        carry = {
            differs.TASK: self._task,
            differs.SERVICE: self._service,
            differs.LOG_GROUP: self._log_group,
            "output": self._count,
        }.get(one.type, self._firewall)
        try:
            return carry(one)
        except (ClientError, ParamValidationError) as error:
            raise Refused(str(error)) from error

    def restart(self, components: Iterable[str]) -> None:
        """Give services a new deployment of what they run."""
        for name in components:
            self._update(name, forceNewDeployment=True)

    def _update(self, component: str, **changed: Any) -> None:
        name = str(differs.services(self._plan)[component]["name"])
        self._clients.ecs.update_service(cluster=self._cluster, service=name, **changed)

    def _firewall(self, one: Difference) -> Carried:
        before = _required(one.before)
        groups = (before["security_group_id"], before["referenced_security_group_id"])
        egress = "egress" in before.type
        dialling = differs.wearers(self._plan, groups[0] if egress else groups[1])
        # A wall is met by who dials anew: connections that are open stay so, here and on AWS.
        restarted = dialling or [name for each in groups for name in self._wear(each)]
        self._rule("revoke", before)
        try:
            if one.after is not None:
                self._rule("authorize", one.after)
        except ClientError:
            self._rule("authorize", before)
            raise
        self.restart(restarted)

        def undo() -> None:
            if one.after is not None:
                self._rule("revoke", one.after)
            self._rule("authorize", before)
            self.restart(restarted)

        return Carried(restarted, undo)

    def _wear(self, group: object) -> list[str]:
        return differs.wearers(self._plan, group)

    def _rule(self, verb: str, rule: Resource) -> None:
        way = "egress" if "egress" in rule.type else "ingress"
        call = getattr(self._clients.ec2, f"{verb}_security_group_{way}")
        group = rule["security_group_id"]
        if verb == "authorize":
            call(GroupId=group, IpPermissions=[differs.peer(rule.values)])
        else:
            # By its id: moto compares descriptions as well.
            call(GroupId=group, SecurityGroupRuleIds=[self._id(rule)])

    def _id(self, rule: Resource) -> str:
        filters = [{"Name": "group-id", "Values": [rule["security_group_id"]]}]
        said = self._clients.ec2.describe_security_group_rules(Filters=filters)
        egress = "egress" in rule.type
        return next(
            str(one["SecurityGroupRuleId"])
            for one in said["SecurityGroupRules"]
            if one["IsEgress"] == egress and differs.same(rule.values, one)
        )

    def _task(self, one: Difference) -> Carried:
        before, after = _required(one.before), _required(one.after)
        names = differs.running(self._plan, before)
        ecs = self._clients.ecs
        said = ecs.describe_task_definition(taskDefinition=before["arn"])["taskDefinition"]
        wanted = {name: value for name, value in said.items() if name not in _READ_ONLY}
        changed = {name for name in after.values if before.values.get(name) != after[name]}
        changed |= before.values.keys() - after.values.keys()
        for attribute in changed:
            _put(wanted, attribute, after.values.get(attribute))
        arn = ecs.register_task_definition(**wanted)["taskDefinition"]["taskDefinitionArn"]
        for name in names:
            self._update(name, taskDefinition=arn)

        def undo() -> None:
            for name in names:
                self._update(name, taskDefinition=before["arn"])
            ecs.deregister_task_definition(taskDefinition=arn)

        return Carried(names, undo)

    def _service(self, one: Difference) -> Carried:
        before, after = _required(one.before), _required(one.after)
        names = [n for n, each in differs.roles(self._plan).items() if each is before]
        there, wanted = settings(before.values), settings(after.values)
        # Terraform makes a service anew that no longer names one, and then the cluster's holds.
        wanted["capacityProviderStrategy"] = wanted["capacityProviderStrategy"] or self._default()
        changed = {name: value for name, value in wanted.items() if there.get(name) != value}

        def undo() -> None:
            kept = {name: there[name] for name in changed}
            for name in names:
                self._update(name, forceNewDeployment=True, **kept)

        for name in names:
            self._update(name, forceNewDeployment=True, **changed)
        return Carried(names, undo)

    def _default(self) -> list[dict[str, Any]]:
        """The capacity provider strategy of a service that names none."""
        found = self._plan.of_type("aws_ecs_cluster_capacity_providers")
        blocks = [one for each in found for one in each["default_capacity_provider_strategy"] or ()]
        return _strategy(blocks)

    def _log_group(self, one: Difference) -> Carried:
        before = _required(one.before)
        logs, name = self._clients.logs, before["name"]
        other = one.after["name"] if one.after is not None else name
        names = differs.logging(self._plan, before)
        if one.after is not None and other == name:
            days = one.after["retention_in_days"]
            _retain(logs, name, days)
            self.restart(names)
            return Carried(names, lambda: _retain(logs, name, before["retention_in_days"]))
        # As Terraform does: first the old one goes.
        logs.delete_log_group(logGroupName=name)
        try:
            if one.after is not None and other:
                logs.create_log_group(logGroupName=other)
        except ClientError:
            logs.create_log_group(logGroupName=name)
            raise
        self.restart(names)

        def undo() -> None:
            if one.after is not None and other:
                logs.delete_log_group(logGroupName=other)
            logs.create_log_group(logGroupName=name)
            self.restart(names)

        return Carried(names, undo)

    def _count(self, one: Difference) -> Carried:
        there = int(self._plan.outputs["services"].value[one.component]["replicas"])
        self._update(one.component, desiredCount=int(one.count or 0))
        return Carried([one.component], lambda: self._update(one.component, desiredCount=there))


def settings(service: Mapping[str, Any]) -> dict[str, Any]:
    """A service of Terraform as ecs:UpdateService takes it."""
    breaker = _first(service.get("deployment_circuit_breaker"))
    network = _first(service.get("network_configuration"))
    deployment = {
        "deploymentCircuitBreaker": {
            "enable": bool(breaker.get("enable")),
            "rollback": bool(breaker.get("rollback")),
        },
        "maximumPercent": _or(service.get("deployment_maximum_percent"), 200),
        "minimumHealthyPercent": _or(service.get("deployment_minimum_healthy_percent"), 100),
    }
    return {
        "deploymentConfiguration": deployment,
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(network.get("subnets") or ()),
                "securityGroups": list(network.get("security_groups") or ()),
                "assignPublicIp": "ENABLED" if network.get("assign_public_ip") else "DISABLED",
            }
        },
        "placementStrategy": [
            {name: one[name] for name in ("type", "field") if one.get(name)}
            for one in service.get("ordered_placement_strategy") or ()
        ],
        "placementConstraints": [
            {name: one[name] for name in ("type", "expression") if one.get(name)}
            for one in service.get("placement_constraints") or ()
        ],
        "capacityProviderStrategy": _strategy(service.get("capacity_provider_strategy") or ()),
        "enableExecuteCommand": bool(service.get("enable_execute_command")),
        "healthCheckGracePeriodSeconds": service.get("health_check_grace_period_seconds") or 0,
        "serviceRegistries": [
            {"registryArn": one["registry_arn"]} for one in service.get("service_registries") or ()
        ],
    }


def _strategy(blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "capacityProvider": one["capacity_provider"],
            "base": one.get("base") or 0,
            "weight": one.get("weight") or 0,
        }
        for one in blocks
    ]


def _put(wanted: dict[str, Any], attribute: str, value: Any) -> None:
    if attribute == "container_definitions":
        wanted["containerDefinitions"] = json.loads(str(value))
    elif attribute == "volume":
        wanted["volumes"] = [{"name": one["name"]} for one in value or ()]
    elif attribute == "runtime_platform":
        platform = _first(value)
        names = {"cpu_architecture": "cpuArchitecture"}
        names["operating_system_family"] = "operatingSystemFamily"
        wanted["runtimePlatform"] = {
            said: platform[name] for name, said in names.items() if platform.get(name)
        }
    elif value is None:
        wanted.pop(_DEFINITION[attribute], None)
    else:
        wanted[_DEFINITION[attribute]] = value


def _retain(logs: Any, group: str, days: int | None) -> None:
    if days:
        logs.put_retention_policy(logGroupName=group, retentionInDays=days)
    else:
        logs.delete_retention_policy(logGroupName=group)


def _first(blocks: Any) -> Mapping[str, Any]:
    return blocks[0] if blocks else {}


def _or(value: Any, default: int) -> int:
    return default if value is None else int(value)


def _required(resource: Resource | None) -> Resource:
    assert resource is not None, "a difference that deletes it whole is not carried"
    return resource
