"""What a server expects of OpenSearch: the index template of its own schema, and one setting.

Its own temporal-elasticsearch-tool has both inside. They stand in expected.json, as they are in
the source tree of temporal-server 1.32.2; for another server they are read from its source tree.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.visibility import index
from temporal_dsql_deploy.visibility.index import Definition

AUTO_CREATE = "action.auto_create_index"
"""With it on, the first write of a server makes an index that is missing, without a mapping."""
_TEMPLATE = "index_template_v7.json"
_SETTINGS = "cluster_settings_v7.json"
_VERSION = re.compile(r"v(\d+)")


@dataclass(frozen=True, slots=True)
class Expected:
    """What temporal-elasticsearch-tool would write."""

    source: str
    """Which schema this is, for a sentence."""
    template: Mapping[str, Any]
    """Body of PUT _template."""
    settings: Mapping[str, Any]
    """Body of PUT _cluster/settings."""

    def definition(self) -> Definition:
        """What an index that is made from the template says of itself."""
        return index.body(self.template)

    def patterns(self) -> list[str]:
        """The names of indexes that the template is for."""
        return list(self.template["index_patterns"])

    def is_for(self, name: str) -> bool:
        """Whether an index of this name gets the template."""
        return matches(name, self.patterns())


def matches(name: str, patterns: list[str]) -> bool:
    """Whether one of these patterns of OpenSearch, in which * is any text, is for `name`."""
    # Brackets and question marks mean nothing to OpenSearch.
    plain = [re.sub(r"([\[?])", r"[\1]", pattern) for pattern in patterns]
    return any(fnmatchcase(name, pattern) for pattern in plain)


def packaged() -> Expected:
    """What temporal-server 1.32.2 expects."""
    made = json.loads(Path(__file__).with_name("expected.json").read_bytes())
    source = f"version {made['version']} of the schema, of temporal-server {made['server']}"
    return Expected(source, made["template"], made["settings"])


def read(folder: Path) -> Expected:
    """What a server expects whose source tree has this folder: schema/elasticsearch/visibility.

    A folder of one version, with its index_template_v7.json, is that version; else it is the
    newest. Raises InvalidSetting.
    """
    root = folder.expanduser()
    home = _newest(root)
    template = _json(home / _TEMPLATE)
    # In the source tree it stands two folders above that of a version.
    settings = next((one for one in (home, *home.parents[:2]) if (one / _SETTINGS).exists()), None)
    if not isinstance(template.get("mappings"), dict) or not template.get("index_patterns"):
        raise _wrong(folder, f"{home / _TEMPLATE} has no mappings or no index_patterns")
    return Expected(
        str(home),
        template,
        _json(settings / _SETTINGS) if settings else packaged().settings,
    )


def _newest(root: Path) -> Path:
    if (root / _TEMPLATE).is_file():
        return root
    numbers = {
        int(found[1]): path
        for path in (root / "versioned").glob(f"v*/{_TEMPLATE}")
        if (found := _VERSION.fullmatch(path.parent.name))
    }
    if not numbers:
        raise _wrong(root, f"there is neither {_TEMPLATE} nor versioned/vN/{_TEMPLATE} in it")
    return numbers[max(numbers)].parent


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(path.parent, f"{path.name}: {error}") from error
    if not isinstance(found, dict):
        raise _wrong(path.parent, f"{path.name} is no JSON object")
    return found


def _wrong(folder: Path, cause: str) -> InvalidSetting:
    return InvalidSetting(
        f"{folder} is not the schema of Temporal's visibility in OpenSearch",
        cause=cause,
        fix="name schema/elasticsearch/visibility of the server's source tree, or leave --schema "
        "out for the schema of temporal-server 1.32.2",
    )


def creates(setting: str, name: str) -> bool:
    """Whether with this value of action.auto_create_index a write makes an index of this name.

    It is true, false, or patterns with + and -, of which the first that matches decides
    (OpenSearch, AutoCreateIndex).
    """
    if setting.lower() in {"true", "false"}:
        return setting.lower() == "true"
    for word in setting.split(","):
        pattern = word.strip()
        if matches(name, [pattern.lstrip("+-")]):
            return not pattern.startswith("-")
    return False
