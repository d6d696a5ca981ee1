"""Who is who in a plan: parties of topology.json by what wears security groups, never by names."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from temporal_dsql_deploy.checks.reach.network import Endpoint, Network, texts
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.parts import component
from temporal_dsql_deploy.plan.tasks import Task
from temporal_dsql_deploy.plan.values import UNKNOWN


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """One thing that wears security groups and stands in subnets."""

    name: str
    """As in topology.json; `endpoint logs` for the interface endpoint of an API."""
    label: str
    """What to call it: its name, with what tells it from others of that name."""
    wearer: str
    """Address of the resource that wears the groups."""
    attribute: str
    groups: tuple[str, ...]
    subnets: tuple[str, ...]
    """Ids; empty where they are not known."""
    addresses: tuple[str, ...] | None
    """CIDRs of its subnets; None where not all are known."""
    public: bool = False
    """Whether it has a public address."""
    tasks: tuple[Task, ...] = ()
    """The task definitions that run as it."""


@dataclass(frozen=True, slots=True)
class Nameless:
    """A party of which the plan does not say which security groups it wears."""

    name: str
    wearer: str
    reason: str
    unknown_ids: bool
    """Whether there are groups, with ids that only an apply tells."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What wears groups: where that stands, and where it stands itself."""

    resource: str
    attribute: str
    groups: Any
    subnets: Any
    public: bool = False
    tasks: tuple[Task, ...] = ()


