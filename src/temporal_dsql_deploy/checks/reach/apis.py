"""Rules about ways to AWS APIs and registries: endpoints, gateways, NAT, and DNS."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach import ways
from temporal_dsql_deploy.checks.reach.calls import fargate, public_images, symptom_of
from temporal_dsql_deploy.checks.reach.needs import HTTPS
from temporal_dsql_deploy.checks.reach.network import Endpoint, Network, UnknownWay
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.parties import Party, name_of
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject

_KINDS = ("Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork")
_ENDPOINTS = "ECS developer guide, vpc-endpoints; PrivateLink guide, interface endpoints"


@FAMILY.rule(
    "api",
    holds=(
        "Every AWS API that a party calls is reached: by an interface endpoint that lets it in, "
        "by a gateway in its route tables, or by a NAT gateway with egress on 443."
    ),
    symptom="Calls of the API time out; the finding says what that looks like.",
    fix="Add the endpoint or the rule, which each finding gives as Terraform.",
    source="ECS developer guide, vpc-endpoints and ecs-exec; Amazon ECR user guide, vpc-endpoints",
    seeds=("S0-PR4", "S1-3.4*"),
    meaning=(
        "Not the nine endpoints of the property: what is called must be reached, by endpoint or by "
        "NAT. The list lacks ecs, ecs-agent, ecs-telemetry, dynamodb, monitoring, sts and DSQL's "
        "connection endpoint, and nothing calls its ec2messages."
    ),
)
def api(subject: Subject) -> Iterator[Said]:
    """The way of each party to each API that it calls."""
    found = survey(subject)
    yield from found.unnamed()
    yield from found.filters()
    yield from _without_instances(found)
    looked = 0
    for party, calls in found.calls.items():
        unsure: dict[str, list[str]] = {}
        for name, called in calls.items():
            if not called:
                continue
            looked += 1
            try:
                lack = ways.to_api(found, party, name)
            except UnknownWay as reason:
                unsure.setdefault(str(reason), []).append(name)
                continue
            if lack:
                text = f"{party.label} -> {name}: {lack.text}"
                symptom = symptom_of(party, name)
                yield Finding(lack.resource, lack.attribute, text, symptom, lack.fix)
        for why, names in unsure.items():
            yield Unjudged(party.wearer, f"{party.label} -> {', '.join(names)}: {why}")
    yield Seen(f"{looked} calls of {len(found.calls)} parties")


def _without_instances(found: Survey) -> Iterator[Unjudged]:
    """Tasks on EC2 whose instances are somebody else's: they pull, log and fetch secrets."""
    on_them = [task for task in found.subject.tasks if not fargate(task)]
    if on_them and not found.parties.present("instances"):
        yield Unjudged("", "the instances are not in the plan: they pull images and fetch secrets")


@FAMILY.rule(
    "images",
    holds=(
        "Who pulls images of a registry that is not ECR in this region has a NAT gateway and "
        "egress on 443: no endpoint leads to such a registry."
    ),
    symptom="Tasks stop with `CannotPullContainerError`: the registry times out.",
    fix="Mirror the images to ECR in this region, or give the subnets a way out.",
    source="Amazon ECR user guide, vpc-endpoints; ECS developer guide, vpc-endpoints",
)
def images(subject: Subject) -> Iterator[Said]:
    """The way of whoever pulls images to public registries."""
    found = survey(subject)
    yield from _without_instances(found)
    total: set[str] = set()
    for party in found.parties.known:
        pulled = public_images(subject, party)
        if pulled is None:
            yield Unjudged(party.wearer, "not all images are known")
            continue
        total |= pulled
        if not pulled:
            continue
        try:
            lack = ways.to_internet(found, party, HTTPS)
        except UnknownWay as reason:
            yield Unjudged(party.wearer, str(reason))
            continue
        if lack:
            said = ", ".join(sorted(pulled))
            text = f"{party.label} pulls {said}: {lack.text}"
            yield Finding(lack.resource, lack.attribute, text, fix=lack.fix)
    yield Seen(f"{len(total)} images of public registries or other regions")


@FAMILY.rule(
    "endpoint",
    holds=(
        "A VPC endpoint serves all who call its API: it is of the kind that the API has, private "
        "DNS is on, and it stands in every zone of its callers or in all their route tables."
    ),
    symptom=(
        "Without private DNS the API's name leads past the endpoint, to nowhere where there is no "
        "NAT; a zone without it depends on another. AWS refuses a gateway of other APIs than s3 "
        "and dynamodb: `InvalidServiceName`."
    ),
    fix="Set private_dns_enabled, and name a subnet of each zone or each route table.",
    source=_ENDPOINTS,
    seeds=("S0-PR4", "S1-3.4*"),
)
def endpoint(subject: Subject) -> Iterator[Said]:
    """Names, places and policies of VPC endpoints."""
    found = survey(subject)
    if not found.network.endpoints:
        raise CannotJudge("the plan has no VPC endpoint whose service is known")
    for one in found.network.endpoints:
        callers = _callers(found, one)
        if kind := _wrong_kind(one):
            yield Finding(one.resource.address, *kind)
        elif one.resource.address in found.network.opaque_endpoints:
            yield Unjudged(one.resource.address, "its kind or its VPC is known only after apply")
        elif callers:
            yield from _serves(found.network, one, callers)
    yield Seen(f"{len(found.network.endpoints)} endpoints")


