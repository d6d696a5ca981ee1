"""Property 6: credentials come from Secrets Manager, and DSQL has none."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.family import Family
from temporal_dsql_deploy.checks.look import (
    LATER,
    Inside,
    definitions,
    hidden,
    inside,
    opaque,
    parameters,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Finding, Said, Seen, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource

FAMILY = Family("secrets", "Credentials come from Secrets Manager")
_PASSWORD = "GF_SECURITY_ADMIN_PASSWORD"  # noqa: S105 - the name of a variable
_USER = "GF_SECURITY_ADMIN_USER"
_SECRET = re.compile(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:([^:]+)(:.*)?")
_PARAMETER = re.compile(r"(?:arn:aws[a-z-]*:ssm:([a-z0-9-]+):(\d{12}):parameter)?(/?[^:]+)")
# What ends so holds a credential; what ends in _FILE, _ARN or _NAME says where it is.
_CREDENTIAL = re.compile(
    r"(PASSWORD|PASSWD|PWD|SECRET|TOKEN|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIALS?)$"
)
_DATABASE = re.compile(r"(PGPASSWORD|SQL_PASSWORD|POSTGRES_(PWD|PASSWORD)|DSQL_PASSWORD)$")


@FAMILY.rule(
    "grafana",
    holds="Grafana gets its administrator's password from Secrets Manager, one key of a JSON.",
    symptom="Without it Grafana starts with admin and admin; with the whole JSON as value nobody "
    "can log in, because all of it is the password.",
    fix=f"Give {_PASSWORD} in `secrets` with valueFrom <ARN of the secret>:admin_password::.",
    source="ECS developer guide, specifying-sensitive-data-secrets",
    seeds=("S0-PR6", "S0-T6", "S1-9", "S2-7", "S1-19.3*"),
)
def grafana(subject: Subject) -> Iterator[Said]:
    """The password of Grafana."""
    pages = [task for task in definitions(subject) if task.party == "grafana"]
    if not pages:
        raise CannotJudge("the plan has no Grafana")
    yield from hidden(pages)
    for task in pages:
        one = next((c for c in inside([task]) if c.container is task.main), None)
        if one is None:
            continue
        given = one.container.secrets
        if _PASSWORD not in given:
            yield one.wrong("secrets", f"{_PASSWORD} is not among its secrets")
        for name in (_PASSWORD, _USER):
            if name in given:
                yield from _from_secret(one, name)


@FAMILY.rule(
    "plain",
    holds="No container has a credential among its plain environment variables.",
    symptom="Whoever may describe task definitions reads it, and it is in the state of Terraform.",
    fix="Put it into Secrets Manager and name it in `secrets`.",
    source="ECS developer guide, specifying-sensitive-data",
    seeds=("S0-PR6",),
)
def plain(subject: Subject) -> Iterator[Said]:
    """Credentials in environment variables."""
    tasks = definitions(subject)
    if not tasks:
        raise CannotJudge("the plan has no task definition")
    yield from hidden(tasks)
    seen = list(inside(tasks))
    for one in seen:
        for name, value in one.container.environment.items():
            if value and _CREDENTIAL.search(name.upper()):
                # The value itself is not repeated: it may be one.
                yield one.wrong(f"environment.{name}", f"{name} has a value in the environment")
    yield Seen(f"{len(seen)} containers")


@FAMILY.rule(
    "database",
    holds="The servers have no database password: DSQL takes IAM tokens only.",
    symptom="A password that nothing reads has to be kept and rotated; the DSQL plugin always "
    "asks for a token as admin.",
    fix="Take the variable out; let the task role have dsql:DbConnectAdmin.",
    source="Aurora DSQL user guide, authentication and authorization",
    seeds=("S0-PR6", "S0-P5"),
)
def database(subject: Subject) -> Iterator[Said]:
    """Passwords for the database."""
    if not subject.roles:
        raise CannotJudge("the plan has no Temporal role")
    yield from hidden(subject.roles.values())
    made = bool(subject.plan.of_type("aws_dsql_cluster"))
    for one in inside(subject.roles.values()):
        names = {**one.container.environment, **one.container.secrets}
        named = made or any(name.startswith(("DSQL_", "CLUSTER_ENDPOINT")) for name in names)
        if names.get("TEMPORAL_SQL_PLUGIN_NAME", "dsql" if named else "") != "dsql":
            continue
        for name, value in names.items():
            if _DATABASE.search(name) and value:
                yield one.wrong(f"environment.{name}", f"{name} is given to a server of DSQL")


@FAMILY.rule(
    "parameter",
    holds="Parameters that containers read are encrypted.",
    symptom="Whoever may read parameters reads what is in it, without a right on any key.",
    fix='Set type = "SecureString" and key_id to the key of the environment.',
    source="Systems Manager user guide, SecureString parameters",
    seeds=("S0-PR6",),
)
def parameter(subject: Subject) -> Iterator[Said]:
    """Encryption of parameters."""
    used = _parameters(subject)
    if not used:
        raise CannotJudge("no container reads a parameter of the plan")
    keyed = [one for one in used if one["key_id"] not in (None, "")]
    own = bool(keyed) or bool(subject.plan.of_type("aws_kms_key"))
    for one in used:
        if opaque(one["type"]):
            yield Unjudged(one.address, f"type {LATER}")
        elif one["type"] != "SecureString":
            yield Finding(one.address, "type", f"{one['name']} is a {one['type']}")
        elif own and one["key_id"] in (None, ""):
            said = f"{one['name']} is under the key of AWS, while the plan has one of its own"
            yield Finding(one.address, "key_id", said)
    yield Seen(f"{len(used)} parameters")


@FAMILY.rule(
    "there",
    holds="What containers read at their start is there.",
    symptom="The task does not start: `ResourceInitializationError: unable to pull secrets or "
    "registry auth: ... invalid ssm parameters` or `ResourceNotFoundException: Secrets Manager "
    "can't find the specified secret`.",
    fix="Name a parameter or secret that the plan makes or reads.",
    source="ECS developer guide, secrets-envvar-ssm-paramstore",
    seeds=("S0-PR6",),
)
def there(subject: Subject) -> Iterator[Said]:
    """Parameters and secrets that containers name."""
    tasks = definitions(subject)
    seen = [(one, name) for one in inside(tasks) for name in one.container.secrets]
    yield from hidden(tasks)
    if not seen:
        raise CannotJudge("no container that is known reads a secret")
    parameters = subject.plan.of_type("aws_ssm_parameter")
    names = {str(p[key]) for p in parameters for key in ("arn", "name")}
    read = {str(p[key]) for p in subject.plan.data("aws_ssm_parameter") for key in ("arn", "name")}
    for one, name in seen:
        source = one.container.secrets[name]
        if not source:
            yield one.wrong(f"secrets.{name}", f"{name} has no valueFrom")
        elif _SECRET.fullmatch(source) or source in names | read:
            continue
        elif ":secretsmanager:" in source or not _PARAMETER.fullmatch(source):
            yield one.wrong(f"secrets.{name}", f"{source} is no ARN of a secret or parameter")
        elif any(opaque(p["arn"]) for p in parameters) or not parameters:
            yield Unjudged(one.address, f"whether parameter {source} exists is not known")
        else:
            yield one.wrong(f"secrets.{name}", f"the plan has no parameter {source}")
    yield Seen(f"{len(seen)} references")


def _from_secret(one: Inside, name: str) -> Iterator[Said]:
    source = one.container.secrets[name]
    found = _SECRET.fullmatch(source)
    if not found:
        yield one.wrong(f"secrets.{name}", f"{name} does not come from Secrets Manager: {source}")
        return
    key = (found[2] or "").lstrip(":").split(":")[0]
    others = {n: _SECRET.fullmatch(s) for n, s in one.container.secrets.items() if n != name}
    shared = [n for n, other in others.items() if other and other[1] == found[1]]
    same = [n for n in shared if one.container.secrets[n] == source]
    if key and same:
        yield one.wrong(f"secrets.{name}", f"{name} and {same[0]} are the same key of the secret")
    elif not key and shared:
        said = f"{name} is the whole secret, of which {shared[0]} is one key"
        yield one.wrong(f"secrets.{name}", said)
    elif not key:
        yield Unjudged(one.address, f"whether the secret of {name} is a JSON is not known")


def _parameters(subject: Subject) -> list[Resource]:
    made = parameters(subject)
    used = {
        source for one in inside(definitions(subject)) for source in one.container.secrets.values()
    }
    found = {made[source].address: made[source] for source in used if source in made}
    return [found[address] for address in sorted(found)]
