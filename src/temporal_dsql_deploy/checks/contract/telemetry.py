"""Grafana and the collectors: their data sources, their configuration, their limits."""

import hashlib
import re
from collections.abc import Iterator
from fnmatch import fnmatch

from temporal_dsql_deploy.checks.contract.addresses import namespaces, records
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    containers,
    each,
    is_collector,
    judged,
    ours,
)
from temporal_dsql_deploy.checks.contract.values import quoted, switch, whole
from temporal_dsql_deploy.checks.model import CannotJudge, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import Sensitive

_GRAFANA = "grafana.com docs: configure Grafana, environment variables"
_HEX = re.compile(r"[0-9a-f]{64}")
_DERIVED = re.compile(r"sha|hash|checksum|digest|version|revision", re.IGNORECASE)
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s]*)?")
_PATH = re.compile(r"/[\w./*{}\[\],!?-]+")
_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MIB = 2**20
LOG_FILE = "TEMPORAL_LOG_FILE"


def _grafana(subject: Subject) -> Iterator[Place | Unjudged]:
    for place in each(subject, lambda t: t.party == "grafana", "Grafana"):
        if isinstance(place, Unjudged) or place.container is place.task.main:
            yield place


@FAMILY.rule(
    "grafana-metrics",
    holds="Grafana signs its queries and asks the workspace of the plan.",
    symptom="Every panel says `403 Forbidden` or `no data`: AMP answers signed requests alone, and "
    "data that stands in another workspace is not found.",
    fix="GF_AUTH_SIGV4_AUTH_ENABLED true, AWS_REGION, AWS_SDK_LOAD_CONFIG true, and the query "
    "endpoint of the workspace.",
    source="Amazon Managed Service for Prometheus user guide, AMP-onboard-query-standalone-grafana",
)
def grafana_metrics(subject: Subject) -> Iterator[Said]:
    """Only where the plan has a workspace, or Grafana is told of one."""
    workspaces = subject.plan.of_type("aws_prometheus_workspace")
    endpoints = [workspace["prometheus_endpoint"] for workspace in workspaces]

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("AMP_ENDPOINT")
        if not workspaces and not place.has("AMP_ENDPOINT"):
            yield place.unjudged("no workspace is in the plan, and Grafana is told of none")
            return
        for name in ("GF_AUTH_SIGV4_AUTH_ENABLED", "AWS_SDK_LOAD_CONFIG"):
            if switch(place.value(name)) is not True:
                yield place.variable(name, f"{name} is {quoted(place.value(name))}")
        region = place.value("AWS_REGION")
        if not region or region != (subject.region or region):
            wanted = f", the workspace is in {subject.region}" if subject.region else ""
            yield place.variable("AWS_REGION", f"AWS_REGION is {quoted(region)}{wanted}")
        if text is None:
            # Another image than ours may have its data source inside.
            ours_here = place.has("LOKI_ENDPOINT")
            if ours_here:
                yield place.variable("AMP_ENDPOINT", "AMP_ENDPOINT is not set")
        elif not _is_workspace(text, subject.region):
            yield place.variable("AMP_ENDPOINT", f"AMP_ENDPOINT is {quoted(text)}")
        elif endpoints and all(isinstance(e, str) for e in endpoints) and text not in endpoints:
            known = ", ".join(endpoints)
            yield place.variable("AMP_ENDPOINT", f"AMP_ENDPOINT is {quoted(text)}, not {known}")

    return judged(_grafana(subject), judge)


def _is_workspace(text: str, region: str | None) -> bool:
    """Whether a text is the base of a workspace's query API: with the slash, without `/api`."""
    place = re.escape(region) if region else r"[a-z0-9-]+"
    pattern = rf"https://aps-workspaces\.{place}\.amazonaws\.com(\.cn)?/workspaces/ws-[0-9a-z-]+/?"
    return re.fullmatch(pattern, text) is not None


