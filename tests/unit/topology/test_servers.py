"""What servers.json must hold for each server."""

import re
from fnmatch import fnmatch

import pytest

from temporal_dsql_deploy.topology import Server, load, servers

each_server = pytest.mark.parametrize("server", servers().values(), ids=lambda server: server.name)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))


def test_the_three_servers_are_there() -> None:
    assert set(servers()) == {"temporal-cli", "temporal-server", "temporal-dsql"}
    assert servers()["temporal-cli"].version == "1.9.1"
    assert servers()["temporal-dsql"].commit == "cf90c57"


@each_server
def test_versions_are_numbers_and_the_minimum_is_not_above(server: Server) -> None:
    assert _numbers(server.minimum_version) <= _numbers(server.version)
    assert len(_numbers(server.server_version)) == 3
    assert server.minimum_why
    assert server.origin


@each_server
def test_all_roles_answer_health(server: Server) -> None:
    assert sorted(server.health_roles) == sorted(load().roles)


@each_server
def test_it_says_how_both_stores_are_made(server: Server) -> None:
    assert server.default_plugins
    assert server.visibility_plugins
    assert server.schema.source
    for route in (server.schema.default, server.schema.visibility):
        assert route.note.endswith(".")
        for command in route.commands:
            assert command[0].startswith("temporal-")
            assert "--quiet" not in command
            assert "--overwrite" not in command


def test_the_embedded_server_makes_its_schema_itself() -> None:
    schema = servers()["temporal-cli"].schema
    assert schema.default.commands == schema.visibility.commands == ()


def test_the_schema_of_dsql_does_not_use_the_name_that_fails() -> None:
    route = servers()["temporal-dsql"].schema.default
    assert all("--schema-name" not in command for command in route.commands)
    assert [command[5] for command in route.commands] == ["setup-schema", "update-schema"]


@each_server
def test_dynamic_config_keys_are_unique(server: Server) -> None:
    keys = [key.key for key in server.dynamic_config]
    drain = [key.key for each in load().drain.roles.values() for key in each.keys]
    assert len(keys) == len(set(keys))
    assert not set(keys) & {*drain, *server.unregistered_keys}
    for key in server.dynamic_config:
        assert re.fullmatch(r"[a-z]+(\.[A-Za-z]+)+", key.key)
        assert key.recommended != key.default
        assert key.recommended is None or type(key.recommended) is type(key.default)
        assert key.why.endswith(".")
        assert key.source


def test_dsql_gets_values_that_fit_its_columns() -> None:
    values = {key.key: key.recommended for key in servers()["temporal-dsql"].dynamic_config}
    for key in ("limit.blobSize.error", "system.transactionSizeLimit", "limit.memoSize.error"):
        size = values[key]
        assert isinstance(size, int)
        assert size < 2**20
    assert values["limit.maxIDLength"] == 255


@each_server
def test_a_metric_is_usable_or_misleading_or_never_there(server: Server) -> None:
    metrics = server.metrics
    usable = [metric.name for metric in metrics.usable]
    misleading = [metric.name for metric in metrics.misleading]
    assert metrics.framework == "tally"
    assert metrics.source
    assert len({*usable, *misleading}) == len(usable) + len(misleading)
    for name in (*usable, *misleading):
        assert not any(fnmatch(name, pattern) for pattern in metrics.never), name
    for metric in metrics.usable:
        assert metric.type in {"counter", "gauge", "histogram"}
        assert "service_name" in metric.labels
        assert metric.tells


@each_server
def test_an_exception_says_what_is_seen_or_what_to_do(server: Server) -> None:
    assert server.exceptions
    for name, known in server.exceptions.items():
        assert name == known.id
        assert known.what.endswith(".")
        assert known.symptom or known.remedy
        assert known.source
