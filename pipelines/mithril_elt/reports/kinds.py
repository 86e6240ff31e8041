"""What a figure of a report can be: a sum, a combination, a ratio or a pick of measures; its units; a report of them.

Stands between marts and reports, under `catalog`, which names the figures; `figures` computes them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "AMOUNT",
    "COUNT",
    "HOURS",
    "INSTANT",
    "PERCENT",
    "PER_1000_HOURS",
    "SECONDS",
    "TEXT",
    "USD",
    "USD_PER_GPU_HOUR",
    "USD_PER_HOUR",
    "Bound",
    "Combined",
    "Definition",
    "Figure",
    "Pick",
    "Ratio",
    "Sum",
    "Unit",
]


@dataclass(frozen=True)
class Unit:
    """A unit of figures: its name, how many of the marts' integers make one, and how it reads over and beside them."""

    name: str
    per: int
    heading: str
    sign: str

    @property
    def is_text(self) -> bool:
        """Whether it is words and no number."""
        return self.name == "text"


HOURS = Unit("hours", 3_600_000_000, "hours", "h")
USD = Unit("USD", 360_000_000_000, "USD", "USD")
USD_PER_GPU_HOUR = Unit("USD per GPU-hour", 100, "USD", "USD")
USD_PER_HOUR = Unit("USD per hour", 100, "USD an hour", "USD")
PERCENT = Unit("percent", 1, "%", "%")
PER_1000_HOURS = Unit("per 1,000 hours", 1, "a 1,000 h", "a 1,000 h")
SECONDS = Unit("seconds", 1_000_000, "seconds", "s")
COUNT = Unit("count", 1, "", " ")
INSTANT = Unit("instant", 1, "UTC", "UTC")
AMOUNT = Unit("amount", 1, "", " ")  # dollars or hours, as the row says
TEXT = Unit("text", 1, "", " ")


@dataclass(frozen=True)
class Figure:
    """A column of a report: its name for machines, its unit, and what a reader sees above it."""

    name: str
    unit: Unit
    heading: str


@dataclass(frozen=True)
class Sum(Figure):
    """A measure, added up: its rows add up to the whole."""

    measure: str


@dataclass(frozen=True)
class Combined(Figure):
    """A sum of measures with signs; their rounded values are added, so that rows add up across and down.

    `unless`: a measure that, where it is not zero, says that the parts do not make the whole; the measure
    `whole` then stands for itself.
    """

    parts: tuple[tuple[int, str], ...]
    whole: str | None = None
    unless: str | None = None


@dataclass(frozen=True)
class Ratio(Figure):
    """Sums of measures divided, times `times`, over the unit; null where there is nothing to divide by."""

    above: tuple[tuple[int, str], ...]
    below: tuple[str, ...]
    times: int = 1


@dataclass(frozen=True)
class Bound(Figure):
    """An end of the exact 95 % interval of Poisson's law for the rate of `events` in a thousand hours of `time`."""

    events: str
    time: str
    is_upper: bool


@dataclass(frozen=True)
class Pick(Figure):
    """One of the values, such as a percentile or the earliest: it does not add up, and may be absent."""

    measure: str


@dataclass(frozen=True)
class Definition:
    """A report: its figures in order, the one its rows are sorted by (largest first), and its groupings."""

    name: str
    figures: tuple[Figure, ...]
    sorted_by: str
    groupings: tuple[str, ...]
    is_estimate: bool = False
    # Groupings that bring another one with them, for the rows that have no value of the first.
    together: tuple[tuple[str, str], ...] = ()