@FAMILY.rule(
    "grafana-logs",
    holds="Grafana asks the Loki of the plan, by the name that it is registered with.",
    symptom="The log panels say `no such host` or stay empty.",
    fix="Set LOKI_ENDPOINT to http:// with the private DNS name of Loki and its port.",
    source="grafana.com docs: Loki data source",
)
def grafana_logs(subject: Subject) -> Iterator[Said]:
    """Only where the plan has a Loki."""
    name = "LOKI_ENDPOINT"
    loki = [task for task in subject.tasks if task.party == "loki" and task.service]
    mine = [record for record in records(subject) if record.task.party == "loki"]
    ports = {port for task in loki if task.main for port in task.main.ports}

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        if not loki and text is None:
            return
        found = re.fullmatch(r"https?://([^/:]+):([0-9]+)/?", text or "")
        if found is None:
            if not place.has(name) or text is not None:
                yield place.variable(name, f"{name} is {quoted(text)}")
            return
        host, port = found[1], int(found[2])
        made = any(host.endswith(f".{domain}") for domain in namespaces(subject))
        if mine and not any(record.is_named(host) for record in mine):
            yield place.variable(name, f"{name} is `{text}`, Loki is {mine[0].name}")
        elif made and not mine:
            yield place.variable(name, f"{name} is `{text}`, and nothing registers that name")
        elif ports and port not in ports:
            yield place.variable(name, f"{name} is `{text}`, Loki listens on {min(ports)}")

    return judged(_grafana(subject), judge)


@FAMILY.rule(
    "grafana-access",
    holds="Whoever opens Grafana signs in, and its administrator's name and password are a secret.",
    symptom="Without the password it is `admin`, which everybody knows; with anonymous access "
    "everybody sees all; without the form nobody gets in.",
    fix="GF_SECURITY_ADMIN_USER and GF_SECURITY_ADMIN_PASSWORD by `secrets`; anonymous access off, "
    "the login form on.",
    source=_GRAFANA,
)
def grafana_access(subject: Subject) -> Iterator[Said]:
    """With another way to sign in the form may be off, and the password of no use."""
    other = re.compile(r"GF_AUTH_(?!SIGV4|ANONYMOUS|DISABLE|BASIC)\w*ENABLED")

    def judge(place: Place) -> Iterator[Said]:
        environment = place.container.environment
        elsewhere = any(other.match(n) and switch(t) for n, t in environment.items())
        if not _is_false(place.value("GF_AUTH_ANONYMOUS_ENABLED")):
            text = quoted(place.value("GF_AUTH_ANONYMOUS_ENABLED"))
            yield place.variable("GF_AUTH_ANONYMOUS_ENABLED", f"anonymous access is {text}")
        if not elsewhere and not _is_false(place.value("GF_AUTH_DISABLE_LOGIN_FORM")):
            text = quoted(place.value("GF_AUTH_DISABLE_LOGIN_FORM"))
            yield place.variable("GF_AUTH_DISABLE_LOGIN_FORM", f"no login form: {text}")
        secret, user = "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_USER"
        named = place.has(secret) or place.has(f"{secret}__FILE") or elsewhere
        if not named:
            yield place.finding(f"secrets.{secret}", f"{secret} is not set: it is admin")
        elif secret in place.container.secrets and not place.has(user):
            yield place.finding(f"secrets.{user}", f"{user} is not set, {secret} is a secret")

    return judged(_grafana(subject), judge)


def _is_false(text: str | None) -> bool:
    return text is None or switch(text) is False


@FAMILY.rule(
    "grafana-settings",
    holds="Grafana listens on the port that its container maps, knows its address, and logs to the "
    "console.",
    symptom="The page never opens, links lead elsewhere, or nothing of Grafana's log is in "
    "CloudWatch.",
    fix="GF_SERVER_HTTP_PORT the container port, GF_SERVER_ROOT_URL a URL, GF_LOG_MODE console.",
    source=_GRAFANA,
)
def grafana_settings(subject: Subject) -> Iterator[Said]:
    """What is not set has a default that fits port 3000 and the console."""
    default = 3000

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("GF_SERVER_HTTP_PORT")
        port = default if text is None else whole(text)
        if place.container.ports and port not in place.container.ports:
            mapped = place.container.ports[0]
            yield place.variable(
                "GF_SERVER_HTTP_PORT", f"it listens on {quoted(text)}, mapped is {mapped}"
            )
        url, mode = place.value("GF_SERVER_ROOT_URL"), place.value("GF_LOG_MODE")
        if url is not None and not _URL.fullmatch(url) and "%(" not in url:
            yield place.variable("GF_SERVER_ROOT_URL", f"GF_SERVER_ROOT_URL is {quoted(url)}")
        if mode is not None and "console" not in mode.split():
            yield place.variable("GF_LOG_MODE", f"GF_LOG_MODE is {quoted(mode)}")

    return judged(_grafana(subject), judge)


