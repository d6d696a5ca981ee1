"""Texts that a plan carries, and the keys and values of those that are YAML.

A configuration file of Temporal is a template, and its text no YAML before it is rendered. So it is
read line by line: by indentation, and by the braces of a mapping in one line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.checks.model import CannotJudge, SwitchedOff
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive

_LINE = re.compile(r"""^(\s*)(?:-\s+)?["']?([A-Za-z_][\w.\-]*)["']?\s*:(?:\s+(.*)|)$""")
_COMMENT = re.compile(r"\s+#.*$")
_TOKEN = re.compile(r"""\{\{.*?\}\}|"[^"]*"|'[^']*'|[{}\[\],:]|[^{}\[\],:\s"']+""")
_HOLDERS = {
    "aws_ssm_parameter": ("value", "insecure_value"),
    "aws_s3_object": ("content",),
    "local_file": ("content",),
}


@dataclass(frozen=True, slots=True)
class Document:
    """A text of several lines that a plan carries."""

    resource: str
    attribute: str
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a document that has a value of its own."""

    path: tuple[str, ...]
    value: str
    """Without quotes; empty where only other keys are below."""
    line: int
    """From 1."""


def documents(subject: Subject) -> Iterator[Document]:
    """All texts of several lines, in the order of their addresses."""
    for resource in subject.plan.of_type(*_HOLDERS):
        for attribute in _HOLDERS[resource.type]:
            text = resource[attribute]
            if isinstance(text, str) and "\n" in text:
                yield Document(resource.address, attribute, text)
    for task in subject.tasks:
        for container in task.containers or ():
            for name, text in container.environment.items():
                if "\n" in text:
                    path = f"container_definitions.{container.name}.environment.{name}"
                    yield Document(task.definition.address, path, text)


def hidden(subject: Subject) -> Iterator[str]:
    """Addresses of what may hold a text that the plan does not show."""
    for resource in subject.plan.of_type(*_HOLDERS):
        held = [resource[attribute] for attribute in _HOLDERS[resource.type]]
        # A parameter has its text in one attribute, and the other is known only after an apply.
        if not any(isinstance(text, str) for text in held) and any(
            text is UNKNOWN or isinstance(text, Sensitive) for text in held
        ):
            yield resource.address
    for task in subject.tasks:
        if task.containers is None:
            yield task.definition.address


def nothing(subject: Subject, what: str) -> CannotJudge | SwitchedOff:
    """Why there is nothing to judge: no text is such a document, or some are not shown."""
    if not subject.tasks:
        return CannotJudge("the plan has no task")
    if secret := sum(1 for _ in hidden(subject)):
        return CannotJudge(f"the plan carries no {what}; {secret} texts are not shown")
    return SwitchedOff(f"no {what} in the plan")


def outline(text: str) -> list[Entry]:
    """Keys and values of a YAML text, or of a template for one; what is not so is left out."""
    found: list[Entry] = []
    above: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(_COMMENT.sub("", line)) if not line.lstrip().startswith("#") else None
        if match is None:
            continue
        indent, key, value = len(match[1]), match[2], (match[3] or "").strip()
        while above and above[-1][0] >= indent:
            above.pop()
        path = (*(name for _, name in above), key)
        above.append((indent, key))
        if value.startswith("{") and not value.startswith("{{"):
            found.append(Entry(path, "", number))
            found += _flow(value, path, number)
        else:
            found.append(Entry(path, _plain(value), number))
    return found


def _plain(value: str) -> str:
    return value.strip().strip("\"'") if "{{" not in value else value


def _flow(text: str, above: tuple[str, ...], line: int) -> Iterator[Entry]:
    """What stands in `{a: b, c: {d: e}}`."""
    path = list(above)
    key, value = "", ""
    reads_value = False
    for token in _TOKEN.findall(text):
        match token:
            case ":":
                reads_value, value = True, value if reads_value else ""
            case "{":
                path, key = ([*path, key] if key else path), ""
                reads_value = False
            case "," | "}":
                if key:
                    yield Entry((*path, key), _plain(value), line)
                key, value, reads_value = "", "", False
                if token == "}" and len(path) > len(above):  # noqa: S105
                    path.pop()
            case _ if reads_value:
                # An address has a colon inside, which ends no key.
                value += f":{token}" if value else token
            case _:
                key = _plain(token)


def value_of(entries: list[Entry], *tail: str) -> Entry | None:
    """The first key whose path ends so."""
    return next((each for each in entries if each.path[-len(tail) :] == tail), None)


def is_open(value: str) -> bool:
    """Whether a value is known only when the template is rendered."""
    return "{{" in value or "${" in value
