"""What every verb prints with --json is what its published JSON Schema says."""

import json
from typing import Any

import jsonschema
import pytest

from scripts import documents, reference
from tests.support.deploy import Deploy

SCHEMAS = {
    name: json.loads((reference.REFERENCE / "schemas" / f"{name}.schema.json").read_text())
    for name in documents.DOCUMENTS
}


def check(name: str, document: Any) -> None:
    jsonschema.validate(
        document, SCHEMAS[name], format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def test_every_document_is_as_published(deploy: Deploy) -> None:
    check("status", deploy.json("status", check=False))
    check("doctor", deploy.json("doctor"))
    check("up-dry-run", deploy.json("up", "--dry-run"))
    check("down", deploy.json("down"))
    check("up", deploy.json("up", "--namespace", "orders"))
    check("up", deploy.json("up"))
    check("status", deploy.json("status"))
    check("probe", deploy.json("probe"))
    check("open", deploy.json("open"))
    for line in deploy.run("logs", "--json", "--tail", "500").stdout.splitlines():
        check("logs", json.loads(line))
    check("down", deploy.json("down", "--dry-run"))
    check("down", deploy.json("down"))
    check("destroy", deploy.json("destroy", "--dry-run"))
    check("destroy", deploy.json("destroy", "--yes"))


def test_a_document_of_another_shape_is_refused() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check("open", {"environment": "local", "name": "ui", "url": 3, "shown": True})
    with pytest.raises(jsonschema.ValidationError):
        check("down", {"environment": "local", "stopped": {}, "kept": [], "more": 1})


def test_a_failed_probe_is_a_document_too(deploy: Deploy) -> None:
    deploy.run("up")
    probe = deploy.json("probe", "--namespace", "nowhere", "--deadline", "1", check=False)
    check("probe", probe)
    assert not probe["ok"]
    assert "nowhere" in probe["checks"][0]["error"]
    assert probe["checks"][0]["meaning"]