def parameters(subject: Subject) -> dict[str, Resource]:
    """SSM parameters of the plan by ARN."""
    found = subject.plan.of_type("aws_ssm_parameter")
    return {arn: each for each in found if isinstance(arn := each["arn"], str)}


@FAMILY.rule(
    "config-revision",
    holds="A changed configuration in an SSM parameter makes a new revision of the task that reads "
    "it.",
    symptom="A secret is read when a container starts, and at no other time: after the apply the "
    "old configuration stays in force until somebody restarts the task.",
    fix="Put a hash of the value into the environment: CONFIG_SHA256 = sha256(value).",
    source="ECS developer guide, specifying-sensitive-data",
)
def config_revision(subject: Subject) -> Iterator[Said]:
    """By any variable whose name says that it is derived from the value."""
    known = parameters(subject)
    for place in _readers(subject, known):
        for name, arn in place.container.secrets.items():
            if arn not in known:
                continue
            marks = {n: t for n, t in place.container.environment.items() if _DERIVED.search(n)}
            value = known[arn]["value"]
            if not marks:
                yield place.variable(
                    "CONFIG_SHA256", f"{name} is {known[arn]['name']}, and nothing else changes"
                )
            elif isinstance(value, Sensitive) or not isinstance(value, str):
                yield place.unjudged(f"the value of {known[arn]['name']} is not shown")
            else:
                wanted = hashlib.sha256(value.encode()).hexdigest()
                for mark, text in marks.items():
                    if "SHA256" in mark and text != wanted:
                        yield place.variable(
                            mark, f"{mark} is {quoted(text)}, not the hash of {known[arn]['name']}"
                        )


def _readers(subject: Subject, known: dict[str, Resource]) -> Iterator[Place]:
    seen = False
    for place in containers(subject):
        if isinstance(place, Place) and known.keys() & set(place.container.secrets.values()):
            seen = True
            yield place
    if not seen:
        raise CannotJudge("no container reads an SSM parameter of the plan")


@FAMILY.rule(
    "collector-memory",
    holds="The soft limit of a collector's memory lies below the hard limit of its container.",
    symptom="The kernel kills the collector (exit code 137) before Go frees any memory; metrics "
    "and logs have a hole each time.",
    fix="Set GOMEMLIMIT to about 80 % of the container's memory, in bytes or with MiB.",
    source="Go runtime package, GOMEMLIMIT; ECS API, ContainerDefinition memory",
)
def collector_memory(subject: Subject) -> Iterator[Said]:
    """Of every container with a hard limit that sets the variable, and of collectors."""

    def judge(place: Place) -> Iterator[Said]:
        memory, text = place.definition.get("memory"), place.value("GOMEMLIMIT")
        once = place.container.name.endswith("-init")
        if not isinstance(memory, int) or once or (place.has("GOMEMLIMIT") and text is None):
            return
        if text is None:
            if is_collector(place.container):
                yield place.variable("GOMEMLIMIT", f"no GOMEMLIMIT, memory is {memory} MiB")
            return
        limit = _bytes(text)
        if limit is None:
            yield place.variable("GOMEMLIMIT", f"GOMEMLIMIT is {quoted(text)}, no size")
        elif not memory * _MIB // 4 <= limit <= memory * _MIB * 95 // 100:
            yield place.variable("GOMEMLIMIT", f"GOMEMLIMIT is {text}, memory is {memory} MiB")

    return judged(containers(subject), judge)


def _bytes(text: str) -> int | None:
    found = re.fullmatch(r"([0-9]+)([A-Za-z]*)", text)
    return int(found[1]) * _UNITS[found[2]] if found and found[2] in _UNITS else None


