"""Run our route engine on one file, write its tours, and have the scorer say what they collect."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from bench.measure import NotAnInstance, ScorerDisagrees
from bench.route_files import RouteFile, read_route_file, write_tours
from bench.route_known import best_known
from bench.route_score import score_tours
from scheduling.core.routes.orienteering import Orienteering
from scheduling.core.routes.search import RouteEffort, search

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class RouteMeasured:
    """One run: score by the scorer, and how far below the best value known."""

    engine: str
    instance: str
    score: float
    best_known: float | None
    gap: float | None
    """(best known − score) ÷ best known; below 0 where ours is better."""
    bound: float
    proven: bool
    visited: int
    longest: float
    limit: float
    seconds_to_best: float
    seconds: float
    violations: int
    seed: int
    workers: int

    def line(self) -> dict[str, object]:
        """Return it as it is printed."""
        return asdict(self)


@cache
def warm_up() -> None:
    """Have the kernel compiled before any clock runs; it is kept on disk from then on."""
    places = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    apart = np.hypot(*(places[:, None] - places[None, :]).transpose(2, 0, 1))
    small = Orienteering(
        walk=apart, stay=np.zeros(3), prize=np.ones((3, 1)), starts=(0,), ends=(0,), begin=(0.0,), end=(9.0,)
    )  # fmt: skip
    search(small, RouteEffort(rounds=2, chains=1))


def gap_of(score: float, known: float | None) -> float | None:
    """Return how far below the best known a score is, as a share of it."""
    return None if not known else round((known - score) / known, 5)


def measure_route(file: Path, out: Path, effort: RouteEffort, say: Say) -> RouteMeasured:
    """Solve an orienteering file and write its tours. Raises NotAnInstance or ScorerDisagrees."""
    try:
        instance = read_route_file(file)
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise NotAnInstance(file, f"{type(error).__name__} {error}") from error
    warm_up()
    started = time.monotonic()
    found = search(
        instance.problem(),
        effort,
        lambda gone, prize: say(f"{instance.name} {gone:7.1f} s  {prize + instance.ends_score:g}"),
    )
    seconds = time.monotonic() - started
    write_tours(instance, [list(route) for route in found.routes], out)
    score = score_tours(file, out)
    if abs(score.score - found.prize - instance.ends_score) > 1e-6:
        raise ScorerDisagrees(instance.name, found.prize + instance.ends_score, int(score.score))
    known = best_known(file)
    bound = min(found.bound + instance.ends_score, _reachable(instance))
    return RouteMeasured(
        engine="xunge",
        instance=instance.name,
        score=score.score,
        best_known=known,
        gap=gap_of(score.score, known),
        bound=bound,
        proven=found.proven or score.score >= bound,
        visited=score.visited,
        longest=round(score.longest, 6),
        limit=score.limit,
        seconds_to_best=round(found.best_s, 2),
        seconds=round(seconds, 2),
        violations=len(score.violations),
        seed=effort.seed,
        workers=effort.chains,
    )


def _reachable(instance: RouteFile) -> float:
    """Return the score of all nodes that a tour could visit alone: no tour collects more."""
    alone = instance.distance[instance.start] + instance.distance[:, instance.end]
    near = alone <= instance.limit + 1e-9
    near[[instance.start, instance.end]] = True
    return float(instance.score[near].sum())
