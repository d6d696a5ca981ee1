"""Ask a rehearsal to let something go wrong: the client of the emulated AWS's own control path."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.rehearsal.aws import control

_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Faults:
    """Those of one emulated AWS. Every method raises InvalidSetting where it knows no such fault.

    Calls are counted of programs on this machine only, not of those in containers.
    """

    url: str
    """Its endpoint."""

    def kill_tasks(self, service: str, count: int = 1) -> list[str]:
        """Kill the containers of running tasks of a service; the ARNs of these tasks."""
        return list(self._ask("task killed", service=service, count=count)["tasks"])

    def kill_task(self, task: str) -> None:
        """Kill the containers of one task, by its id."""
        self._ask("task killed", task=task)

    def lose_instance(self, instance: str | None = None) -> list[str]:
        """An EC2 instance is gone at once, this one or any; the ids of those that are."""
        return list(self._ask("instance lost", instance=instance)["instances"])

    def lose_zone(self, zone: str) -> list[str]:
        """All instances of a zone are gone, and nothing starts there; their ids."""
        return list(self._ask("zone lost", zone=zone)["instances"])

    def no_capacity(self) -> None:
        """No EC2 instance joins any more."""
        self._ask("capacity not arriving")

    def no_image(self, image: str) -> None:
        """Images whose name has this part cannot be pulled."""
        self._ask("image missing", image=image)

    def no_secret(self, secret: str) -> None:
        """Secrets and parameters whose name has this part are not there when a task starts."""
        self._ask("secret missing", secret=secret)

    def throttle(self, service: str = "", action: str = "", count: int = 1) -> None:
        """The next calls are refused as too many; attempts of an SDK count one by one."""
        self._ask(control.THROTTLED, service=service, action=action, count=count)

    def time_out(
        self, service: str, action: str, *, seconds: float, done: bool = False, count: int = 1
    ) -> None:
        """The next calls are answered only after so many seconds; `done` says whether they act."""
        self._ask(
            control.TIMED_OUT,
            service=service,
            action=action,
            seconds=seconds,
            done=done,
            count=count,
        )

    def expire(self, after: int = 0) -> None:
        """Credentials are expired for every call after the next `after` ones."""
        self._ask(control.EXPIRED, after=after)

    def record(self, path: Path) -> None:
        """Write every call that changes something to a file, numbered from 1; see `writes`."""
        self._ask(control.RECORD, path=str(path))

    def stop_after(self, write: int, pid: int, signal: int, *, answered: bool = True) -> None:
        """Send a signal when so many calls from now on have changed something.

        It is sent once the last of them was answered, or else before its answer.
        """
        self._ask(control.STOP_AFTER, write=write, pid=pid, signal=signal, answered=answered)

    def clear(self) -> None:
        """All is well again."""
        self._ask(control.CLEAR)

    def _ask(self, fault: str, **more: Any) -> dict[str, Any]:
        body = json.dumps({"fault": fault, **more}).encode()
        request = urllib.request.Request(self.url + control.PATH, body)  # noqa: S310 - our own
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                request, timeout=_SECONDS
            ) as answer:
                said: dict[str, Any] = json.load(answer)
                return said
        except urllib.error.HTTPError as error:
            raise InvalidSetting(
                f"the rehearsal does not let this go wrong: {fault}",
                cause=error.read().decode(errors="replace"),
                fix="see the methods of temporal_dsql_deploy.rehearsal.faults.Faults; most take "
                "an emulated AWS that starts containers",
            ) from error


@dataclass(frozen=True, slots=True)
class Write:
    """A call that changed something."""

    number: int
    service: str
    """As AWS signs for it: ecs, ec2, autoscaling."""
    action: str
    """Its name, or method and path where it has none."""


def writes(lines: Iterable[str]) -> list[Write]:
    """What a record has."""
    said = [json.loads(line) for line in lines]
    return [Write(one["write"], one["service"], one["action"]) for one in said]
