"""The way of a party to an AWS API or to the internet, and what lacks where there is none."""

from collections.abc import Iterable
from dataclasses import dataclass

from temporal_dsql_deploy.checks.reach import hcl
from temporal_dsql_deploy.checks.reach.needs import HTTPS
from temporal_dsql_deploy.checks.reach.network import EVERYWHERE, Endpoint, Gap, UnknownWay
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.paths import foreign, passage
from temporal_dsql_deploy.checks.reach.survey import Survey

GATEWAYS = ("s3", "dynamodb")
"""APIs that have gateway endpoints."""


@dataclass(frozen=True, slots=True)
class Lack:
    """What a way lacks."""

    resource: str
    attribute: str
    text: str
    fix: str


def to_api(survey: Survey, party: Party, api: str) -> Lack | None:
    """What lacks on a party's way to an API; None where it gets there. Raises UnknownWay."""
    lack = _to_api(survey, party, api)
    if lack is not None and survey.network.opaque_endpoints:
        raise UnknownWay(f"not known: what {survey.network.opaque_endpoints[0]} leads to")
    return lack


def _to_api(survey: Survey, party: Party, api: str) -> Lack | None:
    endpoint = endpoint_of(survey, party, api)
    if endpoint is not None:
        return _to_endpoint(survey, party, endpoint)
    if api not in GATEWAYS:
        return to_internet(survey, party, HTTPS, api)
    gateways = [each for each in survey.network.endpoints if each.api == api and each.gateway]
    outside: list[str] = []
    for subnet in _subnets(survey, party):
        table = survey.network.table_of(subnet)
        if any(each.tables is None for each in gateways):
            raise UnknownWay(f"the route tables of the endpoint of {api} are not known")
        through = [each for each in gateways if table in (each.tables or ())]
        if not through:
            outside.append(subnet)
        elif lack := _to_gateway(survey, party, through):
            return lack
    return to_internet(survey, party, HTTPS, api, outside) if outside else None


def to_internet(
    survey: Survey, party: Party, port: int, api: str = "", subnets: Iterable[str] | None = None
) -> Lack | None:
    """What lacks on a party's way to the internet on a port. Raises UnknownWay.

    `api`: what it calls there, for the words; `subnets`: only from these.
    """
    for subnet in _subnets(survey, party) if subnets is None else subnets:
        gap = survey.network.gap(subnet, public=party.public)
        if gap is not None:
            return _lack_of_gap(survey, party, subnet, gap, api)
    if _goes_out(survey, party, port, ()):
        return None
    _sure(survey, party)
    walls = survey.walls
    peer = f'cidr_ipv4 = "{EVERYWHERE}"'
    text = f"no egress rule of {party.label} lets it out to {EVERYWHERE} on {port}"
    if api:
        text += f", and no endpoint of {api} is there for it"
    return Lack(
        hcl.group_of(walls, party) or party.wearer,
        "",
        text,
        hcl.egress_to(walls, party, "internet", peer, port),
    )


def endpoint_of(survey: Survey, party: Party, api: str) -> Endpoint | None:
    """The interface endpoint to which the API's name leads for a party. Raises UnknownWay."""
    vpc = survey.network.vpc_of(party.subnets)
    for endpoint in survey.network.endpoints:
        theirs = endpoint.resource["vpc_id"]
        if endpoint.api != api or not endpoint.interface:
            continue
        if isinstance(theirs, str) and vpc is not None and theirs != vpc:
            continue
        if endpoint.private_names is None:
            raise UnknownWay(f"{endpoint.resource.address}: private_dns_enabled is not known")
        if endpoint.private_names:
            return endpoint
    return None


