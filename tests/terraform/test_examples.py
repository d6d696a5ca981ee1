"""The example of every module's README plans, with the values that the README says."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.plan import Plan
from temporal_dsql_deploy.terraform import known
from tests.terraform.readme import MODULES, PROVIDER, ROOT, example_of

pytestmark = pytest.mark.needs("terraform")

ROWS_AT_LEAST = 4


def expected_of(readme: str) -> list[tuple[str, ...]]:
    """Rows of the table under the example: address, attribute, value; or output, value."""
    _, _, rest = readme.partition("## What the example plans\n")
    table = [line for line in rest.split("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [re.findall(r"`([^`]*)`", line) for line in table[2:]]
    assert rows
    assert {len(row) for row in rows} <= {2, 3}
    return [tuple(row) for row in rows]


def inside(value: Any, path: str) -> Any:
    """The value at a dotted path, through JSON documents that are text."""
    for step in path.split("."):
        if isinstance(value, str):
            value = json.loads(value)
        if isinstance(value, list | tuple):
            value = value[int(step)]
        else:
            assert isinstance(value, Mapping), (path, step, value)
            value = value.get(step)
    return value


def found(plan: Plan, module: str, row: tuple[str, ...]) -> Any:
    if len(row) == 2:
        return inside(plan.outputs["module"].value, row[0])
    address, attribute, _ = row
    return inside(plan[f"module.{module}.{address}"].values, attribute)


def same(value: Any, cell: str) -> bool:
    if isinstance(value, str) and value == cell:
        return True
    try:
        return bool(json.loads(cell) == value) or cell == str(value)
    except ValueError:
        return False


@pytest.mark.parametrize("directory", MODULES, ids=lambda path: path.name)
def test_the_example_of_a_module_plans_what_its_readme_says(directory: Path) -> None:
    readme = (directory / "README.md").read_text()
    rows = expected_of(readme)
    example = example_of(readme)
    (name,) = re.findall(r'^module "(\w+)"', example, re.MULTILINE)
    assert f'source = "../../terraform/modules/{directory.name}"' in example
    text = f'{PROVIDER}\n{example}\noutput "module" {{\n  value = module.{name}\n}}\n'
    plan = known.plan(ROOT / "tests" / "example", settings=known.Settings(files={"main.tf": text}))
    assert len(rows) >= ROWS_AT_LEAST
    wrong = {row: got for row in rows if not same(got := found(plan, name, row), row[-1])}
    assert wrong == {}
