"""Latencies as HDR histograms: exact to three digits, small, and mergeable over processes."""

from collections.abc import Iterable

from hdrh.histogram import HdrHistogram

_LONGEST = 7200
"""Seconds; what takes longer is recorded as that."""
_MICROSECONDS = 1_000_000
_DIGITS = 3
PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)


class Histogram:
    """Latencies in seconds, kept in microseconds with three significant digits."""

    __slots__ = ("_counts",)

    def __init__(self, encoded: str = "") -> None:
        self._counts = HdrHistogram(1, _LONGEST * _MICROSECONDS, _DIGITS)
        if encoded:
            self._counts.decode_and_add(encoded.encode())

    def record(self, seconds: float, *, times: int = 1) -> None:
        """Count a latency; one below zero, which clocks can make, counts as the least."""
        if not times:
            # HdrHistogram would take it for the largest all the same.
            return
        micro = int(seconds * _MICROSECONDS)
        self._counts.record_value(min(max(micro, 1), _LONGEST * _MICROSECONDS), times)

    def add(self, other: "Histogram") -> None:
        """Count all of another one too."""
        self._counts.add(other._counts)

    def encode(self) -> str:
        """In HdrHistogram's own V2 format, compressed, base64; empty when nothing was recorded."""
        return str(self._counts.encode().decode()) if self.count else ""

    @property
    def count(self) -> int:
        """How many there are."""
        return int(self._counts.get_total_count())

    def percentile(self, percent: float) -> float:
        """Seconds that `percent` of 100 did not exceed; 0 when there is none."""
        if not self.count:
            return 0.0
        return float(self._counts.get_value_at_percentile(percent)) / _MICROSECONDS

    def percentiles(self, percents: Iterable[float]) -> list[float]:
        """Several of them at once, in seconds."""
        return [self.percentile(percent) for percent in percents]

    @property
    def mean(self) -> float:
        """Seconds; 0 when there is none."""
        if not self.count:
            return 0.0
        # As HdrHistogram's own mean, which looks at every bucket, full or not, in Python.
        buckets = enumerate(self._counts.encoder.payload.counts)
        total = sum(self._middle(at) * times for at, times in buckets if times)
        return float(total) / self.count / _MICROSECONDS

    def _middle(self, at: int) -> float:
        """Microseconds in the middle of a bucket."""
        value = self._counts.get_value_from_index(at)
        least = self._counts.get_lowest_equivalent_value(value)
        return float(least + self._counts.get_highest_equivalent_value(value)) / 2

    @property
    def max(self) -> float:
        """Seconds; 0 when there is none."""
        return float(self._counts.get_max_value()) / _MICROSECONDS if self.count else 0.0


def merged(encoded: Iterable[str]) -> Histogram:
    """One histogram of what several processes have recorded."""
    whole = Histogram()
    for one in encoded:
        if one:
            whole.add(Histogram(one))
    return whole
