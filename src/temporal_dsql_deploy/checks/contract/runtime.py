"""The environment of servers against what the container's entrypoint reads."""

from collections.abc import Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    judged,
    ours,
    own_entrypoint,
    runs_on,
    servers,
    speaks_runtime,
)
from temporal_dsql_deploy.checks.contract.values import (
    address,
    is_a,
    nearest,
    quoted,
    switch,
)
from temporal_dsql_deploy.checks.model import CannotJudge, Said
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.tasks import ROLE_VARIABLES
from temporal_dsql_deploy.topology.model import RuntimeVariable

_TOPOLOGY = topology.load()
_RUNTIME = _TOPOLOGY.runtime
_INTERNAL = "internal-frontend"
"""A fifth role, for those who put an authorizer before the frontend."""
_LEVELS = ("debug", "info", "warn", "error")
_SOURCE = "temporalio/temporal common/config; measured with the Temporal-DSQL server at cf90c57"


@FAMILY.rule(
    "runtime-required",
    holds="Every variable that the entrypoint cannot do without has a value.",
    symptom="The entrypoint cannot render the server's configuration and the container exits at "
    "once; ECS starts it again and again until the circuit breaker stops the deployment.",
    fix="Set the variable.",
    source=_SOURCE,
)
def runtime_required(subject: Subject) -> Iterator[Said]:
    """A secret counts as a value."""
    if subject.tasks and not own_entrypoint(subject):
        raise CannotJudge("which variables the entrypoint of these servers needs is not known")

    def judge(place: Place) -> Iterator[Said]:
        for name, variable in _RUNTIME.items():
            wanted = variable.required and _is_read(place, variable)
            if wanted and (not place.has(name) or place.value(name) == ""):
                yield place.variable(
                    name, f"{name} is {quoted(place.value(name))}: {variable.meaning}"
                )

    return judged(ours(subject), judge)


@FAMILY.rule(
    "runtime-typed",
    holds="Every variable of the entrypoint is of its type: int, bool, duration or host.",
    symptom="The rendered configuration is no YAML that the server takes: it exits 1 before it "
    "listens.",
    fix="Correct the value: digits; true or false; a number with a unit; a host without a port.",
    source=_SOURCE,
)
def runtime_typed(subject: Subject) -> Iterator[Said]:
    """What is empty and required is `runtime-required`'s."""

    def judge(place: Place) -> Iterator[Said]:
        for name, variable in _RUNTIME.items():
            text = place.value(name)
            if text is None or variable.type == "string" or (variable.required and not text):
                continue
            if not _is_read(place, variable):
                continue
            if not is_a(variable.type, text):
                yield place.variable(name, f"{name} is {quoted(text)}, no {variable.type}")

    return judged(ours(subject), judge)


def _is_read(place: Place, variable: RuntimeVariable) -> bool:
    """Whether the entrypoint reads a variable, with the one that it depends on."""
    if variable.only_with is None:
        return True
    name, _, wanted = variable.only_with.partition("=")
    return (place.value(name) or _RUNTIME[name].default) == wanted


@FAMILY.rule(
    "role",
    holds="A container runs one Temporal role, by a name that the server knows, and maps the ports "
    "of that role.",
    symptom="With a name that the server does not know it exits 1; with another role's name the "
    "health check asks a port where nobody listens, and ECS replaces the task for ever.",
    fix="Set TEMPORAL_SERVICES to history, matching, frontend or worker.",
    source="temporalio/temporal cmd/server/main.go, config/docker.yaml",
)
def role(subject: Subject) -> Iterator[Said]:
    """TEMPORAL_SERVICES is read since server 1.30, SERVICES before."""

    def judge(place: Place) -> Iterator[Said]:
        name = next((each for each in ROLE_VARIABLES if place.has(each)), ROLE_VARIABLES[0])
        text = place.value(name)
        if text is None:
            return
        names = text.replace(",", " ").split() if text else [""]
        if len(names) > 1:
            yield place.variable(name, f"{name} is `{text}`: {len(names)} roles in one process")
        for one in names:
            if one == _INTERNAL:
                continue
            if one not in _TOPOLOGY.roles:
                near = nearest(one, _TOPOLOGY.roles)
                meant = f"; {near} is one" if near else ""
                yield place.variable(name, f"`{one}` is no role{meant}")
            elif place.container.ports:
                yield from _ports(place, name, one)

    return judged(servers(subject), judge)


