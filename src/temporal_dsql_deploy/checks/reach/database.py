"""How roles get to Aurora DSQL: by its public endpoint, or by the connection endpoint."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.reach import hcl, ways
from temporal_dsql_deploy.checks.reach.network import UnknownWay
from temporal_dsql_deploy.checks.reach.own import FAMILY
from temporal_dsql_deploy.checks.reach.parties import Party
from temporal_dsql_deploy.checks.reach.survey import Survey, survey
from temporal_dsql_deploy.checks.subject import Subject

PORT = topology.load().externals["database"].ports["postgresql"]
TASKS = {
    "schema-setup": "The task ends with exit code 3, and there is no schema for the roles to start "
    "with.",
    "admin-task": "membership and recover say that the database cannot be reached.",
}
"""Tasks that are run once and work on its data, and what is seen when they do not get there."""
_HOST = re.compile(r"^[a-z0-9]+\.(dsql[a-z0-9-]*)\.([a-z0-9-]+)\.on\.aws")
_VARIABLES = ("CLUSTER_ENDPOINT", "TEMPORAL_SQL_HOST")


def public_endpoint(found: Survey) -> bool:
    """Whether roles may use the public endpoint of DSQL: nothing private is there in its place."""
    return not found.parties.present("database") and not any(
        label != "dsql" for label in _labels(found.subject)
    )


@FAMILY.rule(
    "database",
    holds=(
        "Every role, and each task that works on its data, gets to DSQL on 5432: by the public "
        "endpoint, with egress and a NAT gateway, or by the connection endpoint that PrivateLink "
        "has for the cluster."
    ),
    symptom=(
        "A role that starts exits 1: it gets no connection for its first query. A running one "
        "stays SERVING while it logs `no usable database connection found`."
    ),
    fix=(
        "Let the roles out on 5432, or make the connection endpoint, with the cluster's "
        "vpc_endpoint_service_name, and not that of the management API (`dsql`)."
    ),
    source="Aurora DSQL user guide, accessing and privatelink-managing-clusters",
)
def database(subject: Subject) -> Iterator[Said]:
    """The way of each role to DSQL."""
    found = survey(subject)
    roles = [party for party in found.parties.known if party.name in topology.load().roles]
    if not roles:
        raise CannotJudge("the plan has no task of a Temporal role whose groups are known")
    yield from _service_names(found)
    if found.parties.present("database"):
        yield Seen("by the endpoint in the plan")
        return
    if not subject.plan.of_type("aws_dsql_cluster") and not _labels(subject):
        raise CannotJudge("the plan does not say which database the roles use")
    if not public_endpoint(found):
        yield from _without_endpoint(found)
        return
    tasks = [party for party in found.parties.known if party.name in TASKS]
    for party in (*roles, *tasks):
        yield from _by_public_endpoint(found, party)
    yield Seen("by the public endpoint")


def _by_public_endpoint(found: Survey, party: Party) -> Iterator[Said]:
    try:
        lack = ways.to_internet(found, party, PORT)
    except UnknownWay as reason:
        yield Unjudged(party.wearer, str(reason))
        return
    if lack is None:
        return
    text = f"{party.label} -> DSQL's public endpoint:{PORT}: {lack.text}"
    for endpoint in found.network.endpoints:
        if endpoint.api == "dsql":
            text += f"; {endpoint.resource.address} is for the management API and serves no query"
    yield Finding(lack.resource, lack.attribute, text, _symptom(party), lack.fix)


def _symptom(party: Party) -> str:
    for row in topology.load().traffic:
        if (row.from_, row.to) == (party.name, "database"):
            return row.closed_symptom or ""
    return TASKS.get(party.name, "")


def _without_endpoint(found: Survey) -> Iterator[Said]:
    """The roles' host is that of PrivateLink, and no endpoint is in the plan."""
    for vpc in found.network.vpcs.values():
        clusters = found.subject.plan.of_type("aws_dsql_cluster")
        service = f"{clusters[0].address}.vpc_endpoint_service_name" if clusters else ""
        region = found.network.region or "REGION"
        label = next(label for label in sorted(_labels(found.subject)) if label != "dsql")
        role = next(p for p in found.parties.known if p.name in topology.load().roles)
        subnets = found.network.expressions(role.subnets)
        fix = hcl.interface_endpoint(
            found.walls,
            service or f"com.amazonaws.{region}.{label}",
            "dsql",
            hcl.Place(f"{vpc.address}.id", subnets),
            role,
        )
        text = f"the host of the roles has the label {label}, and the plan has no such endpoint"
        yield Finding(vpc.address, "", text, fix=fix)
        return
    yield Unjudged("", "the roles use PrivateLink, and its endpoint is not in the plan")


def _service_names(found: Survey) -> Iterator[Said]:
    names = {
        one["vpc_endpoint_service_name"] for one in found.subject.plan.of_type("aws_dsql_cluster")
    }
    known = {name for name in names if isinstance(name, str)}
    for endpoint in found.network.endpoints:
        service = endpoint.resource["service_name"]
        if endpoint.api.startswith("dsql-") and known and service not in known:
            text = f"{service}, and the cluster's is {', '.join(sorted(known))}"
            yield Finding(endpoint.resource.address, "service_name", text)


def _labels(subject: Subject) -> set[str]:
    """`dsql` or `dsql-1a2b3c`: what the host of the roles says of the way to DSQL."""
    found: set[str] = set()
    for task in subject.roles.values():
        for variable in _VARIABLES:
            host = task.main.environment.get(variable, "") if task.main else ""
            if match := _HOST.match(host):
                found.add(match[1])
    return found
