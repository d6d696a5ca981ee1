"""Which Java runs OpenSearch."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import BinaryMissing
from temporal_dsql_deploy.platforms.cluster import java

_JAVA = """\
#!/bin/sh
echo 'Property settings:
    java.home = {home}
    java.specification.version = {version}
    java.vm.specification.version = {version}' >&2
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("JAVA_HOME", "OPENSEARCH_JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def made(home: Path, version: str) -> Path:
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(_JAVA.format(home=home, version=version))
    program.chmod(0o755)
    return home


def test_the_first_that_is_new_enough(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(machine, "21")
    assert java.find(range(17, 24)) == java.Java(machine, 21)
    monkeypatch.setenv("JAVA_HOME", str(made(machine / "general", "17")))
    assert java.find(range(17, 24)).home == machine / "general"
    assert java.find(range(21, 24)).home == machine
    bundled = made(machine / "bundled", "17")
    assert java.find(range(17, 24), bundled).home == bundled
    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(made(machine / "own", "17")))
    assert java.find(range(17, 24), bundled).home == machine / "own"


def test_one_whose_words_are_no_utf_8_is_none_that_runs(machine: Path) -> None:
    program = made(machine, "17") / "bin" / "java"
    program.write_bytes(b"#!/bin/sh\necho 'Fehler: nicht verf\xfcgbar' >&2\n")
    with pytest.raises(BinaryMissing) as none:
        java.find(range(17, 24))
    assert none.value.cause == "java on PATH is none that runs"


def test_what_is_too_old_is_told_with_where_it_is(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BinaryMissing) as none:
        java.find(range(17, 24))
    assert none.value.cause == (
        "neither OPENSEARCH_JAVA_HOME nor JAVA_HOME is set, and none is on PATH"
    )
    monkeypatch.setenv("JAVA_HOME", str(made(machine / "old", "1.8")))
    monkeypatch.setenv("OPENSEARCH_JAVA_HOME", str(machine / "nothing"))
    with pytest.raises(BinaryMissing, match="no Java 17 to 23 here") as old:
        java.find(range(17, 24))
    assert f"OPENSEARCH_JAVA_HOME ({machine / 'nothing'}) is none that runs" in old.value.cause
    assert f"JAVA_HOME ({machine / 'old'}) is Java 8" in old.value.cause
    assert "openjdk-17" in old.value.fix


def test_what_is_too_new_is_left_alone(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(machine, "17")
    monkeypatch.setenv("JAVA_HOME", str(made(machine / "new", "25")))
    assert java.find(range(17, 24)).home == machine
    with pytest.raises(BinaryMissing) as caught:
        java.find(range(21, 24))
    assert "is Java 25; java on PATH is Java 17" in caught.value.cause
