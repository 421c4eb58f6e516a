"""Search for the best walks: chains of annealing side by side, for a time or for a number of rounds.

Measured beside it in one run (``./xunge bench route --peers``), neither plain PyVRP nor VROOM nor
OR-Tools routing collected more on any instance tried; that is why the kernel is our own.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from scheduling.core.routes.anneal import anneal
from scheduling.core.routes.orienteering import Floats, Ints, Orienteering, Tours

HOT, COLD = 1.0, 0.05
"""Temperatures, in mean prizes of a stop."""
REACH = 30
"""Most stops that one round takes out."""
WALK_RATE = 0.15
"""What a whole shift of walking weighs against all prizes while searching: of equals the shorter."""
NEAR = 200
CYCLE_S = 5.0
CYCLE_ROUNDS = 50_000
SLICE_ROUNDS = 200
"""Between two looks at the clock."""
PARTS = 10
"""How often in a cycle the chains wait for each other, to tell how far they are."""


@dataclass(frozen=True, kw_only=True)
class RouteEffort:
    """How long to search: ``rounds`` per chain, or without them ``seconds``.

    With rounds, the same seed and number of chains give the same walks to the byte.
    """

    seconds: float = 10.0
    rounds: int | None = None
    seed: int = 0
    chains: int = 2


@dataclass
class _Ready:
    """A problem as the kernel takes it."""

    problem: Orienteering
    near: Ints
    walk: Floats
    cost: Floats
    prize: Floats
    early: Floats
    late: Floats
    heat: float
    toll_rate: float
    walk_rate: float


class _Chain:
    """One chain: where it stands, its best, and its own numbers."""

    def __init__(self, ready: _Ready, seed: int) -> None:
        self.ready = ready
        problem = ready.problem
        walks, places = len(problem.starts), int(problem.stops.sum()) + 2
        self.empty = np.zeros((walks, places), dtype=np.int64)
        self.empty[:, 0], self.empty[:, 1] = problem.starts, problem.ends
        self.seq, self.cnt = self.empty.copy(), np.full(walks, 2, dtype=np.int64)
        self.best_seq, self.best_cnt = self.seq.copy(), self.cnt.copy()
        self.best = np.array([-np.inf, np.inf])
        # Never 0, which xorshift would keep for ever; neighbouring seeds far apart.
        scattered = np.random.SeedSequence(seed).generate_state(1, np.uint64)
        self.state = scattered | np.uint64(1)

    def restart(self, other: "_Chain | None") -> None:
        """Go on from another chain's best, or from nothing."""
        if other is None:
            self.seq[:], self.cnt[:] = self.empty, 2
        else:
            self.seq[:], self.cnt[:] = other.best_seq, other.best_cnt

    def run(self, hot: float, cold: float, rounds: int) -> None:
        """Go some rounds on."""
        ready, problem = self.ready, self.ready.problem
        anneal(
            self.seq, self.cnt, self.best_seq, self.best_cnt, self.best, problem.stops, ready.near,
            ready.walk, ready.cost, problem.stay, ready.prize, problem.slot_length, ready.early,
            ready.late, np.array(problem.begin), np.array(problem.end), not problem.untimed,
            ready.toll_rate, ready.walk_rate, hot * ready.heat, cold * ready.heat, rounds, REACH,
            self.state,
        )  # fmt: skip

    @property
    def key(self) -> tuple[float, float]:
        """What makes one chain's best better than another's."""
        return round(float(self.best[0]), 6), -float(self.best[1])


