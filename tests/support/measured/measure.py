"""Watch what a change makes of a cluster that stands: its deployments, then a probe."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import DeployError
from temporal_dsql_deploy.operations.on_ecs import inside
from temporal_dsql_deploy.operations.on_ecs.prove import probe_command
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.platforms.ecs import evidence, services, tasks
from temporal_dsql_deploy.platforms.ecs.clients import Clients
from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
from temporal_dsql_deploy.platforms.ecs.services import Service
from temporal_dsql_deploy.rehearsal.network import walls

WINDOW = 75.0
"""Seconds in which a deployment ends on this machine, several times over."""
_UNPLACED = 12.0
"""Seconds without a place after which none is expected: instances come within one."""
_BELIEVED = 25.0
"""Seconds for which a probe that fails after a change is repeated; see operations.prove."""
_FAILED = ("deployment failed", "rolling back", "failed container health checks")
"""What ECS says of a service whose new tasks do not become ready."""
_DEADLINE = 8.0
_PATIENCE = 120.0
_POLL = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of one mutant."""

    how: str = ""
    """Of predict.SHOWN; empty where nothing was."""
    parts: list[str] = field(default_factory=list)
    """Components and probe checks that do not do."""
    said: str = ""
    """The words of ECS, of a log or of the probe."""
    denied: list[str] = field(default_factory=list)
    """Ports on which dials were refused meanwhile, as `caller -> callee:port`."""
    seconds: float = 0.0


class Watch:
    """One environment that stands."""

    def __init__(
        self, environment: Environment, deployed: Deployed, clients: Clients, device: str
    ) -> None:
        self.deployed = deployed
        self.clients = clients
        self._environment = environment
        self._device = device
        self._names: dict[str, str] = {}

    def denied(self) -> dict[str, int]:
        """Refused dials so far, by `caller -> callee:port`."""
        self._learn()
        found: dict[str, int] = {}
        for one in walls.denied(self._device):
            name = f"{self._name(one.source)} -> {self._name(one.target)}:{one.port}"
            found[name] = found.get(name, 0) + one.attempts
        return found

    def after(self, restarted: Sequence[str], since: datetime, before: dict[str, int]) -> Seen:
        """What comes of it when these components have a new deployment `since` then.

        `before` are the refused dials so far.
        """
        began = time.monotonic()
        seen = self._deployments(restarted, since) or self._probed()
        now = self.denied()
        denied = [name for name, count in now.items() if count > before.get(name, 0)]
        seconds = round(time.monotonic() - began, 1)
        return Seen(seen.how, seen.parts, seen.said, sorted(denied), seconds)

    def steady(self, components: Sequence[str] | None = None) -> list[str]:
        """Components with a deployment under way, or with fewer tasks than wanted."""
        found = services.look(self.deployed, self.clients, components)
        return [name for name, one in found.items() if not _done(one)]

    def green(self, *, probed: bool) -> str:
        """Wait until all is steady, and if `probed` a probe is well; else what is not."""
        until = time.monotonic() + _PATIENCE
        while waiting := self.steady():
            if time.monotonic() > until:
                return f"not steady: {', '.join(waiting)}"
            time.sleep(_POLL)
        while probed and (found := self._probed()).how:
            if time.monotonic() > until:
                return found.said
        return ""

    def _deployments(self, restarted: Sequence[str], since: datetime) -> Seen | None:
        until = time.monotonic() + WINDOW
        unplaced_at = time.monotonic() + _UNPLACED
        while True:
            self._learn()
            found = services.look(self.deployed, self.clients, restarted)
            for name, one in found.items():
                if how := _broken(one, since):
                    return self._told(how, name, one, since)
                if time.monotonic() > unplaced_at and self._waits(one):
                    return self._told("place", name, one, since)
            waiting = [name for name, one in found.items() if not _done(one)]
            if not waiting:
                return None
            if time.monotonic() > until:
                return self._told("start", waiting[0], found[waiting[0]], since)
            time.sleep(_POLL)

    def _waits(self, one: Service) -> bool:
        """Whether a task has no place: what ECS said of it may be over."""
        there = tasks.look([one], self.clients)[one.component]
        return any(task.status == "PROVISIONING" for task in there)

    def _told(self, how: str, component: str, one: Service, since: datetime) -> Seen:
        lines = evidence.sentences(evidence.gather(one, self.clients, since))
        return Seen(how, [component], " | ".join(line.strip() for line in lines))

    def _probed(self) -> Seen:
        until = time.monotonic() + _BELIEVED
        command = probe_command(self._environment, _DEADLINE)
        while True:
            self._learn()
            try:
                result = inside.run(
                    self.deployed, self.clients, command, ProbeResult, lambda _line: None
                )
            except DeployError as error:
                found = Seen("path", ["probe"], f"{error.message}: {error.cause}")
            else:
                failed = [one for one in result.checks if not one.ok]
                if not failed:
                    return Seen()
                named = [f"{one.caller} -> {one.callee} {one.port_name}" for one in result.paths]
                said = f"probe names {', '.join(named)}" if named else failed[0].error
                found = Seen("path", [one.name for one in failed], said)
            if time.monotonic() > until:
                return found

    def _learn(self) -> None:
        """Whose addresses are which, also of tasks that will soon be gone."""
        ecs, cluster = self.clients.ecs, self.deployed.cluster
        arns = ecs.list_tasks(cluster=cluster)["taskArns"]
        for one in ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else ():
            for part in one.get("attachments", ()):
                for detail in part.get("details", ()):
                    if detail["name"] == "privateIPv4Address":
                        name = str(one["group"]).rpartition(":")[2]
                        self._names[detail["value"]] = name.removeprefix(
                            f"{self.deployed.project}-"
                        ).removeprefix("temporal-")

    def _name(self, address: str) -> str:
        return self._names.get(address, address)


def _done(one: Service) -> bool:
    primary = one.primary
    return (
        primary is not None
        and primary.rollout == "COMPLETED"
        and len(one.deployments) == 1
        and one.running == one.desired
    )


def _broken(one: Service, since: datetime) -> str:
    recent = [event.message for event in one.events if event.at >= since]
    if any("unable to stop or start tasks" in said for said in recent):
        return "stuck"
    failed = any(words in said for said in recent for words in _FAILED)
    return "start" if failed or any(part.rollout == "FAILED" for part in one.deployments) else ""
