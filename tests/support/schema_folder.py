"""A folder of versioned schema like Temporal's, small and with everything that occurs there.

The schema of the DSQL server is in no package registry; this one is after its description.
"""

import json
from pathlib import Path

VERSIONS: dict[str, dict[str, str]] = {
    "1.0": {
        "tables.sql": """
            CREATE TABLE namespaces(id UUID NOT NULL, name VARCHAR(255), PRIMARY KEY (id));
            CREATE TABLE namespace_metadata(
              partition_id INT NOT NULL, notification_version BIGINT, -- only one row;
              PRIMARY KEY (partition_id));
            INSERT INTO namespace_metadata (partition_id, notification_version) VALUES (54321, 1);
            CREATE TABLE obsolete(id INT PRIMARY KEY);
        """,
        "indexes.sql": """
            CREATE UNIQUE INDEX ASYNC idx_namespaces_name ON namespaces (name);
            CREATE INDEX ASYNC idx_obsolete ON obsolete (id);
        """,
    },
    "1.1": {"current.sql": "CREATE TABLE IF NOT EXISTS current_chasm_executions(id INT);"},
    "1.2": {
        "columns.sql": """
            ALTER TABLE namespaces ADD data BYTEA;
            ALTER TABLE namespaces ADD COLUMN data_encoding VARCHAR(16) DEFAULT ';';
        """
    },
    "1.10": {"drop.sql": "DROP TABLE obsolete;", "add.sql": "CREATE TABLE tasks_v2(id INT);"},
}
"""In the order of their numbers, which is not that of their names."""


def write(folder: Path, versions: dict[str, dict[str, str]] = VERSIONS) -> Path:
    """Make it; the folder of the schema."""
    for number, files in versions.items():
        version = folder / "versioned" / f"v{number}"
        version.mkdir(parents=True)
        manifest = {
            "CurrVersion": number,
            "MinCompatibleVersion": "1.0",
            "Description": f"what {number} brings",
            "SchemaUpdateCqlFiles": list(files),
        }
        (version / "manifest.json").write_text(json.dumps(manifest))
        for name, text in files.items():
            (version / name).write_text(text)
    return folder