class Parties:
    """All parties of a plan."""

    def __init__(self, subject: Subject, network: Network) -> None:
        self._subject = subject
        self._plan = subject.plan
        self._network = network
        self.known: list[Party] = []
        self.nameless: list[Nameless] = []
        for name, label, place in self._places():
            self._add(name, label, place)

    def of(self, name: str) -> list[Party]:
        """Those of a name that are known."""
        return [party for party in self.known if party.name == name]

    def present(self, name: str) -> bool:
        """Whether there is such a party, known or not."""
        return bool(self.of(name)) or any(one.name == name for one in self.nameless)

    def _add(self, name: str, label: str, place: _Place) -> None:
        groups = texts(place.groups)
        if not groups:
            some = groups is None and place.groups is not None
            reason = "its security groups are known only after apply"
            if not some:
                reason = "the plan does not say which security groups it wears"
            self.nameless.append(Nameless(name, place.resource, reason, some))
            return
        subnets = texts(place.subnets) or ()
        alike = (name, groups, sorted(subnets))
        for index, party in enumerate(self.known):
            if (party.name, party.groups, sorted(party.subnets)) == alike:
                self.known[index] = _joined(party, place.tasks)
                return
        self.known.append(
            Party(
                name=name,
                label=label,
                wearer=place.resource,
                attribute=place.attribute,
                groups=groups,
                subnets=subnets,
                addresses=self._network.addresses(subnets),
                public=place.public,
                tasks=place.tasks,
            )
        )

    def _places(self) -> Iterator[tuple[str, str, _Place]]:
        for task in self._subject.tasks:
            if task.party:
                yield task.party, task.party, self._place_of(task)
        if (client := self._output("client_security_group_id", "")) is not None:
            yield "client", "client", _Place("", "", [client], None)
        yield from self._instances()
        for endpoint in self._network.endpoints:
            if endpoint.interface:
                name = name_of(endpoint)
                worn = _listed(endpoint.groups)
                where, path = endpoint.resource.address, "security_group_ids"
                yield name, name, _Place(where, path, worn, _listed(endpoint.subnets))
        yield from self._stores()
        yield from self._ways_in()

    def _place_of(self, task: Task) -> _Place:
        if task.service is not None:
            network = "network_configuration.0"
            return _Place(
                task.service.address,
                f"{network}.security_groups",
                task.service[f"{network}.security_groups"],
                task.service[f"{network}.subnets"],
                task.service[f"{network}.assign_public_ip"] is True,
                (task,),
            )
        # Started by hand: our outputs say with which group.
        output = task.party.replace("-", "_")
        group = self._output(output, "security_group_id")
        subnets = self._output(output, "subnet_ids")
        groups = None if group is None else [group]
        return _Place(task.definition.address, "", groups, subnets, tasks=(task,))

    def _output(self, name: str, key: str) -> Any:
        output = self._plan.outputs.get(name)
        if output is None or output.value is None or output.value is UNKNOWN:
            return output.value if output else None
        if not key:
            return output.value
        return output.value.get(key) if isinstance(output.value, dict) else None

    def _instances(self) -> Iterator[tuple[str, str, _Place]]:
        groups = self._plan.of_type("aws_autoscaling_group")
        providers = self._provider_arns
        for template in self._plan.of_type("aws_launch_template"):
            users = [group for group in groups if template["id"] in _templates(group)]
            arns = {group["arn"] for group in users if isinstance(group["arn"], str)}
            if providers and arns and not arns & providers:
                continue  # Of something else than ECS.
            label = component(template["name"], self._subject.project)
            interface = "network_interfaces.0"
            path = f"{interface}.security_groups"
            if template[path] in (None, []):
                path = "vpc_security_group_ids"
            subnets = users[0]["vpc_zone_identifier"] if users else None
            public = template[f"{interface}.associate_public_ip_address"] == "true"
            place = _Place(template.address, path, template[path], subnets, public)
            yield "instances", f"instances {label}", place

    @cached_property
    def _provider_arns(self) -> set[str]:
        path = "auto_scaling_group_provider.0.auto_scaling_group_arn"
        found = (one[path] for one in self._plan.of_type("aws_ecs_capacity_provider"))
        return {arn for arn in found if isinstance(arn, str)}

    def _stores(self) -> Iterator[tuple[str, str, _Place]]:
        for domain in self._plan.of_type("aws_opensearch_domain", "aws_elasticsearch_domain"):
            options = "vpc_options.0"
            path = f"{options}.security_group_ids"
            subnets = domain[f"{options}.subnet_ids"]
            yield "visibility", "visibility", _Place(domain.address, path, domain[path], subnets)
        path = "vpc_security_group_ids"
        for database in self._plan.of_type("aws_rds_cluster", "aws_db_instance"):
            yield "database", "database", _Place(database.address, path, database[path], None)

    def _ways_in(self) -> Iterator[tuple[str, str, _Place]]:
        balancers = self._plan.of_type("aws_lb")
        for balancer in balancers:
            if len(balancers) == 1 or self._serves_the_frontend(balancer):
                path, subnets = "security_groups", balancer["subnets"]
                place = _Place(balancer.address, path, balancer[path], subnets)
                yield "load-balancer", "load-balancer", place
        joined = self._plan.of_type("aws_ec2_client_vpn_network_association")
        for vpn in self._plan.of_type("aws_ec2_client_vpn_endpoint"):
            path = "security_group_ids"
            subnets = [a["subnet_id"] for a in joined if a["client_vpn_endpoint_id"] == vpn["id"]]
            yield "client-vpn", "client-vpn", _Place(vpn.address, path, vpn[path], subnets)

    def _serves_the_frontend(self, balancer: Resource) -> bool:
        frontend = self._subject.roles.get("frontend")
        service = frontend.service if frontend else None
        path = "load_balancer.0.target_group_arn"
        target = service[path] if service else None
        return isinstance(target, str) and any(
            listener["load_balancer_arn"] == balancer["arn"]
            and listener["default_action.0.target_group_arn"] == target
            for listener in self._plan.of_type("aws_lb_listener")
        )


def name_of(endpoint: Endpoint) -> str:
    """The party that an interface endpoint is."""
    return "database" if endpoint.api.startswith("dsql-") else f"endpoint {endpoint.api}"


def _listed(value: tuple[str, ...] | None) -> Any:
    return UNKNOWN if value is None else list(value)


def _joined(party: Party, tasks: tuple[Task, ...]) -> Party:
    return replace(party, tasks=(*party.tasks, *tasks))


def _templates(group: Resource) -> list[Any]:
    mixed = "mixed_instances_policy.0.launch_template.0.launch_template_specification.0"
    found = [group["launch_template.0.id"], group[f"{mixed}.launch_template_id"]]
    return [one for one in found if isinstance(one, str)]
