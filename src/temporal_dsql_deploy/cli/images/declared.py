"""The options of `images`' verbs, and what they ask for."""

import platform
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from temporal_dsql_deploy.cli import options
from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import MissingError, NotForPlatform

if TYPE_CHECKING:
    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.operations.images.push import Place

NAMES = ("server", "runtime", "benchmark", "admin-tools", "grafana")
"""As images.definitions.IMAGES, which is not imported for --help; a test compares."""
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

Images = Annotated[
    list[str] | None,
    typer.Option(
        "--image",
        metavar="NAME",
        help=f"Only this one; may be repeated: {', '.join(NAMES)} [all of them].",
    ),
]
Architecture = Annotated[
    str | None,
    typer.Option(
        "--architecture",
        envvar="TARGET_ARCH",
        help="amd64 or arm64 [arm64 on ECS, else this machine's].",
    ),
]
EngineName = Annotated[
    str | None,
    typer.Option(
        "--engine",
        envvar="DSQL_DEPLOY_ENGINE",
        help="Container engine: docker, podman or buildah [the first that is here].",
    ),
]
RegistryName = Annotated[
    str | None,
    typer.Option(
        "--registry",
        metavar="HOST[/PREFIX]",
        help="Registry of images [Amazon ECR of ENV's account and region].",
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", help="AWS region of ECR [that of ENV's Terraform variables]."),
]


def environment(name: str, file: Path | None) -> "Environment":
    """The environment. Raises UnknownEnvironment, InvalidSetting, NotForPlatform."""
    from temporal_dsql_deploy.environments.find import find

    options.address(name, file=file)
    found = find(name, file=file)
    if found.platform == "local":
        raise NotForPlatform(
            f"environment {name} has no images",
            cause="the embedded server is one process, and comes in a package",
            fix="name one with roles of its own: cluster, or one on ECS",
        )
    return found


def images(given: list[str] | None) -> tuple[str, ...]:
    """Those that are asked for, all without one. Raises UnknownChoice."""
    return tuple(options.one_of("image", one, NAMES) for one in given or NAMES)


def architecture(found: "Environment", given: str | None) -> str:
    """What to build for. Raises UnknownChoice, and MissingError on a machine of another kind."""
    if given is not None:
        # uname's words are those of many scripts.
        return options.one_of("architecture", _MACHINES.get(given, given), ("amd64", "arm64"))
    if found.platform == "ecs":
        return "arm64"
    own = _MACHINES.get(platform.machine().lower())
    if own is None:
        raise MissingError(
            f"there is no image for {platform.machine()}",
            cause="amd64 and arm64 are known",
            fix="say which one: --architecture amd64",
        )
    return own


def place(
    found: "Environment", registry: str | None, region: str | None, terraform: Path | None
) -> "Place":
    """Where its images are pushed.

    Raises InvalidSetting, NotForPlatform, WrongAccount, MissingError, and what Terraform and AWS
    raise.
    """
    if registry is not None:
        from temporal_dsql_deploy.images.registry import Registry

        return Registry.parse(registry)
    from temporal_dsql_deploy.operations.images import push

    return push.own(found, region, terraform)


def show_commands(commands: list[str]) -> None:
    """What would be run, one command a line."""
    terminal.text(*commands)
