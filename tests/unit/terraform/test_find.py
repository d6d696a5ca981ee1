"""Which Terraform is run."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import BinaryMissing, BinaryUnusable
from temporal_dsql_deploy.terraform import find


def program(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "terraform"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def version(number: str) -> str:
    return f'{{"terraform_version": "{number}"}}'


def test_the_option_then_the_variable_then_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = program(tmp_path / "one", version("1.11.0"))
    two = program(tmp_path / "two", version("1.12.3"))
    three = program(tmp_path / "three", version("2.0.0-beta1"))
    monkeypatch.setenv("PATH", f"{three.parent}:/usr/bin:/bin")
    monkeypatch.delenv(find.VARIABLE, raising=False)
    assert find.find() == find.Binary(three, "2.0.0-beta1")
    monkeypatch.setenv(find.VARIABLE, str(two))
    assert find.find() == find.Binary(two, "1.12.3")
    assert find.find(one) == find.Binary(one, "1.11.0")


def test_one_that_is_too_old_is_named_with_its_version(tmp_path: Path) -> None:
    path = program(tmp_path, version("1.9.8"))
    with pytest.raises(BinaryUnusable, match=r"Terraform 1\.9\.8 is too old") as caught:
        find.find(path)
    assert find.VARIABLE in caught.value.fix


@pytest.mark.parametrize("says", ["", "hello", "[]", "{}"])
def test_what_is_no_terraform_cannot_be_used(tmp_path: Path, says: str) -> None:
    with pytest.raises(BinaryUnusable, match="cannot be used"):
        find.find(program(tmp_path, says))


def test_none_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(find.VARIABLE, raising=False)
    with pytest.raises(BinaryMissing, match="was not found"):
        find.find()
    with pytest.raises(BinaryMissing, match="no Terraform at"):
        find.find(tmp_path / "nothing")
