"""What a benchmark can be told: each option once, for the command line, the environment, the docs.

Names, defaults and bounds are those of the benchmark that the project began from, where it had the
option; where a default differs, its `help` or docs/guides/bench.md says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.bench.option import Duration, Option
from temporal_dsql_deploy.errors import InvalidSetting

WORKLOADS = ("simple", "multi-activity", "timer", "child-workflow", "state-transitions")
OPTIONS = (
    Option(
        "workload",
        "BENCHMARK_WORKFLOW_TYPE",
        "simple",
        f"What is run: {', '.join(WORKLOADS)}; or a mix by weights, such as simple=3,timer=1.",
    ),
    Option(
        "activity_count",
        "BENCHMARK_ACTIVITY_COUNT",
        5,
        "Activities of a multi-activity workflow: the first two fifths side by side.",
        least=1,
        most=100,
    ),
    Option(
        "activity_duration",
        "BENCHMARK_ACTIVITY_DURATION",
        Duration(0),
        "How long an activity takes; with 0 what is measured is the cluster.",
        least=0,
        most=600,
    ),
    Option(
        "timer_duration",
        "BENCHMARK_TIMER_DURATION",
        Duration(1),
        "How long a timer workflow sleeps.",
        least=0.001,
        most=600,
    ),
    Option(
        "child_count",
        "BENCHMARK_CHILD_COUNT",
        3,
        "Children of a child-workflow workflow, all side by side.",
        least=1,
        most=100,
    ),
    Option(
        "rate",
        "BENCHMARK_TARGET_RATE",
        100.0,
        "Workflows a second.",
        least=1,
        most=1000,
    ),
    Option(
        "arrivals",
        "BENCHMARK_ARRIVALS",
        "constant",
        "Evenly spaced, or at random as those of many independent clients: constant, poisson.",
        choices=("constant", "poisson"),
    ),
    Option(
        "duration",
        "BENCHMARK_DURATION",
        Duration(300),
        "How long workflows are started, ramp-up included.",
        least=1,
        most=3600,
    ),
    Option(
        "ramp_up",
        "BENCHMARK_RAMP_UP",
        None,
        "How long the rate takes from a tenth of it to all of it "
        "[a tenth of the duration, 30s at most].",
        least=0,
        kind=Duration,
    ),
    Option(
        "iterations",
        "BENCHMARK_ITERATIONS",
        1,
        "How often; `bench compare` takes its noise from them.",
        least=1,
        most=100,
    ),
    Option(
        "generators",
        "BENCHMARK_GENERATOR_COUNT",
        1,
        "Processes that start workflows.",
        least=1,
        most=16,
    ),
    Option(
        "workers",
        "BENCHMARK_WORKER_COUNT",
        1,
        "Worker processes; with --generator-only, how many there must be.",
        least=1,
        most=100,
    ),
    Option(
        "workflow_slots",
        "BENCHMARK_WORKFLOW_SLOTS",
        200,
        "Workflow tasks at once in a worker.",
        least=2,
        most=10_000,
    ),
    Option(
        "activity_slots",
        "BENCHMARK_ACTIVITY_SLOTS",
        200,
        "Activities at once in a worker.",
        least=1,
        most=10_000,
    ),
    Option(
        "local_activity_slots",
        "BENCHMARK_LOCAL_ACTIVITY_SLOTS",
        200,
        "Local activities at once in a worker.",
        least=1,
        most=10_000,
    ),
    Option(
        "workflow_pollers",
        "BENCHMARK_WORKFLOW_POLLERS",
        10,
        "Polls for workflow tasks at once in a worker.",
        least=2,
        most=1000,
    ),
    Option(
        "activity_pollers",
        "BENCHMARK_ACTIVITY_POLLERS",
        10,
        "Polls for activity tasks at once in a worker.",
        least=1,
        most=1000,
    ),
    Option(
        "namespace",
        "BENCHMARK_NAMESPACE",
        None,
        "Namespace to run in, made when it is not there "
        "[benchmark-<time>; benchmark where generator and workers are apart].",
        kind=str,
    ),
    Option(
        "completion_timeout",
        "BENCHMARK_COMPLETION_TIMEOUT",
        None,
        "How long workflows may take after the last start; one that takes longer has failed "
        "[the duration, but 1m at least and 10m at most].",
        least=1,
        most=3600,
        kind=Duration,
    ),
    Option(
        "start_timeout",
        "BENCHMARK_START_TIMEOUT",
        Duration(10),
        "How long one start is tried, again after an error that may pass.",
        least=0.1,
        most=600,
    ),
    Option(
        "max_lag",
        "BENCHMARK_MAX_LAG",
        Duration(1),
        "A start that its generator cannot send within this time of when it was due is dropped.",
        least=0.01,
        most=60,
    ),
    Option(
        "max_in_flight",
        "BENCHMARK_MAX_IN_FLIGHT",
        2000,
        "Starts that one generator may have unanswered; what is due beyond them is dropped.",
        least=1,
        most=100_000,
    ),
    Option(
        "seed",
        "BENCHMARK_SEED",
        1,
        "Of random arrivals and of a mix: the same seed, the same load.",
        least=0,
    ),
    Option(
        "generator_only",
        "BENCHMARK_GENERATOR_ONLY",
        False,
        "Start workflows; the workers run elsewhere, with --worker-only.",
    ),
    Option(
        "worker_only",
        "BENCHMARK_WORKER_ONLY",
        False,
        "Run workers alone, until the generator says that it is done.",
    ),
    Option(
        "idle_timeout",
        "BENCHMARK_IDLE_TIMEOUT",
        Duration(600),
        "With --worker-only: how long workers wait for a benchmark before they end.",
        least=1,
        most=86400,
    ),
    Option(
        "metrics_host",
        "BENCHMARK_METRICS_HOST",
        "127.0.0.1",
        "Address that the Prometheus page listens on; 0.0.0.0 in a container.",
    ),
    Option(
        "server_metrics",
        "BENCHMARK_SERVER_METRICS",
        "",
        "URLs of the servers' Prometheus pages, with commas; those of an environment are known.",
    ),
    Option(
        "metrics_port",
        "BENCHMARK_METRICS_PORT",
        0,
        "Port of the Prometheus page with the SDK's metrics and the benchmark's own; 0 for none.",
        least=0,
        most=65535,
    ),
    Option(
        "max_p99",
        "BENCHMARK_MAX_P99_LATENCY",
        Duration(5),
        "Threshold: the latency of 99 in 100 of those that complete; the others count below.",
        least=0.001,
    ),
    Option(
        "min_throughput",
        "BENCHMARK_MIN_THROUGHPUT",
        None,
        "Threshold: workflows completed a second [half of the rate].",
        least=0,
        kind=float,
    ),
    Option(
        "min_success_rate",
        "BENCHMARK_MIN_SUCCESS_RATE",
        0.99,
        "Threshold: the share of all due workflows that must complete; dropped ones count.",
        least=0,
        most=1,
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one benchmark, all of them given; `settings` makes it."""

    workload: str
    activity_count: int
    activity_duration: Duration
    timer_duration: Duration
    child_count: int
    rate: float
    arrivals: str
    duration: Duration
    ramp_up: Duration
    iterations: int
    generators: int
    workers: int
    workflow_slots: int
    activity_slots: int
    local_activity_slots: int
    workflow_pollers: int
    activity_pollers: int
    namespace: str
    completion_timeout: Duration
    start_timeout: Duration
    max_lag: Duration
    max_in_flight: int
    seed: int
    generator_only: bool
    worker_only: bool
    idle_timeout: Duration
    metrics_host: str
    server_metrics: str
    metrics_port: int
    max_p99: Duration
    min_throughput: float
    min_success_rate: float

    def to_json(self) -> dict[str, Any]:
        """As plain data, durations as text."""
        return {option.name: _plain(getattr(self, option.name)) for option in OPTIONS}


