"""How the embedded server is run: its settings, and the command line that they make."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting

ADDRESS = "127.0.0.1"
"""Loopback only: the development server has no authentication."""
_LAST_PORT = 65535
_TYPED = {"frontend", "ui"}
"""Ports that people know by heart; the others give way when they are taken."""
PORT_OPTIONS = {
    "frontend": "--port",
    "http": "--http-port",
    "ui": "--ui-port",
    "metrics": "--metrics-port",
}
"""The option of `up` for each port, named as in `temporal server start-dev`."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One way to run the embedded server; kept in its run record."""

    binary: str
    ports: dict[str, int]
    dynamic_config: dict[str, Any]

    @classmethod
    def from_record(cls, settings: dict[str, Any]) -> Self:
        """The settings that a running server was started with."""
        return cls(settings["binary"], settings["ports"], settings["dynamic_config"])

    def to_record(self) -> dict[str, Any]:
        """The inverse of `from_record`."""
        return asdict(self)

    def differences(self, running: "ServerSettings") -> list[str]:
        """What a restart would change, one phrase for each setting."""
        pairs = [("temporal binary", running.binary, self.binary)]
        pairs += [
            (f"{name} port", str(port), str(self.ports[name]))
            for name, port in running.ports.items()
        ]
        pairs += [
            (
                f"dynamic config {key}",
                _shown(running.dynamic_config, key),
                _shown(self.dynamic_config, key),
            )
            for key in sorted(running.dynamic_config | self.dynamic_config)
        ]
        return [f"{name} {old} -> {new}" for name, old, new in pairs if old != new]


def _shown(values: dict[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "default"


def wanted(  # noqa: PLR0913 - all that the choice depends on
    environment: Environment,
    *,
    binary: str,
    last: ServerSettings | None,
    running: bool,
    is_free: Callable[[int], bool],
    any_free: Callable[[], int],
) -> ServerSettings:
    """The settings to run with: what is asked for, else what it last ran with, else the defaults.

    `running` is whether it still does; then its binary stays too, which else is the one found now.
    Raises InvalidSetting when two ports are the same.
    """
    before = dict(last.ports) if last else {}
    if not running:
        # Nobody asked for these by number, and they may have been taken since.
        before = {name: port for name, port in before.items() if name in _TYPED or is_free(port)}
    ports = choose_ports(environment.ports, before=before, is_free=is_free, any_free=any_free)
    if ports["ui"] > _LAST_PORT:
        raise InvalidSetting(
            f"the ui port cannot be {ports['ui']}",
            cause=f"it is {topology.load().embedded_ui_port_offset} above the frontend's, and "
            f"{_LAST_PORT} is the last one",
            fix=f"give it a port of its own with {PORT_OPTIONS['ui']}",
        )
    taken: dict[int, str] = {}
    for name, port in ports.items():
        if port in taken:
            raise InvalidSetting(
                f"the {taken[port]} and {name} ports are both {port}",
                cause="each needs a port of its own",
                fix=f"change {PORT_OPTIONS[taken[port]]} or {PORT_OPTIONS[name]}",
            )
        taken[port] = name
    dynamic_config = environment.dynamic_config
    if dynamic_config is None:
        dynamic_config = last.dynamic_config if last else {}
    if last and running and environment.temporal_binary is None:
        binary = last.binary
    return ServerSettings(binary, ports, {**dynamic_config, **environment.dynamic_config_values})


def choose_ports(
    asked: Mapping[str, int],
    *,
    before: Mapping[str, int],
    is_free: Callable[[int], bool],
    any_free: Callable[[], int],
) -> dict[str, int]:
    """A port for each name; those that nobody types (HTTP, metrics) give way when taken."""
    house = topology.load()
    roles = house.roles["frontend"].ports
    frontend = asked.get("frontend") or before.get("frontend") or roles["grpc"]
    ui = asked.get("ui") or before.get("ui") or frontend + house.embedded_ui_port_offset
    ports = {"frontend": frontend, "ui": ui}
    for name, default in (("http", roles["http"]), ("metrics", house.metrics_port)):
        chosen = asked.get(name) or before.get(name)
        if chosen is None:
            chosen = default if is_free(default) and default not in ports.values() else any_free()
        ports[name] = chosen
    return ports


def command(settings: ServerSettings, database: Path, namespaces: list[str]) -> list[str]:
    """The command line of `temporal server start-dev`; namespaces that exist already are kept."""
    line = [settings.binary, "server", "start-dev"]
    line += ["--db-filename", str(database), "--ip", ADDRESS]
    for name, option in PORT_OPTIONS.items():
        line += [option, str(settings.ports[name])]
    line += ["--log-format", "json", "--log-level", "info"]
    for namespace in namespaces:
        line += ["--namespace", namespace]
    for key, value in sorted(settings.dynamic_config.items()):
        line += ["--dynamic-config-value", f"{key}={json.dumps(value)}"]
    return line


def process_environment() -> dict[str, str]:
    """The environment of the server: this one's, without what would configure a Temporal client."""
    return {key: value for key, value in os.environ.items() if not key.startswith("TEMPORAL_")}
