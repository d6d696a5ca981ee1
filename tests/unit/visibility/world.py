"""An OpenSearch in which everything is as the server expects it; tests spoil one thing of it."""

from copy import deepcopy
from typing import Any

from temporal_dsql_deploy.operations.visibility.result import Request
from temporal_dsql_deploy.operations.visibility.seeing import Seen
from temporal_dsql_deploy.visibility import expected, index
from temporal_dsql_deploy.visibility.domain import Domain

NAME = "temporal_visibility_v1_dev"
REQUEST = Request("dev", Domain("http://127.0.0.1:9"), NAME, expected.packaged())


def document() -> dict[str, Any]:
    """An index or a template as OpenSearch answers it, with flat settings."""
    made = deepcopy(dict(REQUEST.expected.template))
    made["settings"] = dict(REQUEST.expected.definition().sort)
    return made


def seen(**changes: Any) -> Seen:
    whole: dict[str, Any] = {
        "version": "opensearch 2.19.1",
        "health": "green",
        "unassigned": 0,
        "explained": [],
        "auto_create": "false",
        "transient": False,
        "template": {index.TEMPLATE: document()},
        "overriding": [],
        "indices": {NAME: row(NAME)},
        "index": {NAME: document()},
    }
    return Seen(**{**whole, **changes})


def row(name: str, documents: int = 0) -> dict[str, str]:
    counts = {"docs.count": str(documents), "pri": "1", "rep": "0"}
    return {"index": name, "health": "green", "status": "open", **counts}
