"""The one difference between a plan and its mutant, and whether an emulated AWS can carry it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.plan import Plan, Resource
from tests.support.mutants import Mutant
from tests.support.mutants.firewall import TYPES as FIREWALL

TASK, SERVICE, LOG_GROUP = "aws_ecs_task_definition", "aws_ecs_service", "aws_cloudwatch_log_group"
_HERE = Path(__file__).parent
_PLACEHOLDER = "a placeholder plays it"
_PEERS = ("referenced_security_group_id", "prefix_list_id", "cidr_ipv4")


@cache
def shows() -> Mapping[str, Any]:
    """What a rehearsal can show: by rule, by kind, and variables that it sets itself."""
    table: Mapping[str, Any] = json.loads((_HERE / "shows.json").read_text())
    return table


@dataclass(frozen=True, slots=True)
class Difference:
    """One resource before and after, or one output."""

    type: str
    """Of the resource; `output` for the number of tasks of a service."""
    before: Resource | None = None
    after: Resource | None = None
    """None where it is gone."""
    component: str = ""
    """Whose tasks are counted."""
    count: int | None = None


def difference(plan: Plan, mutant: Mutant) -> Difference:
    """What the mutant's plan has otherwise."""
    made = mutant.make()
    if mutant.address.startswith("output."):
        name = mutant.attribute.partition(".")[0]
        count = made.outputs["services"].value[name].get("replicas")
        return Difference("output", component=name, count=count)
    before = plan[mutant.address]
    after = next((one for one in made.resources if one.address == mutant.address), None)
    return Difference(before.type, before, after)


def services(plan: Plan) -> dict[str, Resource]:
    """ECS services by component: a role, `ui` and so on."""
    there = {str(one["name"]): one for one in plan.of_type(SERVICE)}
    said = plan.outputs["services"].value
    return {name: there[row["service_name"]] for name, row in said.items()}


def roles(plan: Plan) -> dict[str, Resource]:
    """The services of Temporal's roles: those that run what they run on AWS."""
    return {name: one for name, one in services(plan).items() if name in topology.load().roles}


def wearers(plan: Plan, group: object) -> list[str]:
    """Roles whose tasks wear a security group."""
    return [
        name
        for name, one in roles(plan).items()
        if group in (one["network_configuration.0.security_groups"] or ())
    ]


def running(plan: Plan, task: Resource) -> list[str]:
    """Roles that run a task definition."""
    return [name for name, one in roles(plan).items() if one["task_definition"] == task["arn"]]


def logging(plan: Plan, group: Resource) -> list[str]:
    """Roles of which a container writes to a log group."""
    found = []
    for task in plan.of_type(TASK):
        inside = json.loads(str(task["container_definitions"]))
        options = [(one.get("logConfiguration") or {}).get("options") or {} for one in inside]
        if any(one.get("awslogs-group") == group["name"] for one in options):
            found += running(plan, task)
    return found


def why_not(plan: Plan, mutant: Mutant) -> str:
    """Why a rehearsal cannot carry the mutant, by its kind and place; empty where it can."""
    if reason := shows()["kinds"].get(mutant.kind):
        return str(reason)
    places = shows()["places"].items()
    if found := [why for pattern, why in places if re.fullmatch(pattern, mutant.id)]:
        return str(found[0])
    if mutant.address.startswith("output."):
        return _count(mutant)
    return _resource(plan, plan[mutant.address], mutant)


def _resource(plan: Plan, resource: Resource, mutant: Mutant) -> str:
    if resource.type in FIREWALL:
        return _firewall(plan, resource)
    if resource.type == TASK:
        return _task(plan, resource, mutant)
    if resource.type == LOG_GROUP:
        return "" if logging(plan, resource) else "no role logs there"
    if resource.type == SERVICE:
        return "" if resource in roles(plan).values() else _PLACEHOLDER
    return f"nothing here acts on a change of {resource.type}"


def _firewall(plan: Plan, rule: Resource) -> str:
    own, other = rule["security_group_id"], rule["referenced_security_group_id"]
    domains = plan.of_type("aws_opensearch_domain")
    stores = [one for each in domains for one in each["vpc_options.0.security_group_ids"] or ()]
    played = [bool(wearers(plan, group)) for group in (own, other)]
    if any(played) and all(
        is_role or group is None or group in stores
        for is_role, group in zip(played, (own, other), strict=True)
    ):
        return ""
    return "an end of the path is no role and no data store"


def _count(mutant: Mutant) -> str:
    name = mutant.attribute.partition(".")[0]
    if mutant.what == "deleted":
        return "a plan that says no number changes none"
    if name in topology.load().roles:
        return "" if mutant.what == "a tenth" else "ten servers are more than this machine carries"
    return _PLACEHOLDER if mutant.what == "a tenth" else ""


def _task(plan: Plan, task: Resource, mutant: Mutant) -> str:
    found = running(plan, task)
    if not found:
        return "a task that runs once, or a page"
    container = mutant.attribute.partition(".")[0]
    inside = [one["name"] for one in json.loads(str(task["container_definitions"]))]
    if container in inside and container != f"temporal-{found[0]}":
        return _PLACEHOLDER
    if ".environment." not in mutant.attribute:
        return ""
    variable = mutant.attribute.removeprefix(f"{container}.environment.").removesuffix(".value")
    return str(shows()["variables"].get(variable, ""))


def peer(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as ec2:AuthorizeSecurityGroupIngress takes it."""
    said: dict[str, Any] = {"IpProtocol": str(rule["ip_protocol"])}
    if rule.get("from_port") is not None:
        said |= {"FromPort": rule["from_port"], "ToPort": rule["to_port"]}
    name = next(one for one in _PEERS if rule.get(one))
    match name:
        case "referenced_security_group_id":
            said["UserIdGroupPairs"] = [{"GroupId": rule[name]}]
        case "prefix_list_id":
            said["PrefixListIds"] = [{"PrefixListId": rule[name]}]
        case _:
            said["IpRanges"] = [{"CidrIp": rule[name]}]
    return said


def same(rule: Mapping[str, Any], said: Mapping[str, Any]) -> bool:
    """Whether ec2:DescribeSecurityGroupRules says a rule of Terraform."""
    there = {
        "referenced_security_group_id": said.get("ReferencedGroupInfo", {}).get("GroupId"),
        "prefix_list_id": said.get("PrefixListId"),
        "cidr_ipv4": said.get("CidrIpv4"),
    }
    return (
        str(said["IpProtocol"]) == str(rule["ip_protocol"])
        and (rule.get("from_port") is None or said.get("FromPort") == rule["from_port"])
        and (rule.get("to_port") is None or said.get("ToPort") == rule["to_port"])
        and all((there[name] or None) == (rule.get(name) or None) for name in _PEERS)
    )
