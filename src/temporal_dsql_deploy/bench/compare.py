"""What differs between two benchmarks, and whether more than their noise does.

The noise is what the iterations of a benchmark differ by. Percentiles are compared as means of the
iterations' percentiles, because only those have a noise.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import fmean, variance
from typing import Any

from temporal_dsql_deploy.bench.results import BenchResult, Document, Iteration, Latency

BETTER, WORSE = "better", "worse"
NOTHING = "no difference shown"
TOO_FEW = "not enough iterations"
UNSEEN = "not measured"
METHOD = (
    "Means over the iterations, with the two-sided 95 % bounds of Welch's t for the difference of "
    "two means; never closer than the noise of either side alone would allow (its t with n-1 "
    "degrees of freedom), so that a noisier run never shows more. A difference within the bounds, "
    "or below what the recorder resolves (0.1 % of a latency), is none. Each figure is judged for "
    "itself: one in twenty shows a difference by chance."
)
_CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Metric(Document):
    """One figure of both."""

    name: str
    unit: str
    a: float | None
    """Mean of the iterations of A; None when it was not measured."""
    b: float | None
    iterations_a: int
    """In how many iterations of A it was measured."""
    iterations_b: int
    difference: float | None
    """B less A."""
    percent: float | None
    """The difference, of A; None also when A is 0."""
    noise: float | None
    """By how much they may differ and show nothing; None without two iterations of both."""
    noise_percent: float | None
    """The same, of A."""
    verdict: str
    """How B is: `better`, `worse`, `no difference shown`, `not enough iterations` or
    `not measured`."""


@dataclass(frozen=True, slots=True)
class Setting(Document):
    """Something in which the two were not alike."""

    name: str
    """As `--rate` for an option, as `server_version` for the system."""
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Comparison(Document):
    """Two benchmarks, the second seen from the first."""

    a: str
    """Its id."""
    b: str
    sentence: str
    """All of it in one sentence."""
    same_load: bool
    """Whether both were given the same work at the same rate."""
    metrics: list[Metric]
    settings: list[Setting]
    cautions: list[str]
    """What makes the comparison doubtful."""
    method: str


@dataclass(frozen=True, slots=True)
class _Figure:
    """A figure, and how it is read from an iteration."""

    name: str
    unit: str
    of: Callable[[Iteration], float | None]
    more_is_better: bool
    resolution: float = 1e-6
    """Share of the value below which nothing can be told apart."""


def _latency(name: str, of: Callable[[Iteration], tuple[Latency, float]]) -> _Figure:
    def read(one: Iteration) -> float | None:
        latency, value = of(one)
        return value if latency.count else None

    return _Figure(name, "ms", read, more_is_better=False, resolution=1e-3)


def _client_cpu(one: Iteration) -> float | None:
    return _per_workflow(one, [second.worker_cpu for second in one.series], also=_generator_cpu)


def _generator_cpu(one: Iteration) -> float:
    return sum(second.generator_cpu or 0.0 for second in one.series)


def _server_cpu(one: Iteration) -> float | None:
    return _per_workflow(one, [second.server_cpu for second in one.series])


def _per_workflow(
    one: Iteration,
    cores: Sequence[float | None],
    also: Callable[[Iteration], float] = lambda _: 0.0,
) -> float | None:
    """Milliseconds of CPU time; seconds that were not seen count as the mean of the others."""
    seen = [value for value in cores if value is not None]
    if not seen or not one.counts.completed:
        return None
    return 1000 * (fmean(seen) * len(cores) + also(one)) / one.counts.completed


_FIGURES = (
    _Figure("throughput", "/s", lambda one: one.throughput, more_is_better=True),
    _Figure("success rate", "", lambda one: one.success_rate, more_is_better=True),
    _latency("p50 latency", lambda one: (one.latency, one.latency.p50)),
    _latency("p95 latency", lambda one: (one.latency, one.latency.p95)),
    _latency("p99 latency", lambda one: (one.latency, one.latency.p99)),
    _latency("p99 start latency", lambda one: (one.start_latency, one.start_latency.p99)),
    _Figure("generator and worker CPU per workflow", "ms", _client_cpu, more_is_better=False),
    _Figure("server CPU per workflow", "ms", _server_cpu, more_is_better=False),
    _Figure(
        "state transitions",
        "/s",
        lambda one: one.state_transitions_per_second,
        more_is_better=True,
    ),
)
_LOAD = {
    "workload": "",
    "rate": "",
    "arrivals": "",
    "duration": "",
    "ramp_up": "",
    "activity_count": "multi-activity",
    "activity_duration": "multi-activity state-transitions",
    "timer_duration": "timer",
    "child_count": "child-workflow",
}
"""Options that are the load, each with the workloads that heed it; none where all do."""
_NAMES_ONLY = {"namespace", "metrics_port", "address"}
"""What may differ and means nothing."""
_MUCH_DROPPED = 0.01


def compare(a: BenchResult, b: BenchResult) -> Comparison:
    """How B differs from A."""
    metrics = [_metric(figure, a.iterations, b.iterations) for figure in _FIGURES]
    options = list(_unlike(a.config.options, b.config.options))
    other_load = [_flagged(one) for one in options if _is_load(one.name, a, b)]
    systems = [_system(one) for one in (a, b)]
    return Comparison(
        a=a.id,
        b=b.id,
        sentence=_sentence(metrics, same_load=not other_load),
        same_load=not other_load,
        metrics=metrics,
        settings=[*map(_flagged, options), *_unlike(*systems)],
        cautions=[*_loads(other_load), *_dropped(a), *(_dropped(b) if a != b else [])],
        method=METHOD,
    )


def _metric(figure: _Figure, a: Sequence[Iteration], b: Sequence[Iteration]) -> Metric:
    one, other = ([value for it in of if (value := figure.of(it)) is not None] for of in (a, b))
    mean_a, mean_b = (fmean(values) if values else None for values in (one, other))
    difference = None if mean_a is None or mean_b is None else mean_b - mean_a
    noise = bound(one, other)
    if noise is not None and mean_a is not None and mean_b is not None:
        noise = max(noise, figure.resolution * max(abs(mean_a), abs(mean_b)))
    return Metric(
        name=figure.name,
        unit=figure.unit,
        a=mean_a,
        b=mean_b,
        iterations_a=len(one),
        iterations_b=len(other),
        difference=difference,
        percent=_percent(difference, mean_a),
        noise=noise,
        noise_percent=_percent(noise, mean_a),
        verdict=_verdict(difference, noise, more_is_better=figure.more_is_better),
    )


def _percent(value: float | None, of: float | None) -> float | None:
    return 100 * value / of if value is not None and of else None


def _verdict(difference: float | None, noise: float | None, *, more_is_better: bool) -> str:
    if difference is None:
        return UNSEEN
    if noise is None:
        return TOO_FEW
    if abs(difference) <= noise:
        return NOTHING
    return BETTER if (difference > 0) is more_is_better else WORSE


def bound(a: Sequence[float], b: Sequence[float]) -> float | None:
    """By how much the means of two samples may differ by chance; None with less than two of one.

    Welch's bound can shrink when one side gets noisier, as the degrees of freedom then are more of
    the other's; so it is never taken below the bound of the noise of one side alone.
    """
    if min(len(a), len(b)) < 2:
        return None
    u, w = variance(a) / len(a), variance(b) / len(b)
    if not u + w:
        return 0.0
    alone = (_t(len(a) - 1) * math.sqrt(u), _t(len(b) - 1) * math.sqrt(w))
    # As shares: the squares of what is very small would be nothing.
    share, rest = u / (u + w), w / (u + w)
    freedom = 1 / (share**2 / (len(a) - 1) + rest**2 / (len(b) - 1))
    return max(*alone, _t(freedom) * math.sqrt(u + w))


def spread(values: Sequence[float]) -> float | None:
    """Half of the two-sided 95 % interval of a mean; None with less than two values."""
    if len(values) < 2:
        return None
    return _t(len(values) - 1) * math.sqrt(variance(values) / len(values))


@lru_cache
def _t(freedom: float) -> float:
    return student_t((1 + _CONFIDENCE) / 2, freedom)


def student_t(probability: float, freedom: float) -> float:
    """The quantile of Student's t for a probability of 0.5 to 1; `freedom` may be a fraction.

    By bisection of the distribution function, to the last digits of a float.
    """
    low, high = 0.0, 1.0
    while _t_below(high, freedom) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if _t_below(middle, freedom) < probability:
            low = middle
        else:
            high = middle
    return high


def _t_below(value: float, freedom: float) -> float:
    """The probability of at most `value`, which is not negative."""
    tail = _incomplete_beta(freedom / (freedom + value * value), freedom / 2, 0.5)
    return 1 - tail / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function (DLMF 8.17), by its continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        # There the fraction of the other tail is the one that converges fast.
        return 1 - _incomplete_beta(1 - x, b, a)
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    return scale / a * _fraction(_beta_terms(x, a, b))


def _beta_terms(x: float, a: float, b: float) -> Iterable[float]:
    """The numerators of DLMF 8.17.22."""
    yield 1.0
    for m in range(1, 500):
        odd = a + 2 * m - 2
        yield -(a + m - 1) * (a + b + m - 1) * x / (odd * (odd + 1))
        even = a + 2 * m
        yield m * (b - m) * x / ((even - 1) * even)


def _fraction(terms: Iterable[float]) -> float:
    """n1/(1 + n2/(1 + n3/(1 + ...))), by the recurrence of its convergents."""
    before, now = (1.0, 0.0), (0.0, 1.0)
    value = 0.0
    for term in terms:
        before, now = now, (now[0] + term * before[0], now[1] + term * before[1])
        # Only their quotient matters: this keeps both in range.
        before, now = _scaled(before, now[1]), _scaled(now, now[1])
        if abs(now[0] - value) <= 1e-15 * abs(now[0]):
            break
        value = now[0]
    return now[0]


def _scaled(pair: tuple[float, float], by: float) -> tuple[float, float]:
    return pair[0] / by, pair[1] / by


def _unlike(a: dict[str, Any], b: dict[str, Any]) -> Iterable[Setting]:
    for name in [*a, *(name for name in b if name not in a)]:
        if a.get(name) != b.get(name) and name not in _NAMES_ONLY:
            yield Setting(name, a.get(name), b.get(name))


def _flagged(option: Setting) -> Setting:
    """An option by the name that the command line has for it."""
    return Setting(f"--{option.name.replace('_', '-')}", option.a, option.b)


def _system(result: BenchResult) -> dict[str, Any]:
    system = result.system
    return {name: getattr(system, name) for name in system.__dataclass_fields__}


def _is_load(name: str, a: BenchResult, b: BenchResult) -> bool:
    if name not in _LOAD:
        return False
    run = f"{a.config.workflow_type} {b.config.workflow_type}"
    heeded = _LOAD[name].split()
    return not heeded or any(kind in run for kind in heeded)


def _loads(unlike: Sequence[Setting]) -> list[str]:
    if not unlike:
        return []
    named = ", ".join(f"{one.name} {one.a} and {one.b}" for one in unlike)
    return [f"they were not given the same load: {named}"]


def _dropped(result: BenchResult) -> list[str]:
    due = sum(one.counts.due for one in result.iterations)
    dropped = sum(one.counts.dropped for one in result.iterations)
    if dropped <= _MUCH_DROPPED * due:
        return []
    said = f"{result.id}: its generator dropped {dropped} of {due} starts"
    return [f"{said}, so the cluster had less load than was asked for"]


def _sentence(metrics: Sequence[Metric], *, same_load: bool) -> str:
    judged = [one for one in metrics if one.verdict not in {TOO_FEW, UNSEEN}]
    told = [
        f"B is {verdict} in {', '.join(_how(one) for one in found)}"
        for verdict in (BETTER, WORSE)
        if (found := [one for one in judged if one.verdict == verdict])
    ]
    if not judged:
        said = (
            "There are not enough iterations to tell a difference from noise: "
            "run both with --iterations 3 or more"
        )
    elif not told:
        said = f"No difference shown in any of the {len(judged)} figures that both have"
    else:
        said = "; ".join(told)
    return f"{said}." if same_load else f"{said}; but they were not given the same load."


def _how(one: Metric) -> str:
    return one.name if one.percent is None else f"{one.name} ({one.percent:+.1f} %)"
