"""Where a state is kept: a folder that was copied is told from one that was changed."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.plan.place import place, warnings

KEY = "temporal-dsql/dev/terraform.tfstate"


def folder(root: Path, name: str, key: str, backend: str = "") -> Path:
    made = root / "terraform" / "envs" / name
    made.mkdir(parents=True)
    (made / "terraform.tf").write_text(
        f'terraform {{\n  # its place\n  backend "s3" {{\n    key = "{key}"\n  }}\n}}\n'
    )
    if backend:
        (made / "backend.hcl").write_text(backend)
    return made


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    folder(tmp_path, "dev", KEY)
    return tmp_path


def told(name: str, terraform: Path) -> list[str]:
    return list(warnings(Environment(name, platform="ecs", terraform=terraform)))


def test_a_copy_that_was_not_changed_shares_the_state(root: Path) -> None:
    (said,) = told("staging", folder(root, "staging", KEY))
    assert "that of environment dev too: they would share one state" in said
    assert "terraform.tf" in said


@pytest.mark.parametrize("key", ["temporal/dev/staging.tfstate", "dev-staging"])
def test_the_name_of_a_built_in_environment_is_suspicious(root: Path, key: str) -> None:
    (said,) = told("staging", folder(root, "staging", key))
    assert "names environment dev" in said


@pytest.mark.parametrize("key", ["temporal/staging/terraform.tfstate", "devices/x", "local-dev-2"])
def test_a_key_of_its_own_is_not(root: Path, key: str) -> None:
    assert told("local-dev-2", folder(root, "staging", key)) == []


def test_a_built_in_environment_has_its_own_name(root: Path) -> None:
    assert told("dev", root / "terraform" / "envs" / "dev") == []


def test_another_environment_of_ones_own(root: Path) -> None:
    mine = folder(root, "mine", "x/y")
    (root / "environments").mkdir()
    (root / "environments" / "mine.toml").write_text(f'platform = "ecs"\nterraform = "{mine}"\n')
    (root / "environments" / "wrong.toml").write_text("colour = 1\n")
    assert "environment mine too" in told("other", folder(root, "other", "x/y"))[0]


def test_other_buckets_are_other_places(root: Path) -> None:
    (root / "terraform" / "envs" / "dev" / "backend.hcl").write_text('bucket = "one"\n')
    own = folder(root, "staging", KEY, 'bucket = "two"\nkey = "x/y"\n')
    found = place(own)
    assert found is not None
    assert (found.bucket, found.key, found.file.name) == ("two", "x/y", "backend.hcl")
    assert told("staging", own) == []


def test_without_a_backend_in_s3_there_is_no_place(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    assert place(tmp_path) is None
