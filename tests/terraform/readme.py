"""The example in the README of a module."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.parent for path in (ROOT / "terraform" / "modules").glob("*/main.tf"))
PROVIDER = """\
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
"""


def example_of(readme: str) -> str:
    """The one example: a call of the module, with literal values."""
    blocks = re.findall(r"^```hcl\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, "one example"
    return str(blocks[0])


def arguments_of(example: str) -> dict[str, str]:
    """The arguments of that call but the source, each as the expression that stands there."""
    _, _, body = example.partition("{\n")
    parts = re.split(r"^  (\w+) += ", body.rpartition("}")[0], flags=re.MULTILINE)
    arguments = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    arguments.pop("source")
    return arguments
