"""How unlike each other walks are, and what makes the next one unlike the last.

Whoever watches a patrol should not know where it will be: steps between stops, streets and times
of arrival should change. Measured by the Jaccard index of steps with the walk before and by the
entropy of arrivals; brought about by counting lately used steps, times and streets for less.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scheduling.core.network import WalkNetwork
from scheduling.core.route import RecentWalk

Floats = NDArray[np.float64]

ENDS = ("<", ">")
"""Stand for a walk's start and end where it has one; a round trip has "<" at both ends."""
BINS = 8
"""Arrivals are counted in eighths of the shift."""
SAMPLE_M = 10.0
KEPT = 0.5
"""A walk counts half of the one after it."""

Step = frozenset[str]


def steps(keys: Sequence[str], *, start: bool, end: bool, closed: bool) -> set[Step]:
    """Return the steps of a walk from stop to stop, either way round alike."""
    line = list(keys)
    if not line:
        return set()
    if start:
        line.insert(0, ENDS[0])
    if end:
        line.append(ENDS[0] if closed else ENDS[1])
    return {frozenset(pair) for pair in itertools.pairwise(line)}


def jaccard(one: set[Step] | set[int], other: set[Step] | set[int]) -> float | None:
    """Return what two sets share of what either holds; None where both are empty."""
    either = len(one | other)
    return round(len(one & other) / either, 4) if either else None


def streets_of(network: WalkNetwork, line: Sequence[tuple[float, float]]) -> set[int]:
    """Return the pieces of street that a course passes, each about SAMPLE_M long."""
    places, _ = sampled(line, SAMPLE_M / 2)
    return set(pieces(network, places).tolist()) if len(places) else set()


def pieces(network: WalkNetwork, places: Floats) -> NDArray[np.int64]:
    """Return the number of the piece of street that each place (k, 2) stands on."""
    located = network.locate(places)
    found: NDArray[np.int64] = located.edge * 100_000 + (located.along_m / SAMPLE_M).astype(
        np.int64
    )
    return found


def sampled(line: Sequence[tuple[float, float]], apart_m: float) -> tuple[Floats, Floats]:
    """Return places in the middle of every ``apart_m`` of a line (k, 2), and the metres to them."""
    course = np.asarray(line, dtype=float).reshape(-1, 2)
    if len(course) < 2:
        return np.zeros((0, 2)), np.zeros(0)
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(course, axis=0), axis=1).cumsum()])
    metres = np.arange(apart_m / 2, along[-1], apart_m)
    places = np.stack([np.interp(metres, along, course[:, axis]) for axis in (0, 1)], axis=1)
    return places, metres


def arrival_entropy(walks: Iterable[Mapping[str, float]], minutes: int) -> float | None:
    """Return how evenly arrivals at the same stop spread over a shift, mean over all stops.

    Each walk is stop → arrival from its own start. 0 where a stop is always reached in the same
    eighth of the shift, 1 where its arrivals lie as far apart as that many can; None where no stop
    is visited twice.
    """
    times: dict[str, list[float]] = defaultdict(list)
    for walk in walks:
        for key, at in walk.items():
            times[key].append(at)
    total, weight = 0.0, 0
    for arrivals in times.values():
        n = len(arrivals)
        if n < 2:
            continue
        count = Counter(min(BINS - 1, int(BINS * at / minutes)) for at in arrivals)
        entropy = -sum(c / n * math.log(c / n) for c in count.values())
        total += n * entropy / math.log(min(BINS, n))
        weight += n
    return round(total / weight, 4) if weight else None


def step_weights(
    recent: Sequence[RecentWalk], *, start: bool, end: bool, closed: bool
) -> dict[Step, float]:
    """Return how much each step was walked lately, 0..1: half by the newest walk alone."""
    found: dict[Step, float] = defaultdict(float)
    for age, walk in enumerate(recent):
        weight = KEPT ** (age + 1)
        for step in steps(walk.stops, start=start, end=end, closed=closed):
            found[step] += weight
    return found


def time_weights(recent: Sequence[RecentWalk], minutes: int) -> dict[str, Floats]:
    """Return the share of recent walks that reached each stop in each eighth, shape (8,)."""
    found: dict[str, Floats] = defaultdict(lambda: np.zeros(BINS))
    for walk in recent:
        for key, at in zip(walk.stops, walk.arrive_min, strict=True):
            found[key][min(BINS - 1, max(0, int(BINS * at / minutes)))] += 1 / len(recent)
    return found
