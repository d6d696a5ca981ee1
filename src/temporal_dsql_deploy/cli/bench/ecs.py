"""`bench run` of an environment on ECS: its generator and workers run there."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import InvalidSetting

if TYPE_CHECKING:
    from temporal_dsql_deploy.bench.options import Settings
    from temporal_dsql_deploy.bench.results import BenchResult
    from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform

_NAMESPACE = "benchmark"
"""In which workers and generator meet where they are apart (bench.options)."""
_OWN = ("generator_only", "worker_only", "namespace", "metrics_host", "metrics_port")
"""Options that the tasks are given by their definitions, or have no use for."""


def platform(environment: str | None, file: Path | None) -> "EcsPlatform | None":
    """Where it is to run; None for an environment that is not on ECS, and for an address."""
    if environment is None:
        return None
    from temporal_dsql_deploy.environments.find import find

    if find(environment, file=file).platform != "ecs":
        return None
    _, chosen = options.choose(environment, file, None, direct=False)
    return options.on_ecs(chosen)


def measure(found: "EcsPlatform", environment: str, made: "Settings") -> "BenchResult":
    """Run it there. Raises InvalidSetting, and what operations.on_ecs.benchmark.run does."""
    from temporal_dsql_deploy.bench.results import BenchResult
    from temporal_dsql_deploy.operations.on_ecs import benchmark

    _refuse(made)
    result = benchmark.run(
        found.deployed,
        found.clients,
        BenchResult,
        terminal.progress,
        workers=made.workers,
        arguments=arguments(made),
    )
    return replace(result, system=replace(result.system, environment=environment))


def _refuse(made: "Settings") -> None:
    if made.generator_only or made.worker_only:
        raise InvalidSetting(
            "--generator-only and --worker-only are not for an environment on ECS",
            cause="there both run, each as tasks of its own",
            fix="leave it out",
        )
    # Of a benchmark that is not apart the default has the time in it.
    if made.namespace != _NAMESPACE and not made.namespace.startswith(f"{_NAMESPACE}-"):
        raise InvalidSetting(
            f"--namespace {made.namespace} is not for an environment on ECS",
            cause=f"its workers poll in namespace {_NAMESPACE}",
            fix="leave it out",
        )


def arguments(made: "Settings") -> list[str]:
    """The settings as options of the generator's command line."""
    from temporal_dsql_deploy.bench.options import OPTIONS

    given = made.to_json()
    said = ["--generator-only", "--namespace", _NAMESPACE]
    for option in OPTIONS:
        value = given[option.name]
        if option.name in _OWN or value == "":
            continue
        if option.type is bool:
            said += [option.flag] if value else []
        else:
            said += [option.flag, f"{value:g}" if option.type is float else str(value)]
    return said
