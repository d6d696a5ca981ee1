"""What `doctor` says of Terraform and AWS, without asking either network or AWS."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.operations.doctor import credentials


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/x"}, "AWS_WEB_IDENTITY_TOKEN_FILE"),
        ({"AWS_PROFILE": "keys"}, "profile keys of"),
        ({"AWS_PROFILE": "sso"}, "profile sso of"),
        ({}, "profile default of"),
    ],
)
def test_credentials_are_found_and_not_shown(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text("[keys]\naws_access_key_id = AKIASECRET\n")
    (folder / "config").write_text(
        "[default]\nrole_arn = x\n[profile sso]\nsso_session = y\n[profile empty]\n"
    )
    found = credentials({"HOME": str(tmp_path), **variables})
    assert found.ok
    assert said in found.found
    assert found.found.endswith("; not tried")
    assert "AKIASECRET" not in found.found


@pytest.mark.parametrize("variables", [{}, {"AWS_ACCESS_KEY_ID": "a"}, {"AWS_PROFILE": "x"}])
def test_without_credentials_it_says_how_to_give_some(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("no section\n")
    found = credentials({"HOME": str(tmp_path), **variables})
    assert not found.ok
    assert "aws sso login" in found.remedy
