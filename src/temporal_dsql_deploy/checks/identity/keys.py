"""Rules about the policies of keys and buckets."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.identity.documents import Answer, Statement, decide
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import context, role_of, uses, wearers
from temporal_dsql_deploy.checks.identity.resources import Attached, attached, lets_in
from temporal_dsql_deploy.checks.identity.scopes import key_arn, known
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject, once
from temporal_dsql_deploy.plan import Resource

_LOGS = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptTo")


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
        one for kind in ("aws_kms_key", "aws_kms_key_policy") for one in attached(subject, kind)
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


@once
def bucket_policies(subject: Subject) -> tuple[Attached | Unjudged, ...]:
    """Policies of all buckets."""
    return tuple(attached(subject, "aws_s3_bucket_policy"))


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
