"""When workflows are due: an open process, which does not wait for answers.

The rate begins at a tenth of the target, or one a second where that is more, grows linearly over
the ramp-up, and stays. Every process of a benchmark computes the same times, by the same seed.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from temporal_dsql_deploy.bench.options import Settings


@dataclass(frozen=True, slots=True)
class Curve:
    """The rate over time."""

    rate: float
    """Workflows a second after the ramp-up."""
    ramp_up: float
    """Seconds."""

    @property
    def first_rate(self) -> float:
        """At second 0."""
        return min(self.rate, max(self.rate / 10, 1.0)) if self.ramp_up else self.rate

    def rate_at(self, second: float) -> float:
        """Workflows a second."""
        if second >= self.ramp_up:
            return self.rate
        return self.first_rate + (self.rate - self.first_rate) * second / self.ramp_up

    def due_by(self, second: float) -> float:
        """How many workflows are due before that second."""
        ramped = min(second, self.ramp_up)
        slope = (self.rate - self.first_rate) / self.ramp_up if self.ramp_up else 0.0
        ramp = self.first_rate * ramped + slope * ramped * ramped / 2
        return ramp + self.rate * max(0.0, second - self.ramp_up)

    def second_of(self, count: float) -> float:
        """When `count` workflows are due: the inverse of `due_by`."""
        in_ramp = self.due_by(self.ramp_up)
        if count >= in_ramp:
            return self.ramp_up + (count - in_ramp) / self.rate
        slope = (self.rate - self.first_rate) / self.ramp_up
        root = math.sqrt(self.first_rate * self.first_rate + 2 * slope * count)
        # And not (root - first_rate) / slope, of which little is left where the slope is small.
        return 2 * count / (root + self.first_rate)


def due(settings: Settings, *, seed: int) -> Iterator[float]:
    """The seconds from the beginning at which workflows are due, in order.

    A Poisson process of a changing rate is one of rate 1, its time stretched by the curve.
    """
    curve = Curve(settings.rate, settings.ramp_up.seconds)
    end = settings.duration.seconds
    chance = random.Random(seed)  # noqa: S311 - a seed is what makes a load repeatable
    poisson = settings.arrivals == "poisson"
    count = 0.0
    while True:
        if poisson:
            count += chance.expovariate(1.0)
        second = curve.second_of(count)
        # Rounding may put the last one a hair before the end that it is due at.
        if second >= end - 1e-9:
            return
        yield second
        if not poisson:
            count += 1.0
