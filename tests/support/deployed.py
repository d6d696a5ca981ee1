"""An environment on ECS whose Terraform has been applied: its outputs, in a state, and no more."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from temporal_dsql_deploy.rehearsal.aws.server import ACCOUNT, REGION
from temporal_dsql_deploy.terraform import commands, find
from temporal_dsql_deploy.terraform.run import Terraform


def stands(
    folder: Path, outputs: Mapping[str, Any], *, name: str = "ours", account: str | None = None
) -> Path:
    """The file of an environment that stands in the emulated AWS, with these outputs and others.

    The real Terraform has applied a root module that has outputs and no resources.
    """
    root = folder / f"{name}-terraform"
    root.mkdir()
    values = {
        "aws_account_id": ACCOUNT,
        "region": REGION,
        "project_name": f"temporal-{name}",
        **outputs,
    }
    made = {"output": {key: {"value": _escaped(value)} for key, value in values.items()}}
    (root / "main.tf.json").write_text(json.dumps(made))
    terraform = Terraform(find.find(), root)
    terraform.run(commands.init())
    plan = folder / f"{name}-plan"
    terraform.run(commands.plan(out=plan))
    terraform.run(commands.apply(plan))
    file = folder / f"{name}.toml"
    pinned = f'account = "{account}"\n' if account else ""
    file.write_text(f'platform = "ecs"\nterraform = "{root}"\n{pinned}')
    return file


def _escaped(value: Any) -> Any:
    """In JSON, Terraform takes ${…} and %{…} for expressions."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    return value
