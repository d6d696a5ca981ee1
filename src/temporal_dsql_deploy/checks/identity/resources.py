"""Rules about policies of resources: the domain, keys, log groups."""

from collections.abc import Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.checks.identity.documents import (
    Answer,
    CannotRead,
    Statement,
    decide,
    matches,
    parse,
)
from temporal_dsql_deploy.checks.identity.excess import whole_service
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.missing import context
from temporal_dsql_deploy.checks.identity.needs import role_of, uses, wearers
from temporal_dsql_deploy.checks.identity.once import once
from temporal_dsql_deploy.checks.identity.roles import Role
from temporal_dsql_deploy.checks.identity.scopes import Wearer, key_arn, known
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Resource

_LOGS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptTo")
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


def _attached(subject: Subject, kind: str) -> Iterator[Attached | Unjudged]:
    """The policies of all resources of a type; nothing for those that have none."""
    attribute = _PLACES[kind]
    for one in subject.plan.of_type(kind):
        value = one[attribute]
        # An optional and computed attribute is unknown where nobody sets it: another resource may.
        if value is None or (not isinstance(value, str) and not kind.endswith("_policy")):
            continue
        try:
            yield Attached(one, attribute, parse(value))
        except CannotRead as reason:
            yield Unjudged(one.address, str(reason))


def lets_in(one: Statement, *names: str | None) -> bool:
    """Whether a statement speaks of one of these principals; role, account or service."""
    said = [*one.principals.get("AWS", ()), *one.principals.get("Service", ())]
    return any(name is not None and matches(pattern, name) for pattern in said for name in names)


def _domain_policies(subject: Subject, domain: Resource) -> list[Attached | Unjudged]:
    names = {known(domain, "domain_name"), known(domain, "id")} - {None}

    def mine(one: Attached | Unjudged) -> bool:
        if isinstance(one, Unjudged) or one.resource is domain:
            return True
        return known(one.resource, "domain_name") in names

    kinds = ("aws_opensearch_domain_policy", "aws_opensearch_domain")
    return [one for kind in kinds for one in _attached(subject, kind) if mine(one)]


def domain_lets_in(subject: Subject, role: Role, action: str, probe: str) -> bool:
    """Whether the policy of a domain lets a role in."""
    for domain in subject.plan.of_type("aws_opensearch_domain"):
        if f"{known(domain, 'arn')}/*" != probe:
            continue
        for policy in _domain_policies(subject, domain):
            if isinstance(policy, Unjudged):
                return False
            mine = [s for s in policy.statements if lets_in(s, known(role.resource, "arn"))]
            if decide(mine, action, probe, {}) is Answer.YES:
                return True
    return False


@FAMILY.rule(
    "domain-policy",
    holds="A domain's policy and the roles of those who use it say the same of what they may do.",
    symptom="Within one account either policy opens the domain, so nothing fails yet: where one of "
    "the two goes, or the domain is another account's, OpenSearch answers 403.",
    fix="Name the same roles and actions in both.",
    source="OpenSearch Service developer guide, ac: identity-based and resource-based policies",
    seeds=("S0-PR7",),
)
def domain_policy(subject: Subject) -> Iterator[Said]:
    """Whether policies of domains and of roles go together."""
    domains = subject.plan.of_type("aws_opensearch_domain")
    if not domains:
        raise CannotJudge("the plan has no OpenSearch domain")
    count = 0
    for domain in domains:
        for policy in _domain_policies(subject, domain):
            if isinstance(policy, Unjudged):
                yield policy
                continue
            count += 1
            for wearer, role, actions in _askers(subject, f"{known(domain, 'arn')}/*"):
                yield from _disagree(subject, domain, policy, (wearer, role, actions))
    yield Seen(f"{count} policies of {len(domains)} domains")


