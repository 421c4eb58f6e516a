"""Orienteering as a value: which stops to take in within the time, and in which order.

Nodes are numbered; some are stops, the others places where a walk starts or ends. Times are floats
in one unit (seconds for a patrol). Walking is symmetric; ``stay`` is what a stop itself takes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Orienteering:
    """One walk or several over the same stops, each stop visited at most once.

    ``prize`` has shape (n, slots): what a stop is worth when its visit begins in slot
    ``time // slot_length`` (the last slot lasts for ever). ``toll`` (n, n), symmetric, in units of
    prize, is what going straight from one node to another costs beside the time. A walk without
    stops pays none.
    """

    walk: Floats
    stay: Floats
    prize: Floats
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    begin: tuple[float, ...]
    """When each walk sets out, and in ``end`` when it must be at its end."""
    end: tuple[float, ...]
    early: Floats | None = None
    """A visit begins no earlier than this (the patrol waits) and no later than ``late``."""
    late: Floats | None = None
    toll: Floats | None = None
    slot_length: float = np.inf
    usual: float | None = None
    """What a usual stop is worth, where ranks are in the prizes: how much the search may risk."""

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.stay)

    @cached_property
    def stops(self) -> Bools:
        """Which nodes are stops, shape (n,)."""
        found = np.ones(self.size, dtype=bool)
        found[[*self.starts, *self.ends]] = False
        return found

    @property
    def untimed(self) -> bool:
        """Whether a shorter order is always a feasible one."""
        return self.early is None and self.late is None and self.toll is None


@dataclass(frozen=True, kw_only=True)
class Tours:
    """Walks found: the stops of each in order, starts and ends left out."""

    routes: tuple[tuple[int, ...], ...]
    prize: float
    """Prizes less tolls."""
    walked: float
    bound: float = np.inf
    """No walks collect more."""
    proven: bool = False
    best_s: float = 0.0
    """Seconds until these walks were found; 0 where no clock ran."""


def arrivals(problem: Orienteering, number: int, route: tuple[int, ...]) -> list[float]:
    """Return when each visit of a walk begins, and last when its end is reached."""
    clock, at = problem.begin[number], problem.starts[number]
    found: list[float] = []
    for node in route:
        clock += float((problem.stay[at] if found else 0.0) + problem.walk[at, node])
        if problem.early is not None:
            clock = max(clock, float(problem.early[node]))
        found.append(clock)
        at = node
    clock += float((problem.stay[at] if found else 0.0) + problem.walk[at, problem.ends[number]])
    return [*found, clock]


def worth(problem: Orienteering, node: int, at: float) -> float:
    """Return the prize of a visit that begins at a time."""
    last = problem.prize.shape[1] - 1
    slot = 0 if last == 0 else min(last, max(0, int(at / problem.slot_length)))
    return float(problem.prize[node, slot])
