"""Collectors, Loki and what they are started with."""

import hashlib
import re
from collections.abc import Iterator
from fnmatch import fnmatch

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.mounts import awaited, words
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    containers,
    each,
    is_collector,
    judged,
    ours,
)
from temporal_dsql_deploy.checks.contract.values import quoted
from temporal_dsql_deploy.checks.look import known
from temporal_dsql_deploy.checks.model import CannotJudge, Said
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.model import Resource
from temporal_dsql_deploy.plan.values import Sensitive

_DERIVED = re.compile(r"sha|hash|checksum|digest|version|revision", re.IGNORECASE)
_PATH = re.compile(r"/[\w./*{}\[\],!?-]+")
_UNITS = {"": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MIB = 2**20
LOG_FILE = "TEMPORAL_LOG_FILE"


def parameters(subject: Subject) -> dict[str, Resource]:
    """SSM parameters of the plan by ARN."""
    return known(subject.plan.of_type("aws_ssm_parameter"), "arn")


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
        said = words(place)
        named = re.findall(r"env:([A-Za-z_][A-Za-z0-9_]*)", said)
        named += re.findall(r"\$\{?([A-Z][A-Z0-9_]*CONFIG[A-Z0-9_]*)", said)
        adot = "aws-otel-collector" in place.container.image and not said
        for name in [*named, *(["AOT_CONFIG_CONTENT"] if adot else [])]:
            if not place.has(name):
                yield place.finding(f"secrets.{name}", f"{name} is not set")
        if not is_collector(place.container) and not awaited(place):
            return
        for name in place.container.secrets:
            if "CONFIG" in name and name not in named and not name.startswith("AOT_"):
                yield place.finding("command", f"nothing in the command reads {name}")

    return judged(containers(subject), judge)


@FAMILY.rule(
    "loki-config",
    holds="Loki is started with the configuration that the plan makes for it.",
    symptom="It runs with the one in its image: without a retention, and what it keeps is where "
    "nobody expects it.",
    fix="Give it -config.file with the path of the file.",
    source="grafana.com docs: Loki configuration",
)
def loki_config(subject: Subject) -> Iterator[Said]:
    """Where a parameter of the plan is for it."""

    def judge(place: Place) -> Iterator[Said]:
        beside = place.task.containers or ()
        given = any("CONFIG" in name for one in beside for name in one.secrets)
        if given and not awaited(place) and "-config.file=/" not in words(place):
            yield place.finding("command", "no -config.file")

    loki = each(subject, lambda t: t.party == "loki", "Loki")
    return judged(loki, judge)


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
    return {
        str(point.get("sourceVolume")): (
            str(point.get("containerPath")).rstrip("/"),
            point.get("readOnly") is True,
        )
        for point in place.parts("mountPoints")
    }


def _tailed(place: Place, known: dict[str, Resource]) -> list[str]:
    """Files, or patterns for them, that a collector's configuration names."""
    readers = [place.container, *(place.task.containers or ())]
    arns = {arn for one in readers for arn in one.secrets.values()}
    texts = [known[arn]["value"] for arn in sorted(arns) if arn in known]
    paths = {p for t in texts if isinstance(t, str) for p in _PATH.findall(t)}
    return sorted(path for path in paths if path.endswith((".log", ".log*", "*")))
