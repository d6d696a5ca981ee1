"""Where the state is, of the files and of what `terraform init` has set up."""

import json
from pathlib import Path

import pytest

from temporal_dsql_deploy.terraform import backend

ROOT = Path(__file__).parents[3]
S3 = """\
terraform {
  # backend "http" {}
  backend "s3" {
    key    = "temporal-dsql/dev/terraform.tfstate"
    encrypt = true
    assume_role = {
      role_arn = "arn:aws:iam::123456789012:role/state"
    }
    use_lockfile = true
  }
}
"""


@pytest.mark.parametrize("name", ["dev", "bench", "prod"])
def test_the_environments_keep_their_states_in_a_bucket(name: str) -> None:
    found = backend.read(ROOT / "terraform" / "envs" / name)
    assert (found.kind, found.settings["key"]) == (
        "s3",
        f"temporal-dsql/{name}/terraform.tfstate",
    )


def test_the_account_keeps_its_own_in_a_file_at_first() -> None:
    assert backend.read(ROOT / "terraform" / "account").kind == "local"


def test_backend_hcl_tells_the_bucket(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(S3)
    assert backend.read(tmp_path).bucket is None
    (tmp_path / "backend.hcl").write_text('# ours\nbucket = "states"\nregion = "eu-west-1"\n')
    found = backend.read(tmp_path)
    assert found.bucket == "states"
    assert found.settings["region"] == "eu-west-1"
    assert found.settings["use_lockfile"] == "true"


def test_an_override_wins(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(S3)
    (tmp_path / "emulated_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    assert backend.read(tmp_path).kind == "local"


def test_json_is_read_too_and_rubbish_is_passed_over(tmp_path: Path) -> None:
    said = {"terraform": {"backend": {"s3": {"bucket": "states", "key": "ours"}}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(said))
    assert backend.read(tmp_path).bucket == "states"
    (tmp_path / "main.tf.json").write_text("{")
    assert backend.read(tmp_path).kind == "local"


def test_what_init_has_set_up_is_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(S3)
    (tmp_path / ".terraform").mkdir()
    record = tmp_path / ".terraform" / "terraform.tfstate"
    role = {"role_arn": "arn:of-a-role", "external_id": None}
    config = {"bucket": "by-option", "key": "k", "region": None, "assume_role": role}
    record.write_text(json.dumps({"version": 3, "backend": {"type": "s3", "config": config}}))
    assert backend.read(tmp_path).settings == {
        "bucket": "by-option",
        "key": "k",
        "role_arn": "arn:of-a-role",
    }
    record.write_text("torn")
    assert backend.read(tmp_path).bucket is None


def test_another_backend_has_no_bucket_of_ours(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('terraform {\n  backend "gcs" {\n  bucket = "x"\n  }\n}\n')
    found = backend.read(tmp_path)
    assert (found.kind, found.bucket) == ("gcs", None)
