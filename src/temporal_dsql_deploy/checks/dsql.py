"""The database: one for all roles, in the region of the cluster, protected in production."""

import re
from collections import Counter
from collections.abc import Iterator

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import LATER, Inside, hidden, known, main, on
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

FAMILY = Family("dsql", "One database for all roles, protected in production")
_HOST = re.compile(r"([a-z0-9]+)[.](dsql(?:-[a-z0-9]+)?)[.]([a-z0-9-]+)[.]on[.]aws")
_PRODUCTION = re.compile(r"(^|[^a-z])(prod|production|live)([^a-z]|$)")


@FAMILY.rule(
    "protection",
    holds="In production nothing that keeps data can be deleted by an apply.",
    symptom="A wrong variable, or `terraform destroy` in the wrong folder, takes every workflow "
    "with it; an Aurora DSQL cluster that was deleted cannot be brought back without AWS Backup.",
    fix="Set deletion_protection_enabled = true.",
    source="Aurora DSQL API, UpdateCluster; DynamoDB API, UpdateTable",
    seeds=("S0-D1",),
)
def protection(subject: Subject) -> Iterator[Said]:
    """Deletion protection of database and tables."""
    kept = subject.plan.of_type("aws_dsql_cluster", "aws_dynamodb_table")
    if not kept:
        raise CannotJudge("the plan makes neither database nor table")
    states = {one.address: on(one["deletion_protection_enabled"]) for one in kept}
    if not _production(subject) and not any(states.values()):
        yield Seen("not production")
        return
    for address, state in states.items():
        if state is None:
            yield Unjudged(address, f"deletion_protection_enabled {LATER}")
        elif not state:
            said = "it is off, while others of the plan are protected or it is production"
            yield Finding(address, "deletion_protection_enabled", said)


@FAMILY.rule(
    "one",
    holds="All roles use one database.",
    symptom="Roles on another database form a cluster of their own: they do not find the others, "
    "and workflows that one knows the other does not.",
    fix="Give all roles the same endpoint.",
    source="temporalio/temporal common/persistence: cluster_membership is a table",
    seeds=("S0-D1",),
)
def one(subject: Subject) -> Iterator[Said]:
    """Databases of roles."""
    yield from hidden(subject.roles.values())
    given = list(_hosts(subject))
    if not given:
        raise CannotJudge("no role names an Aurora DSQL endpoint")
    usual = Counter(host for _, _, host in given).most_common(1)[0][0]
    for role, variable, host in given:
        if host != usual:
            yield role.wrong(f"environment.{variable}", f"{host}; most are at {usual}")
    yield Seen(usual)


@FAMILY.rule(
    "endpoint",
    holds="The endpoint is that of the plan's database, in its region.",
    symptom="No role starts: `access denied`, since the token is signed for another host than the "
    "one that is asked, or `lookup ...: no such host`.",
    fix="Take <identifier>.dsql.<region>.on.aws, or the name that the connection endpoint has.",
    source="measured with the Temporal-DSQL server cf90c57; Aurora DSQL user guide, privatelink",
    seeds=("S0-D1",),
)
def endpoint(subject: Subject) -> Iterator[Said]:
    """The database that roles name, against the one of the plan."""
    yield from hidden(subject.roles.values())
    given = list(_hosts(subject))
    if not given:
        raise CannotJudge("no role names an Aurora DSQL endpoint")
    clusters = known(subject.plan.of_type("aws_dsql_cluster"), "identifier")
    ways = _ways(subject)
    for role, variable, host in given:
        found = _HOST.fullmatch(host)
        if not found:
            yield role.wrong(f"environment.{variable}", f"{host} is no endpoint of Aurora DSQL")
        elif clusters and found[1] not in clusters:
            yield role.wrong(f"environment.{variable}", f"{host}: the plan makes another database")
        elif subject.region and found[3] != subject.region:
            said = f"{host} is in {found[3]}, the cluster is in {subject.region}"
            yield role.wrong(f"environment.{variable}", said)
        elif clusters and ways and found[2] not in ways:
            yield role.wrong(f"environment.{variable}", f"{host}: no endpoint has {found[2]}")


def _hosts(subject: Subject) -> Iterator[tuple[Inside, str, str]]:
    """Each role's container with variable and host."""
    for task in subject.roles.values():
        found = main(task)
        if found is None:
            continue
        environment = found.container.environment
        for variable in ("TEMPORAL_SQL_HOST", "CLUSTER_ENDPOINT", "POSTGRES_SEEDS", "SQL_HOST"):
            if value := environment.get(variable):
                host = value.split(":")[0]
                if _HOST.fullmatch(host) or _is_dsql(environment):
                    yield found, variable, host


def _is_dsql(environment: object) -> bool:
    return isinstance(environment, dict) and environment.get("TEMPORAL_SQL_PLUGIN_NAME") == "dsql"


def _ways(subject: Subject) -> set[str]:
    """The second labels of host names that lead to the databases of the plan; empty if unknown."""
    names = [c["vpc_endpoint_service_name"] for c in subject.plan.of_type("aws_dsql_cluster")]
    if not names or not all(isinstance(name, str) for name in names):
        return set()
    return {"dsql", *(str(name).rsplit(".", 1)[-1] for name in names)}


def _production(subject: Subject) -> bool:
    """Whether its own words say that it is production."""
    said = [subject.project, *(str(subject.plan.outputs.get(n)) for n in ("environment",))]
    for task in subject.roles.values():
        environment = task.main.environment if task.main else {}
        said += [environment.get("DEPLOY_ENVIRONMENT", ""), environment.get("ENVIRONMENT", "")]
    return any(_PRODUCTION.search(word.lower()) for word in said)
