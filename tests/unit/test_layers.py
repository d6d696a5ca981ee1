"""The house of docs/decisions/0001: imports run down the list of packages and never up."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAYERS = (
    "cli",
    "operations",
    "bench",
    "platforms",
    "terraform",
    "persistence",
    "visibility",
    "checks",
    "capacity",
    "plan",
    "environments",
    "topology",
    "runtime",
)
"""Those that every checkout has."""
CONTRACTS = str(Path(sys.executable).parent / "lint-imports")


def test_imports_follow_the_layers() -> None:
    done = subprocess.run(
        [CONTRACTS, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_an_import_that_goes_up_is_found(tmp_path: Path) -> None:
    package = tmp_path / "temporal_dsql_deploy"
    for name in LAYERS:
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    for name in ("aws", "errors", "interrupts"):
        (package / f"{name}.py").write_text("")
    (package / "platforms" / "__init__.py").write_text("import temporal_dsql_deploy.operations\n")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    done = subprocess.run(
        [CONTRACTS, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 1, done.stdout
    assert "temporal_dsql_deploy.platforms -> temporal_dsql_deploy.operations" in done.stdout
