"""docker/compose.local.yaml against topology.json and what the runtime asks for."""

import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.images import definitions
from temporal_dsql_deploy.platforms.cluster import layout, parts, postgresql
from temporal_dsql_deploy.platforms.cluster import settings as of_processes
from temporal_dsql_deploy.platforms.cluster.containers import compose, container, images
from temporal_dsql_deploy.platforms.cluster.containers import settings as settings_file
from temporal_dsql_deploy.platforms.cluster.containers.settings import ContainerSettings
from temporal_dsql_deploy.runtime import address, entrypoint

HOUSE = topology.load()
ROLES = list(HOUSE.roles)
TEXT = compose.file().read_text()
SETTINGS = ContainerSettings(
    images={name: f"x/{name.lower()}:1" for name in settings_file.IMAGES},
    replicas=dict.fromkeys(ROLES, 1),
    shards=64,
    ports={"frontend": 1, "http": 2, "ui": 3},
    dynamic_config={"matching.rps": 7},
)


def substituted(variables: dict[str, str]) -> Any:
    """The file as Compose reads it: it puts variables into the texts of the YAML, not before."""

    def value(found: Any) -> Any:
        if isinstance(found, dict):
            return {key: value(one) for key, one in found.items()}
        if isinstance(found, list):
            return [value(one) for one in found]
        if not isinstance(found, str):
            return found
        return re.sub(
            r"\$\{(\w+):[-?]([^}]*)\}", lambda match: variables.get(match[1], match[2]), found
        )

    return value(yaml.safe_load(TEXT))


DEFAULTS = substituted({})
SERVICES = DEFAULTS["services"]


def service_role(name: str) -> str:
    return "frontend" if name == container.UNPUBLISHED else name


BY_ROLE = {name: one for name, one in SERVICES.items() if service_role(name) in ROLES}


def test_there_is_a_service_for_each_role_and_the_rest_is_known() -> None:
    assert {service_role(name) for name in BY_ROLE} == set(ROLES)
    others = set(SERVICES) - set(BY_ROLE)
    assert others == {layout.DATABASE, layout.UI, container.SCHEMA}


@pytest.mark.parametrize("name", BY_ROLE)
def test_health_is_asked_where_the_role_serves(name: str) -> None:
    role = HOUSE.roles[service_role(name)]
    _, program, where, what = BY_ROLE[name]["healthcheck"]["test"]
    assert program == "grpc_health_probe"
    assert where == f"-addr=127.0.0.1:{role.ports['grpc']}"
    assert what == f"-service={role.health_service}"


@pytest.mark.parametrize("name", BY_ROLE)
def test_a_role_may_drain_and_does_not_come_back_by_itself(name: str) -> None:
    assert BY_ROLE[name]["stop_grace_period"] == f"{HOUSE.drain.stop_timeout_seconds}s"
    assert BY_ROLE[name]["restart"] == "no"
    start_limit = f"{topology.parse_duration(HOUSE.membership.start_limit):g}s"
    assert BY_ROLE[name]["healthcheck"]["start_period"] == start_limit


def test_each_waits_for_the_one_before_it_in_the_start_order() -> None:
    order = [step.component for step in HOUSE.start_order]
    for before, name in pairwise(order):
        waited = "frontend" if name == layout.UI else before
        assert SERVICES[name]["depends_on"] == {waited: {"condition": "service_healthy"}}
    assert SERVICES[order[0]]["depends_on"] == {
        "schema": {"condition": "service_completed_successfully"},
        "database": {"condition": "service_healthy"},
    }


@pytest.mark.parametrize("name", BY_ROLE)
def test_the_runtime_takes_its_variables_and_knows_them_all(name: str) -> None:
    given = BY_ROLE[name]["environment"]
    assert given["TEMPORAL_SERVICES"] == service_role(name)
    assert set(given) <= set(HOUSE.runtime)
    required = {one for one, variable in HOUSE.runtime.items() if variable.required}
    elsewhere = {one for one in required if one.startswith("TEMPORAL_ELASTICSEARCH_")}
    assert required - elsewhere <= set(given)
    # A password's file is looked for when it is read.
    found = entrypoint.render(
        {**without_file(given), "TEMPORAL_SQL_PASSWORD": "x"}, Path("/x"), here()
    )
    assert not isinstance(found, list), found
    assert found.settings.text("TEMPORAL_SQL_HOST") == layout.DATABASE


