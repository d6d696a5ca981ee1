"""What Terraform says with `-json`, line by line, as types."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_SCHEMAS = ',"provider_schemas":'
"""`terraform test -verbose` writes the schema of the whole provider, 13.7 MB, behind each plan."""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or warning."""

    severity: str
    """`error` or `warning`."""
    summary: str
    detail: str = ""
    address: str = ""
    """The resource or provider that it is about."""
    filename: str = ""
    """File that it is about; relative to where Terraform ran."""
    line: int = 0
    """Line in it; 0 where there is none."""
    code: str = ""
    """What stands there."""

    @property
    def place(self) -> str:
        """`main.tf:12`, or empty."""
        return f"{self.filename}:{self.line}" if self.filename else ""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened while Terraform ran."""

    kind: str
    """Terraform's type of message: `apply_start`, `apply_complete`, `planned_change`, `log`..., or
    `interrupted` when this process was told to stop."""
    text: str
    """One line for a person."""
    address: str = ""
    """The resource that it is about."""
    action: str = ""
    """create, update, delete..."""
    seconds: float = 0.0
    """How long it has taken, where Terraform says so."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of Terraform's."""

    type: str
    text: str
    body: Mapping[str, Any] = field(default_factory=dict)
    """The whole line, without the schemas of providers."""

    @property
    def event(self) -> Event:
        """This line for a person who watches."""
        hook = self.body.get("hook") or self.body.get("change") or {}
        resource = hook.get("resource") or {}
        return Event(
            kind=self.type,
            text=self.text,
            address=str(resource.get("addr", "")),
            action=str(hook.get("action", "")),
            seconds=float(hook.get("elapsed_seconds", 0)),
        )

    @property
    def diagnostic(self) -> Diagnostic | None:
        """The error or warning that it is, if it is one."""
        found = self.body.get("diagnostic")
        return diagnostic(found) if isinstance(found, Mapping) else None


def message(line: str) -> Message:
    """One line of Terraform's output; what is not JSON becomes a message of type `text`."""
    cut = line.find(_SCHEMAS)
    # What follows the schemas is `type`, which is known: only test_plan and test_state have them.
    text = f'{line[:cut]}}},"type":"test_plan"}}' if cut >= 0 else line
    try:
        body = json.loads(text)
    except ValueError:
        return Message("text", line.strip())
    if not isinstance(body, Mapping):
        return Message("text", line.strip())
    return Message(str(body.get("type", "")), str(body.get("@message", "")).strip(), body)


def diagnostic(found: Mapping[str, Any]) -> Diagnostic:
    """A diagnostic in Terraform's JSON, of a stream or of `validate`."""
    where = found.get("range") or {}
    return Diagnostic(
        severity=str(found.get("severity", "error")),
        summary=str(found.get("summary", "")),
        detail=str(found.get("detail", "")),
        address=str(found.get("address", "")),
        filename=str(where.get("filename", "")),
        line=int((where.get("start") or {}).get("line", 0)),
        code=str((found.get("snippet") or {}).get("code", "")).strip(),
    )
