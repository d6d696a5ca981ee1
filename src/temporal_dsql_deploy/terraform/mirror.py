"""Where Terraform gets its providers from: a mirror on this machine, or the network.

What the user has set up wins: an option, a variable, a CLI configuration that has a
`provider_installation`. Then the folders that Terraform itself documents as implied mirrors are
looked at, and those that administrators use: a folder directly below /opt, /srv or /var/lib that
has `registry.terraform.io` in it, when nobody but root and this user can put anything there.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.terraform.messages import Event

VARIABLE = "DSQL_DEPLOY_PROVIDER_MIRROR"
REGISTRY = "registry.terraform.io"
# What may hold a brace that opens or closes nothing comes first.
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\\n])*"|#[^\n]*|//[^\n]*|/\*.*?\*/|\bprovider_installation\b|[{}]', re.DOTALL
)
_SHARED = (Path("/opt"), Path("/srv"), Path("/var/lib"))


@dataclass(frozen=True, slots=True)
class Source:
    """Where providers come from."""

    words: str
    """In words, for a person: `the mirror /srv/terraform/providers`."""
    mirror: Path | None = None
    """The mirror to tell Terraform of; None leaves it to Terraform and its configuration."""
    over_network: bool = False
    searched: bool = False
    """Whether nobody named the mirror."""

    @property
    def event(self) -> Event | None:
        """What to tell of it: a mirror that nobody named may hold other versions than expected."""
        said = f"providers come from {self.words}, which was found by search"
        return Event("providers", said) if self.searched else None


def find(
    option: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folders: Iterable[Path] | None = None,
) -> Source:
    """Where providers come from, by the first that says so.

    `folders` stands in for those that are searched. Raises InvalidSetting when a folder that was
    named is no mirror, or when the user's CLI configuration cannot be read.
    """
    environ = os.environ if environment is None else environment
    named = option or (Path(environ[VARIABLE]) if environ.get(VARIABLE) else None)
    if named is not None:
        path = named.expanduser().absolute()
        if not providers(path):
            raise InvalidSetting(
                f"{path} is no mirror of Terraform providers",
                cause="there is no HOST/NAMESPACE/TYPE folder in it, such as "
                f"{REGISTRY}/hashicorp/aws",
                fix=f"fill it where there is a network: terraform providers mirror {path}",
            )
        return Source(f"the mirror {path}", path)
    config = configuration_file(environ)
    if config and _installs(_content(config)):
        return Source(f"what {config} says")
    for folder in _searched() if folders is None else folders:
        if providers(folder):
            return Source(f"the mirror {folder}", folder, searched=True)
    return Source(f"{REGISTRY}, over the network", over_network=True)


def configuration_file(environ: Mapping[str, str]) -> Path | None:
    """The CLI configuration that Terraform would read, if there is one."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    home = environ.get("HOME")
    path = Path(named) if named else Path(home) / ".terraformrc" if home else None
    # os.path says no where pathlib raises: in a folder that this user may not search.
    return path if path and os.path.isfile(path) else None  # noqa: PTH113


def providers(mirror: Path) -> list[str]:
    """Source addresses of the providers in a mirror; empty for a folder that is none."""
    try:
        found = sorted(mirror.glob("*.*/*/*"))
        return ["/".join(path.parts[-3:]) for path in found if path.is_dir()]
    except OSError:
        return []


@contextmanager
def configured(source: Source) -> Iterator[dict[str, str]]:
    """The variables that make Terraform use `source`, as long as the block lasts."""
    if source.mirror is None:
        yield {}
        return
    config = configuration_file(os.environ)
    with tempfile.TemporaryDirectory(prefix="dsql-deploy-") as folder:
        path = Path(folder) / "terraform.rc"
        own = ""
        if config:
            own = _content(config)
            if _is_json(own):
                raise InvalidSetting(
                    f"the mirror cannot be told to Terraform beside {config}",
                    cause="that CLI configuration is JSON, to which nothing can be added",
                    fix="write it in Terraform's own syntax, or name the mirror in it",
                )
        path.write_text(cli_configuration(source.mirror, own), encoding="utf-8")
        yield {"TF_CLI_CONFIG_FILE": str(path)}


def cli_configuration(mirror: Path, own: str = "") -> str:
    """A CLI configuration: the user's `own`, and the mirror for the providers that are in it.

    Others come from their registries, as with Terraform's implied mirrors. What `own` says about
    where providers come from is left out: Terraform takes one `provider_installation` only.
    """
    there = ", ".join(f'"{provider}"' for provider in providers(mirror))
    lines = [
        _without_installation(own),
        "provider_installation {",
        "  filesystem_mirror {",
        f"    path    = {json.dumps(str(mirror))}",
        f"    include = [{there}]",
        "  }",
        "  direct {",
        f"    exclude = [{there}]",
        "  }",
        "}",
        "",
    ]
    return "\n".join(lines)


def _content(config: Path) -> str:
    try:
        return config.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(
            f"the CLI configuration of Terraform, {config}, cannot be read",
            cause=error.strerror or str(error) if isinstance(error, OSError) else str(error),
            fix="correct it, or name another one with TF_CLI_CONFIG_FILE",
        ) from error


def _is_json(text: str) -> bool:
    return text.lstrip().startswith("{")


def _installs(text: str) -> bool:
    # One in JSON is left to Terraform as it is.
    return _is_json(text) or _without_installation(text) != text


def _without_installation(text: str) -> str:
    """A CLI configuration without its `provider_installation` blocks."""
    kept, depth, end = [], 0, 0
    start = None
    for token in _TOKEN.finditer(text):
        word = token[0].strip('"')
        if word == "provider_installation" and depth == 0:
            start = token.start()
        elif word == "{":
            depth += 1
        elif word == "}":
            depth -= 1
            if depth == 0 and start is not None:
                kept.append(text[end:start])
                start, end = None, token.end()
    return "".join([*kept, text[end:]])


def trusted(folder: Path, *, top: Path = Path("/")) -> bool:
    """Whether nobody but root and this user can change what `folder` is, up to `top`.

    A program comes out of it, which this user runs.
    """
    real, top = folder.resolve(), top.resolve()
    chains = {*_up_to(folder.absolute(), top), *_up_to(real, top)}
    try:
        found = [path.stat() for path in chains]
    except OSError:
        return False
    return all(one.st_uid in {0, os.getuid()} and not one.st_mode & 0o022 for one in found)


def _up_to(folder: Path, top: Path) -> list[Path]:
    return [path for path in (folder, *folder.parents) if path.is_relative_to(top)]


def _searched() -> Iterator[Path]:
    # https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
    yield Path.cwd() / "terraform.d" / "plugins"
    home = os.environ.get("HOME")
    if home:
        yield Path(home) / ".terraform.d" / "plugins"
        yield Path(home) / ".local" / "share" / "terraform" / "plugins"
        yield Path(home) / "Library" / "Application Support" / "io.terraform" / "plugins"
    yield Path("/usr/local/share/terraform/plugins")
    yield Path("/usr/share/terraform/plugins")
    for folder in _SHARED:
        try:
            below = sorted(folder.iterdir())
        except OSError:
            continue
        # Anybody may have made a folder there, where administrators have let them.
        for path in below:
            if os.path.isdir(path / REGISTRY) and trusted(path):  # noqa: PTH112 - may be unreadable
                yield path