@FAMILY.rule(
    "collector-config",
    holds="A collector is given its configuration: where its command says, or by its image's "
    "variable.",
    symptom="The collector exits at once, or runs with the configuration in its image: no metric "
    "and no log of this task arrives.",
    fix="Give it the variable that its command names, by `secrets` from the SSM parameter.",
    source="OpenTelemetry Collector, configuration providers; ADOT: AOT_CONFIG_CONTENT",
)
def collector_config(subject: Subject) -> Iterator[Said]:
    """By `--config=env:NAME`, and for ADOT without a command by AOT_CONFIG_CONTENT."""

    def judge(place: Place) -> Iterator[Said]:
        said = " ".join(str(word) for word in place.definition.get("command") or [])
        named = re.findall(r"env:([A-Za-z_][A-Za-z0-9_]*)", said)
        named += re.findall(r"\$\{?([A-Z][A-Z0-9_]*CONFIG[A-Z0-9_]*)", said)
        adot = "aws-otel-collector" in place.container.image and not said
        for name in [*named, *(["AOT_CONFIG_CONTENT"] if adot else [])]:
            if not place.has(name):
                yield place.finding(f"secrets.{name}", f"{name} is not set")

    return judged(containers(subject), judge)


@FAMILY.rule(
    "log-file",
    holds="A server that shares a volume with a collector writes its log where that collector "
    "tails.",
    symptom="Loki has no line of this role, and nothing says so: the server logs to the console "
    "alone, or cannot open its file.",
    fix="Set TEMPORAL_LOG_FILE to a file in the volume that both mount at the same path, and tail "
    "that file.",
    source="the container's entrypoint; OpenTelemetry Collector, filelog receiver",
)
def log_file(subject: Subject) -> Iterator[Said]:
    """What the collector tails is known where its configuration is."""
    known = parameters(subject)

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(LOG_FILE)
        mine = _mounts(place)
        beside = [one for one in place.task.sidecars if is_collector(one)]
        collectors = [Place(place.task, one) for one in beside]
        shared = [c for c in collectors if set(_mounts(c)) & set(mine)]
        if text is None:
            tailing = [c for c in collectors if _tailed(c, known)]
            if shared or tailing:
                yield place.variable(LOG_FILE, f"{LOG_FILE} is not set")
            return
        folder = text.rpartition("/")[0]
        volume = next((v for v, (path, _) in mine.items() if path == folder), None)
        if volume is None:
            yield place.variable(LOG_FILE, f"{LOG_FILE} is {quoted(text)}, in no volume")
        elif mine[volume][1]:
            yield place.finding("mountPoints", f"{folder} is read only for who writes {text}")
        elif not any(_mounts(c).get(volume, ("",))[0] == folder for c in collectors):
            yield place.variable(LOG_FILE, f"no collector mounts {volume} at {folder}")
        else:
            yield from _is_tailed(place, text, [p for c in shared for p in _tailed(c, known)])

    return judged(ours(subject), judge)


def _is_tailed(place: Place, text: str, tailed: list[str]) -> Iterator[Said]:
    if tailed and not any(fnmatch(text, pattern) for pattern in tailed):
        yield place.variable(LOG_FILE, f"{LOG_FILE} is `{text}`, tailed is {', '.join(tailed)}")


def _mounts(place: Place) -> dict[str, tuple[str, bool]]:
    """Path and whether it is read only, by volume."""
    points = place.definition.get("mountPoints") or []
    return {
        str(point.get("sourceVolume")): (
            str(point.get("containerPath")).rstrip("/"),
            point.get("readOnly") is True,
        )
        for point in points
    }


def _tailed(place: Place, known: dict[str, Resource]) -> list[str]:
    """Files, or patterns for them, that a collector's configuration names."""
    readers = [place.container, *(place.task.containers or ())]
    arns = {arn for one in readers for arn in one.secrets.values()}
    texts = [known[arn]["value"] for arn in sorted(arns) if arn in known]
    paths = {p for t in texts if isinstance(t, str) for p in _PATH.findall(t)}
    return sorted(path for path in paths if path.endswith((".log", ".log*", "*")))
