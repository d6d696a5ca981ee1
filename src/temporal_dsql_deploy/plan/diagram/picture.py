"""What the picture shows, taken from a plan: parties, and who talks to whom by its rules."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from temporal_dsql_deploy.errors import NotAPlan
from temporal_dsql_deploy.plan.model import Plan, Resource, State
from temporal_dsql_deploy.plan.parts import component, instance_groups, project_of, replicas
from temporal_dsql_deploy.plan.values import listed

_CALLED_BY_ADDRESS = {5432: "database", 443: "internet"}
"""What stands behind a rule that lets out to any address, by port: those with one of their own."""


@dataclass(frozen=True, slots=True)
class Party:
    """Something that calls or is called."""

    name: str
    """As in topology.json where it is there: history, ui, loki, visibility, instances main."""
    details: tuple[str, ...] = ()
    """Short lines about it: size, version."""


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """One connection that the security groups of both ends let pass."""

    source: str
    target: str
    port: int


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """A party's way to one AWS API."""

    party: str
    api: str
    """Name of the VPC endpoint, such as ecr.api."""


@dataclass(frozen=True, slots=True)
class Zone:
    """An availability zone and its subnets, as CIDRs."""

    name: str
    private: str
    public: str | None
    """None where no NAT gateway stands in it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn."""

    project: str
    vpc: str | None
    """Its CIDR; None where the VPC is somebody else's."""
    zones: tuple[Zone, ...]
    parties: Mapping[str, Party]
    links: tuple[Link, ...]
    calls: tuple[Call, ...]
    """API calls by endpoint or gateway."""


def picture_of(plan: Plan | State) -> Picture:
    """The picture of a plan or state whose security groups are known.

    Raises NotAPlan where they are not, as in a plan of a first apply by real credentials.
    """
    groups = {
        group["id"]: group
        for group in plan.of_type("aws_security_group")
        if isinstance(group["id"], str)
    }
    if not groups:
        raise NotAPlan(
            "there is nothing to draw",
            cause="no security group in it has a known id, so nobody can say who talks to whom",
            fix="give a state, or leave the file out: the picture is then drawn from known values",
        )
    project = _project(plan)
    # What a group is called is what its party is called, unless what wears it says more.
    by_name = {identity: component(group["name"], project) for identity, group in groups.items()}
    names = {**by_name, **dict(_names_by_user(plan))}
    links, calls = _connections(plan, names)
    return Picture(
        project=project,
        vpc=next((str(vpc["cidr_block"]) for vpc in plan.of_type("aws_vpc")), None),
        zones=tuple(_zones(plan)),
        parties=_parties(plan, links, project),
        links=links,
        calls=calls,
    )


def _project(plan: Plan | State) -> str:
    named = project_of(service["name"] for service in plan.of_type("aws_ecs_service"))
    clusters = (str(cluster["name"]) for cluster in plan.of_type("aws_ecs_cluster"))
    return named or next(clusters, "temporal").removesuffix("-cluster")


def _names_by_user(plan: Plan | State) -> Iterator[tuple[str, str]]:
    """Group and party, where what wears the group says more than the group's name."""
    for domain in plan.of_type("aws_opensearch_domain"):
        for group in listed(domain["vpc_options.0.security_group_ids"]):
            yield group, "visibility"
    for endpoint in plan.of_type("aws_vpc_endpoint"):
        for group in listed(endpoint["security_group_ids"]):
            yield group, _endpoint_name(endpoint)
    for template in plan.of_type("aws_launch_template"):
        for group in listed(template["vpc_security_group_ids"]):
            yield group, "instances"
    for balancer in plan.of_type("aws_lb"):
        for group in listed(balancer["security_groups"]):
            yield group, "load-balancer"


def _endpoint_name(endpoint: Resource) -> str:
    service = str(endpoint["service_name"])
    if ".dsql-" in service:
        return "database"
    return "endpoint " + ".".join(service.split(".")[3:])


def _connections(
    plan: Plan | State, names: Mapping[str, str]
) -> tuple[tuple[Link, ...], tuple[Call, ...]]:
    """Links and API calls. Only what both ends let pass counts where both ends have groups."""
    out = {
        (rule["security_group_id"], rule["referenced_security_group_id"], rule["from_port"])
        for rule in plan.of_type("aws_vpc_security_group_egress_rule")
    }
    links: set[Link] = set()
    calls: set[Call] = set()
    for rule in plan.of_type("aws_vpc_security_group_ingress_rule"):
        target, source, port = (
            rule["security_group_id"],
            rule["referenced_security_group_id"],
            rule["from_port"],
        )
        if source not in names or target not in names or (source, target, port) not in out:
            continue
        if names[target].startswith("endpoint "):
            calls.add(Call(names[source], names[target].removeprefix("endpoint ")))
        else:
            links.add(Link(names[source], names[target], port))
    gateways = {
        endpoint["prefix_list_id"]: _endpoint_name(endpoint).removeprefix("endpoint ")
        for endpoint in plan.of_type("aws_vpc_endpoint")
        if endpoint["vpc_endpoint_type"] == "Gateway"
    }
    for rule in plan.of_type("aws_vpc_security_group_egress_rule"):
        source = names.get(rule["security_group_id"])
        if source is None:
            continue
        if rule["prefix_list_id"] in gateways:
            calls.add(Call(source, gateways[rule["prefix_list_id"]]))
        elif rule["cidr_ipv4"] == "0.0.0.0/0":
            target = _CALLED_BY_ADDRESS.get(rule["from_port"], "internet")
            links.add(Link(source, target, rule["from_port"]))
    return tuple(sorted(links)), tuple(sorted(calls))


def _zones(plan: Plan | State) -> Iterator[Zone]:
    subnets = plan.of_type("aws_subnet")
    public = {
        str(subnet["availability_zone"]): str(subnet["cidr_block"])
        for subnet in subnets
        if subnet.name.startswith("public")
    }
    for subnet in subnets:
        if not subnet.name.startswith("public"):
            zone = str(subnet["availability_zone"])
            yield Zone(zone, str(subnet["cidr_block"]), public.get(zone))


def _parties(plan: Plan | State, links: Iterable[Link], project: str) -> dict[str, Party]:
    named = {name for link in links for name in (link.source, link.target)}
    details = dict(_details(plan, project))
    return {name: Party(name, details.get(name, ())) for name in sorted({*named, *details})}


def _details(plan: Plan | State, project: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A line or two about each party, as far as the plan knows."""
    wanted = replicas(plan)
    for task in plan.of_type("aws_ecs_task_definition"):
        name = component(task["family"], project)
        size = f"{task['cpu']} CPU units, {task['memory']} MiB"
        if name in wanted:
            tasks = "1 task" if wanted[name] == 1 else f"{wanted[name]} tasks"
            yield name, (tasks, size)
        elif name != "benchmark-worker":
            yield name, (size,)
    for domain in plan.of_type("aws_opensearch_domain"):
        nodes = domain["cluster_config.0"]
        engine = str(domain["engine_version"]).replace("_", " ")
        size = f"{nodes['instance_count']} × {nodes['instance_type']}"
        yield "visibility", (engine, size)
    groups = [
        f"{group['min_size']} to {group['max_size']} × {template['instance_type']}"
        for group, template in instance_groups(plan)
        if template
    ]
    if groups:
        yield "instances", tuple(groups)
