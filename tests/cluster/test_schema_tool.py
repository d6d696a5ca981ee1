"""`schema setup --with-tool`: the real temporal-sql-tool; for DSQL's, which is in no registry, a
program in its place that takes the same commands."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import temporal_server
from temporal_dsql_deploy import topology
from temporal_dsql_deploy.operations import schema_tool
from temporal_dsql_deploy.operations.schema import Request
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.cluster import schema_files
from tests.support import dsql, postgresql, schema_folder
from tests.support.cluster import NETWORK
from tests.support.deploy import Deploy
from tests.support.schema_verbs import Verbs

pytestmark = pytest.mark.needs("postgresql")
_TOOL = """\
#!{python}
import json, os, pathlib, sys
import psycopg
os.environ.pop("PGHOSTADDR", None)
words = sys.argv[1:]
with open({log!r}, "a") as log:
    log.write(json.dumps(words) + "\\n")
with psycopg.connect({behind!r}, autocommit=True) as connection:
    from temporal_dsql_deploy.persistence.schema import apply, files
    from temporal_dsql_deploy.persistence.schema.target import Engine, Target
    if "update-schema" in words:
        folder = pathlib.Path(words[words.index("--schema-dir") + 1])
        for path in folder.rglob("*.sql"):
            if "IF NOT EXISTS" in path.read_text():
                sys.exit("error reading contents: unmatched `i`")
        target = Target(connection, Engine.POSTGRESQL, "postgres")
        apply.upgrade(target, files.read(folder), print)
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dsql.Cluster]:
    with dsql.running(tmp_path / "dsql", f"127.{NETWORK}.9.1") as cluster:
        yield cluster


@pytest.mark.needs("loopback addresses")
def test_that_of_dsql_is_given_what_it_can_read_and_no_secret(
    deploy: Deploy, cluster: dsql.Cluster, tmp_path: Path
) -> None:
    verbs = Verbs(deploy, cluster, schema_folder.write(tmp_path / "schema"))
    log, tool = tmp_path / "log", tmp_path / "temporal-dsql-tool"
    tool.write_text(_TOOL.format(python=sys.executable, log=str(log), behind=cluster.behind))
    refused = verbs.run("setup", "--with-tool", check=False)
    assert refused.returncode == 3
    assert "temporal-dsql-tool is not here" in refused.stderr
    tool.chmod(0o755)
    words = ["--with-tool", f"--tool={tool}"]
    told = verbs.run("setup", *words, "--dry-run").stdout
    assert f"--endpoint {dsql.HOST} --region {dsql.REGION} setup-schema -v 0.0" in told
    assert "update-schema --schema-dir COPY" in told
    assert not log.exists()

    done = verbs.run("setup", *words)
    assert "applied: 1.0, 1.1, 1.2, 1.10" in done.stdout
    ran = [json.loads(line) for line in log.read_text().splitlines()]
    assert [words[4] for words in ran] == ["setup-schema", "update-schema"]
    assert dsql.SECRET not in f"{ran}{done.stdout}{done.stderr}"
    assert "applied: nothing" in verbs.run("setup", *words).stdout
    assert "nothing to do" in verbs.run("status").stdout


def test_options_that_do_not_go_together_are_refused(deploy: Deploy) -> None:
    for more in (["--tool=x"], ["--with-tool", "--overwrite"]):
        refused = deploy.run("schema", "setup", "dev", *more, check=False)
        assert refused.returncode == 2
        assert "invalid-setting" in refused.stderr


@pytest.mark.needs("temporal-server")
def test_that_of_the_stock_server_makes_what_it_is_asked_for() -> None:
    assert schema_files.obtain(print)
    folder = schema_files.of_store("default")
    assert folder is not None
    tool = temporal_server.folder() / "temporal-sql-tool"
    with postgresql.running() as port:
        database = Database(
            host="127.0.0.1",
            port=port,
            name="postgres",
            user=postgresql.USER,
            password="not to be seen",  # noqa: S106
        )
        older = Request("cluster", database, folder, version="1.17")
        told: list[str] = []
        assert schema_tool.bring(older, tool, told.append).status.version == "1.17"
        newest = Request("cluster", database, folder)
        done = schema_tool.bring(newest, tool, told.append)
        planned = schema_tool.plan(newest, tool)
    assert done.applied == ["1.18", "1.19"]
    assert done.status.ok
    assert done.status.wanted == topology.servers()["temporal-server"].schema.default.version
    assert "SQL_PASSWORD" in planned.variables
    assert "not to be seen" not in f"{told}{planned}"
