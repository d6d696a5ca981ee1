"""Find an environment by its name: a file of the user's, or one that is built in."""

import difflib
import os
import re
from dataclasses import replace
from pathlib import Path

from temporal_dsql_deploy.environments.model import BUILT_IN, Environment
from temporal_dsql_deploy.errors import DirectoryUnusable, UnknownEnvironment

FOLDER_VARIABLE = "DSQL_DEPLOY_ENVIRONMENTS"
_FOLDER = "environments"
_TERRAFORM = Path("terraform", "envs")
_CHECKOUT = Path(__file__).parents[3]
"""Of this repository, when the package runs from one."""


def find(name: str, *, file: Path | None = None) -> Environment:
    """The environment called `name`, from `file` or from the folders of `search_folders`.

    Raises UnknownEnvironment, or InvalidSetting when its file does not say what one may say.
    """
    check_name(name)
    path = file or _find_file(name)
    if path is not None:
        from temporal_dsql_deploy.environments.file import read

        return _with_terraform(read(name, path))
    if name in BUILT_IN:
        return _with_terraform(Environment(name=name, platform=BUILT_IN[name]))
    raise _unknown(name)


def check_name(name: str) -> None:
    """Raise UnknownEnvironment for what cannot be a name: it becomes a part of paths."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise _unknown(name)


def known() -> list[str]:
    """Names of all environments, built in or with a file, sorted."""
    files = (path.stem for folder in search_folders() for path in folder.glob("*.toml"))
    usable = (
        name
        for name, platform in BUILT_IN.items()
        if platform != "ecs" or terraform_folder(name) is not None
    )
    return sorted({*usable, *files})


def terraform_folder(name: str) -> Path | None:
    """`terraform/envs/NAME` in the working directory or the nearest parent that has it.

    Else that of the checkout that this package runs from; None without one.
    """
    here = Path.cwd()
    folders = (folder / _TERRAFORM / name for folder in (here, *here.parents, _CHECKOUT))
    return next((folder for folder in folders if any(folder.glob("*.tf"))), None)


def search_folders() -> list[Path]:
    """Where files of environments are looked for, nearest first.

    The folder that DSQL_DEPLOY_ENVIRONMENTS names, `environments` in the working directory or the
    nearest parent that has one, then `dsql-deploy/environments` in the XDG configuration directory.
    """
    here = Path.cwd()
    named = os.environ.get(FOLDER_VARIABLE)
    near = (folder / _FOLDER for folder in (here, *here.parents))
    configuration = _xdg("XDG_CONFIG_HOME", ".config") / "dsql-deploy" / _FOLDER
    nearest = next((folder for folder in near if any(folder.glob("*.toml"))), None)
    first = Path(named).expanduser() if named else None
    return [folder for folder in (first, nearest, configuration) if folder is not None]


def state_directory(name: str) -> Path:
    """Where an environment keeps its data unless told otherwise: the XDG state directory."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "dsql-deploy" / name


def results_directory() -> Path:
    """Where results of benchmarks are kept unless told otherwise: beside all environments."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "dsql-deploy-results"


def _with_terraform(environment: Environment) -> Environment:
    if environment.platform != "ecs" or environment.terraform is not None:
        return environment
    folder = terraform_folder(environment.name)
    if folder is None:
        raise UnknownEnvironment(
            f"there is no Terraform of environment {environment.name!r}",
            cause=f"neither {Path.cwd()} nor a parent has {_TERRAFORM / environment.name}",
            fix="run the command in a checkout that has it, or name the folder in a file "
            f'{_FOLDER}/{environment.name}.toml: platform = "ecs", terraform = "PATH"',
        )
    return replace(environment, terraform=folder)


def _xdg(variable: str, default: str) -> Path:
    # The XDG Base Directory Specification: a relative value is invalid and is to be ignored.
    value = os.environ.get(variable, "")
    if value.startswith("/"):
        return Path(value)
    try:
        return Path.home() / default
    except RuntimeError as error:
        raise DirectoryUnusable(
            "this user has no home directory",
            cause="HOME is not set, and the system has no entry for this user",
            fix=f"set {variable} or HOME to a directory that you may write to",
        ) from error


def _find_file(name: str) -> Path | None:
    paths = (folder / f"{name}.toml" for folder in search_folders())
    # os.path says no where pathlib raises: in a folder that this user may not search.
    return next((path for path in paths if os.path.isfile(path)), None)  # noqa: PTH113


def _unknown(name: str) -> UnknownEnvironment:
    names = known()
    near = difflib.get_close_matches(name, names, n=1)
    guess = f"did you mean {near[0]}? " if near else ""
    here = Path.cwd() / _FOLDER
    folders = " or ".join(str(folder) for folder in dict.fromkeys([here, *search_folders()]))
    return UnknownEnvironment(
        f"there is no environment {name!r}",
        cause=f"known environments: {', '.join(names)}",
        fix=f"{guess}an environment of your own is a file {name}.toml in {folders}",
    )
