"""Planned against done: what of a patrol's plan was walked, from its check-ins. Times in minutes."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

LATE_MIN = 15
"""A stop reached this much after its planned time is late."""
FASTEST_M_PER_MIN = 200.0
"""Faster than a run (12 km/h) nobody goes from stop to stop on foot."""
PRESENCE_MIN = 30
"""Between two check-ins no further apart the team counts as in its zone all the while."""


@dataclass(frozen=True, slots=True)
class PlannedStop:
    """A stop of the walk: metres of the metric projection, minutes from the day's midnight."""

    key: str
    name: str
    x: float
    y: float
    arrive_min: int
    required: bool = True


@dataclass(frozen=True, slots=True)
class Scan:
    """A check-in, by our clock."""

    stop: str
    member: int
    at_min: float


@dataclass(frozen=True, slots=True)
class Walked:
    """What a patrol did of its plan."""

    visited: tuple[str, ...]
    missed: tuple[str, ...]
    """Required stops without a check-in."""
    late: tuple[tuple[str, int], ...]
    """Stops reached late, with the minutes."""
    out_of_order: int
    """Stops that would have to be moved to give the planned order."""
    too_fast: tuple[tuple[str, str], ...]
    """Pairs of stops scanned faster after each other than anybody walks."""


def compare(stops: Sequence[PlannedStop], scans: Sequence[Scan]) -> Walked:
    """Hold a patrol's check-ins against its planned stops; a stop counts by its first check-in."""
    planned = {stop.key: n for n, stop in enumerate(stops)}
    ordered = sorted(scans, key=lambda scan: scan.at_min)
    first: dict[str, Scan] = {}
    for scan in ordered:
        if scan.stop in planned:
            first.setdefault(scan.stop, scan)
    late = tuple(
        (stop.key, int(first[stop.key].at_min - stop.arrive_min))
        for stop in stops
        if stop.key in first and first[stop.key].at_min > stop.arrive_min + LATE_MIN
    )
    return Walked(
        visited=tuple(first),
        missed=tuple(s.key for s in stops if s.required and s.key not in first),
        late=late,
        out_of_order=len(first) - _longest_rising([planned[key] for key in first]),
        too_fast=_too_fast(stops, planned, ordered),
    )


def _too_fast(
    stops: Sequence[PlannedStop], planned: dict[str, int], ordered: Sequence[Scan]
) -> tuple[tuple[str, str], ...]:
    found = []
    for member in sorted({scan.member for scan in ordered}):
        mine = [s for s in ordered if s.member == member and s.stop in planned]
        for one, other in pairwise(mine):
            a, b = stops[planned[one.stop]], stops[planned[other.stop]]
            metres = hypot(a.x - b.x, a.y - b.y)
            if metres > FASTEST_M_PER_MIN * max(other.at_min - one.at_min, 1 / 60):
                found.append((a.key, b.key))
    return tuple(found)


def _longest_rising(numbers: Sequence[int]) -> int:
    ends: list[int] = []
    for number in numbers:
        n = bisect_right(ends, number)
        ends[n : n + 1] = [number]
    return len(ends)


def presence(scans: Sequence[float]) -> list[tuple[float, float]]:
    """Return the spans of minutes in which check-ins show a team in its zone."""
    spans: list[tuple[float, float]] = []
    for at in sorted(scans):
        if spans and at - spans[-1][1] <= PRESENCE_MIN:
            spans[-1] = (spans[-1][0], at)
        else:
            spans.append((at, at))
    return spans


def longest_gap(spans: Sequence[tuple[float, float]], begin: int, end: int) -> int:
    """Return the longest run of minutes in [begin, end) outside every span."""
    gap, free = 0.0, float(begin)
    for left, right in sorted(spans):
        gap = max(gap, min(left, end) - free)
        free = max(free, right)
    return int(max(gap, end - free, 0))
