"""Rules about the policies of VPC endpoints."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.identity.documents import (
    Answer,
    CannotRead,
    Statement,
    decide,
    parse,
    whole_service,
)
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import context, role_of, uses, wearers
from temporal_dsql_deploy.checks.identity.scopes import shown
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Resource

_PREFIXES = {
    "aps-workspaces": "aps",
    "ecr.api": "ecr",
    "ecr.dkr": "ecr",
    "monitoring": "cloudwatch",
    "es": "es",
}
"""Prefix of the actions of a service, where it is not the service's own name."""
_LAYERS = "arn:aws:s3:::prod-{region}-starport-layer-bucket/layer"


@FAMILY.rule(
    "endpoint-policy",
    holds="The policy of an endpoint lets through what components ask by it, and no statement "
    "undoes what another binds.",
    symptom="The API answers AccessDenied `because no VPC endpoint policy allows` the action; "
    "images stop at `403`.",
    fix="Add the action or the resource to the endpoint's policy.",
    source="AWS PrivateLink guide, vpc-endpoints-access; Amazon ECR user guide, vpc-endpoints: the "
    "minimum for the S3 "
    "gateway is s3:GetObject on the layer bucket",
    seeds=("S0-PR7", "S0-PR4"),
)
def endpoint_policy(subject: Subject) -> Iterator[Said]:
    """What the policies of endpoints let through."""
    count = 0
    for endpoint in subject.plan.of_type("aws_vpc_endpoint"):
        # Where nobody sets a policy AWS's own lets everything through; then it is computed.
        if not isinstance(endpoint["policy"], str):
            continue
        count += 1
        try:
            statements = parse(endpoint["policy"])
        except CannotRead as reason:
            yield Unjudged(endpoint.address, str(reason))
            continue
        yield from _closed(subject, endpoint, statements)
        yield from _undone(endpoint, statements)
    if not count:
        raise CannotJudge("the plan has no endpoint with a policy of its own")
    yield Seen(f"{count} endpoint policies")


def _prefix(endpoint: Resource) -> str:
    name = endpoint["service_name"]
    service = ".".join(name.split(".")[3:]) if isinstance(name, str) else ""
    return _PREFIXES.get(service, service)


def _closed(
    subject: Subject, endpoint: Resource, statements: tuple[Statement, ...]
) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    prefix = _prefix(endpoint)
    for wearer in wearers(subject):
        here = context(subject, wearer, role_of(subject, wearer))
        for use in uses(subject, wearer):
            for action in use.need.needed:
                if action.partition(":")[0] != prefix:
                    continue
                for probe in _here(subject, use.scope.arns):
                    if (action, probe) in told:
                        continue
                    told.add((action, probe))
                    if decide(statements, action, probe, _whose(here, probe)) in {
                        Answer.NO,
                        Answer.DENIED,
                    }:
                        text = (
                            f"it lets no {action} on {shown(probe)} through, which "
                            f"{wearer.label} needs"
                        )
                        yield Finding(endpoint.address, "policy", text, use.need.symptom)
    if prefix == "s3" and _pulls_here(subject):
        layer = _LAYERS.format(region=subject.region)
        # Layers are fetched by signed addresses of ECR: nobody of this account asks.
        if decide(statements, "s3:GetObject", layer, {"aws:securetransport": "true"}) in {
            Answer.NO,
            Answer.DENIED,
            Answer.MAYBE,
        }:
            yield Finding(
                endpoint.address,
                "policy",
                f"it lets no s3:GetObject on {layer.removesuffix('layer')}* through: layers of "
                "images",
                "Tasks stop with `CannotPullContainerError`: 403 from S3.",
            )


def _here(subject: Subject, arns: tuple[str, ...] | None) -> Iterator[str]:
    """Resources of this region: requests for those of another do not take its endpoints."""
    for arn in arns or ():
        if arn == "*" or arn.split(":")[3] in {"", subject.region}:
            yield arn


def _whose(here: dict[str, str] | object, probe: str) -> dict[str, str]:
    """What is known of a request, with the account of the resource where its ARN has one."""
    told = dict(here) if isinstance(here, dict) else {}
    account = probe.split(":")[4] if probe.startswith("arn:") else ""
    return {**told, "aws:resourceaccount": account} if account else told


def _pulls_here(subject: Subject) -> bool:
    return any(
        f":{subject.region}:" in arn
        for wearer in wearers(subject)
        for use in uses(subject, wearer)
        if use.need.on == "repositories"
        for arn in use.scope.arns or ()
    )


def _undone(endpoint: Resource, statements: tuple[Statement, ...]) -> Iterator[Finding]:
    """Statements about every resource that bind less than another one beside them."""
    allows = [one for one in statements if one.allows]
    bound = {key for one in allows if "*" in one.resources for key in _keys(one)}
    if not bound:
        return
    for one in allows:
        free = sorted(bound - _keys(one))
        if "*" in one.resources and free:
            text = (
                f"statement {one.name} speaks of every resource and leaves {', '.join(free)} free"
            )
        elif not _keys(one) and any(map(whole_service, one.actions)):
            text = f"statement {one.name} lets everybody do everything: {', '.join(one.actions)}"
        else:
            continue
        symptom = "Data can be carried out of the VPC through this endpoint, to anybody's account."
        fix = "Name the resources and actions of that statement."
        yield Finding(endpoint.address, "policy", text, symptom, fix)


def _keys(one: Statement) -> set[str]:
    return {key for keys in one.conditions.values() for key in keys}
