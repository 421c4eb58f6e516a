"""Lay walks on streets: the shortest way between stops, or another where that is worth its minutes.

Streets that were walked lately, or that another team walks in the same hour, are gone around as
far as the shift has minutes to spare: prizes were collected before, so only spare time pays.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduling.core.network import Floats, WalkMatrix, WalkNetwork, Way
from scheduling.core.route import RecentWalk
from scheduling.core.routes.variety import SAMPLE_M, pieces, sampled, streets_of

LATELY = 1.0
"""A street that every recent walk took counts this share longer."""
TOGETHER = 3.0
"""A street that another team walks in the same hour counts this much longer."""
GAIN = 0.05
"""A way round is taken when it is better by this share."""
HOUR = 60


@dataclass(frozen=True)
class Course:
    """A walk as points of the matrix in order, with the minutes each asks for.

    ``late`` is when each point must be reached at the latest, ``early`` when its stay may begin.
    """

    points: Sequence[int]
    stay: Sequence[float]
    early: Sequence[float]
    late: Sequence[float]
    begin: float


@dataclass(frozen=True)
class Laid:
    """A course on its streets: one way per leg, and when each point's stay begins."""

    course: Course
    ways: tuple[Way, ...]
    times: tuple[float, ...]

    @property
    def line(self) -> Floats:
        """The whole course as coordinates (n, 2)."""
        if not self.ways:
            return np.zeros((0, 2))
        line = np.concatenate([way.course for way in self.ways])
        moved = np.linalg.norm(np.diff(line, axis=0), axis=1) > 1e-6
        found: Floats = line[np.concatenate([[True], moved])]
        return found


def lay(
    network: WalkNetwork,
    matrix: WalkMatrix,
    courses: Sequence[Course],
    recent: Sequence[RecentWalk],
    metres_per_min: float,
    *,
    around: bool = True,
) -> list[Laid]:
    """Return the courses on streets, each laid with those before it in mind unless not ``around``."""
    lately = np.ones(len(network.lengths))
    for walk in recent:
        used = {piece // 100_000 for piece in streets_of(network, walk.line)}
        lately[list(used)] += LATELY / len(recent)
    laid: list[Laid] = []
    for course in courses:
        ways = [matrix.way(a, b) for a, b in itertools.pairwise(course.points)]
        now = _timed(course, ways, metres_per_min)
        if around and (recent or laid):
            now = _go_around(network, matrix, now, lately, laid, metres_per_min)
        laid.append(now)
    return laid


def _timed(course: Course, ways: Sequence[Way], metres_per_min: float) -> Laid:
    clock = course.begin
    times = [clock]
    for number, way in enumerate(ways, start=1):
        clock += course.stay[number - 1] + way.metres / metres_per_min
        clock = max(clock, course.early[number])
        times.append(clock)
    return Laid(course, tuple(ways), tuple(times))


def _in_time(laid: Laid) -> bool:
    return all(at <= late + 1e-9 for at, late in zip(laid.times, laid.course.late, strict=True))


def _go_around(
    network: WalkNetwork,
    matrix: WalkMatrix,
    laid: Laid,
    lately: Floats,
    others: Sequence[Laid],
    metres_per_min: float,
) -> Laid:
    taken: dict[int, set[int]] = {}
    for other in others:
        for hour, street in _street_hours(other, metres_per_min):
            taken.setdefault(hour, set()).add(street)
    for leg in range(len(laid.ways)):
        factor = lately.copy()
        first, last = laid.times[leg], laid.times[leg + 1]
        for hour in range(int(first // HOUR), int(last // HOUR) + 1):
            factor[list(taken.get(hour, ()))] += TOGETHER
        way = laid.ways[leg]
        start, end = laid.course.points[leg], laid.course.points[leg + 1]
        if start == end or all(factor[street] == 1.0 for street, _ in way.streets):
            continue
        around = matrix.ways_around(start, [end], factor)[0]
        if _weight(around, factor) > (1 - GAIN) * _weight(way, factor):
            continue
        tried = _timed(
            laid.course, [*laid.ways[:leg], around, *laid.ways[leg + 1 :]], metres_per_min
        )
        if _in_time(tried):
            laid = tried
    return laid


def _weight(way: Way, factor: Floats) -> float:
    return sum(metres * float(factor[street]) for street, metres in way.streets)


def _street_hours(laid: Laid, metres_per_min: float) -> set[tuple[int, int]]:
    """Return which streets are walked in which hour."""
    found = set()
    for number, way in enumerate(laid.ways):
        clock = laid.times[number] + laid.course.stay[number]
        for street, metres in way.streets:
            found.add((int(clock // HOUR), street))
            clock += metres / metres_per_min
            found.add((int(clock // HOUR), street))
    return found


def shared_m(network: WalkNetwork, walks: Sequence[Laid], metres_per_min: float) -> int:
    """Return the metres of street that two walks take in the same hour, once for each pair."""
    walked: list[set[tuple[int, int]]] = []
    for laid in walks:
        mine: set[tuple[int, int]] = set()
        for number, way in enumerate(laid.ways):
            places, metres = sampled([tuple(p) for p in way.course.tolist()], SAMPLE_M / 2)
            if len(places):
                clock = laid.times[number] + laid.course.stay[number] + metres / metres_per_min
                hours = (clock // HOUR).astype(int).tolist()
                mine |= set(zip(pieces(network, places).tolist(), hours, strict=True))
        walked.append(mine)
    total = 0
    for number, mine in enumerate(walked):
        for other in walked[:number]:
            total += len(mine & other)
    return round(total * SAMPLE_M)
