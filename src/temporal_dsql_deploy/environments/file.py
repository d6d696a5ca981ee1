"""What the file of an environment may say, and how it becomes an environment."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from temporal_dsql_deploy.environments import model
from temporal_dsql_deploy.environments.model import Environment, PortName, RoleName
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

    platform: Literal["local", "cluster", "ecs"] | None = None
    """Where the cluster runs: `local` is the embedded server on this machine, `cluster` the four
    roles on it, as processes or in containers, `ecs` is AWS. Without it a built-in environment has
    its own, and any other is `local`."""
    data_dir: Path | None = None
    """Database, logs and run records; a relative path starts at this file."""
    temporal_binary: Path | None = None
    """The Temporal CLI to run instead of the one of PATH or of the package, with `local`."""
    runtime: model.Runtime | None = None
    """What its parts run as, with `cluster`: `processes` (the default), or `docker` for containers
    by Docker Compose. The first start decides for ever."""
    temporal_server: Path | None = None
    """temporal-server to run instead of the one of PATH or the one that is built, with `cluster`;
    temporal-sql-tool is beside it."""
    postgresql: Path | None = None
    """Folder of initdb and postgres to run instead of those of this machine, with `cluster`."""
    visibility: model.VisibilityStore | None = None
    """Visibility store, with `cluster`: `sql` (the default) is PostgreSQL, `opensearch` an
    OpenSearch on this machine. The first start decides for ever."""
    opensearch: Path | None = None
    """Folder of an OpenSearch to run instead of the one that is downloaded, with `cluster`."""
    replicas: dict[RoleName, Annotated[int, Field(ge=1, le=model.MOST_REPLICAS)]] = {}
    """Instances of each role (1), with `cluster`."""
    history_shards: Annotated[int, Field(ge=1, le=16384)] | None = None
    """History shards (64), with `cluster`; what the first start stored holds for ever."""
    network: Annotated[int, Field(ge=0, le=254)] | None = None
    """Second number of its addresses, 127.NETWORK.ROLE.INSTANCE, with `cluster` (the first from 11
    on that is free); 0 puts everything on 127.0.0.1, with ports of its own."""
    terraform: Path | None = None
    """Folder of its Terraform root module, with `ecs`; a relative path starts at this file."""
    account: Annotated[str, Field(pattern="^[0-9]{12}$")] | None = None
    """AWS account that it must stand in, 12 digits in quotes, with `ecs`."""
    var_files: list[Path] = []
    """Files of Terraform variables, as with `terraform -var-file`, with `ecs`."""
    ports: dict[PortName, Port] = {}
    """`frontend` (7233), `ui` (1000 above it; 8080 with `cluster`), `http` (7243), `metrics`
    (9090)."""
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

    found = Environment(
        name=name,
        platform=settings.platform or model.BUILT_IN.get(name, "local"),
        data_dir=absolute(settings.data_dir),
        temporal_binary=absolute(settings.temporal_binary),
        temporal_server=absolute(settings.temporal_server),
        postgresql=absolute(settings.postgresql),
        opensearch=absolute(settings.opensearch),
        visibility=settings.visibility,
        runtime=settings.runtime,
        replicas={str(role): number for role, number in settings.replicas.items()},
        history_shards=settings.history_shards,
        network=settings.network,
        terraform=absolute(settings.terraform),
        account=settings.account,
        var_files=tuple(path.parent / file.expanduser() for file in settings.var_files),
        ports={str(name): port for name, port in settings.ports.items()},
        namespaces={name: space.retention for name, space in settings.namespaces.items()},
        search_attributes=dict(settings.search_attributes),
        dynamic_config=settings.dynamic_config,
    )
    model.check_platform(found, str(path))
    return found


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
