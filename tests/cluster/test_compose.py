"""docker/compose.yaml by Compose itself, with nothing of this tool in between.

Neither Aurora DSQL nor an OpenSearch domain can be had: PostgreSQL stands in the place of both,
which is four variables of the roles, and a database in the same project.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from temporal_dsql_deploy.operations.env import EnvResult, text
from tests.support import cluster_faults
from tests.support.container_images import Images
from tests.support.deploy import free_ports

pytestmark = [
    pytest.mark.needs("container engine"),
    pytest.mark.needs("compose"),
    pytest.mark.needs("temporal-server"),
    pytest.mark.needs("opensearch"),
    pytest.mark.needs("postgresql"),
    pytest.mark.timeout(900),
]
DOCKER = Path(__file__).parents[2] / "docker"
ROLES = ("history", "matching", "frontend", "worker")
INSTEAD = {
    "TEMPORAL_SQL_PLUGIN_NAME": "postgres12_pgx",
    "TEMPORAL_SQL_HOST": "database",
    "TEMPORAL_SQL_DATABASE": "temporal",
    "TEMPORAL_SQL_USER": "temporal",
    "TEMPORAL_SQL_PASSWORD_FILE": "/run/secrets/database_password",
    "TEMPORAL_SQL_TLS_ENABLED": "false",
    "TEMPORAL_SQL_TLS_HOST_VERIFICATION": "false",
    "TEMPORAL_VISIBILITY_STORE": "sql",
    "TEMPORAL_VISIBILITY_SQL_DATABASE": "temporal_visibility",
    "TEMPORAL_HISTORY_SHARDS": "4",
}


def example() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


class Project:
    """A project of Compose, of a copy of the folder docker."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder / "docker"
        self.folder.mkdir()
        shutil.copy(DOCKER / "compose.yaml", self.folder)
        self.files = ["compose.yaml"]
        (folder / "aws").mkdir()
        self.port, http, ui = free_ports(3)
        self.environ = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL")
            },
            **environ,
            "AWS_CONFIG_FOLDER": str(folder / "aws"),
            "COMPOSE_PROJECT_NAME": f"composed{os.getpid()}",
            "TEMPORAL_FRONTEND_PORT": str(self.port),
            "TEMPORAL_HTTP_PORT": str(http),
            "TEMPORAL_UI_PORT": str(ui),
        }

    def env(self, variables: dict[str, str]) -> None:
        """Write .env as `dsql-deploy env` does."""
        (self.folder / ".env").write_text(text(EnvResult("ours", variables, [])))

    def compose(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        files = [part for file in self.files for part in ("--file", str(self.folder / file))]
        command = ["docker-compose", *files, *words]
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, check=False
        )
        if check and done.returncode != 0:
            logs = subprocess.run(
                [*command[: -len(words)], "logs", "--tail", "15"],
                env=self.environ,
                capture_output=True,
                text=True,
                check=False,
            )
            pytest.fail(f"{done.stderr}\n{logs.stdout}")
        return done

    def stores(self) -> None:
        """Add the database and the schema of compose.local.yaml."""
        local = yaml.safe_load((DOCKER / "compose.local.yaml").read_text())
        services = {name: local["services"][name] for name in ("database", "schema")}
        services["schema"]["environment"] = INSTEAD
        done = {"schema": {"condition": "service_completed_successfully"}}
        roles = {role: {"secrets": ["database_password"]} for role in ROLES}
        roles["history"]["depends_on"] = done  # type: ignore[assignment]
        added = {
            "services": {**services, **roles},
            "secrets": local["secrets"],
            "volumes": local["volumes"],
        }
        (self.folder / "stores.yaml").write_text(json.dumps(added))
        (self.folder / "database.password").write_text("0123456789abcdef")
        self.files.append("stores.yaml")


@pytest.fixture
def project(tmp_path: Path, docker: dict[str, str]) -> Iterator[Project]:
    made = Project(tmp_path, docker)
    yield made
    made.compose("down", "--volumes", "--timeout", "2", check=False)


def test_without_its_variables_it_says_what_makes_them(project: Project) -> None:
    refused = project.compose("config", check=False)
    assert refused.returncode != 0
    assert "make docker/.env with dsql-deploy env ENV" in refused.stderr


def test_a_value_arrives_as_it_was_whatever_is_in_it(project: Project) -> None:
    odd = """{"a b": [{"value": "#1, $HOME, `x` ü"}]}"""
    project.env({**example(), "TEMPORAL_DYNAMIC_CONFIG": odd})
    said = yaml.safe_load(project.compose("config").stdout)
    for role in ROLES:
        environment = said["services"][role]["environment"]
        # What `config` prints is to be read again by Compose.
        assert environment["TEMPORAL_DYNAMIC_CONFIG"].replace("$$", "$") == odd
        assert environment["CLUSTER_ENDPOINT"] == example()["CLUSTER_ENDPOINT"]


def test_the_roles_start_run_workflows_and_stop_by_themselves(
    project: Project, role_images: Images
) -> None:
    project.environ.update(
        {
            "TEMPORAL_ADMIN_TOOLS_IMAGE": role_images.admin_tools,
            "POSTGRES_IMAGE": role_images.postgres,
            "TEMPORAL_UI_IMAGE": role_images.ui,
        }
    )
    # The entrypoint refuses a name of DSQL's beside a plugin that makes no token.
    of_dsql = re.compile("ELASTICSEARCH|CLUSTER_ENDPOINT|^DSQL_")
    told = {name: value for name, value in example().items() if not of_dsql.search(name)}
    project.env({**told, **INSTEAD, "TEMPORAL_IMAGE": role_images.runtime})
    project.stores()
    project.compose("up", "--detach")
    address = f"127.0.0.1:{project.port}"
    temporal = str(Path(sys.executable).with_name("temporal"))
    create = [temporal, "operator", "namespace", "create", "--address", address, "default"]
    subprocess.run(create, capture_output=True, check=True)
    file = project.folder / "acknowledged"
    found = asyncio.run(cluster_faults.judged(address, file, lambda: None))
    assert found.losses == []
    assert found.acknowledged > 0
    # With patience: how long a drain may take is for the tests of `down`.
    project.compose("stop", "--timeout", "90")
    ids = project.compose("ps", "--quiet").stdout.split()
    said = subprocess.run(
        ["docker", "inspect", *ids], env=project.environ, capture_output=True, text=True, check=True
    ).stdout
    codes = {one["Name"]: one["State"]["ExitCode"] for one in json.loads(said)}
    # 143 is the Web UI's own answer to SIGTERM.
    assert len(codes) == len(ROLES) + 3
    assert set(codes.values()) <= {0, 143}, codes
