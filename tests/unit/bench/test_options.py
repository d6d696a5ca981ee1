"""The options of a benchmark: read once, derived, refused with a reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from temporal_dsql_deploy.bench import options
from temporal_dsql_deploy.bench.option import Duration, Option
from temporal_dsql_deploy.bench.options import OPTIONS, Settings
from temporal_dsql_deploy.errors import InvalidSetting

NOW = "20261121-120000"


def _values(option: Option) -> st.SearchStrategy[Any]:
    least, most = option.least or 0, option.most or 10_000
    if option.name == "workload":
        return st.sampled_from(options.WORKLOADS)
    if option.type is str and option.name not in {"workload", "arrivals"}:
        return st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True)
    if option.choices:
        return st.sampled_from(option.choices)
    milliseconds = st.integers(int(least * 1000), int(most * 1000))
    by_type: dict[type[Any], st.SearchStrategy[Any]] = {
        Duration: milliseconds.map(lambda one: Duration(one / 1000)),
        int: st.integers(int(least), int(most)),
        float: st.floats(least, most, allow_nan=False),
        bool: st.just(False),
    }
    return by_type[option.type]


FREE = [option for option in OPTIONS if option.name not in {"ramp_up", "duration"}]


@given(values=st.fixed_dictionaries({}, optional={one.name: _values(one) for one in FREE}))
def test_what_is_given_is_what_is_run(values: dict[str, Any]) -> None:
    """Feature: benchmark, Property 1: parameter respect."""
    made = options.settings(values, now=NOW)
    for option in OPTIONS:
        if option.name in values:
            assert getattr(made, option.name) == values[option.name]
        elif option.default is not None:
            assert getattr(made, option.name) == option.default


@given(values=st.fixed_dictionaries({}, optional={one.name: _values(one) for one in FREE}))
def test_settings_survive_the_way_into_a_process(values: dict[str, Any]) -> None:
    made = options.settings(values, now=NOW)
    assert options.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize(
    "option", [one for one in OPTIONS if one.least is not None], ids=lambda one: one.name
)
def test_below_the_least_is_refused(option: Option) -> None:
    assert option.least is not None
    below = option.least - 0.001
    value = Duration(below) if option.type is Duration else below
    with pytest.raises(InvalidSetting) as refused:
        options.settings({option.name: value}, now=NOW)
    assert option.flag in refused.value.message
    assert option.variable in refused.value.fix


@pytest.mark.parametrize(
    "option", [one for one in OPTIONS if one.most is not None], ids=lambda one: one.name
)
def test_above_the_most_is_refused(option: Option) -> None:
    assert option.most is not None
    above = option.most + 0.001
    value = Duration(above) if option.type is Duration else above
    with pytest.raises(InvalidSetting, match=option.flag):
        options.settings({option.name: value}, now=NOW)


def test_every_option_is_a_setting_and_every_setting_an_option() -> None:
    assert [one.name for one in OPTIONS] == list(Settings.__dataclass_fields__)


def test_variables_are_of_the_benchmark_and_all_different() -> None:
    variables = [one.variable for one in OPTIONS]
    assert all(one.startswith("BENCHMARK_") for one in variables)
    assert len(set(variables)) == len(variables)


@pytest.mark.parametrize(
    ("given", "derived"),
    [
        ({}, {"ramp_up": 30, "completion_timeout": 300, "min_throughput": 50}),
        ({"duration": Duration(20)}, {"ramp_up": 2, "completion_timeout": 60}),
        ({"duration": Duration(3600)}, {"ramp_up": 30, "completion_timeout": 600}),
        ({"rate": 8.0}, {"min_throughput": 4}),
        ({}, {"namespace": f"benchmark-{NOW}"}),
        ({"worker_only": True}, {"namespace": "benchmark"}),
        ({"generator_only": True}, {"namespace": "benchmark"}),
    ],
)
def test_what_is_not_given_follows_from_the_rest(
    given: dict[str, Any], derived: dict[str, Any]
) -> None:
    made = options.settings(given, now=NOW)
    for name, value in derived.items():
        found = getattr(made, name)
        assert (found.seconds if isinstance(found, Duration) else found) == value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"generator_only": True, "worker_only": True}, "do not go together"),
        ({"ramp_up": Duration(10), "duration": Duration(10)}, "not shorter"),
        ({"arrivals": "bursts"}, "--arrivals bursts"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting, match=said):
        options.settings(given, now=NOW)


@given(milliseconds=st.integers(0, 7_200_000))
def test_a_duration_is_read_as_it_is_written(milliseconds: int) -> None:
    duration = Duration(milliseconds / 1000)
    assert Duration.parse(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400), (" 5s ", 5)]
)
def test_durations(text: str, seconds: float) -> None:
    assert Duration.parse(text).seconds == seconds


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", [one.name for one in OPTIONS if one.type is float])
def test_what_is_not_a_number_is_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidSetting):
        options.settings({name: value}, now=NOW)


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "-5s", "5s!", "5x", "1e3s"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        Duration.parse(text)
