"""What a benchmark runs: a kind of workflow, or a mix of kinds by weights."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from temporal_dsql_deploy.bench.options import WORKLOADS, Settings
from temporal_dsql_deploy.errors import InvalidSetting


@dataclass(frozen=True, slots=True)
class Mix:
    """Kinds of workflows with their weights, which need not add up to anything."""

    weights: dict[str, float]

    def kinds(self, *, seed: int) -> Iterator[str]:
        """The kind of each workflow, one after the other, without end."""
        names = list(self.weights)
        if len(names) == 1:
            while True:
                yield names[0]
        chance = random.Random(seed)  # noqa: S311 - a seed is what makes a load repeatable
        bounds = list(accumulate(self.weights.values()))
        while True:
            yield chance.choices(names, cum_weights=bounds)[0]


def parse(text: str) -> Mix:
    """`simple`, or `simple=3,timer=1`. Raises InvalidSetting."""
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, equals, weight = (word.strip() for word in part.partition("="))
        if name not in WORKLOADS or name in weights:
            again = "it stands there twice" if name in weights else f"known: {', '.join(WORKLOADS)}"
            _refuse(text, f"workload {name!r}: {again}")
        try:
            weights[name] = float(weight) if equals else 1.0
        except ValueError:
            _refuse(text, f"{weight!r}, the weight of {name}, is no number")
        if not 0 < weights[name] < float("inf"):
            _refuse(text, f"{weight}, the weight of {name}, is not above 0")
    return Mix(weights)


def arguments(settings: Settings, kind: str) -> list[object]:
    """What a workflow of this kind is started with."""
    by_kind: dict[str, list[object]] = {
        "simple": [],
        "multi-activity": [settings.activity_count, settings.activity_duration.seconds],
        "timer": [settings.timer_duration.seconds],
        "child-workflow": [settings.child_count],
        "state-transitions": [settings.activity_duration.seconds],
    }
    return by_kind[kind]


def _refuse(text: str, cause: str) -> None:
    raise InvalidSetting(
        f"--workload {text} is not right", cause=cause, fix="see dsql-deploy bench run --help"
    )
