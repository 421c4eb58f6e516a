"""Which visits a route problem asks for: a hot place is visited again and again, each visit in time.

A visit has one of three ranks: required, at a hot place, or for its prize. One of a higher rank
outweighs all of the lower ones together; the scale follows from the problem, not from a constant,
because too small a scale gives empty routes and too large a one drowns the prizes in rounding.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from scheduling.core.route import RouteProblem, Stop

OVERLAP = 2 / 3
"""Visits are planned this share of the allowed gap apart: what is left is room to choose in."""


class Rank(IntEnum):
    """What a visit comes before."""

    PRIZE = 0
    HOT = 1
    REQUIRED = 2


@dataclass(frozen=True)
class Visit:
    """One visit of the stop with this number in the problem, begun between early and late."""

    stop: int
    rank: Rank
    early: float = -math.inf
    late: float = math.inf


def visits_of(
    problem: RouteProblem,
    numbers: Sequence[int],
    reach_min: Mapping[int, float],
    once: Collection[int] = (),
) -> list[Visit]:
    """Return the visits that the stops of these numbers ask for.

    ``reach_min`` is how soon after the start each can be reached; hot places in ``once`` are asked
    for a single visit at any time, because their windows could not be kept.
    """
    begin = min(team.begin_min for team in problem.teams)
    end = max(team.begin_min + team.minutes for team in problem.teams)
    found = []
    for number in numbers:
        stop = problem.stops[number]
        early, late = stop.window or (-math.inf, math.inf)
        if stop.every_min is None and stop.max_gap_min is None:
            rank = Rank.REQUIRED if stop.required else Rank.PRIZE
            found.append(Visit(number, rank, early, late))
        elif number in once:
            needed = stop.required or _hard(stop, end)
            found.append(Visit(number, Rank.REQUIRED if needed else Rank.HOT, early, late))
        else:
            found += _hot(stop, number, begin, end, begin + reach_min[number])
    return found


def _hard(stop: Stop, end: int) -> bool:
    """Whether a hot place's hard limit runs out in this shift."""
    if stop.max_gap_min is None:
        return False
    return stop.last_visit_min is None or stop.last_visit_min + stop.max_gap_min <= end


def _hot(stop: Stop, number: int, begin: int, end: int, soonest: float) -> list[Visit]:
    """Return a hot place's visits, so spaced that keeping their windows keeps every gap."""
    gap = min(limit for limit in (stop.every_min, stop.max_gap_min) if limit is not None)
    due = float(begin + gap if stop.last_visit_min is None else stop.last_visit_min + gap)
    hard = _hard(stop, end)
    if due > end and not hard:
        rank = Rank.REQUIRED if stop.required else Rank.PRIZE
        return [Visit(number, rank, *(stop.window or (-math.inf, math.inf)))]
    if due < soonest:
        due = soonest + gap // 2  # too late already: soon, but others may be overdue as well
    first = min(due, float(end))
    wide = gap + stop.dwell_min
    count = max(1, math.ceil((end - first) / (OVERLAP * wide)))
    apart = (end - first) / count
    # Where only the longer limit is hard, the first visit keeps it.
    every = stop.every_min is None or stop.every_min >= (stop.max_gap_min or math.inf)
    found = []
    for k in range(count):
        late = first + k * apart
        early = max(float(begin), late + apart - wide)
        if stop.window is not None:
            early, late = max(early, stop.window[0]), min(late, stop.window[1])
        needed = (hard and (k == 0 or every)) or (stop.required and k == 0)
        if early <= late:
            found.append(Visit(number, Rank.REQUIRED if needed else Rank.HOT, early, late))
    return found


def longest_gap(stop: Stop, visited: list[tuple[float, float]], begin: int, end: int) -> float:
    """Return the longest time without a visit: visits are (begin, end), the last known counts."""
    since = float(begin if stop.last_visit_min is None else stop.last_visit_min)
    longest = 0.0
    for first, last in sorted(visited):
        longest = max(longest, first - since)
        since = max(since, last)
    return max(longest, end - since)
