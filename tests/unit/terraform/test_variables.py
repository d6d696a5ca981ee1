"""Variables that are declared, and those that files of values name."""

import json
from pathlib import Path

from temporal_dsql_deploy.terraform.variables import automatic, declared, given, undeclared

VALUES = """\
# commented = 1
region = "a = b"
roles = {
  history = { tasks = 1 }
}
/* also_commented = 1
*/
text = <<-EOT
  inside = 1
  EOT
history_shard=4096 // last = 1
list = [
  "x",
]
"""


def test_only_what_stands_outside_of_values_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "x.tfvars"
    path.write_text(VALUES)
    assert given(path) == {"region": 2, "roles": 3, "text": 8, "history_shard": 11, "list": 12}


def test_json_has_names_too_and_what_cannot_be_read_has_none(tmp_path: Path) -> None:
    path = tmp_path / "x.tfvars.json"
    path.write_text(json.dumps({"a": {"b": 1}}))
    assert given(path) == {"a": 0}
    path.write_text("{")
    assert given(path) == given(tmp_path / "nothing.tfvars") == {}


def test_a_slip_of_the_pen_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.tf").write_text('variable "history_shards" {}\nvariable roles {\n}\n')
    (tmp_path / "b.tf.json").write_text(json.dumps({"variable": {"region": {}}}))
    assert declared(tmp_path) == {"history_shards", "roles", "region"}
    path = tmp_path / "terraform.tfvars"
    path.write_text('region = "x"\nhistory_shard = 4096\nqqq = 1\n')
    assert automatic(tmp_path) == [path]
    shards, other = undeclared(tmp_path, automatic(tmp_path))
    assert shards.startswith(f"{path}:2 gives history_shard a value")
    assert shards.endswith("did you mean history_shards?")
    assert other.endswith("it changes nothing")
