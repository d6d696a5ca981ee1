"""Dynamic configuration that a plan carries."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.outline import Document, documents, nothing
from temporal_dsql_deploy.checks.contract.places import Place, servers
from temporal_dsql_deploy.checks.contract.values import quoted, seconds, whole
from temporal_dsql_deploy.checks.model import Finding, Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_KEY = re.compile(
    r"""^["']?((?:frontend|history|matching|worker|system|limit|persistence)\.[\w.]+)["']?:""",
    re.MULTILINE,
)
_VALUE = re.compile(r"^\s*-?\s*value:\s*([^\s#]+)", re.MULTILINE)
_NEAR = 0.9
_SOURCE = "temporalio/temporal common/dynamicconfig"
Judge = Callable[[Document, str, list[str]], Iterator[Said]]


def settings(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each key of a dynamic configuration with its values, as they are written."""
    found = list(_KEY.finditer(text))
    for match, following in zip(found, [*found[1:], None], strict=True):
        part = text[match.end() : following.start() if following else len(text)]
        yield match[1], [value.strip("\"'") for value in _VALUE.findall(part)]


def _judged(subject: Subject, judge: Judge) -> Iterator[Said]:
    seen = False
    for document in documents(subject):
        if not _VALUE.search(document.text):
            continue
        for key, values in settings(document.text):
            seen = True
            yield from judge(document, key, values)
    if not seen:
        raise nothing(subject, "dynamic configuration")


@cache
def _known() -> Mapping[str, str]:
    """Keys that servers have, by their lower-case form: case does not matter to them."""
    keys = [key.key for server in topology.servers().values() for key in server.dynamic_config]
    drains = topology.load().drain.roles.values()
    keys += [key.key for drain in drains for key in drain.keys]
    return {key.lower(): key for key in keys}


@FAMILY.rule(
    "dynamic-keys",
    holds="Every dynamic config key is one that the server has.",
    symptom="The server logs `unregistered key` and ignores it: the default holds.",
    fix="Correct or remove the key; `temporal-server validate-dynamic-config FILE` names them.",
    source=f"{_SOURCE}/yaml_loader.go",
)
def dynamic_keys(subject: Subject) -> Iterator[Said]:
    """A key that is in no table here is not judged: the server has hundreds."""
    from difflib import get_close_matches

    wrong = {key.lower() for key in subject.server.unregistered_keys}

    def judge(document: Document, key: str, _: list[str]) -> Iterator[Said]:
        lower, known = key.lower(), _known()
        near = get_close_matches(lower, known, 1, _NEAR)
        if lower in known:
            return
        if lower in wrong:
            evidence = f"{key}: documents name it, the server does not have it"
            yield Finding(document.resource, document.attribute, evidence)
        elif near:
            evidence = f"{key} is unknown; {known[near[0]]} is a key"
            yield Finding(document.resource, document.attribute, evidence)
        else:
            yield Unjudged(document.resource, f"whether the server has {key} is not known here")

    return _judged(subject, judge)


@FAMILY.rule(
    "dynamic-limits",
    holds="Limits on sizes are those that fit into DSQL's columns and keys.",
    symptom="The server accepts what the database then refuses: `SQLSTATE 54000`, and the workflow "
    "is stuck in retries.",
    fix="Set the limit that servers.json recommends for the server.",
    source="Aurora DSQL user guide, quotas; temporalio/temporal common/dynamicconfig/constants.go",
)
def dynamic_limits(subject: Subject) -> Iterator[Said]:
    """Of the keys for which the server of the subject has a recommended number."""
    most = {
        key.key.lower(): key
        for key in subject.server.dynamic_config
        if isinstance(key.recommended, int)
    }

    def judge(document: Document, key: str, values: list[str]) -> Iterator[Said]:
        limit = most.get(key.lower())
        for text in values:
            number = whole(text)
            if limit and number is not None and number > int(limit.recommended or 0):
                evidence = f"{key} is {number}, at most {limit.recommended}: {limit.why}"
                yield Finding(document.resource, document.attribute, evidence)

    return _judged(subject, judge)


@FAMILY.rule(
    "dynamic-drain",
    holds="What a role takes to drain is over before its stop time-out kills it.",
    symptom="ECS sends SIGKILL in the middle of the drain: calls in flight fail with "
    "`connection refused` or `connection reset by peer`.",
    fix="Shorten the drain, or raise stopTimeout above it.",
    source="measured with temporal-server 1.32.2",
)
def dynamic_drain(subject: Subject) -> Iterator[Said]:
    """The drain keys of a role add up, with some seconds for the rest."""
    rest = 5.0
    drains = {
        key.key.lower(): role
        for role, drain in topology.load().drain.roles.items()
        for key in drain.keys
        if "shutdown" in key.key
    }
    limits = {place.task.role: place for place in servers(subject) if isinstance(place, Place)}
    taken: dict[str, float] = {}

    def judge(document: Document, key: str, values: list[str]) -> Iterator[Said]:
        role = drains.get(key.lower())
        if role is None or role not in limits:
            return
        for text in values:
            found = seconds(text)
            if found is None:
                yield Finding(
                    document.resource,
                    document.attribute,
                    f"{key} is {quoted(text)}, no duration",
                    "The server logs `Failed to convert value, using default` and does not drain.",
                    "Write a number with its unit, such as 5s.",
                )
        taken[role] = taken.get(role, 0.0) + max([seconds(t) or 0.0 for t in values], default=0.0)
        stop = limits[role].definition.get(
            "stopTimeout", topology.load().drain.stop_timeout_seconds
        )
        if isinstance(stop, int) and taken[role] + rest > stop:
            yield Finding(
                document.resource,
                document.attribute,
                f"{role} drains for {taken[role]:g} s, its stopTimeout is {stop} s",
            )

    return _judged(subject, judge)
