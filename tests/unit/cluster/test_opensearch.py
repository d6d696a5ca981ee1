"""OpenSearch as a process: found, configured, and set up by the tool of the server."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable, StartFailed
from temporal_dsql_deploy.platforms.cluster import build, opensearch, programs
from temporal_dsql_deploy.platforms.cluster.layout import Place

PLACE = Place("opensearch", "opensearch", "127.11.0.3", {"http": 9200, "transport": 9300})
_JVM_OPTIONS = """\
## JVM configuration
-Xms1g
-Xmx1g

11-:-XX:+UseG1GC
-Djava.io.tmpdir=${OPENSEARCH_TMPDIR}
-XX:+HeapDumpOnOutOfMemoryError
-XX:HeapDumpPath=data
-XX:ErrorFile=logs/hs_err_pid%p.log
8:-Xloggc:logs/gc.log
9-:-Xlog:gc*:file=logs/gc.log:utctime
18-:-Djava.security.manager=allow
"""


@pytest.fixture(autouse=True)
def no_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def distribution(folder: Path, version: str = "2.19.1") -> Path:
    for name in ("bin/opensearch", "modules/mapper-extras/x", f"lib/opensearch-{version}.jar"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (folder / "lib" / f"opensearch-core-{version}.jar").write_text("")
    (folder / "config").mkdir()
    (folder / "config" / "jvm.options").write_text(_JVM_OPTIONS)
    return folder


@pytest.mark.parametrize(
    ("version", "numbers", "oldest_java"), [("2.19.1", (2, 19, 1), 17), ("3.6.0", (3, 6, 0), 21)]
)
def test_a_distribution_of_ones_own(
    version: str, numbers: tuple[int, ...], oldest_java: int, tmp_path: Path
) -> None:
    folder = distribution(tmp_path / "own", version)
    assert opensearch.find(folder) == folder
    assert opensearch.version(folder) == numbers
    assert opensearch.javas(folder).start == oldest_java


def test_what_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BinaryMissing, match="does not hold OpenSearch"):
        opensearch.find(tmp_path)
    old = distribution(tmp_path / "old", "1.3.20")
    with pytest.raises(BinaryUnusable, match="cannot be used") as caught:
        opensearch.find(old)
    assert caught.value.cause == "it is 1.3.20"
    bare = distribution(tmp_path / "bare")
    (bare / "modules" / "mapper-extras" / "x").unlink()
    (bare / "modules" / "mapper-extras").rmdir()
    with pytest.raises(BinaryUnusable) as lacks:
        opensearch.find(bare)
    assert "mapper-extras" in lacks.value.cause
    (old / "lib" / "opensearch-1.3.20.jar").unlink()
    with pytest.raises(BinaryUnusable, match="cannot be used"):
        opensearch.version(old)


def test_nothing_is_written_into_the_distribution(tmp_path: Path) -> None:
    folder = distribution(tmp_path / "own")
    opensearch.prepare(folder, tmp_path / "run", tmp_path / "data")
    options = (tmp_path / "run" / "jvm.options").read_text().splitlines()
    assert options == [
        "11-:-XX:+UseG1GC",
        "18-:-Djava.security.manager=allow",
        "-Xms512m",
        "-Xmx512m",
        "-XX:TieredStopAtLevel=1",
    ]
    variables = opensearch.variables("/java", tmp_path / "run")
    assert (tmp_path / "run" / "tmp").is_dir()
    assert variables["OPENSEARCH_TMPDIR"] == str(tmp_path / "run" / "tmp")
    # Its script would split the path at a space, and Java keeps to these quotes.
    assert variables["JDK_JAVA_OPTIONS"] == f'"-Djava.io.tmpdir={tmp_path / "run" / "tmp"}"'
    command = opensearch.command(folder, tmp_path / "data", PLACE)
    assert f"-Epath.data={tmp_path / 'data'}" in command
    assert f"-Epath.logs={tmp_path / 'data' / 'logs'}" in command
    assert "-Etransport.port=9300" in command


def test_the_security_plugin_of_a_whole_distribution_is_switched_off(tmp_path: Path) -> None:
    folder = distribution(tmp_path / "own")
    switch = "-Eplugins.security.disabled=true"
    assert switch not in opensearch.command(folder, tmp_path, PLACE)
    (folder / "plugins" / "opensearch-security").mkdir(parents=True)
    assert switch in opensearch.command(folder, tmp_path, PLACE)


def test_the_tool_is_that_of_the_server(tmp_path: Path) -> None:
    built = build.server().folder / "temporal-server"
    tool = build.elasticsearch_tool()
    assert programs.elasticsearch_tool(built) == tool.folder / "temporal-elasticsearch-tool"
    assert tool.folder.parent == built.parent.parent
    assert tool.version == build.server().version
    own = tmp_path / "temporal-server"
    with pytest.raises(BinaryMissing, match="temporal-elasticsearch-tool does not exist"):
        programs.elasticsearch_tool(own)
    own.with_name("temporal-elasticsearch-tool").write_text("")
    assert programs.elasticsearch_tool(own) == own.with_name("temporal-elasticsearch-tool")


def test_a_tool_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\nexec sleep 3600\n")
    tool.chmod(0o755)
    monkeypatch.setattr(opensearch, "_TOOL_SECONDS", 0.1)
    with pytest.raises(StartFailed, match="the visibility index could not be made") as ended:
        opensearch._run([str(tool), "create-index"])
    assert ended.value.cause == "create-index: it has not ended within 0.1 s"


def test_without_it_nothing_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    environment = Environment(name="x", platform="cluster", opensearch=tmp_path / "nothing")
    found = programs.find(environment, None)
    assert (found.opensearch, found.java) == ("", "")
    names = {change.what for change in programs.lacking(found)}
    assert not any("OpenSearch" in name or "elasticsearch" in name for name in names)