def _to_endpoint(survey: Survey, party: Party, endpoint: Endpoint) -> Lack | None:
    address = endpoint.resource.address
    target = next((one for one in survey.parties.known if one.wearer == address), None)
    if target is None:
        raise UnknownWay(f"the security groups of {address} are not known")
    found = passage(survey.walls, party, target, HTTPS)
    if found.open:
        return None
    if found.doubt:
        raise UnknownWay(f"not all rules between {party.label} and {address} are known")
    halves = [
        *([] if found.out else [f"{party.label} is not let out to it"]),
        *([] if found.into else [f"it does not let {party.label} in"]),
    ]
    lacking = target if found.out else party
    return Lack(
        hcl.group_of(survey.walls, lacking) or lacking.wearer,
        "" if hcl.group_of(survey.walls, lacking) else lacking.attribute,
        f"the name of {endpoint.api} leads to {address}, and on {HTTPS} {' and '.join(halves)}",
        hcl.missing_rules(survey.walls, party, target, HTTPS, found),
    )


def _to_gateway(survey: Survey, party: Party, through: list[Endpoint]) -> Lack | None:
    lists = {each.resource["prefix_list_id"] for each in through}
    known = tuple(one for one in lists if isinstance(one, str))
    if _goes_out(survey, party, HTTPS, known):
        return None
    _sure(survey, party)
    endpoint = through[0]
    address = endpoint.resource.address
    if len(known) != len(lists):
        raise UnknownWay(f"the prefix list of {address} is known only after apply")
    peer = f"prefix_list_id = {address}.prefix_list_id"
    return Lack(
        hcl.group_of(survey.walls, party) or party.wearer,
        "",
        f"the route to {endpoint.api} leads to {address}, and no egress rule of {party.label} "
        f"names its prefix list on {HTTPS}",
        hcl.egress_to(survey.walls, party, endpoint.api, peer, HTTPS),
    )


def _lack_of_gap(survey: Survey, party: Party, subnet: str, gap: Gap, api: str) -> Lack:
    network = survey.network
    vpc = network.vpc_of([subnet])
    of_vpc = f"{network.vpcs[vpc].address}.id" if vpc in network.vpcs else f'"{vpc}"'
    subnets = network.expressions(party.subnets)
    region = network.region or "REGION"
    what = f"{api} has no endpoint for {party.label}, and " if api else ""
    text = f"{what}{party.label} in {network.subnets[subnet].address} has no way out: {gap.text}"
    if api in GATEWAYS:
        table = network.table_of(subnet) or ""
        fix = hcl.gateway_endpoint(f"com.amazonaws.{region}.{api}", api, of_vpc, f'"{table}"')
    elif api:
        service = f"com.amazonaws.{region}.{api}"
        fix = hcl.interface_endpoint(survey.walls, service, api, hcl.Place(of_vpc, subnets), party)
    else:
        fix = (
            "Lead the route table of the subnet to a NAT gateway (aws_route with nat_gateway_id "
            f'and destination_cidr_block = "{EVERYWHERE}"), which stands in a subnet with a route '
            "to an internet gateway."
        )
    return Lack(gap.resource, gap.attribute, text, fix)


def _subnets(survey: Survey, party: Party) -> tuple[str, ...]:
    if not party.subnets:
        raise UnknownWay(f"the subnets of {party.label} are not known")
    if not survey.network.knows(party.subnets):
        raise UnknownWay(f"the subnets of {party.label} are not in the plan")
    return party.subnets


def _goes_out(survey: Survey, party: Party, port: int, lists: tuple[str, ...]) -> bool:
    return any(
        rule.opens(port)
        and (rule.anywhere() or (rule.kind == "prefix_list" and rule.peer in lists))
        for rule in survey.all_walls.of(party.groups, "egress")
    )


def _sure(survey: Survey, party: Party) -> None:
    """Raises UnknownWay where rules may be there that the plan does not tell."""
    if survey.walls.unknown:
        raise UnknownWay(f"not known: {survey.walls.unknown[0]}")
    if groups := foreign(survey.walls, party):
        raise UnknownWay(f"{party.label} wears {groups[0]}, whose rules are not in the plan")
