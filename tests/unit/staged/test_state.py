"""What an account has once: whether it is there, and whether an apply of it was begun from here."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.staged import state
from temporal_dsql_deploy.operations.staged.steps import Doing
from temporal_dsql_deploy.operations.staged.work import How, Work


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


def test_a_bucket_is_looked_at_with_what_terraform_reads_its_state_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As well before it would be made: to others it may not even be shown."""
    ours, account = tmp_path / "envs" / "ours", tmp_path / "account"
    for folder in (ours, account):
        folder.mkdir(parents=True)
    (account / "main.tf").touch()
    (ours / "main.tf").write_text('terraform {\n  backend "s3" {}\n}\n')
    (ours / "backend.hcl").write_text('bucket = "states"\nprofile = "keeper"\n')
    asked: list[aws.Identity | None] = []

    def client(_service: str, _region: str | None, identity: aws.Identity | None = None) -> object:
        asked.append(identity)
        return SimpleNamespace(head_bucket=lambda Bucket: Bucket)  # noqa: N803 - the API's

    monkeypatch.setattr(aws, "client", client)
    environment = Environment("ours", platform="ecs", terraform=ours)
    work = Work(environment, How(lambda _: None, lambda _: None), tmp_path)
    work.__dict__["place"] = {"region": "eu-west-1"}
    step = state.step(work)
    assert step.look().done
    assert step.do is not None
    step.do(Doing(lambda _: None))
    assert asked == [aws.Identity("keeper")] * 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'bucket = "made"\nregion = "eu-west-1"\n'),
        (
            'bucket="other"\nprofile = "state"\nassume_role = {\n  role_arn = "x"\n}\n',
            (
                'bucket = "made"\nregion = "eu-west-1"\nprofile = "state"\n'
                'assume_role = {\n  role_arn = "x"\n}\n'
            ),
        ),
    ],
)
def test_a_backend_that_is_written_keeps_what_its_owner_has_said_beside(
    before: str, after: str
) -> None:
    assert state._with_others('bucket = "made"\nregion = "eu-west-1"\n', before) == after
