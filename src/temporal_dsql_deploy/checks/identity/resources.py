"""Policies of resources, and the rule that they let in nobody whom they do not name."""

from collections.abc import Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.checks.identity.documents import (
    CannotRead,
    Statement,
    matches,
    parse,
    whole_service,
)
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Resource

_PLACES = {
    "aws_opensearch_domain_policy": "access_policies",
    "aws_opensearch_domain": "access_policies",
    "aws_kms_key": "policy",
    "aws_kms_key_policy": "policy",
    "aws_cloudwatch_log_resource_policy": "policy_document",
    "aws_s3_bucket_policy": "policy",
    "aws_s3_bucket": "policy",
    "aws_ecr_repository_policy": "policy",
    "aws_secretsmanager_secret_policy": "policy",
    "aws_dynamodb_resource_policy": "policy",
}
_WHO = ("aws:principal", "aws:source", "aws:userid", "kms:calleraccount", "kms:viaservice")
"""How condition keys begin that say who asks."""


@dataclass(frozen=True, slots=True)
class Attached:
    """The policy of a resource."""

    resource: Resource
    attribute: str
    statements: tuple[Statement, ...]


def attached(subject: Subject, kind: str) -> Iterator[Attached | Unjudged]:
    """The policies of all resources of a type; nothing for those that have none."""
    attribute = _PLACES[kind]
    for one in subject.plan.of_type(kind):
        value = one[attribute]
        # An optional and computed attribute is unknown where nobody sets it: another resource may.
        # In a state, a bucket without a policy has an empty one.
        if value in (None, "") or (not isinstance(value, str) and not kind.endswith("_policy")):
            continue
        try:
            yield Attached(one, attribute, parse(value))
        except CannotRead as reason:
            yield Unjudged(one.address, str(reason))


def lets_in(one: Statement, *names: str | None) -> bool:
    """Whether a statement speaks of one of these principals; role, account or service."""
    said = [*one.principals.get("AWS", ()), *one.principals.get("Service", ())]
    return any(name is not None and matches(pattern, name) for pattern in said for name in names)


@FAMILY.rule(
    "open-policy",
    holds="No policy of a resource lets everybody in, or lets anybody do everything.",
    symptom="Whoever reaches the resource may read or change it, from any account.",
    fix="Name the principals and the actions, or bind the statement by a condition about who asks.",
    source="IAM user guide, reference_policies_elements_principal: `*` in a resource-based policy "
    "is everybody, anonymous "
    "users too; for services: IAM user guide, confused-deputy",
    seeds=("S0-PR7",),
)
def open_policy(subject: Subject) -> Iterator[Said]:
    """Policies of resources that let in too many."""
    count = 0
    for kind in _PLACES:
        for policy in attached(subject, kind):
            if isinstance(policy, Unjudged):
                yield policy
                continue
            count += 1
            for one in policy.statements:
                for text in _open(subject, one, kind):
                    yield Finding(
                        policy.resource.address,
                        policy.attribute,
                        f"statement {one.name} {text}",
                    )
    if not count:
        raise CannotJudge("the plan has no policy of a resource that can be read")
    yield Seen(f"{count} policies of resources")


def _open(subject: Subject, one: Statement, kind: str) -> Iterator[str]:
    if not one.allows:
        return
    keys = {key.lower() for keys in one.conditions.values() for key in keys}
    if one.not_principals:
        yield "lets in everybody but those whom it names"
    names = [name for who in one.principals.values() for name in who]
    if "*" in names and not any(key.startswith(_WHO) for key in keys):
        yield "lets everybody in"
    if one.not_actions:
        yield f"allows everything but {', '.join(one.not_actions)}"
    for action in filter(whole_service, one.actions):
        # With it the key leaves the decision to IAM (KMS developer guide, key-policy-default).
        if not (kind.startswith("aws_kms") and all(_is_account(subject, name) for name in names)):
            yield f"lets {', '.join(names)} do {action}"
    other = [a for a in one.actions if not a.lower().startswith("es:eshttp")]
    if kind.startswith("aws_opensearch") and other and not any(map(whole_service, other)):
        yield (
            f"lets {', '.join(names)} do {', '.join(other)}, which is none of the requests to "
            "the index"
        )
    services = one.principals.get("Service", ())
    if services and not keys:
        yield (
            f"lets {', '.join(services)} in whoever asks it: no condition binds it to this account"
        )
    if services and kind == "aws_cloudwatch_log_resource_policy" and "*" in one.resources:
        yield f"lets {', '.join(services)} write to every log group"


def _is_account(subject: Subject, name: str) -> bool:
    return (name.endswith(":root") and (subject.account or "") in name) or name == subject.account
