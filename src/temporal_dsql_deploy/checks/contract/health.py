"""Health checks: what they ask, with what, and how often."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    STOCK_SERVER,
    Place,
    containers,
    is_collector,
    judged,
    servers,
)
from temporal_dsql_deploy.checks.contract.values import address, nearest
from temporal_dsql_deploy.checks.model import Said
from temporal_dsql_deploy.checks.subject import Subject

_PROBE = "grpc_health_probe"
_ADDRESS = re.compile(r"(?:^|\s)--?addr[= ]\s*(\S+)")
_SERVICE = re.compile(r"(?:^|\s)--?service[= ]\s*(\S+)")
_URL = re.compile(r"https?://([^/:\s]+)(?::(\d+))?(/[^\s?]*)?")
_OWN = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0", "$(hostname)", "$HOSTNAME")  # noqa: S104
_PATHS = {
    "ui": ("/healthz",),
    "grafana": ("/api/health", "/healthz", "/metrics"),
    "loki": ("/ready", "/metrics"),
}
"""What these programs answer with 200 once they are up."""
_KINDS = ("CMD", "CMD-SHELL")
_TOOLS = ("grpc_health_probe", "wget", "curl", "temporal", "tctl", "tdbg", "bash")
_MISSING = {
    STOCK_SERVER: ("grpc_health_probe", "curl", "bash", "temporal", "tctl", "tdbg", "dockerize"),
    re.compile(r"(^|/)grafana/loki(?=[:@]|$)"): ("wget", "curl", "sh", "bash", "nc"),
    re.compile(r"(^|/)otel/opentelemetry-collector"): ("wget", "curl", "sh", "bash", "nc"),
}
"""Programs that an image does not have."""
_LIMITS = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
"""What ECS takes, in seconds or times."""
DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
"""What ECS takes where nothing is said."""
_LONGEST_UNSEEN = 180
"""Seconds after which a dead role should be replaced."""
_API = "ECS API, HealthCheck"


def check_of(place: Place) -> Mapping[str, Any] | None:
    """The health check of a container; None where there is none."""
    found = place.definition.get("healthCheck")
    command = found.get("command") if isinstance(found, Mapping) else None
    return found if command and command[0] != "NONE" else None


def number(check: Mapping[str, Any], name: str) -> Any:
    """A number of a health check, or ECS's default for it."""
    given = check.get(name)
    return DEFAULTS[name] if given is None else given


def _said(check: Mapping[str, Any]) -> str:
    words = [str(word) for word in check.get("command") or []]
    return " ".join(words[1:] if words and words[0] in _KINDS else words)


@FAMILY.rule(
    "health-present",
    holds="Every Temporal role has a health check.",
    symptom="A deployment counts a task as good as soon as it runs: a role that never joins the "
    "ring replaces all that worked, and the circuit breaker sees nothing.",
    fix="Ask gRPC health for the name of the role's service.",
    source="ECS API, DeploymentCircuitBreaker; measured with temporal-server 1.32.2",
)
def health_present(subject: Subject) -> Iterator[Said]:
    """Of the container of the server."""

    def judge(place: Place) -> Iterator[Said]:
        if check_of(place) is None:
            yield place.finding("healthCheck", "there is no health check")

    return judged(servers(subject), judge)


@FAMILY.rule(
    "health-probe",
    holds="The health check of a role asks that role's gRPC port, by the name of its service.",
    symptom="The unnamed service says SERVING before the role has joined the ring; another name is "
    "`NOT_FOUND: unknown service`, another port refuses: ECS replaces the task for ever.",
    fix="grpc_health_probe -addr=localhost:<gRPC port> -service=<the service of the role>.",
    source="measured with temporal-server 1.32.2",
)
def health_probe(subject: Subject) -> Iterator[Said]:
    """A check by `nc` or another program is judged by its port alone."""

    def judge(place: Place) -> Iterator[Said]:
        check = check_of(place)
        if check is None or place.task.role is None:
            return
        role, said = topology.load().roles[place.task.role], _said(check)
        if _PROBE in said or _SERVICE.search(said):
            yield from _probe(place, role, said)
            return
        asked = set(re.findall(r"\b\d{4,5}\b", said)) & {str(p) for p in role.ports.values()}
        if not asked and not ("cluster health" in said and role.name == "frontend"):
            yield place.finding("healthCheck.command", f"`{said}` asks no port of {role.name}")

    return judged(servers(subject), judge)


def _probe(place: Place, role: topology.Role, said: str) -> Iterator[Said]:
    at, service = _ADDRESS.search(said), _SERVICE.search(said)
    path = "healthCheck.command"
    host, _, port = (at[1] if at else "").rpartition(":")
    if at is None:
        yield place.finding(path, f"`{said}` names no address")
    elif port != str(role.ports["grpc"]):
        yield place.finding(path, f"{at[1]}; {role.name} listens on {role.ports['grpc']}")
    elif host not in _OWN and address(host.strip("[]")) is None and "$" not in host:
        yield place.finding(path, f"{at[1]} is not the container's own address")
    if service is None:
        yield place.finding(path, f"`{said}` names no service")
    elif service[1] != role.health_service:
        yield place.finding(path, f"`{service[1]}`; {role.name} is {role.health_service}")


