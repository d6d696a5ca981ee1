"""OpenSearch as the visibility store: found, configured, given the index of the server."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.errors import (
    BinaryMissing,
    BinaryUnusable,
    IndexUnusable,
    NotReady,
    StartFailed,
)
from temporal_dsql_deploy.platforms import web
from temporal_dsql_deploy.platforms.cluster import opensearch_download, unprivileged
from temporal_dsql_deploy.platforms.cluster.layout import Place
from temporal_dsql_deploy.visibility import index
from temporal_dsql_deploy.visibility.index import Difference

INDEX = index.PATTERN
"""Name of the index: a cluster has its OpenSearch for itself."""
HEAP = "512m"
_OLDEST = (2, 0)
"""Temporal's Elasticsearch guide: OpenSearch 2, from server 1.30.1 on."""
_JAVA = {2: range(17, 24), 3: range(21, 26)}
"""Versions of Java, by major version. 2.19 would run on 11, and needs the security manager, which
Java 24 has no more."""
READY_SECONDS = 180.0
"""It takes 5 s on an idle machine, and 15 s on a busy one of two cores."""
_POLL = 0.1
_USABLE = {"green", "yellow"}
_TOOL_VARIABLES = ("ES_", "AWS_")
_TOOL_SECONDS = 120.0
"""It takes one, and whoever waits for it holds the environment's lock."""
_CAPABILITIES = ("dac_read_search", "dac_override")
"""Docker gives root the second alone, unless it is told otherwise. Without setpcap neither helps:
Java asks by access(2) for each of its folders."""
_LOG = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss.SSS}{UTC} UTC [%pid] %p: %c{1.}: %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
"""As PostgreSQL's lines; its own configuration writes a dozen files."""
_NOT_HERE = re.compile(r"Xm[sx]|HeapDump|ErrorFile|Xlog|Xloggc|GCLog|java\.io\.tmpdir")
"""Options of Java that name files in the distribution, or the heap; and one with a path of ours,
which its script would split at spaces."""


def find(wanted: Path | None) -> Path:
    """The folder of the distribution: the one asked for, or the one that is downloaded.

    Raises BinaryMissing, BinaryUnusable for one that was asked for.
    """
    if wanted is None:
        return opensearch_download.folder()
    folder = wanted.expanduser().absolute()
    if not (folder / "bin" / "opensearch").is_file():
        raise BinaryMissing(
            f"{folder} does not hold OpenSearch",
            cause="there is no bin/opensearch",
            fix="name the folder that an OpenSearch was unpacked to, or leave it out",
        )
    if not (folder / "modules" / opensearch_download.MAPPER_EXTRAS).is_dir():
        raise BinaryUnusable(
            f"the OpenSearch in {folder} cannot be used",
            cause="its module mapper-extras is not there, and the index has fields of the type "
            "scaled_float",
            fix="name a whole distribution, or leave it out: one is downloaded then",
        )
    version(folder)
    return folder


def version(folder: Path) -> tuple[int, ...]:
    """Of a distribution, such as (2, 19, 1). Raises BinaryUnusable."""
    names = [path.stem for path in (folder / "lib").glob("opensearch-*.jar")]
    found = [match[1] for name in names if (match := re.fullmatch(r"opensearch-([\d.]+)", name))]
    numbers = tuple(int(part) for part in found[0].split(".")) if found else (0,)
    if numbers < _OLDEST or numbers[0] not in _JAVA:
        raise BinaryUnusable(
            f"the OpenSearch in {folder} cannot be used",
            cause=f"it is {found[0]}" if found else "its version is not to be found",
            fix=f"name an OpenSearch {' or '.join(map(str, _JAVA))}, or leave it out",
        )
    return numbers


def javas(folder: Path) -> range:
    """The versions that run a distribution; one that is not there yet is the downloaded one."""
    return _JAVA[version(folder)[0] if folder.exists() else 2]


def bundled_java(folder: Path) -> Path | None:
    """Home of the Java that some distributions bring."""
    home = folder / "jdk"
    return home if (home / "bin" / "java").exists() else None


