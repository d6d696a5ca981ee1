"""The arguments and options that verbs share, and the platform that they choose."""

import math
import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from temporal_dsql_deploy.cli.console import terminal
from temporal_dsql_deploy.errors import (
    DirectoryUnusable,
    InvalidSetting,
    NotForPlatform,
    UnknownChoice,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from temporal_dsql_deploy.environments.model import Environment
    from temporal_dsql_deploy.platforms.ecs.deployed import Deployed
    from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform
    from temporal_dsql_deploy.platforms.protocol import Platform


def complete_environment(incomplete: str) -> list[str]:
    """Names of environments for the shell."""
    from temporal_dsql_deploy.environments.find import known

    return [name for name in known() if name.startswith(incomplete)]


def _set_json(value: bool) -> bool:  # noqa: FBT001 - Typer calls it
    terminal.json = value
    return value


def finite(value: float) -> float:
    """The number, where it is one."""
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is not a number of seconds")
    return value


EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="The environment: `local`, `cluster`, `dev`, `bench`, `prod`, or your own.",
        autocompletion=complete_environment,
    ),
]
EnvironmentOnEcs = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="The environment: `dev`, `bench`, `prod`, or one of your own on ECS.",
        autocompletion=complete_environment,
    ),
]
VarFiles = Annotated[
    list[Path] | None,
    typer.Option("--var-file", help="A file of Terraform variables; may be repeated."),
]
Json = Annotated[
    bool,
    typer.Option("--json", help="Print the result as a JSON document.", callback=_set_json),
]
File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        envvar="DSQL_DEPLOY_FILE",
        help="File of the environment, instead of environments/ENV.toml.",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="DSQL_DEPLOY_DATA_DIR",
        help="Where its database, logs and run records are.",
    ),
]
TerraformBinary = Annotated[
    Path | None,
    typer.Option(
        "--terraform",
        envvar="DSQL_DEPLOY_TERRAFORM",
        help="Terraform to run [the one on PATH].",
    ),
]
ProviderMirror = Annotated[
    Path | None,
    typer.Option(
        "--provider-mirror",
        metavar="FOLDER",
        envvar="DSQL_DEPLOY_PROVIDER_MIRROR",
        help="Folder with Terraform's providers, for a machine without a network.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, and do nothing.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to every question.")]
Confirm = Annotated[
    str | None,
    typer.Option(
        "--confirm",
        metavar="ENV",
        help="The name that is asked for where --yes is not enough: prod, or data are lost.",
    ),
]
StepWait = Annotated[
    float | None,
    typer.Option(
        "--wait",
        min=0,
        metavar="SECONDS",
        callback=lambda value: None if value is None else finite(value),
        help="How long hosts, and each component, may take [1800]; on ECS.",
    ),
]
Grace = Annotated[
    float,
    typer.Option(
        "--grace",
        min=0,
        metavar="SECONDS",
        callback=finite,
        help="How long a component may take to stop.",
    ),
]
Deadline = Annotated[
    float,
    typer.Option(
        "--deadline",
        min=0.1,
        metavar="SECONDS",
        callback=finite,
        help="Deadline of each probe check.",
    ),
]

Direct = Annotated[
    bool,
    typer.Option(
        "--direct",
        help="On ECS: dial its tasks from here, inside the VPC or on its Client VPN.",
    ),
]

GRACE = 30.0
"""As platforms.protocol.GRACE, which is not imported for --help; a test compares."""
DEADLINE = 15.0
"""Above the 10 s after which the server gives a lost workflow task to another worker: a delay of
that kind, as after the freeze of a machine, is to be seen as latency and not as a failure."""


_OWN = 0o600
"""Mode of a file that nobody else may read."""
_ALL = 0o666

INSIDE = "DSQL_DEPLOY_OUTPUTS"
"""As platforms.ecs.carried.VARIABLE, which is not imported for --help; a test compares."""
ON_THIS_MACHINE = {"local", "cluster"}
"""Platforms that the verbs of a running cluster work on."""
ON_ECS = (
    *("up", "destroy", "lock"),
    *("status", "logs", "scale", "restart", "recover", "down", "probe", "membership", "bench"),
    *("check", "plan", "diagram", "rehearse"),
    *("images", "schema", "visibility", "secret", "lease", "env"),
)
"""The verbs of environments on ECS."""


def choose(
    name: str,
    file: Path | None,
    data_dir: Path | None,
    *,
    direct: bool | None = None,
    **options: Any,
) -> "tuple[Environment, Platform]":
    """The environment called `name` with the given options, and the platform it runs on.

    `direct` is None for verbs that do not work on ECS. Raises UnknownEnvironment, InvalidSetting,
    NotForPlatform; on ECS also NotApplied, and what Terraform and AWS raise.
    """
    from temporal_dsql_deploy.environments.model import check_platform

    named = _named(name, file)
    address(name, file=file, data_dir=data_dir)
    if named.platform == "ecs" and direct is not None:
        return named, _on_ecs(named, direct=direct)
    if named.platform not in ON_THIS_MACHINE:
        raise NotForPlatform(
            f"this verb does not work on {named.platform}, the platform of environment {name}",
            cause=f"the verbs that do: {', '.join(ON_ECS)}",
            fix="see what would be there: dsql-deploy plan ENV",
        )
    environment = named.with_options(data_dir=data_dir, **options)
    check_platform(environment, name)
    if environment.platform == "cluster":
        # Unlike the embedded server this one makes none by itself.
        namespaces = {**environment.namespaces}
        namespaces.setdefault("default", None)
        environment = replace(environment, namespaces=namespaces)
    return environment, _platform(environment)


