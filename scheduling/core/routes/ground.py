"""The points of a shift's walks and the ways between them: what can be reached, and when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scheduling.core.network import WalkMatrix, WalkNetwork, walk_matrix
from scheduling.core.route import RouteProblem, Unreached
from scheduling.core.routes.lay import Course, Laid, lay
from scheduling.core.routes.visits import Visit


@dataclass(frozen=True)
class Ground:
    """The points of a problem with walks between them: the teams' starts and ends, then the stops.

    ``starts`` and ``ends`` are points, None where a walk begins or ends at a stop.
    """

    network: WalkNetwork
    matrix: WalkMatrix
    starts: tuple[int | None, ...]
    ends: tuple[int | None, ...]
    first_stop: int


def ground_of(problem: RouteProblem, network: WalkNetwork) -> Ground:
    """Return the points of a problem, places that several teams share once."""
    places: list[tuple[float, float]] = []
    known: dict[tuple[float, float], int] = {}
    ends: list[list[int | None]] = [[], []]
    for team in problem.teams:
        for side, place in enumerate((team.start, team.end)):
            if place is None:
                ends[side].append(None)
                continue
            spot = (place.x, place.y)
            if spot not in known:
                known[spot] = len(places)
                places.append(spot)
            ends[side].append(known[spot])
    points = np.array([*places, *((s.x, s.y) for s in problem.stops)])
    return Ground(
        network, walk_matrix(network, points), tuple(ends[0]), tuple(ends[1]), len(places)
    )


def reachable_stops(problem: RouteProblem, ground: Ground) -> tuple[list[int], list[Unreached]]:
    """Return the stops that a team can walk to, and the required ones that none can."""
    metres, off_m = ground.matrix.metres, ground.matrix.off_m
    anchors = {
        tuple(point for point in ends if point is not None)
        for ends in zip(ground.starts, ground.ends, strict=True)
    }
    if () in anchors:
        anchors = {*anchors - {()}, (_best_connected(ground, problem),)}
    candidates, unreached = [], []
    for number, stop in enumerate(problem.stops):
        point = ground.first_stop + number
        cut_off = not any(np.isfinite(metres[list(ends), point]).all() for ends in anchors)
        far = round(float(off_m[point]))
        if off_m[point] <= problem.reach_m and not cut_off:
            candidates.append(number)
        elif stop.required and cut_off:
            unreached.append(
                Unreached(
                    key=stop.key,
                    name=stop.name,
                    missing_min=None,
                    zh=f"{stop.name}：步行道不连通，走不到。请检查附近的步行道。",
                    en=f"{stop.name}: no walkway leads there. Check the walkways near it.",
                )
            )
        elif stop.required:
            unreached.append(
                Unreached(
                    key=stop.key,
                    name=stop.name,
                    missing_min=None,
                    zh=f"{stop.name}：离最近的步行道 {far} 米。请补画步行道或更正位置。",
                    en=f"{stop.name}: {far} m from the nearest walkway. Draw one or move the stop.",
                )
            )
    return candidates, unreached


def _best_connected(ground: Ground, problem: RouteProblem) -> int:
    """Return the stop from which most others can be reached: an open walk stays in that part."""
    stops = slice(ground.first_stop, ground.first_stop + len(problem.stops))
    reached = np.isfinite(ground.matrix.metres[stops, stops]).sum(axis=1)
    return ground.first_stop + int(np.argmax(reached))


@dataclass(frozen=True)
class Walked:
    """One team's walk on its streets: numbers of visits in order, when each begins, when it ends."""

    visits: tuple[int, ...]
    begun: tuple[float, ...]
    over: float
    laid: Laid


def course_of(
    problem: RouteProblem,
    ground: Ground,
    visits: Sequence[Visit],
    number: int,
    route: Sequence[int],
) -> Course:
    """Return a team's visits as points with what each allows, start and end among them."""
    team = problem.teams[number]
    first, end = 2 * len(problem.teams), float(team.begin_min + team.minutes)
    points, stay, early, late = [], [], [], []
    start = ground.starts[number]
    if start is not None:
        points.append(start)
        stay.append(0.0)
        early.append(-math.inf)
        late.append(math.inf)
    for node in route:
        visit = visits[node - first]
        points.append(ground.first_stop + visit.stop)
        stay.append(float(problem.stops[visit.stop].dwell_min))
        early.append(visit.early)
        # With no end to walk to, the last stay itself must be over in time.
        late.append(min(visit.late, end - stay[-1]))
    last = ground.ends[number]
    if last is not None and route:
        points.append(last)
        stay.append(0.0)
        early.append(-math.inf)
        late.append(end)
    begin = float(team.begin_min)
    if start is None and route:
        begin = max(begin, early[0])
    if not route:
        return Course((), (), (), (), begin)
    return Course(points, stay, early, late, begin)


def laid_walks(
    problem: RouteProblem,
    ground: Ground,
    visits: Sequence[Visit],
    routes: Sequence[Sequence[int]],
    *,
    around: bool,
) -> list[Walked]:
    """Return walks on their streets; ``around``: unlike recent ones and other teams' if in time."""
    courses = [course_of(problem, ground, visits, n, route) for n, route in enumerate(routes)]
    found = []
    first = 2 * len(problem.teams)
    speed = problem.metres_per_min
    all_laid = lay(ground.network, ground.matrix, courses, problem.recent, speed, around=around)
    for number, (route, laid) in enumerate(zip(routes, all_laid, strict=True)):
        skip = 0 if ground.starts[number] is None else 1
        over = laid.times[-1] + laid.course.stay[-1] if route else laid.course.begin
        found.append(
            Walked(
                visits=tuple(node - first for node in route),
                begun=laid.times[skip : skip + len(route)],
                over=over,
                laid=laid,
            )
        )
    return found