def prepare(folder: Path, configuration: Path, data: Path) -> None:
    """Write what it is configured with besides its command line. Raises OSError."""
    (configuration / "tmp").mkdir(parents=True, exist_ok=True)
    data.mkdir(exist_ok=True)
    own = (folder / "config" / "jvm.options").read_text(encoding="utf-8").splitlines()
    options = [line for line in own if not line.startswith("#") and not _NOT_HERE.search(line)]
    # With the first compiler alone it starts for half of the work (4.3 s of a core, not 7 to 10).
    options += [f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:TieredStopAtLevel=1"]
    (configuration / "jvm.options").write_text("\n".join([*filter(None, options), ""]))
    (configuration / "log4j2.properties").write_text(_LOG)
    for its_own in (configuration, data):
        unprivileged.give(its_own)


def variables(java: str, configuration: Path) -> dict[str, str]:
    """Environment variables that its script and Java read."""
    temporary = configuration / "tmp"
    return {
        "OPENSEARCH_JAVA_HOME": java,
        "OPENSEARCH_PATH_CONF": str(configuration),
        "OPENSEARCH_TMPDIR": str(temporary),
        # Java itself keeps to the quotes.
        "JDK_JAVA_OPTIONS": f'"-Djava.io.tmpdir={temporary}"',
    }


def command(folder: Path, data: Path, place: Place) -> list[str]:
    """The command line of a cluster of one node, which listens on its one address."""
    settings = {
        "cluster.name": "temporal",
        "node.name": place.name,
        "network.host": place.address,
        "http.port": place.ports["http"],
        "transport.port": place.ports["transport"],
        "discovery.type": "single-node",
        "path.data": data,
        "path.logs": data / "logs",
        # A laptop's disk is often fuller than what it takes for a warning.
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }
    if (folder / "plugins" / "opensearch-security").exists():
        settings["plugins.security.disabled"] = "true"
    options = [f"-E{name}={value}" for name, value in settings.items()]
    prefix = unprivileged.prefix("OpenSearch", signal.SIGTERM, _CAPABILITIES, also=["setpcap"])
    return [*prefix, str(folder / "bin" / "opensearch"), *options]


def is_usable(url: str) -> bool:
    """Whether it answers and has all its primary shards."""
    try:
        health = _get(f"{url}/_cluster/health")
    except (OSError, ValueError):
        return False
    return health.get("status") in _USABLE


def until_ready(url: str, broken: Callable[[], StartFailed | None]) -> None:
    """Wait until it is usable. Raises what `broken` finds, NotReady."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_usable(url):
        if ended := broken():
            raise ended
        if time.monotonic() > deadline:
            raise NotReady(
                f"OpenSearch is not ready after {READY_SECONDS:g} s",
                cause=f"{url}/_cluster/health never said green or yellow",
                fix="its log: dsql-deploy logs ENV --component opensearch",
            )
        time.sleep(_POLL)


def set_up(url: str, tool: Path, data: Path) -> list[str]:
    """Give it the template and the index of the server that `tool` belongs to; what was done.

    `data` is its folder.

    Raises IndexUnusable where the index is not as the server expects it, StartFailed where the tool
    or OpenSearch fails.
    """
    setup, create, update = _routes(url, tool)
    try:
        before = _names(url)
        _run(setup)
        _run(create)
        wrong = differences(url)
        if wrong and all(one.addable for one in wrong):
            _run(update)
            added, wrong = wrong, differences(url)
        else:
            added = []
    except (OSError, ValueError, KeyError) as error:
        raise StartFailed(
            "OpenSearch has not answered about its index",
            cause=str(error),
            fix="try again; its log: dsql-deploy logs ENV --component opensearch",
        ) from error
    if wrong:
        raise _unusable(wrong, data)
    done = [] if INDEX in before else [f"index {INDEX}"]
    return done + [f"{one.what} of index {INDEX}" for one in added]


def differences(url: str) -> list[Difference]:
    """In what the index is not as its template wants it. Raises OSError, ValueError, KeyError."""
    expected = index.template(_get(f"{url}/_template/{index.TEMPLATE}?flat_settings=true"))
    return index.differences(expected, index.index(_get(f"{url}/{INDEX}?flat_settings=true")))


def _unusable(wrong: Sequence[Difference], data: Path) -> IndexUnusable:
    return IndexUnusable(
        f"the visibility index {INDEX} is not as this server expects it",
        cause="; ".join(str(one) for one in wrong),
        fix="what a field is cannot be changed any more. Begin with an empty index, which lists no "
        f"workflow of before: dsql-deploy down ENV, delete the folder {data}, then dsql-deploy up "
        "ENV; or without all data: dsql-deploy destroy ENV",
    )


def _names(url: str) -> list[str]:
    return list(_get(f"{url}/_all?expand_wildcards=open"))


def _get(url: str) -> Any:
    return json.loads(web.fetch(url))


def _routes(url: str, tool: Path) -> list[list[str]]:
    """Set-up, creation and update by the tool, as on AWS, but that nothing is signed."""
    route = topology.servers()["temporal-dsql"].schema.visibility
    names = {"visibility_url": url, "visibility_index": INDEX}
    found = []
    for _, *arguments in route.commands:
        signing = arguments.index("--aws")
        unsigned = arguments[:signing] + arguments[signing + 2 :]
        found.append([str(tool), *(word.format(**names) for word in unsigned)])
    return found


def _run(words: Sequence[str]) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_TOOL_VARIABLES)
    }
    try:
        done = subprocess.run(
            words,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TOOL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _not_made(words, f"it has not ended within {_TOOL_SECONDS:g} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise _not_made(words, said[-1][-400:] if said else "it says nothing")


def _not_made(words: Sequence[str], why: str) -> StartFailed:
    return StartFailed(
        "the visibility index could not be made",
        cause=f"{' '.join(words[1:])}: {why}",
        fix="try again; OpenSearch's log: dsql-deploy logs ENV --component opensearch",
    )