@FAMILY.rule(
    "health-tools",
    holds="A health check runs a program that the image has.",
    symptom="`executable file not found in $PATH`: the check fails from the first second, and ECS "
    "replaces the task for ever.",
    fix="Use a program of the image, or an image that has the program.",
    source="temporalio/temporal docker/; the images of Grafana Loki and the OpenTelemetry "
    "Collector have no shell",
)
def health_tools(subject: Subject) -> Iterator[Said]:
    """Of images that are known; for others a misspelt name of a usual program."""

    def judge(place: Place) -> Iterator[Said]:
        check = check_of(place)
        if check is None:
            return
        command, said = check["command"], _said(check)
        used = re.findall(r"(?:^|[;&|]\s*|\s|/)([a-z_][\w-]*)", said)
        if command[0] == "CMD-SHELL":
            used.append("sh")
        for image, missing in _MISSING.items():
            absent = [program for program in used if program in missing]
            if image.search(place.container.image) and absent:
                what = f"{place.container.image} has no {absent[0]}"
                yield place.finding("healthCheck.command", what)
        first = (said.split() or [""])[0].rpartition("/")[2]
        relative = "/" in said.split(" ")[0] and said[0] not in "/."
        if not first or first.startswith("-") or relative:
            yield place.finding("healthCheck.command", f"`{said}` names no program")
        elif first == "loki" and "-health" not in said.split():
            yield place.finding("healthCheck.command", f"`{said}` starts a second Loki")
        near = nearest(first, _TOOLS)
        if near and first not in _TOOLS and len(first) >= len(near):
            yield place.finding("healthCheck.command", f"`{first}` is no program; {near} is one")
        if command[0] not in _KINDS:
            yield place.finding(
                "healthCheck.command", f"`{command[0]}` is neither CMD nor CMD-SHELL"
            )

    return judged(containers(subject), judge)


@FAMILY.rule(
    "health-port",
    holds="A health check by HTTP asks a port and path on which its container answers.",
    symptom="The check never succeeds, and ECS replaces the task for ever.",
    fix="Ask the container port.",
    source=_API,
)
def health_port(subject: Subject) -> Iterator[Said]:
    """Of containers that map ports."""

    def judge(place: Place) -> Iterator[Said]:
        check = check_of(place)
        for url in _URL.finditer(_said(check)) if check else ():
            port = int(url[2] or (443 if url[0].startswith("https") else 80))
            if url[1] not in _OWN:
                yield place.finding("healthCheck.command", f"{url[0]} is not the container's own")
            elif place.container.ports and port not in place.container.ports:
                mapped = ", ".join(str(each) for each in place.container.ports)
                yield place.finding("healthCheck.command", f"{url[0]} asks {port}, mapped {mapped}")
            paths = _PATHS.get(place.task.party, ())
            near = nearest(url[3] or "", paths)
            if near and url[3] not in paths and not is_collector(place.container):
                yield place.finding("healthCheck.command", f"{url[3]} is nothing; {near} is")

    return judged(containers(subject), judge)


_REFUSED = "ECS refuses the task definition (`ClientException`)."
_LATE = "A dead role stays in the ring for many minutes, and calls to it hang."


@FAMILY.rule(
    "health-timing",
    holds="A health check's numbers are ones that ECS takes, and a dead task is found within three "
    "minutes.",
    symptom="AWS refuses the task definition (`ClientException`); or a dead role stays in the ring "
    "for many minutes, and calls to it hang.",
    fix="Give an interval of 30, a timeout of 5 and 3 retries; no timeout above the interval.",
    source=_API,
)
def health_timing(subject: Subject) -> Iterator[Said]:
    """What is not said is ECS's default."""

    def judge(place: Place) -> Iterator[Said]:
        check = check_of(place)
        if check is None:
            return
        for name, (least, most) in _LIMITS.items():
            found = number(check, name)
            if not isinstance(found, int) or not least <= found <= most:
                path = f"healthCheck.{name}"
                yield place.finding(path, f"{name} is {found}, {least} to {most}", _REFUSED)
        interval, timeout, retries = (number(check, n) for n in ("interval", "timeout", "retries"))
        if not all(isinstance(each, int) for each in (interval, timeout, retries)):
            return
        if timeout > interval:
            yield place.finding(
                "healthCheck.timeout",
                f"timeout is {timeout} s, interval is {interval} s",
                _LATE,
            )
        if interval * retries > _LONGEST_UNSEEN:
            yield place.finding(
                "healthCheck.interval",
                f"{retries} tries every {interval} s: {interval * retries} s until it is found",
                _LATE,
            )

    return judged(containers(subject), judge)
