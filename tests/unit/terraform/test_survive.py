"""A state that Terraform could not write."""

from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import TerraformFailed
from temporal_dsql_deploy.terraform import survive


def test_a_state_that_was_not_written_is_pushed_before_anything_else(tmp_path: Path) -> None:
    survive.check_written(tmp_path)
    (tmp_path / "errored.tfstate").write_text("{}")
    with pytest.raises(TerraformFailed) as refused:
        survive.check_written(tmp_path)
    assert f"terraform -chdir={tmp_path} state push errored.tfstate" in refused.value.fix
    assert "force-unlock" in refused.value.fix
