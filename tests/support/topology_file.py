"""`topology.json` as it stands there: the parts that Terraform reads and the package does not."""

import json
from functools import cache
from typing import Any

from tests.support.plans import ROOT


@cache
def document() -> dict[str, Any]:
    path = ROOT / "src" / "temporal_dsql_deploy" / "topology" / "topology.json"
    made: dict[str, Any] = json.loads(path.read_text())
    return made
