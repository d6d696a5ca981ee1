import hashlib
import json
from pathlib import Path

import pytest

from temporal_dsql_deploy.errors import SchemaUnusable
from temporal_dsql_deploy.persistence.schema import files
from temporal_dsql_deploy.persistence.schema.files import Number
from tests.support import schema_folder


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    return schema_folder.write(tmp_path / "temporal")


def test_versions_come_in_the_order_of_their_numbers(schema: Path) -> None:
    versions = files.read(schema)
    assert [str(version.number) for version in versions] == ["1.0", "1.1", "1.2", "1.10"]
    first = versions[0]
    assert (str(first.least), first.description) == ("1.0", "what 1.0 brings")
    assert [text.split("(")[0].split()[-1] for text in first.statements] == [
        *("namespaces", "namespace_metadata", "namespace_metadata", "obsolete"),
        *("namespaces", "obsolete"),
    ]
    manifest = (schema / "versioned" / "v1.0" / "manifest.json").read_bytes()
    assert first.digest == hashlib.md5(manifest, usedforsecurity=False).hexdigest()
    assert files.read(schema / "versioned") == versions


def test_a_dropped_table_takes_its_indexes_with_it(schema: Path) -> None:
    versions = files.read(schema)
    assert ("index", "idx_obsolete") in files.objects(versions[:3])
    assert files.objects(versions) == {
        ("table", "namespaces"),
        ("table", "namespace_metadata"),
        ("table", "current_chasm_executions"),
        ("table", "tasks_v2"),
        ("index", "idx_namespaces_name"),
    }


def change(schema: Path, **values: object) -> None:
    path = schema / "versioned" / "v1.2" / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"CurrVersion": "1.3"}, "it says version 1.3, and its folder v1.2"),
        ({"CurrVersion": None}, "it has no CurrVersion"),
        ({"MinCompatibleVersion": "old"}, "'old' is no version such as 1.9"),
        ({"SchemaUpdateCqlFiles": 7}, "not iterable"),
        ({"SchemaUpdateCqlFiles": ["none.sql"]}, "none.sql"),
    ],
)
def test_a_manifest_that_is_wrong_is_named(
    schema: Path, values: dict[str, object], cause: str
) -> None:
    change(schema, **values)
    with pytest.raises(SchemaUnusable) as refused:
        files.read(schema)
    assert cause in refused.value.cause
    assert "versioned" in refused.value.message


def test_what_is_no_sql_or_no_json_is_named(schema: Path) -> None:
    (schema / "versioned" / "v1.2" / "columns.sql").write_text("ALTER TABLE 'a")
    with pytest.raises(SchemaUnusable, match=r"columns\.sql"):
        files.read(schema)
    (schema / "versioned" / "v1.2" / "manifest.json").write_text("{")
    with pytest.raises(SchemaUnusable, match=r"manifest\.json"):
        files.read(schema)


def test_a_folder_that_is_not_there_and_one_without_versions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaUnusable, match="is no schema of Temporal") as refused:
        files.read(tmp_path / "none")
    assert refused.value.cause == "there is no such folder"
    (tmp_path / "temporal" / "versioned").mkdir(parents=True)
    with pytest.raises(SchemaUnusable) as refused:
        files.read(tmp_path)
    assert refused.value.cause == f"it has no folder versioned; {tmp_path}/temporal would be"
    (tmp_path / "versioned").mkdir()
    with pytest.raises(SchemaUnusable) as refused:
        files.read(tmp_path)
    assert refused.value.cause == "it has no folder such as v1.0"


def test_1_9_is_before_1_10() -> None:
    assert Number.parse("v1.9") < Number.parse(" 1.10")
    with pytest.raises(ValueError, match="no version"):
        Number.parse("1.9.1")
