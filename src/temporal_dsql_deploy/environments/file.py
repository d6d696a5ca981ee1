"""What the file of an environment may say, and how it becomes an environment."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from temporal_dsql_deploy.environments import model
from temporal_dsql_deploy.environments.model import Environment, PortName
from temporal_dsql_deploy.errors import InvalidSetting, UnknownEnvironment


def _retention(text: str) -> str:
    model.retention_seconds(text)
    return text


Port = Annotated[int, Field(ge=1, le=65535)]
Namespace = Annotated[str, AfterValidator(model.check_namespace)]
DynamicConfigKey = Annotated[str, AfterValidator(model.check_dynamic_config_key)]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class NamespaceSettings(_Settings):
    """One namespace of the cluster."""

    retention: Annotated[str, AfterValidator(_retention)] | None = None
    """How long closed workflows are kept: `72h`, `30d`; a new namespace has 24h without it."""


class EnvironmentFile(_Settings):
    """The file of an environment. Whatever it leaves out, `up` leaves as it runs."""

    platform: Literal["local", "ecs"] | None = None
    """Where the cluster runs: `local` is the embedded server on this machine, `ecs` is AWS. Without
    it a built-in environment has its own, and any other is `local`."""
    data_dir: Path | None = None
    """Database, logs and run records; a relative path starts at this file."""
    temporal_binary: Path | None = None
    """The Temporal CLI to run instead of the one of PATH or of the package."""
    terraform: Path | None = None
    """Folder of its Terraform root module, with `ecs`; a relative path starts at this file."""
    account: Annotated[str, Field(pattern="^[0-9]{12}$")] | None = None
    """AWS account that it must stand in, 12 digits in quotes, with `ecs`."""
    var_files: list[Path] = []
    """Files of Terraform variables, as with `terraform -var-file`, with `ecs`."""
    ports: dict[PortName, Port] = {}
    """`frontend` (7233), `ui` (1000 above it), `http` (7243), `metrics` (9090)."""
    namespaces: dict[Namespace, NamespaceSettings] = {}
    """Namespaces that must exist. None is ever deleted."""
    search_attributes: dict[str, model.SearchAttributeType] = {}
    """Custom search attributes, by name, of every namespace above."""
    dynamic_config: dict[DynamicConfigKey, JsonValue] | None = None
    """Dynamic config of the server, the whole of it: key and value."""


def read(name: str, path: Path) -> Environment:
    """The environment `name`, whose file is `path`.

    Raises UnknownEnvironment when there is no such file, InvalidSetting when it is wrong.
    """
    try:
        settings = EnvironmentFile.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise UnknownEnvironment(
            f"the file of environment {name!r} cannot be read",
            cause=f"{path}: {error.strerror}",
            fix="give the path of an environment file with --file",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidSetting(
            f"{path} is not a TOML file", cause=str(error), fix="correct the line that is named"
        ) from error
    except ValidationError as error:
        raise rejected(error, path) from error
    return environment(name, path, settings)


def environment(name: str, path: Path, settings: EnvironmentFile) -> Environment:
    """What a file says, as an environment; its paths start at the file."""

    def absolute(given: Path | None) -> Path | None:
        return (path.parent / given.expanduser()).absolute() if given else None

    platform = settings.platform or model.BUILT_IN.get(name, "local")
    _fits(platform, path, settings)
    return Environment(
        name=name,
        platform=platform,
        data_dir=absolute(settings.data_dir),
        temporal_binary=absolute(settings.temporal_binary),
        terraform=absolute(settings.terraform),
        account=settings.account,
        var_files=tuple(path.parent / file.expanduser() for file in settings.var_files),
        ports={str(name): port for name, port in settings.ports.items()},
        namespaces={name: space.retention for name, space in settings.namespaces.items()},
        search_attributes=dict(settings.search_attributes),
        dynamic_config=settings.dynamic_config,
    )


def _fits(platform: str, path: Path, settings: EnvironmentFile) -> None:
    """Raise InvalidSetting for what is only for the other platform."""
    given = [name for name in ("terraform", "account", "var_files") if getattr(settings, name)]
    if platform != "ecs" and given:
        raise InvalidSetting(
            f"{path}: {given[0]} is not right",
            cause=f"it is for the platform ecs, and this environment is {platform}",
            fix='write platform = "ecs" above it, or take it out',
        )


_PLAIN = {
    "string_type": "it has to be text, in quotes",
    "path_type": "it has to be a path, in quotes",
    "list_type": 'it has to be a list: ["one", "two"]',
    "dict_type": "it has to be a table of names and values",
    "int_type": "it has to be a number, without quotes",
    "int_parsing": "it has to be a number, without quotes",
    "extra_forbidden": "there is no such setting",
}
"""Pydantic's types of errors, in words of TOML."""


def rejected(error: ValidationError, path: Path) -> InvalidSetting:
    """The first thing that is wrong with a file, as an error that names the setting."""
    first = error.errors(include_url=False)[0]
    setting = ".".join(str(part) for part in first["loc"] if part != "[key]")
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    said = _PLAIN.get(str(first["type"]), first["msg"].removeprefix("Value error, "))
    if setting == "account":
        said = 'it is the 12 digits of an AWS account in quotes: account = "123456789012"'
    return InvalidSetting(
        f"{path}: {setting} is not right{more}",
        cause=f"{said}; it says {first['input']!r}",
        fix="what the file may say: docs/reference/environment-file.md",
    )
