"""`scripts/state_mv.py`: `moved` blocks as `terraform state mv` commands."""

import json
from pathlib import Path

import pytest

from scripts import state_mv

FILES = sorted((Path(__file__).parents[2] / "terraform/migration/from-flat").glob("*.tf"))
STATE = {
    "resources": [
        {"type": "aws_vpc", "name": "main", "instances": [{}]},
        {"type": "aws_subnet", "name": "private", "instances": [{"index_key": 0}]},
        {"module": "module.a", "type": "aws_eip", "name": "x", "instances": [{"index_key": "z"}]},
        {"type": "aws_security_group", "name": "vpc_endpoints", "instances": [{}]},
    ]
}


def test_a_state_has_resources_and_instances() -> None:
    assert state_mv.addresses(STATE) == {
        "aws_vpc.main",
        "aws_subnet.private",
        "aws_subnet.private[0]",
        "module.a.aws_eip.x",
        'module.a.aws_eip.x["z"]',
        "aws_security_group.vpc_endpoints",
    }


def test_every_block_is_a_command() -> None:
    text = "".join(path.read_text() for path in FILES)
    assert len(state_mv.moves(text)) == text.count("\nmoved {")
    assert len(state_mv.removals(text)) == text.count("\nremoved {")


def test_what_a_state_lacks_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "flat.tfstate"
    state.write_text(json.dumps(STATE))
    state_mv.main([*map(str, FILES), "--state", str(state), "--state-out", "env.tfstate"])
    into = f"terraform state mv -state={state} -state-out=env.tfstate"
    network = "module.temporal.module.vpc[0]"
    assert capsys.readouterr().out.splitlines() == [
        f"{into} aws_vpc.main '{network}.aws_vpc.this'",
        f"{into} 'aws_subnet.private[0]' '{network}.aws_subnet.private[\"eu-west-1a\"]'",
        f"terraform state rm -state={state} aws_security_group.vpc_endpoints",
    ]


def test_order_comments_and_indentation_do_not_matter() -> None:
    text = """
# moved {
  moved { # why
    to   = module.a["x y # }"].b.c // there
    /* from = not.this */
    from=data.b.c[0]
  }
removed {
  lifecycle {
    destroy = false
  }
  from = a.b
}
"""
    assert state_mv.moves(text) == [("data.b.c[0]", 'module.a["x y # }"].b.c')]
    assert state_mv.removals(text) == ["a.b"]
    assert state_mv.not_understood(text) == 0


def test_what_is_not_understood_is_counted_and_nothing_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.tf"
    path.write_text(
        "moved {\n  from = a.b\n  to = a.c\n}\nmoved {\n  from = a.b\n}\n"
        "removed {\n  from = a.b[each.key]\n}\n"
    )
    with pytest.raises(SystemExit) as caught:
        state_mv.main([str(path)])
    assert caught.value.code == f"{path}: 2 moved or removed blocks are not understood"
    assert capsys.readouterr().out == ""


def test_data_has_its_prefix() -> None:
    resource = {"mode": "data", "type": "aws_region", "name": "x", "instances": [{}]}
    inside = {**resource, "module": "module.a"}
    found = state_mv.addresses({"resources": [resource, inside]})
    assert found == {"data.aws_region.x", "module.a.data.aws_region.x"}


def test_a_file_that_is_not_there_or_no_state_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"nothing\.tf cannot be read: No such file"):
        state_mv.main([str(tmp_path / "nothing.tf")])
    (tmp_path / "state").write_text("[]")
    with pytest.raises(SystemExit, match="no state of Terraform"):
        state_mv.main([str(FILES[0]), "--state", str(tmp_path / "state")])
