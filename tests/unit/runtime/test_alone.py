"""The folder by itself: the standard library, its own files, and a Python of long ago."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import temporal_dsql_deploy.runtime
from tests.unit.runtime.good import DSQL, POSTGRESQL

FOLDER = Path(temporal_dsql_deploy.runtime.__file__).parent
FILES = sorted(FOLDER.glob("*.py"))
OLDEST = (3, 9)
each = pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)


@each
def test_it_imports_the_standard_library_and_its_own_files(path: Path) -> None:
    own = {file.stem for file in FILES}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
            assert set(names) <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).partition(".")[0] in sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 1
            names = [node.module] if node.module else [alias.name for alias in node.names]
            assert set(names) <= own


@each
def test_its_syntax_is_of_the_oldest_python(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=OLDEST)
    # What is a type there must not be worked out when it runs.
    if path.stem not in {"__init__", "__main__"}:
        assert "from __future__ import annotations\n" in path.read_text()


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder under another name, without its package."""
    copy = tmp_path_factory.mktemp("image") / "any-name"
    shutil.copytree(FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def run(folder: Path, environ: dict[str, str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder), *options],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_copy_checks_an_environment(copied: Path) -> None:
    done = run(copied, {**POSTGRESQL, "PATH": "/nowhere"}, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ok: {len(POSTGRESQL)} variables, nothing is wrong\n"


def test_a_copy_names_every_fault(copied: Path) -> None:
    wrong = {"TEMPORAL_SQL_PORT": "x", "DSQL_RESERVOIR_ENABLED": "ON", "REGION": "us-east-1"}
    done = run(copied, {**DSQL, **wrong}, "--check")
    assert (done.returncode, done.stdout) == (1, "")
    blocks = done.stderr.strip().split("error: ")[1:]
    assert {block.partition("\n")[0] for block in blocks} == set(wrong)
    assert all("\ncause: " in block and "\nfix: " in block for block in blocks)


def test_a_copy_shows_both_files_and_no_secret(copied: Path) -> None:
    done = run(copied, POSTGRESQL, "--print", "--config-dir", "/somewhere")
    assert (done.returncode, done.stderr) == (0, "")
    assert POSTGRESQL["TEMPORAL_SQL_PASSWORD"] not in done.stdout
    assert 'password: "(not shown)"' in done.stdout
    assert 'filepath: "/somewhere/dynamic.yaml"' in done.stdout
    assert "\n# dynamic.yaml\n" in done.stdout


def test_a_wrong_command_line_is_told_from_a_wrong_environment(copied: Path) -> None:
    assert run(copied, POSTGRESQL, "--chek").returncode == 2
    assert run(copied, POSTGRESQL, "--check", "--print").returncode == 2
    shown = run(copied, {}, "--help")
    assert shown.returncode == 0
    assert "--config-dir" in shown.stdout


def test_it_runs_as_a_part_of_the_package_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "temporal_dsql_deploy.runtime", "--check"],
        env={**POSTGRESQL, "PYTHONPATH": str(FOLDER.parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