def without_file(given: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in given.items() if name != "TEMPORAL_SQL_PASSWORD_FILE"}


def here() -> address.World:
    return address.World(lambda _: b"", lambda: ["10.1.2.3"], lambda: None)


def test_the_stores_are_those_that_the_tool_asks() -> None:
    given = SERVICES["history"]["environment"]
    assert given["TEMPORAL_SQL_USER"] == postgresql.USER
    assert given["TEMPORAL_SQL_DATABASE"] == postgresql.DEFAULT
    assert given["TEMPORAL_VISIBILITY_SQL_DATABASE"] == postgresql.VISIBILITY
    assert given["TEMPORAL_SQL_MAX_CONNS"] == str(parts.CONNECTIONS)
    assert given["TEMPORAL_HISTORY_SHARDS"] == str(of_processes.SHARDS)
    assert given["TEMPORAL_SQL_PORT"] == str(HOUSE.externals["database"].ports["postgresql"])
    assert SERVICES["schema"]["environment"] == without_role(given)
    database = SERVICES["database"]
    assert database["environment"]["POSTGRES_USER"] == postgresql.USER
    assert f"-cmax_connections={postgresql.CONNECTIONS}" in database["command"]


def without_role(given: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in given.items() if name != "TEMPORAL_SERVICES"}


def test_this_machine_alone_gets_the_ports_of_the_first_frontend_and_of_the_ui() -> None:
    published = {name: one.get("ports", []) for name, one in SERVICES.items()}
    frontend = HOUSE.roles["frontend"].ports
    assert published.pop("frontend") == [
        f"127.0.0.1:{frontend[name]}:{frontend[name]}" for name in ("grpc", "http")
    ]
    assert published.pop("ui") == [f"127.0.0.1:{HOUSE.ui_port}:{HOUSE.ui_port}"]
    assert not any(published.values())


def test_no_password_stands_in_the_file() -> None:
    assert "TEMPORAL_SQL_PASSWORD:" not in TEXT
    assert "POSTGRES_PASSWORD:" not in TEXT
    for name in (*BY_ROLE, "database", "schema"):
        assert SERVICES[name]["secrets"] == ["database_password"]


def test_the_tool_says_all_that_can_be_changed_and_nothing_else() -> None:
    named = set(re.findall(r"\$\{(\w+):[-?]", TEXT))
    told = {*SETTINGS.variables("x", Path("/password")), *container.SCALE.values()}
    assert told == named
    documented = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", TEXT.partition("x-logging")[0]))
    assert documented == named


def test_the_images_are_the_same_without_the_tool() -> None:
    for variable, name in settings_file.IMAGES.items():
        if images.is_published(name):
            assert f"${{{variable}:-{name}}}" in TEXT
            assert re.search(r":\d+\.\d+", name)
        else:
            assert f"${{{variable}:?" in TEXT
            assert f" {name}:sha-" in TEXT
            assert name in {one.repository for one in definitions.IMAGES.values()}


def test_what_the_tool_says_arrives() -> None:
    made = substituted(SETTINGS.variables("mine", Path("/password")))
    history = made["services"]["history"]
    assert history["image"] == "x/temporal_image:1"
    assert history["environment"]["DEPLOY_ENVIRONMENT"] == "mine"
    assert history["environment"]["TEMPORAL_HISTORY_SHARDS"] == "64"
    assert made["services"]["ui"]["ports"] == ["127.0.0.1:3:8080"]
    assert made["secrets"]["database_password"]["file"] == "/password"


@pytest.mark.needs("compose")
def test_compose_takes_it() -> None:
    program = shutil.which("docker-compose")
    words = [program] if program else ["docker", "compose"]
    asked = [*words, "--file", str(compose.file()), "config", "--quiet"]
    variables = {**os.environ, **SETTINGS.variables("x", Path("/password"))}
    done = subprocess.run(asked, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
