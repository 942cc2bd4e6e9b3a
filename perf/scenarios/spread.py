"""What a handful of repeated measurements say together. Order statistics, because means and standard deviations of
timings on a shared machine describe its neighbours."""

import math
from dataclasses import asdict, dataclass


def percentile(values: list[float], percent: float) -> float:
    """Linear interpolation between closest ranks (type 7 of Hyndman & Fan), as perf/stats/summary.h has it."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = (len(ordered) - 1) * min(max(percent, 0.0), 100.0) / 100.0
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(values: list[float]) -> float:
    return percentile(values, 50)


@dataclass(frozen=True)
class Spread:
    """Of one quantity, measured `count` times."""

    count: int
    median: float
    mad: float  # median absolute deviation from the median, unscaled
    p10: float
    p90: float

    @property
    def relative(self) -> float:
        """mad / |median|; 0 for a single measurement, infinite when the median is 0 and not all values are."""
        if self.mad == 0:
            return 0.0
        return self.mad / abs(self.median) if self.median else math.inf

    @property
    def error(self) -> float:
        """The standard error of the median, were the values normal: 1.4826·mad is σ, √(π/2)·σ/√n the median's."""
        return math.sqrt(math.pi / 2) * 1.4826 * self.mad / math.sqrt(self.count) if self.count else math.nan

    def scaled(self, factor: float) -> "Spread":
        """The same quantity in another unit."""
        return Spread(self.count, *(factor * one for one in (self.median, self.mad, self.p10, self.p90)))

    def as_json(self) -> dict:
        return asdict(self)


def spread_of(values: list[float]) -> Spread:
    middle = median(values)
    return Spread(
        count=len(values),
        median=middle,
        mad=median([abs(value - middle) for value in values]),
        p10=percentile(values, 10),
        p90=percentile(values, 90),
    )


def from_json(values: dict) -> Spread:
    return Spread(**{name: values[name] for name in ("count", "median", "mad", "p10", "p90")})