def _wrong_kind(one: Endpoint) -> tuple[str, str] | None:
    """Attribute and text of what an endpoint cannot be."""
    if not one.api:
        return "service_name", "it names no service"
    if one.gateway and one.api not in ways.GATEWAYS:
        return "vpc_endpoint_type", f"{one.api} has no gateway endpoint: Interface is its type"
    kind = one.resource["vpc_endpoint_type"]
    if one.interface and one.tables:
        return "vpc_endpoint_type", "an interface endpoint takes no route tables: Gateway is meant"
    if isinstance(kind, str) and kind not in _KINDS:
        return "vpc_endpoint_type", f'"{kind}" is none of {", ".join(_KINDS)}'
    return None


def _callers(found: Survey, one: Endpoint) -> list[Party]:
    if name_of(one) == "database":
        return [party for party in found.dialling if _uses_database(found, party)]
    return [party for party, calls in found.calls.items() if one.api in calls]


def _uses_database(found: Survey, party: Party) -> bool:
    return any(flow[:2] == (party.name, "database") for flow in found.wants)


def _serves(network: Network, one: Endpoint, callers: list[Party]) -> Iterator[Said]:
    address = one.resource.address
    if one.gateway:
        yield from _tables(network, one, callers)
        return
    if one.private_names is False:
        text = f"private_dns_enabled is off: the name of {one.api} does not lead to the endpoint"
        yield Finding(address, "private_dns_enabled", text)
    elif one.private_names is None:
        yield Unjudged(address, "private_dns_enabled is not known")
    own = _zones(network, one.subnets or ())
    theirs = {zone for party in callers for zone in _zones(network, party.subnets)}
    if one.subnets is None:
        yield Unjudged(address, "its subnets are not known")
    elif missing := sorted(theirs - own):
        text = f"no subnet in {', '.join(missing)}, where {_some(callers)} run"
        yield Finding(address, "subnet_ids", text)


def _tables(network: Network, one: Endpoint, callers: list[Party]) -> Iterator[Said]:
    if one.tables is None:
        yield Unjudged(one.resource.address, "its route tables are not known")
        return
    theirs = {network.table_of(subnet) for party in callers for subnet in party.subnets}
    missing = sorted(table for table in theirs if table and table not in one.tables)
    if missing:
        text = f"not in the route tables {', '.join(missing)} of {_some(callers)}"
        symptom = "What is read and written goes by the NAT gateway, which charges for each GB."
        yield Finding(one.resource.address, "route_table_ids", text, symptom)


def _zones(network: Network, subnets: tuple[str, ...]) -> set[str]:
    found = (network.subnets[one]["availability_zone"] for one in subnets if one in network.subnets)
    return {zone for zone in found if isinstance(zone, str)}


def _some(parties: list[Party]) -> str:
    return ", ".join(sorted({party.label for party in parties})[:4])


@FAMILY.rule(
    "dns",
    holds=(
        "The VPC has DNS support and DNS hostnames, without which private names of endpoints and "
        "of private DNS zones do not resolve; and the private DNS namespace belongs to this VPC."
    ),
    symptom=(
        "Names of endpoints resolve to public addresses or not at all; `no such host` for the "
        "names of the private DNS namespace. AWS refuses private_dns_enabled at the apply."
    ),
    fix="Set enable_dns_support and enable_dns_hostnames of the VPC to true.",
    source="VPC user guide, DNS attributes for your VPC; Route 53 guide, private hosted zones",
)
def dns(subject: Subject) -> Iterator[Said]:
    """What names in the VPC need."""
    network = survey(subject).network
    names = subject.plan.of_type("aws_service_discovery_private_dns_namespace")
    private = [one for one in network.endpoints if one.interface and one.private_names]
    if not network.vpcs:
        raise CannotJudge("the VPC is not in the plan")
    if not names and not private:
        raise CannotJudge("the plan has no private DNS name")
    for vpc in network.vpcs.values():
        # What a VPC has where nothing is said.
        for attribute, default in (("enable_dns_support", True), ("enable_dns_hostnames", False)):
            value = vpc[attribute]
            on = value if isinstance(value, bool) else default if value is None else None
            if on is None:
                yield Unjudged(vpc.address, f"{attribute} is not known")
            elif not on:
                yield Finding(vpc.address, attribute, f"{attribute} is off")
    for name in names:
        theirs = name["vpc"]
        if isinstance(theirs, str) and theirs not in network.vpcs:
            text = f"it belongs to {theirs}, and the tasks run in another VPC"
            yield Finding(name.address, "vpc", text)
    yield Seen(f"{len(network.vpcs)} VPCs")
