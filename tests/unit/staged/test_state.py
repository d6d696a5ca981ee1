"""What an account has once: whether an apply of it was begun from here."""

import json
from pathlib import Path

import pytest

from temporal_dsql_deploy.operations.staged import state


@pytest.mark.parametrize(
    ("files", "begun"),
    [
        ({}, False),
        ({"terraform.tfstate": json.dumps({"resources": []})}, False),
        ({"terraform.tfstate": json.dumps({"resources": [{"type": "aws_s3_bucket"}]})}, True),
        ({"terraform.tfstate": "torn"}, False),
        ({".terraform.tfstate.lock.info": "{}"}, True),
    ],
    ids=["nothing", "destroyed", "begun", "unreadable", "killed at its beginning"],
)
def test_a_begun_account_is_finished_and_not_taken_for_whole(
    tmp_path: Path, files: dict[str, str], *, begun: bool
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert state._is_begun(tmp_path) == begun