def _askers(subject: Subject, probe: str) -> Iterator[tuple[Wearer, Role, tuple[str, ...]]]:
    """Who asks a domain for what; each role once with the same actions."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for wearer in wearers(subject):
        role = role_of(subject, wearer)
        for use in uses(subject, wearer) if role else ():
            if role is None or probe not in (use.scope.arns or ()):
                continue
            if (role.address, use.need.needed) not in seen:
                seen.add((role.address, use.need.needed))
                yield wearer, role, use.need.needed


def _disagree(
    subject: Subject,
    domain: Resource,
    policy: Attached,
    asker: tuple[Wearer, Role, tuple[str, ...]],
) -> Iterator[Said]:
    wearer, role, actions = asker
    arn, probe = known(role.resource, "arn"), f"{known(domain, 'arn')}/*"
    if arn is None:
        yield Unjudged(role.address, "its ARN is known only after the apply")
        return
    told = context(subject, wearer, role)
    mine = [one for one in policy.statements if lets_in(one, arn)]
    refused = {Answer.NO, Answer.DENIED}
    shut = [one for one in actions if decide(mine, one, probe, told) in refused]
    lacking = [one for one in actions if role.may(one, probe, told) in refused]
    if shut:
        text = f"the domain's policy does not let {role.name} do {', '.join(shut)}"
        text = f"{text}, which {wearer.label} does"
        yield Finding(policy.resource.address, policy.attribute, text)
    if lacking and len(lacking) < len(actions):
        text = f"{role.name} allows a part of what {wearer.label} asks the domain for, and not"
        yield Finding(*role.place, f"{text} {', '.join(lacking)}")


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
        for policy in _attached(subject, kind):
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


@FAMILY.rule(
    "key-policy",
    holds="A key's policy lets IAM of the account decide about it, and CloudWatch Logs use it "
    "where log groups do.",
    symptom="Every call that needs the key fails: KMS asks the key's policy first.",
    fix="Allow kms:* to the account's root, and the five actions to CloudWatch Logs.",
    source="AWS KMS developer guide, key-policy-default; Amazon CloudWatch Logs user guide, "
    "encrypt-log-data-kms",
    seeds=("S0-PR7",),
)
def key_policy(subject: Subject) -> Iterator[Said]:
    """Whom the policies of keys let in."""
    policies = [
        one for kind in ("aws_kms_key", "aws_kms_key_policy") for one in _attached(subject, kind)
    ]
    if not policies:
        raise CannotJudge(
            "the plan has no key with a policy of its own; the default lets IAM decide"
        )
    for policy in policies:
        if isinstance(policy, Unjudged):
            yield policy
        elif subject.account is None:
            yield Unjudged(policy.resource.address, "of which account the plan is, nothing says")
        else:
            yield from _locked(subject, policy)
    yield Seen(f"{len(policies)} key policies")


def _locked(subject: Subject, policy: Attached) -> Iterator[Finding]:
    arn = key_arn(subject, policy.resource["key_id"]) or known(policy.resource, "arn") or "*"
    root = f"arn:aws:iam::{subject.account}:root"
    where = (policy.resource.address, policy.attribute)
    account = [one for one in policy.statements if lets_in(one, root, subject.account)]
    if decide(account, "kms:PutKeyPolicy", arn, {}) is not Answer.YES:
        yield Finding(*where, f"it does not let IAM of account {subject.account} decide: kms:*")
    elif decide(account, "kms:Decrypt", arn, {}) is not Answer.YES:
        yield Finding(*where, f"kms:Decrypt is not allowed to account {subject.account}")
    groups = subject.plan.of_type("aws_cloudwatch_log_group")
    mine = [one for one in groups if key_arn(subject, one["kms_key_id"]) == arn]
    if mine and subject.region:
        yield from _logs(subject, policy, arn, mine)


def _logs(
    subject: Subject, policy: Attached, arn: str, groups: list[Resource]
) -> Iterator[Finding]:
    names = (f"logs.{subject.region}.amazonaws.com", "logs.amazonaws.com")
    statements = [one for one in policy.statements if lets_in(one, *names)]
    for action in _LOGS:
        shut = []
        for group in groups:
            told = {"kms:encryptioncontext:aws:logs:arn": str(known(group, "arn"))}
            if decide(statements, action, arn, told) in {Answer.NO, Answer.DENIED}:
                shut.append(group.address)
        if shut:
            yield Finding(
                policy.resource.address,
                policy.attribute,
                f"CloudWatch Logs may not {action}, and {len(shut)} log groups use the key: "
                f"{shut[0]}",
                "The apply fails: `The specified KMS key does not exist or is not allowed to be "
                "used`.",
            )


@FAMILY.rule(
    "log-policy",
    holds="OpenSearch may write to the log groups to which its domain publishes logs.",
    symptom="The apply fails: `The Resource Access Policy specified for the CloudWatch Logs log "
    "group does not grant "
    "sufficient permissions for Amazon OpenSearch Service to create a log stream`.",
    fix="Let es.amazonaws.com do logs:CreateLogStream and logs:PutLogEvents in an "
    "aws_cloudwatch_log_resource_policy.",
    source="OpenSearch Service developer guide, createdomain-configure-slow-logs",
    seeds=("S0-PR7",),
)
def log_policy(subject: Subject) -> Iterator[Said]:
    """Whether domains may publish their logs."""
    groups = [
        (domain, path)
        for domain in subject.plan.of_type("aws_opensearch_domain")
        for path in _published(domain)
    ]
    if not groups:
        raise CannotJudge("the plan has no OpenSearch domain that publishes logs")
    statements: list[Statement] = []
    unread: list[Unjudged] = []
    holder = ""
    for policy in _attached(subject, "aws_cloudwatch_log_resource_policy"):
        if isinstance(policy, Unjudged):
            unread.append(policy)
            continue
        mine = [one for one in policy.statements if lets_in(one, "es.amazonaws.com")]
        holder = policy.resource.address if mine or not holder else holder
        statements += mine
    yield from unread
    for domain, group in groups:
        told = {"aws:sourceaccount": subject.account, "aws:sourcearn": known(domain, "arn")}
        known_here = {key: value for key, value in told.items() if value is not None}
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            answer = decide(statements, action, f"{group}:log-stream:domain", known_here)
            if answer in {Answer.NO, Answer.DENIED} and not unread:
                text = f"es.amazonaws.com may not {action} on {group}"
                yield Finding(holder or domain.address, "policy_document" if holder else "", text)
    yield Seen(f"{len(groups)} log groups of domains")


def _published(domain: Resource) -> Iterator[str]:
    options = domain["log_publishing_options"]
    for one in options if isinstance(options, list) else []:
        group = one.get("cloudwatch_log_group_arn") if isinstance(one, dict) else None
        if isinstance(group, str) and one.get("enabled") is not False:
            yield group.removesuffix(":*")


def bucket_policies(subject: Subject) -> tuple[Attached | Unjudged, ...]:
    """Policies of all buckets."""
    return once(subject, "buckets", lambda: tuple(_attached(subject, "aws_s3_bucket_policy")))


@FAMILY.rule(
    "bucket-policy",
    holds="The policy of a bucket denies nothing that the component does which keeps its data "
    "there.",
    symptom="S3 answers `AccessDenied`, whatever the role allows: logs are neither written nor "
    "read.",
    fix="Bind the Deny by a condition, such as aws:SecureTransport false.",
    source="IAM user guide, reference_policies_evaluation-logic: an explicit Deny wins",
    seeds=("S0-PR7",),
)
def bucket_policy(subject: Subject) -> Iterator[Said]:
    """Whether policies of buckets shut out those who use them."""
    policies = bucket_policies(subject)
    if not policies:
        raise CannotJudge("the plan has no policy of a bucket")
    for policy in policies:
        if isinstance(policy, Unjudged):
            yield policy
            continue
        for wearer in wearers(subject):
            role = role_of(subject, wearer)
            arn = known(role.resource, "arn") if role else None
            told = context(subject, wearer, role)
            denied = {
                action
                for use in uses(subject, wearer)
                if use.need.on.startswith("log-")
                for action in use.need.needed
                for probe in use.scope.arns or ()
                if decide(_denies(policy, arn), action, probe, told) is Answer.DENIED
            }
            if denied:
                text = f"it denies {', '.join(sorted(denied))} to {wearer.label}"
                yield Finding(policy.resource.address, policy.attribute, text)
    yield Seen(f"{len(policies)} bucket policies")


def _denies(policy: Attached, arn: str | None) -> list[Statement]:
    return [one for one in policy.statements if not one.allows and lets_in(one, arn, "*")]