def _ports(place: Place, name: str, one: str) -> Iterator[Said]:
    port = _TOPOLOGY.roles[one].ports["grpc"]
    others = {
        role.ports["grpc"]: role.name for role in _TOPOLOGY.roles.values() if role.name != one
    }
    served = [others[each] for each in place.container.ports if each in others]
    if port not in place.container.ports and served:
        yield place.variable(
            name, f"{name} is {one}, which listens on {port}; the ports are those of {served[0]}"
        )


@FAMILY.rule(
    "bind-address",
    holds="A role listens on an IP address that other tasks reach: not on a loopback.",
    symptom="Each role is alone in its ring: the frontend says `Frontend is not healthy yet`, and "
    "roles exit with `exhausted all retries: join duration of 46.2s exceeded max 30s`.",
    fix="Leave BIND_ON_IP out, or set 0.0.0.0.",
    source="measured with temporal-server 1.32.2",
)
def bind_address(subject: Subject) -> Iterator[Said]:
    """Of any image: the stock template reads the same variable."""

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("BIND_ON_IP")
        found = address(text) if text is not None else None
        if text is not None and (found is None or found.is_loopback):
            yield place.variable("BIND_ON_IP", f"BIND_ON_IP is {quoted(text)}")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "broadcast-address",
    holds="An address that a role tells the ring is a literal IP address, and its own.",
    symptom="Exit 1: ``ringpop config malformed `broadcastAddress` param``. A literal address of "
    "another task starts without a word, and calls go there.",
    fix="Leave TEMPORAL_BROADCAST_ADDRESS out: the address of an ECS task is new at each start.",
    source="measured with temporal-server 1.32.2",
)
def broadcast_address(subject: Subject) -> Iterator[Said]:
    """In a task definition no address can be right for two tasks."""
    name = "TEMPORAL_BROADCAST_ADDRESS"

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        if text is None:
            return
        found = address(text)
        if found is None or found.is_unspecified or found.is_loopback:
            yield place.variable(name, f"{name} is {quoted(text)}")
        elif place.task.definition["network_mode"] == "awsvpc":
            yield place.variable(name, f"{name} is `{text}` in every task of this definition")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "log-level",
    holds="The log level is one that the server knows.",
    symptom="The server takes another level than the one that was meant.",
    fix="Set TEMPORAL_LOG_LEVEL to debug, info, warn or error, or leave it out.",
    source="temporalio/temporal common/log/config.go",
)
def log_level(subject: Subject) -> Iterator[Said]:
    """Of our entrypoint, and of the stock template."""

    def judge(place: Place) -> Iterator[Said]:
        for name in ("TEMPORAL_LOG_LEVEL", "LOG_LEVEL"):
            text = place.value(name)
            if text is not None and text not in _LEVELS:
                yield place.variable(name, f"{name} is {quoted(text)}")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "instance-credentials",
    holds="A server on EC2 never asks the instance for credentials.",
    symptom="Whenever the task's role cannot be had, the SDK takes the role of the instance: DSQL "
    "answers `access denied`, and the logs do not say whose token it was.",
    fix="Set AWS_EC2_METADATA_DISABLED to true.",
    source="AWS SDK for Go v2, the default chain of credentials; ECS developer guide, task IAM "
    "roles on EC2",
)
def instance_credentials(subject: Subject) -> Iterator[Said]:
    """Fargate has no instance to ask."""
    name = "AWS_EC2_METADATA_DISABLED"

    def judge(place: Place) -> Iterator[Said]:
        wrong = switch(place.value(name)) is not True and name not in place.container.secrets
        if wrong and runs_on(place.task, "EC2") and speaks_runtime(place.container):
            yield place.variable(name, f"{name} is {quoted(place.value(name))}")

    return judged(servers(subject), judge)
