"""What a cluster in containers runs with: what is asked for, else as it last ran."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms import files
from temporal_dsql_deploy.platforms.cluster import layout, runtimes
from temporal_dsql_deploy.platforms.cluster import settings as of_processes

FILE = runtimes.SETTINGS[runtimes.DOCKER]
ROLE, ADMIN_TOOLS = "TEMPORAL_IMAGE", "TEMPORAL_ADMIN_TOOLS_IMAGE"
IMAGES = {
    ROLE: "temporal-dsql-runtime",
    ADMIN_TOOLS: "temporal-dsql-admin-tools",
    "POSTGRES_IMAGE": "docker.io/library/postgres:16.11",
    "TEMPORAL_UI_IMAGE": "docker.io/temporalio/ui:2.54.1",
}
"""By the variable of the Compose file: its default there; what is built here has own tags."""
_ONLY_PROCESSES = "it is for processes alone: leave it out, or begin anew with --runtime processes"


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """One way to run a cluster in containers; kept in its data directory."""

    images: dict[str, str]
    """Names by the variable of the Compose file."""
    replicas: dict[str, int]
    """Instances by role."""
    shards: int
    ports: dict[str, int]
    """Of 127.0.0.1, by the names of an environment: frontend, http, ui."""
    dynamic_config: dict[str, Any]

    def variables(self, environment: str, password: Path) -> dict[str, str]:
        """What the Compose file is told; `password` is the file of the database's."""
        return {
            **self.images,
            "DEPLOY_ENVIRONMENT": environment,
            "TEMPORAL_DATABASE_PASSWORD_FILE": str(password),
            "TEMPORAL_DYNAMIC_CONFIG": json.dumps(self.dynamic_config, sort_keys=True),
            "TEMPORAL_FRONTEND_PORT": str(self.ports["frontend"]),
            "TEMPORAL_HISTORY_SHARDS": str(self.shards),
            "TEMPORAL_HTTP_PORT": str(self.ports["http"]),
            "TEMPORAL_LOG_LEVEL": "info",
            "TEMPORAL_UI_PORT": str(self.ports["ui"]),
        }


def wanted(
    environment: Environment, last: ContainerSettings | None, built: Mapping[str, str]
) -> ContainerSettings:
    """The settings to run with; `built` are the newest images of this tool, by their variable.

    Raises InvalidSetting.
    """
    _refuse_for_processes(environment)
    before = dict.fromkeys(layout.roles(), 1) | (last.replicas if last else {})
    replicas = {**before, **environment.replicas}
    dynamic_config = environment.dynamic_config
    if dynamic_config is None:
        dynamic_config = last.dynamic_config if last else {}
    ports = _standard() | (last.ports if last else {})
    found = ContainerSettings(
        images={name: _image(name, last, built) for name in IMAGES},
        replicas=replicas,
        shards=of_processes.shards(environment, last.shards if last else None, replicas["history"]),
        ports=ports | dict(environment.ports),
        dynamic_config={**dynamic_config, **environment.dynamic_config_values},
    )
    _refuse_twice(found.ports)
    return found


def scaled(last: ContainerSettings, replicas: Mapping[str, int]) -> ContainerSettings:
    """The same with other numbers of instances. Raises InvalidSetting."""
    wanted = {**last.replicas, **replicas}
    of_processes.check_shards(last.shards, wanted["history"])
    return replace(last, replicas=wanted)


def _image(name: str, last: ContainerSettings | None, built: Mapping[str, str]) -> str:
    """The one asked for by a variable of the caller, that of the last run, the default."""
    asked = os.environ.get(name)
    if asked:
        return asked
    if last is not None:
        return last.images[name]
    return built.get(name, IMAGES[name])


def _standard() -> dict[str, int]:
    house = topology.load()
    ports = house.roles["frontend"].ports
    return {"frontend": ports["grpc"], "http": ports["http"], "ui": house.ui_port}


def _refuse_for_processes(environment: Environment) -> None:
    unfit = {
        "network": environment.network is not None,
        "visibility = opensearch": environment.visibility == of_processes.OPENSEARCH,
        "the metrics port": "metrics" in environment.ports,
    }
    for name, given in unfit.items():
        if given:
            raise InvalidSetting(
                f"{name} means nothing with containers",
                cause="each has an address of its own, with the standard ports, and "
                "docker/compose.local.yaml has no OpenSearch",
                fix=_ONLY_PROCESSES,
            )


def _refuse_twice(ports: Mapping[str, int]) -> None:
    owners: dict[int, str] = {}
    for name, port in ports.items():
        other = owners.setdefault(port, name)
        if other != name:
            raise InvalidSetting(
                f"the ports {other} and {name} are both {port}",
                cause="each needs one of its own",
                fix="change one of them in the options or the environment's file",
            )


def read(path: Path) -> ContainerSettings | None:
    """What a cluster was last run with; None where nothing was, or the file is not one."""
    try:
        return ContainerSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write(path: Path, settings: ContainerSettings) -> None:
    """Replace the file in one step. Raises OSError."""
    files.write(path, json.dumps(asdict(settings), indent=2) + "\n")