def settings(given: Mapping[str, Any], *, now: str) -> Settings:
    """The settings for the options that were given; None or absent is not given.

    `now` is the time as it is to stand in the name of a namespace. Raises InvalidSetting.
    """
    values: dict[str, Any] = {option.name: option.default for option in OPTIONS}
    values.update((name, value) for name, value in given.items() if value is not None)
    for option in OPTIONS:
        if values[option.name] is not None:
            option.check(values[option.name])
    _derive(values, now)
    made = Settings(**values)
    if made.generator_only and made.worker_only:
        raise InvalidSetting(
            "--generator-only and --worker-only do not go together",
            cause="one of them starts workflows without running them, the other the reverse",
            fix="leave one of them out, or both, to have everything in one place",
        )
    if made.ramp_up.seconds >= made.duration.seconds:
        raise InvalidSetting(
            f"--ramp-up {made.ramp_up} is not shorter than --duration {made.duration}",
            cause="the target rate would never be reached",
            fix="make the ramp-up shorter, or the duration longer",
        )
    return made


def from_json(document: Mapping[str, Any]) -> Settings:
    """The settings that `Settings.to_json` gave."""
    values: dict[str, Any] = {
        option.name: Duration.parse(document[option.name])
        if option.type is Duration
        else document[option.name]
        for option in OPTIONS
    }
    return Settings(**values)


def _derive(values: dict[str, Any], now: str) -> None:
    duration = values["duration"].seconds
    if values["ramp_up"] is None:
        values["ramp_up"] = Duration(round(min(30.0, duration / 10), 3))
    if values["completion_timeout"] is None:
        values["completion_timeout"] = Duration(min(max(60.0, duration), 600.0))
    if values["min_throughput"] is None:
        values["min_throughput"] = values["rate"] / 2
    if values["namespace"] is None:
        apart = values["generator_only"] or values["worker_only"]
        values["namespace"] = "benchmark" if apart else f"benchmark-{now}"


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Duration) else value