def search(
    problem: Orienteering,
    effort: RouteEffort,
    told: Callable[[float, float], None] | None = None,
) -> Tours:
    """Return the best walks found. ``told`` hears of seconds gone and the best prize so far."""
    ready = _ready(problem)
    chains = [_Chain(ready, effort.seed * 1000 + number) for number in range(effort.chains)]
    if effort.rounds is not None:
        best_s = _for_rounds(chains, effort.rounds)
    else:
        best_s = _for_seconds(chains, effort.seconds, told)
    best = max(chains, key=lambda chain: chain.key)
    routes = tuple(
        tuple(int(node) for node in row[1 : count - 1])
        for row, count in zip(best.best_seq, best.best_cnt, strict=True)
    )
    return Tours(
        routes=routes, prize=float(best.best[0]), walked=float(best.best[1]), best_s=best_s
    )


def _ready(problem: Orienteering) -> _Ready:
    n = problem.size
    stops = np.flatnonzero(problem.stops)
    prize = np.ascontiguousarray(problem.prize, dtype=np.float64)
    most = prize[stops].max(axis=1) if len(stops) else np.ones(1)
    usual = max(float(most.mean()) if problem.usual is None else problem.usual, 1e-6)
    span = max(float(np.sum(np.subtract(problem.end, problem.begin))), 1e-6)
    walk_rate = WALK_RATE * usual * max(1, len(stops)) / span
    walk = np.ascontiguousarray(problem.walk, dtype=np.float64)
    cost = walk.copy() if problem.toll is None else walk + problem.toll / walk_rate
    # Who visits nothing stays where they are, and pays no toll on a way they do not go.
    cost[problem.starts, problem.ends] = walk[problem.starts, problem.ends]
    apart = np.where(problem.stops[None, :], walk, np.inf)
    np.fill_diagonal(apart, np.inf)
    near = np.argsort(apart, axis=1, kind="stable")[:, :NEAR].astype(np.int64)
    near[np.isinf(np.take_along_axis(apart, near, axis=1))] = -1
    return _Ready(
        problem=problem,
        near=near,
        walk=walk,
        cost=np.ascontiguousarray(cost),
        prize=prize,
        early=np.full(n, -np.inf) if problem.early is None else problem.early.astype(np.float64),
        late=np.full(n, np.inf) if problem.late is None else problem.late.astype(np.float64),
        heat=usual,
        toll_rate=walk_rate,
        walk_rate=walk_rate,
    )


def _cycles(chains: list[_Chain], cycle: int) -> None:
    """Begin a cycle: even chains go on from the best of all, odd ones anew."""
    if cycle:
        best = max(chains, key=lambda chain: chain.key)
        for number, chain in enumerate(chains):
            chain.restart(best if (number + cycle) % 2 else None)


def _for_rounds(chains: list[_Chain], rounds: int) -> float:
    cycles = max(1, rounds // CYCLE_ROUNDS)
    with ThreadPoolExecutor(len(chains)) as threads:
        for cycle in range(cycles):
            _cycles(chains, cycle)
            list(threads.map(lambda chain: chain.run(HOT, COLD, rounds // cycles), chains))
    return 0.0


def _for_seconds(
    chains: list[_Chain], seconds: float, told: Callable[[float, float], None] | None
) -> float:
    began = time.monotonic()
    cycles = max(1, round(seconds / CYCLE_S))
    best_s, best = 0.0, (-np.inf, -np.inf)

    def part_of(chain: _Chain, first: float, until: float, stop: float) -> None:
        while (gone := time.monotonic() - began) < stop:
            heat = HOT * (COLD / HOT) ** min(1.0, (gone - first) / (until - first))
            chain.run(heat, heat, SLICE_ROUNDS)

    with ThreadPoolExecutor(len(chains)) as threads:
        for cycle in range(cycles):
            _cycles(chains, cycle)
            first, until = seconds * cycle / cycles, seconds * (cycle + 1) / cycles
            for part in range(1, PARTS + 1):
                stop = first + (until - first) * part / PARTS
                list(threads.map(part_of, chains, repeat(first), repeat(until), repeat(stop)))
                key = max(chain.key for chain in chains)
                if key > best:
                    best_s, best = time.monotonic() - began, key
                    if told is not None:
                        told(best_s, key[0])
    return best_s
