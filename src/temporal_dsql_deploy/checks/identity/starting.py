"""What ECS, instances and services act on: to start tasks, to open shells, to log, to back up."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator

from temporal_dsql_deploy.checks.identity.scopes import (
    ANYTHING,
    NOTHING,
    Scope,
    Wearer,
    containers_of,
    key_arn,
    known,
    made,
    some,
    values_of,
)
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan import Container, Resource

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr[\w-]*\.(?P<region>[\w-]+)\.(?:amazonaws\.com|on\.aws)[\w.]*"
    r"/(?P<repository>[^:@]+)"
)
_STREAM = ":log-stream:task"
_CONFIGURATION = "configuration.0.execute_command_configuration.0"


def _cluster(subject: Subject, wearer: Wearer) -> Resource | None:
    """The ECS cluster that a task runs in, where the plan has it."""
    clusters = subject.plan.of_type("aws_ecs_cluster")
    said = wearer.task.service["cluster"] if wearer.task and wearer.task.service else None
    mine = [
        one
        for one in clusters
        if isinstance(said, str) and said in {known(one, n) for n in ("arn", "id", "name")}
    ]
    if mine or isinstance(said, str):
        return mine[0] if mine else None
    return clusters[0] if len(clusters) == 1 else None


def _shell(wearer: Wearer) -> bool:
    service = wearer.task.service if wearer.task else None
    return service is not None and service["enable_execute_command"] is True


def _exec(_subject: Subject, wearer: Wearer) -> Scope:
    return ANYTHING if _shell(wearer) else NOTHING


def _by_hand(wearer: Wearer) -> bool:
    return wearer.task is not None and wearer.task.service is None


def _exec_may(_subject: Subject, wearer: Wearer) -> Scope:
    return ANYTHING if _by_hand(wearer) else NOTHING


def _exec_log_groups(subject: Subject, wearer: Wearer) -> Scope:
    return _recorded(subject, wearer) if _shell(wearer) else NOTHING


def _exec_may_log_groups(subject: Subject, wearer: Wearer) -> Scope:
    return _recorded(subject, wearer) if _by_hand(wearer) else NOTHING


def _recorded(subject: Subject, wearer: Wearer) -> Scope:
    """Streams of the log group in which the cluster records sessions of ECS Exec."""
    cluster = _cluster(subject, wearer)
    if cluster is None:
        return Scope(used=True, arns=None)
    if cluster[f"{_CONFIGURATION}.logging"] not in {"OVERRIDE", None}:
        return NOTHING
    name = cluster[f"{_CONFIGURATION}.log_configuration.0.cloud_watch_log_group_name"]
    if name is None or name == "":
        return NOTHING
    return some([_stream(subject, name)])


def _exec_find_log(subject: Subject, wearer: Wearer) -> Scope:
    groups = _exec_log_groups(subject, wearer)
    return _find_log(subject) if groups.used else NOTHING


def _find_log(subject: Subject) -> Scope:
    return some([made(subject, "logs", subject.region, "log-group::log-stream:")])


def _exec_keys(subject: Subject, wearer: Wearer) -> Scope:
    cluster = _cluster(subject, wearer) if _shell(wearer) else None
    key = cluster[f"{_CONFIGURATION}.kms_key_id"] if cluster else None
    return NOTHING if key is None or key == "" else some([key_arn(subject, key)])


def _exec_objects(subject: Subject, wearer: Wearer) -> Scope:
    cluster = _cluster(subject, wearer) if _shell(wearer) else None
    path = f"{_CONFIGURATION}.log_configuration.0.s3_bucket_name"
    bucket = cluster[path] if cluster else None
    if bucket is None or bucket == "":
        return NOTHING
    return some([f"arn:aws:s3:::{bucket}/*" if isinstance(bucket, str) else None])


def _stream(subject: Subject, name: object, region: str | None = None) -> str | None:
    if not isinstance(name, str):
        return None
    return made(subject, "logs", region or subject.region, f"log-group:{name}{_STREAM}")


def _pulled(containers: Iterable[Container]) -> Iterator[str]:
    for one in containers:
        place = _ECR.match(one.image)
        if place:
            here = f"{place['region']}:{place['account']}"
            yield f"arn:aws:ecr:{here}:repository/{place['repository']}"


def _pulls(_subject: Subject, wearer: Wearer) -> Scope:
    return ANYTHING if any(_pulled(containers_of(wearer))) else NOTHING


def _repositories(_subject: Subject, wearer: Wearer) -> Scope:
    return some(_pulled(containers_of(wearer)))


def _all_repositories(subject: Subject, _wearer: Wearer) -> Scope:
    found = _pulled(c for task in subject.tasks for c in task.containers or ())
    return Scope(used=True, arns=tuple(dict.fromkeys(found)))


def _logged(subject: Subject, containers: Iterable[Container]) -> Iterator[tuple[str | None, bool]]:
    """Streams of the log groups of containers, and whether each is to be made."""
    for one in containers:
        log = one.definition.get("logConfiguration") or {}
        options = log.get("options") or {}
        if log.get("logDriver") == "awslogs":
            arn = _stream(subject, options.get("awslogs-group"), options.get("awslogs-region"))
            yield arn, str(options.get("awslogs-create-group")).lower() == "true"


def _task_log_groups(subject: Subject, wearer: Wearer) -> Scope:
    return some(arn for arn, _ in _logged(subject, containers_of(wearer)))


def _made_log_groups(subject: Subject, wearer: Wearer) -> Scope:
    return some(arn for arn, new in _logged(subject, containers_of(wearer)) if new)


def _secrets(wearer: Wearer) -> Iterator[str]:
    """What containers name as secrets, by ARN or by name."""
    for one in containers_of(wearer):
        yield from one.secrets.values()
        options = (one.definition.get("logConfiguration") or {}).get("secretOptions") or []
        yield from (str(option.get("valueFrom")) for option in options)
        credentials = one.definition.get("repositoryCredentials") or {}
        if credentials.get("credentialsParameter"):
            yield str(credentials["credentialsParameter"])


def _parameter_arns(subject: Subject, wearer: Wearer) -> Iterator[str | None]:
    for said in _secrets(wearer):
        if ":secretsmanager:" in said:
            continue
        if said.startswith("arn:"):
            yield said
        else:
            # A parameter of the same region may be named without its ARN.
            yield made(subject, "ssm", subject.region, f"parameter/{said.lstrip('/')}")


def _parameters(subject: Subject, wearer: Wearer) -> Scope:
    return some(_parameter_arns(subject, wearer))


def _all_parameters(subject: Subject, _wearer: Wearer) -> Scope:
    found = [known(one, "arn") for one in subject.plan.of_type("aws_ssm_parameter")]
    return some(found) if found else Scope(used=True, arns=None)


def _secret_arns(wearer: Wearer) -> tuple[str, ...]:
    said = (one for one in _secrets(wearer) if ":secretsmanager:" in one)
    # Behind the seventh part stand the key in the JSON, the stage and the version.
    return tuple(dict.fromkeys(":".join(one.split(":")[:7]) for one in said))


def _secret_scope(_subject: Subject, wearer: Wearer) -> Scope:
    return some(_secret_arns(wearer))


def _secret_keys(subject: Subject, wearer: Wearer) -> Scope:
    said = {*_secret_arns(wearer), *_parameter_arns(subject, wearer)}
    keys: list[str | None] = []
    for one in subject.plan.of_type("aws_ssm_parameter", "aws_secretsmanager_secret"):
        key = one["key_id"] if one.type == "aws_ssm_parameter" else one["kms_key_id"]
        plain = one.type == "aws_ssm_parameter" and one["type"] != "SecureString"
        if known(one, "arn") not in said or plain or not isinstance(key, str):
            continue
        # AWS's own keys let everybody of the account in who may read the secret.
        if key and not key.startswith("alias/aws/"):
            keys.append(key_arn(subject, key))
    return some(keys)


def _all_keys(subject: Subject, _wearer: Wearer) -> Scope:
    found = [known(one, "arn") for one in subject.plan.of_type("aws_kms_key")]
    return some(found) if found else Scope(used=True, arns=None)


def _environment_files(_subject: Subject, wearer: Wearer) -> Scope:
    files = [f for one in containers_of(wearer) for f in one.definition.get("environmentFiles", [])]
    return some(str(one.get("value")) for one in files)


def _observed_cluster(subject: Subject, wearer: Wearer) -> Scope:
    # Which resources depends on the action; `ecs:cluster` in a condition binds all of them.
    return Scope(used=True, arns=None) if _observes(subject, wearer) else NOTHING


def _observed(subject: Subject, wearer: Wearer) -> Scope:
    return ANYTHING if _observes(subject, wearer) else NOTHING


def _observes(subject: Subject, wearer: Wearer) -> bool:
    """Whether a collector asks ECS what runs; so too where its configuration is not known."""
    written = {known(one, "arn"): one["value"] for one in subject.plan.of_type("aws_ssm_parameter")}
    read = (one for container in containers_of(wearer) for one in container.secrets.values())
    told = [*values_of(wearer), *(written.get(one) for one in read)]
    configurations = [one for one in told if isinstance(one, str) and "receivers:" in one]
    return not configurations or any("ecs_observer" in one for one in configurations)


def _agents(_subject: Subject, wearer: Wearer) -> Scope:
    """Its cluster and itself, where an instance runs the ECS agent, as its user data says."""
    text = wearer.resource["user_data"]
    try:
        plain = base64.b64decode(text, validate=True).decode() if isinstance(text, str) else ""
    except (binascii.Error, UnicodeDecodeError):
        plain = str(text)
    return Scope(used=True, arns=None) if "ECS_CLUSTER" in plain else NOTHING


def _flow_log_groups(subject: Subject, wearer: Wearer) -> Scope:
    group = known(wearer.resource, "log_destination")
    if group is None:
        return some([_stream(subject, wearer.resource["log_group_name"])])
    return some([f"{group.removesuffix(':*')}{_STREAM}"])


def _flow_find_log(subject: Subject, _wearer: Wearer) -> Scope:
    return _find_log(subject)


def _backed_up(_subject: Subject, wearer: Wearer) -> Scope:
    arns = wearer.resource["resources"]
    said = arns if isinstance(arns, list) else []
    return some(arn for arn in said if isinstance(arn, str) and ":dsql:" in arn)


SCOPES: dict[str, Callable[[Subject, Wearer], Scope]] = {
    "exec": _exec,
    "exec-may": _exec_may,
    "exec-log-groups": _exec_log_groups,
    "exec-may-log-groups": _exec_may_log_groups,
    "exec-find-log": _exec_find_log,
    "exec-keys": _exec_keys,
    "exec-objects": _exec_objects,
    "pulls": _pulls,
    "repositories": _repositories,
    "all-repositories": _all_repositories,
    "task-log-groups": _task_log_groups,
    "made-log-groups": _made_log_groups,
    "parameters": _parameters,
    "all-parameters": _all_parameters,
    "secrets": _secret_scope,
    "secret-keys": _secret_keys,
    "all-keys": _all_keys,
    "environment-files": _environment_files,
    "observed-cluster": _observed_cluster,
    "observed": _observed,
    "agents": _agents,
    "flow-log-groups": _flow_log_groups,
    "flow-find-log": _flow_find_log,
    "backed-up": _backed_up,
}
