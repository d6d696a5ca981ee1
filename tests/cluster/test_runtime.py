"""The entrypoint with the real server: four roles, each a process of its own, on PostgreSQL."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.runtime import entrypoint, yaml_text
from tests.support import roles
from tests.support.roles import PATIENCE, TOPOLOGY, Role, one_address, own_addresses, program
from tests.unit.runtime.good import DSQL, POSTGRESQL, rendered

pytestmark = [pytest.mark.needs("temporal-server"), pytest.mark.needs("postgresql")]


@pytest.fixture
def database() -> Iterator[int]:
    """The port of a PostgreSQL with both schemas."""
    with roles.database() as port:
        yield port


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The entrypoint as an image holds it."""
    copy = tmp_path_factory.mktemp("image") / "runtime"
    return shutil.copytree(roles.RUNTIME, copy, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize(
    "own",
    [
        one_address,
        pytest.param(own_addresses, marks=pytest.mark.needs("loopback addresses")),
    ],
)
def test_all_four_roles_serve_and_stop_at_sigterm(
    own: Callable[[str], dict[str, str]], database: int, copied: Path, tmp_path: Path
) -> None:
    def started(name: str) -> Role:
        return Role(name, database, tmp_path, {**own(name), **logs(name)}, runtime=copied)

    def logs(name: str) -> dict[str, str]:
        """Half of the clusters have a collector that reads a file."""
        return {"TEMPORAL_LOG_FILE": str(copy(name))} if own is own_addresses else {}

    def copy(name: str) -> Path:
        return tmp_path / "collected" / name

    first, *rest = TOPOLOGY.roles
    running = [started(first)]
    try:
        # On an empty database one role goes first: the others would race for the same row.
        running[0].until_logged(TOPOLOGY.one_role_first_on_empty_database.joined_log)
        running += [started(name) for name in rest]
        for role in running:
            role.until_serving()
            assert '"stores": {"database": "reachable"}' in role.log.read_text()
            assert "unregistered key" not in role.log.read_text()
        for role in reversed(running):
            role.process.send_signal(signal.SIGTERM)
        codes = {role.name: role.process.wait(timeout=PATIENCE) for role in running}
        assert codes == dict.fromkeys(TOPOLOGY.roles, 0)
        for role in running:
            assert not logs(role.name) or copy(role.name).read_text() == role.log.read_text()
    finally:
        for role in running:
            role.process.kill()
            role.process.wait()


@pytest.mark.parametrize("environ", [DSQL, POSTGRESQL], ids=["dsql", "postgresql"])
@pytest.mark.parametrize("name", ["dev", "bench", "prod", "another"])
def test_the_server_knows_every_key_of_the_dynamic_configuration(
    environ: dict[str, str], name: str, tmp_path: Path
) -> None:
    path = tmp_path / "dynamic.yaml"
    found = rendered({**environ, "DEPLOY_ENVIRONMENT": name}).dynamic
    path.write_text(yaml_text.dump(found))
    done = validated(path)
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("unregistered", "warning", "error"):
        assert word not in (done.stdout + done.stderr).lower(), done.stdout


def test_a_key_that_the_server_does_not_know_would_be_seen(tmp_path: Path) -> None:
    path = tmp_path / "dynamic.yaml"
    path.write_text(yaml_text.dump({"persistence.maxConns": [{"value": 1}]}))
    done = validated(path)
    assert "persistence.maxconns" in (done.stdout + done.stderr).lower()


def validated(path: Path) -> subprocess.CompletedProcess[str]:
    command = [program("temporal-server"), "validate-dynamic-config", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "text", ["# enable-template {{ env `HOME` }}", "'\"\\\t: - [x] &a *b !c", "ü\u2028\U0001f600$"]
)
def test_the_server_reads_what_was_meant(text: str, tmp_path: Path) -> None:
    read = rendered_by_the_server({**POSTGRESQL, "TEMPORAL_SQL_DATABASE": text}, tmp_path)
    assert read["persistence"]["datastores"]["default"]["sql"]["databaseName"] == text


@pytest.mark.parametrize(
    "more",
    [
        DSQL,
        POSTGRESQL,
        {**DSQL, "TEMPORAL_FRONTEND_ADDRESS": "temporal-frontend:7233"},
        {
            **POSTGRESQL,
            "TEMPORAL_SQL_TLS_ENABLED": "true",
            "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "true",
            "TEMPORAL_SQL_TLS_CA_FILE": __file__,
        },
        {
            **DSQL,
            "TEMPORAL_ELASTICSEARCH_REQUEST_SIGNING": "false",
            "TEMPORAL_ELASTICSEARCH_USER": "temporal",
            "TEMPORAL_ELASTICSEARCH_TLS_CA_FILE": __file__,
        },
    ],
    ids=["dsql", "postgresql", "frontend address", "postgresql by TLS", "password"],
)
def test_the_server_has_every_key_with_its_value(more: dict[str, str], tmp_path: Path) -> None:
    written = rendered(more).config
    assert_same(written, rendered_by_the_server(more, tmp_path), "")


def rendered_by_the_server(environ: dict[str, str], folder: Path) -> dict[str, Any]:
    (folder / "any.yaml").write_text(yaml_text.dump(rendered(environ).config))
    # It takes --config-file and does not look at it (temporalio/temporal cmd/server/main.go).
    where = ("--config", str(folder), "--env", "any")
    done = subprocess.run(
        [program("temporal-server"), *where, "render-config"],
        env=entrypoint.server_environment(os.environ),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = yaml.safe_load(done.stdout)
    return found


def assert_same(written: Any, read: Any, path: str) -> None:
    """What was written is there; the server may have more, and writes durations its own way."""
    if isinstance(written, dict):
        for key, value in written.items():
            assert key in read, f"{path}.{key}"
            assert_same(value, read[key], f"{path}.{key}")
    elif path.endswith(("Lifetime", "Duration", "Interval")):
        assert topology.parse_duration(read) == topology.parse_duration(written), path
    elif not path.endswith(".password"):
        assert read == written, path
