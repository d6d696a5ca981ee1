"""Where Terraform gets its providers from: a mirror on this machine, or the network.

What the user has set up wins: an option, a variable, a CLI configuration that has a
`provider_installation`. Then the folders that Terraform itself documents as implied mirrors are
looked at, and those that administrators use: a folder directly below /opt, /srv or /var/lib that
has `registry.terraform.io` in it.
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

VARIABLE = "DSQL_DEPLOY_PROVIDER_MIRROR"
REGISTRY = "registry.terraform.io"
_SHARED = (Path("/opt"), Path("/srv"), Path("/var/lib"))


@dataclass(frozen=True, slots=True)
class Source:
    """Where providers come from."""

    words: str
    """In words, for a person: `the mirror /opt/providers`."""
    mirror: Path | None = None
    """The mirror to tell Terraform of; None leaves it to Terraform and its configuration."""
    over_network: bool = False


def find(
    option: Path | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folders: Iterable[Path] | None = None,
) -> Source:
    """Where providers come from, by the first that says so.

    `folders` stands in for those that are searched. Raises InvalidSetting when a folder that was
    named is no mirror.
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
    if config and _installs(config):
        return Source(f"what {config} says")
    for folder in _searched() if folders is None else folders:
        if providers(folder):
            return Source(f"the mirror {folder}", folder)
    return Source(f"{REGISTRY}, over the network", over_network=True)


def configuration_file(environ: Mapping[str, str]) -> Path | None:
    """The CLI configuration that Terraform would read, if there is one."""
    named = environ.get("TF_CLI_CONFIG_FILE")
    home = environ.get("HOME")
    path = Path(named) if named else Path(home) / ".terraformrc" if home else None
    return path if path and path.is_file() else None


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
        path.write_text(cli_configuration(source.mirror, config.read_text() if config else ""))
        yield {"TF_CLI_CONFIG_FILE": str(path)}


def cli_configuration(mirror: Path, own: str = "") -> str:
    """A CLI configuration: the user's `own`, and the mirror for the providers that are in it.

    Others come from their registries, as with Terraform's implied mirrors.
    """
    there = ", ".join(f'"{provider}"' for provider in providers(mirror))
    lines = [
        own,
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


def _installs(config: Path) -> bool:
    try:
        return bool(re.search(r"^\s*provider_installation\b", config.read_text(), re.MULTILINE))
    except (OSError, UnicodeDecodeError):
        # It is there; what is wrong with it Terraform says better.
        return True


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
        yield from (path for path in below if os.path.isdir(path / REGISTRY))  # noqa: PTH112 - may be unreadable
