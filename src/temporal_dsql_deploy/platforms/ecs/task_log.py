"""The log of one container of one task, as CloudWatch Logs has it."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import DeployError, PermissionMissing

_WIDTH = 200
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NOT_THERE = "ResourceNotFoundException"


@dataclass(slots=True)
class Log:
    """A log stream that is read on and on; the driver awslogs names it PREFIX/CONTAINER/TASK."""

    logs: Any
    """Client of boto3."""
    group: str
    stream: str
    lines: list[str] = field(default_factory=list)
    """What was read of it."""
    trouble: str = ""
    """Why it could not be read when it was tried last. The task does its work all the same."""
    _token: str = ""
    _is_denied: bool = False

    def of_task(self, task: str) -> "Log":
        """The stream of the task with this id."""
        return replace(self, stream=f"{self.stream}/{task}", lines=[], _token="")

    def read(self) -> list[str]:
        """Lines that were not read before; none while there is no stream, or trouble."""
        if self._is_denied:
            return []
        before = len(self.lines)
        try:
            with aws.calling(f"read the log group {self.group} (logs:GetLogEvents)"):
                self._read_on()
            self.trouble = ""
        except DeployError as error:
            # All else may pass: a result that is read from here must not be lost with it.
            self._is_denied = isinstance(error, PermissionMissing)
            self.trouble = f"{error.message}: {error.cause}"
        return self.lines[before:]

    def _read_on(self) -> None:
        while answer := self._events():
            self.lines += [event["message"] for event in answer["events"]]
            token = answer["nextForwardToken"]
            # At its end the same one comes back.
            if token == self._token:
                break
            self._token = token

    def _events(self) -> Any | None:
        """A page; None while there is no stream."""
        from botocore.exceptions import ClientError

        options = {"nextToken": self._token} if self._token else {}
        try:
            return self.logs.get_log_events(
                logGroupName=self.group,
                logStreamName=self.stream,
                startFromHead=True,
                **options,
            )
        except ClientError as error:
            if aws.refusal(error) == _NOT_THERE:
                return None
            raise

    def last(self, count: int) -> str:
        """Its last lines, for a sentence."""
        if self.trouble:
            return f"its log cannot be read: {self.trouble}"
        if not self.lines:
            return f"it has written nothing to its log group {self.group}"
        return f"its log ends with: {' / '.join(map(readable, self.lines[-count:]))}"


def readable(line: str) -> str:
    """A line as somebody can read it: without colours, and its beginning where it is long."""
    plain = _COLOUR.sub("", line)
    return plain if len(plain) <= _WIDTH else f"{plain[:_WIDTH]} …"
