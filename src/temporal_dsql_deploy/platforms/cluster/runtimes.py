"""What the parts of a cluster run as, processes or containers: chosen by the first start."""

import os
from pathlib import Path

from temporal_dsql_deploy.environments.find import state_directory
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.protocol import Platform, Report

PROCESSES, DOCKER = "processes", "docker"
SETTINGS = {PROCESSES: "cluster.json", DOCKER: "containers.json"}
"""The file in the data directory that holds what a cluster was last run with."""


def root(environment: Environment) -> Path:
    """The data directory."""
    found = environment.data_dir or state_directory(environment.name)
    return found.expanduser().absolute()


def platform(environment: Environment, report: Report) -> Platform:
    """The platform of what this environment runs as, or would."""
    if (_first(environment) or environment.runtime) == DOCKER:
        from temporal_dsql_deploy.platforms.cluster.containers.platform import ContainerPlatform

        return ContainerPlatform(environment, report)
    from temporal_dsql_deploy.platforms.cluster.platform import ClusterPlatform

    return ClusterPlatform(environment, report)


def _first(environment: Environment) -> str | None:
    """What the first start has chosen; None before it."""
    folder = root(environment)
    # os.path says no where pathlib raises: in a folder that this user may not search.
    there = (name for name, file in SETTINGS.items() if os.path.isfile(folder / file))  # noqa: PTH113
    return next(there, None)


def refuse_another(environment: Environment) -> None:
    """Raise InvalidSetting where the environment asks for another one than it has."""
    first = _first(environment)
    if first is not None and environment.runtime not in {None, first}:
        raise InvalidSetting(
            f"the cluster runs as {_WORDS[first]} and cannot become {_WORDS[environment.runtime]}",
            cause="its data are where those keep them: nothing moves them",
            fix="leave --runtime out, or begin anew: dsql-deploy destroy ENV",
        )


_WORDS = {PROCESSES: "processes", DOCKER: "containers", None: ""}