def _named(name: str, file: Path | None) -> "Environment":
    """The environment; a task inside the VPC was told all of it, and has no file."""
    from temporal_dsql_deploy.environments.find import check_name as check
    from temporal_dsql_deploy.environments.find import find
    from temporal_dsql_deploy.environments.model import Environment

    if not os.environ.get(INSIDE):
        return find(name, file=file)
    check(name)
    return Environment(name, platform="ecs")


def _on_ecs(named: "Environment", *, direct: bool) -> "Platform":
    from temporal_dsql_deploy.operations.deployed import How, find
    from temporal_dsql_deploy.platforms.ecs.clients import Clients
    from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform

    given = (os.environ.get(f"DSQL_DEPLOY_{one}") for one in ("TERRAFORM", "PROVIDER_MIRROR"))
    terraform, mirror = (Path(one) if one else None for one in given)
    found = find(named, How(terraform, mirror))
    return EcsPlatform(
        named,
        found,
        Clients.of(found.region),
        direct=direct or bool(os.environ.get(INSIDE)),
        report=terminal.progress,
    )


def outside(platform: "Platform") -> "EcsPlatform | None":
    """The platform, where it is on ECS and its tasks cannot be dialled from here."""
    found = on_ecs(platform)
    return None if found is None or found.direct else found


def on_ecs(platform: "Platform") -> "EcsPlatform | None":
    """The platform, where it is on ECS."""
    if platform.name != "ecs":
        return None
    from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform

    return platform if isinstance(platform, EcsPlatform) else None


def deployed(
    name: str, file: Path | None, terraform: Path | None, provider_mirror: Path | None
) -> "Deployed":
    """What stands on AWS of the environment called `name`.

    Raises UnknownEnvironment, InvalidSetting, NotForPlatform, NotApplied, and what Terraform and
    AWS raise.
    """
    from temporal_dsql_deploy.operations.deployed import How, find

    address(name, file=file)
    return find(_named(name, file), How(terraform, provider_mirror))


def named(name: str, file: Path | None) -> "Environment":
    """The environment called `name`, on whatever platform. Raises UnknownEnvironment."""
    address(name, file=file)
    return _named(name, file)


def _platform(environment: "Environment") -> "Platform":
    if environment.platform == "cluster":
        from temporal_dsql_deploy.platforms.cluster import runtimes

        return runtimes.platform(environment, terminal.progress)
    from temporal_dsql_deploy.platforms.local.platform import LocalPlatform

    return LocalPlatform(environment)


def address(name: str, *, file: Path | None = None, data_dir: Path | None = None) -> None:
    """Tell the terminal how the user has to name this environment again."""
    places = (("--file", file), ("--data-dir", data_dir))
    again = [part for option, path in places if path for part in (option, str(path))]
    terminal.address = shlex.join([name, *again])


def check_name(name: str) -> None:
    """Refuse what is no name, where no environment is looked up. Raises UnknownEnvironment."""
    from temporal_dsql_deploy.environments.find import check_name as check

    check(name)


def check_out(path: Path | None, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before work is done for it.

    Raises DirectoryUnusable.
    """
    if path is None:
        return
    target = path.expanduser()
    if not target.parent.is_dir():
        cause = f"there is no folder {target.parent.absolute()}"
    elif target.is_dir():
        cause = "it is a folder"
    else:
        return
    raise DirectoryUnusable(
        f"{path} cannot be written", cause=cause, fix=f"make the folder, or correct {option}"
    )


def write_out(path: Path, text: str, option: str = "--out", *, private: bool = False) -> None:
    """Write what the user asked for with `option`; if private, for nobody else to read.

    Raises DirectoryUnusable.
    """
    try:
        mode = _OWN if private else _ALL
        target = os.open(path.expanduser(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(target, "w", encoding="utf-8", newline="") as opened:
            if private:
                # Of a file that is there already, the mode is its own.
                os.fchmod(target, mode)
            opened.write(text)
    except OSError as error:
        raise DirectoryUnusable(
            f"{path} cannot be written",
            cause=str(error.strerror),
            fix=f"name another place with {option}",
        ) from error


def one_of(what: str, word: str, choices: "Iterable[str]") -> str:
    """`word`, if it is one of `choices`. Raises UnknownChoice, which lists them."""
    known = list(choices)
    if word in known:
        return word
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    raise UnknownChoice(
        f"there is no {what} {word!r}",
        cause=f"known are: {', '.join(known)}",
        fix=f"did you mean {close[0]}?" if close else f"choose one of: {', '.join(known)}",
    )


def pairs(option: str, texts: list[str], *, example: str) -> dict[str, str]:
    """The pairs of an option that is NAME=VALUE. Raises InvalidSetting."""
    found = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise InvalidSetting(
                f"{option} {text!r} is not right",
                cause="it has to be a name, an equals sign and a value",
                fix=f"for instance: {example}",
            )
        found[name] = value
    return found


def replicas(texts: list[str], *, option: str = "") -> dict[str, int]:
    """Instances by role, of arguments ROLE=N or those of `option`.

    Raises InvalidSetting, UnknownChoice.
    """
    from temporal_dsql_deploy.environments.model import MOST_REPLICAS, RoleName

    example = f"{option} history=2".lstrip()
    found = {}
    for role, text in pairs(option or "ROLE=N", texts, example=example).items():
        one_of("role", role, get_args(RoleName))
        if not text.isdecimal() or not 1 <= int(text) <= MOST_REPLICAS:
            raise InvalidSetting(
                f"{option} {role}={text} is not right".lstrip(),
                cause=f"a role has 1 to {MOST_REPLICAS} instances",
                fix=f"for instance: {example}; to stop everything: dsql-deploy down ENV",
            )
        found[role] = int(text)
    return found
