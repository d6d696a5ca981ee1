"""The embedded server's settings: chosen, compared, and made a command line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.errors import InvalidSetting
from temporal_dsql_deploy.platforms.local import server
from temporal_dsql_deploy.platforms.local.server import ServerSettings

ports = st.integers(1, 65535)
values = st.dictionaries(
    st.sampled_from(["frontend.rps", "limit.maxIDLength", "history.rps"]),
    st.integers() | st.booleans() | st.text(),
)
environments = st.builds(
    Environment,
    name=st.just("x"),
    ports=st.dictionaries(st.sampled_from(list(server.PORT_OPTIONS)), ports),
    dynamic_config=st.none() | values,
    dynamic_config_values=values,
)


def wanted(
    environment: Environment,
    last: ServerSettings | None = None,
    *,
    running: bool = True,
    taken: frozenset[int] = frozenset(),
) -> ServerSettings:
    return server.wanted(
        environment,
        binary="/bin/temporal",
        last=last,
        running=running,
        is_free=lambda port: port not in taken,
        any_free=iter(range(40000, 50000)).__next__,
    )


def test_the_defaults_are_the_standard_ports() -> None:
    settings = wanted(Environment(name="x"))
    assert settings.ports == {"frontend": 7233, "ui": 8233, "http": 7243, "metrics": 9090}


def test_the_ui_is_a_thousand_above_the_frontend() -> None:
    settings = wanted(Environment("x", ports={"frontend": 7300}))
    assert settings.ports["ui"] == 8300


def test_ports_that_nobody_types_give_way() -> None:
    settings = wanted(Environment(name="x"), taken=frozenset({9090, 7243, 7233}))
    assert settings.ports == {"frontend": 7233, "ui": 8233, "http": 40000, "metrics": 40001}


def test_a_derived_port_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="cannot be 66000") as caught:
        wanted(Environment("x", ports={"frontend": 65000}))
    assert "--ui-port" in caught.value.fix


def test_a_stopped_server_comes_back_as_it_last_ran() -> None:
    last = ServerSettings(
        "/old", {"frontend": 1, "ui": 2, "http": 3, "metrics": 4}, {"frontend.rps": 9}
    )
    again = wanted(Environment("x"), last, running=False, taken=frozenset({1, 4}))
    assert again.binary == "/bin/temporal"
    assert again.ports == {"frontend": 1, "ui": 2, "http": 3, "metrics": 9090}
    assert again.dynamic_config == {"frontend.rps": 9}
    moved = wanted(Environment("x", ports={"frontend": 7}), last, running=False)
    assert moved.ports["frontend"] == 7


def test_two_equal_ports_are_refused() -> None:
    environment = Environment("x", ports={"frontend": 5, "ui": 5})
    with pytest.raises(InvalidSetting, match="frontend and ui ports are both 5"):
        wanted(environment)


@given(environment=environments)
def test_what_runs_as_it_is_wanted_is_left_alone(environment: Environment) -> None:
    try:
        first = wanted(environment)
    except InvalidSetting:
        return
    again = wanted(environment, ServerSettings.from_record(first.to_record()))
    assert again.differences(first) == []


@given(before=environments, values=values)
def test_an_environment_that_says_nothing_changes_nothing(
    before: Environment, values: dict[str, Any]
) -> None:
    try:
        running = wanted(before)
    except InvalidSetting:
        return
    assert wanted(Environment(name="x"), running) == running
    changed = wanted(Environment(name="x", dynamic_config_values=values), running)
    assert changed.dynamic_config == running.dynamic_config | values
    assert changed.ports == running.ports
    named = {text.split(" ")[2] for text in changed.differences(running)}
    before_text = {key: json.dumps(value) for key, value in running.dynamic_config.items()}
    assert named == {key for key in values if before_text.get(key) != json.dumps(values[key])}


def test_differences_are_named() -> None:
    running = ServerSettings("/bin/a", {"frontend": 1, "ui": 2}, {"frontend.rps": 1, "gone": True})
    changed = ServerSettings("/bin/b", {"frontend": 1, "ui": 3}, {"frontend.rps": 2})
    assert changed.differences(running) == [
        "temporal binary /bin/a -> /bin/b",
        "ui port 2 -> 3",
        "dynamic config frontend.rps 1 -> 2",
        "dynamic config gone true -> default",
    ]


def test_the_command_line() -> None:
    settings = ServerSettings(
        "/bin/temporal",
        {"frontend": 1, "http": 2, "ui": 3, "metrics": 4},
        {"b.text": "it's", "a.list": [1]},
    )
    assert server.command(settings, Path("/data/temporal.db"), ["orders"]) == [
        *["/bin/temporal", "server", "start-dev", "--db-filename", "/data/temporal.db"],
        *["--ip", "127.0.0.1", "--port", "1", "--http-port", "2"],
        *["--ui-port", "3", "--metrics-port", "4", "--log-format", "json", "--log-level", "info"],
        *["--namespace", "orders"],
        *["--dynamic-config-value", "a.list=[1]", "--dynamic-config-value", 'b.text="it\'s"'],
    ]


def test_the_server_gets_no_variable_that_configures_a_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "elsewhere:7233")
    monkeypatch.setenv("OTHER", "stays")
    environment = server.process_environment()
    assert "TEMPORAL_ADDRESS" not in environment
    assert environment["OTHER"] == "stays"
