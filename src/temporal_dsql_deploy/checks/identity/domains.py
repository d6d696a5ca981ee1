"""Rules about OpenSearch domains: who is let in, and where they log."""

from collections.abc import Iterator

from temporal_dsql_deploy.checks.identity.documents import Answer, Statement, decide
from temporal_dsql_deploy.checks.identity.family import FAMILY
from temporal_dsql_deploy.checks.identity.needs import context, role_of, uses, wearers
from temporal_dsql_deploy.checks.identity.resources import Attached, attached, lets_in
from temporal_dsql_deploy.checks.identity.roles import Role
from temporal_dsql_deploy.checks.identity.scopes import Wearer, known
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Resource


def _domain_policies(subject: Subject, domain: Resource) -> list[Attached | Unjudged]:
    names = {known(domain, "domain_name"), known(domain, "id")} - {None}

    def mine(one: Attached | Unjudged) -> bool:
        if isinstance(one, Unjudged) or one.resource is domain:
            return True
        return known(one.resource, "domain_name") in names

    kinds = ("aws_opensearch_domain_policy", "aws_opensearch_domain")
    return [one for kind in kinds for one in attached(subject, kind) if mine(one)]


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
    for policy in attached(subject, "aws_cloudwatch_log_resource_policy"):
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
