"""Plan a walk: PyVRP chooses the stops and their order, the network gives the way between them.

All stops are optional to PyVRP, required ones at a prize no detour outweighs: so there is always
a walk within the shift, and a required stop that does not fit is named with the minutes missing
instead of failing the whole. A number of iterations, not of seconds, makes the same seed give the
same walk.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyvrp
from pyvrp.stop import MaxIterations

from scheduling.core.network import Floats, WalkMatrix, WalkNetwork, walk_matrix
from scheduling.core.route import PlannedStop, RoutePlan, RouteProblem, Stop, Unreached

REQUIRED_PRIZE_M = 1_000_000
FAR = 10_000_000
"""Metres and seconds that stand for no way at all."""

NO_NETWORK = ("没有步行网络，路线只列出停留点。请先导入或画出步行道。", "There is no walk network: the stops are listed without a way. Import or draw walkways first.")  # fmt: skip
NO_STOPS = ("本巡区没有必到点，请自由巡查。可在“地点与网格”中添加必到点。", "The zone has no checkpoints: walk it freely. Add checkpoints under Places.")  # fmt: skip


@dataclass(frozen=True)
class _Ground:
    """The points of a problem with walks between them: start, end, then the stops."""

    matrix: WalkMatrix
    start: int | None
    end: int | None
    first_stop: int


def plan_routes(problem: RouteProblem, network: WalkNetwork | None = None) -> RoutePlan:
    """Return a walk that visits every required stop the shift has time for.

    ``network`` may be given where many problems share one; it must be that of ``problem.lines``.
    """
    network = network or WalkNetwork.from_lines(problem.lines)
    if network.is_empty:
        return _nowhere(problem, NO_NETWORK, "没有步行网络", "there is no walk network")
    if not problem.stops:
        return _nowhere(problem, NO_STOPS, "", "")
    ground = _ground(problem, network)
    off = network.locate(np.array([[s.x, s.y] for s in problem.stops])).off_m
    candidates, unreached = _reachable(problem, ground, off)
    order = _order(problem, ground, candidates)
    if problem.seed % 2 and problem.start == problem.end:
        order.reverse()  # as long the other way round, and not the walk of last time
    return _plan(problem, ground, order, candidates, unreached)


def _nowhere(problem: RouteProblem, note: tuple[str, str], zh: str, en: str) -> RoutePlan:
    return RoutePlan(
        stops=(),
        line=(),
        length_m=0,
        minutes=0,
        unreached=tuple(
            Unreached(key=s.key, name=s.name, missing_min=None, zh=f"{s.name}：{zh}", en=f"{s.name}: {en}")
            for s in problem.stops
            if s.required
        ),
        prize_m=0,
        notes=(note,),
    )  # fmt: skip


def _ground(problem: RouteProblem, network: WalkNetwork) -> _Ground:
    ends = [place for place in (problem.start, problem.end) if place is not None]
    points = [(p.x, p.y) for p in ends] + [(s.x, s.y) for s in problem.stops]
    return _Ground(
        matrix=walk_matrix(network, np.array(points)),
        start=0 if problem.start is not None else None,
        end=len(ends) - 1 if problem.end is not None else None,
        first_stop=len(ends),
    )


def _reachable(
    problem: RouteProblem, ground: _Ground, off_m: Floats
) -> tuple[list[int], list[Unreached]]:
    """Return the stops that can be walked to, and the required ones that cannot with the reason."""
    metres = ground.matrix.metres
    anchor = ground.start if ground.start is not None else _best_connected(ground, problem)
    candidates, unreached = [], []
    for number, stop in enumerate(problem.stops):
        point = ground.first_stop + number
        cut_off = not np.isfinite(metres[anchor, point]) or (
            ground.end is not None and not np.isfinite(metres[point, ground.end])
        )
        if off_m[number] <= problem.reach_m and not cut_off:
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
            far = round(float(off_m[number]))
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


def _best_connected(ground: _Ground, problem: RouteProblem) -> int:
    """Return the stop from which most others can be reached: an open walk stays in that part."""
    stops = slice(ground.first_stop, ground.first_stop + len(problem.stops))
    reached = np.isfinite(ground.matrix.metres[stops, stops]).sum(axis=1)
    return ground.first_stop + int(np.argmax(reached))


def _seconds(problem: RouteProblem, metres: float) -> int:
    return math.ceil(60 * metres / problem.metres_per_min)


def _order(problem: RouteProblem, ground: _Ground, candidates: Sequence[int]) -> list[int]:
    """Return the chosen stops in walking order."""
    fitting = [n for n in candidates if _alone_s(problem, ground, n) <= problem.minutes * 60]
    if len(fitting) < 2:
        return list(fitting)
    model = pyvrp.Model()
    # Two depots: where the walk starts and ends; "nowhere" costs nothing to leave or reach.
    start_at, end_at = model.add_location(0, 0), model.add_location(0, 0)
    depots = [model.add_depot(start_at), model.add_depot(end_at)]
    places = {n: model.add_location(0, 0) for n in fitting}
    for number, place in places.items():
        stop = problem.stops[number]
        model.add_client(
            place,
            service_duration=stop.dwell_min * 60,
            prize=REQUIRED_PRIZE_M if stop.required else stop.prize_m,
            required=False,
        )
    model.add_vehicle_type(
        1,
        start_depot=depots[0],
        end_depot=depots[1],
        shift_duration=problem.minutes * 60,
        unit_distance_cost=1,
    )

    def edge(a: pyvrp.Location, b: pyvrp.Location, metres: float) -> None:
        known = np.isfinite(metres)
        distance = round(metres) if known else FAR
        model.add_edge(a, b, distance, _seconds(problem, metres) if known else FAR)

    metres = ground.matrix.metres
    for n, place in places.items():
        point = ground.first_stop + n
        edge(start_at, place, metres[ground.start, point] if ground.start is not None else 0.0)
        edge(place, end_at, metres[point, ground.end] if ground.end is not None else 0.0)
        edge(place, start_at, 0.0)
        edge(end_at, place, 0.0)
        for m, other in places.items():
            if m != n:
                edge(place, other, metres[point, ground.first_stop + m])
    edge(start_at, end_at, 0.0)
    edge(end_at, start_at, 0.0)
    result = model.solve(
        MaxIterations(problem.iterations), seed=problem.seed, collect_stats=False, display=False
    )
    numbers = list(places)
    routes = result.best.routes()
    # Locations count the depots' two first.
    return [numbers[visit] for visit in _visits(routes[0])] if routes else []


def _visits(route: pyvrp.Route) -> list[int]:
    return [activity.idx for activity in route if activity.is_client()]


def _alone_s(problem: RouteProblem, ground: _Ground, number: int) -> int:
    """Return the seconds a walk to one stop alone takes."""
    return round(60 * _minutes_of(problem, ground, [number]))


def _points(ground: _Ground, order: Sequence[int]) -> list[int]:
    """Return the points of a walk, start and end included."""
    points = [ground.first_stop + n for n in order]
    if ground.start is not None:
        points.insert(0, ground.start)
    if ground.end is not None:
        points.append(ground.end)
    return points


def _minutes_of(problem: RouteProblem, ground: _Ground, order: Sequence[int]) -> float:
    """Return how long a walk takes, stays included."""
    points = _points(ground, order)
    metres = sum(float(ground.matrix.metres[a, b]) for a, b in itertools.pairwise(points))
    return metres / problem.metres_per_min + sum(problem.stops[n].dwell_min for n in order)


def _plan(
    problem: RouteProblem,
    ground: _Ground,
    order: Sequence[int],
    candidates: Sequence[int],
    unreached: list[Unreached],
) -> RoutePlan:
    points = _points(ground, order)
    walks = [ground.matrix.walk(a, b) for a, b in itertools.pairwise(points)]
    line = np.concatenate(walks) if walks else ground.matrix.points[points]
    stops, clock = [], 0.0
    for place, point in enumerate(points):
        if place:
            clock += float(ground.matrix.metres[points[place - 1], point]) / problem.metres_per_min
        number = point - ground.first_stop
        if number >= 0:
            stop = problem.stops[number]
            stops.append(
                PlannedStop(
                    key=stop.key, name=stop.name, x=stop.x, y=stop.y,
                    arrive_min=math.floor(clock), dwell_min=stop.dwell_min, required=stop.required,
                )
            )  # fmt: skip
            clock += stop.dwell_min
    chosen = set(order)
    for number in candidates:
        stop = problem.stops[number]
        if stop.required and number not in chosen:
            unreached.append(_too_late(problem, ground, list(order), number, stop))
    length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum()) if len(line) > 1 else 0.0
    return RoutePlan(
        stops=tuple(stops),
        line=tuple((round(x, 2), round(y, 2)) for x, y in line.tolist()),
        length_m=round(length),
        minutes=math.ceil(clock - 1e-9),
        unreached=tuple(unreached),
        prize_m=sum(problem.stops[n].prize_m for n in order),
    )


def _too_late(
    problem: RouteProblem, ground: _Ground, order: list[int], number: int, stop: Stop
) -> Unreached:
    """Name a stop there is no time for, with the minutes missing at its cheapest place."""
    longest = min(
        _minutes_of(problem, ground, [*order[:at], number, *order[at:]])
        for at in range(len(order) + 1)
    )
    missing = max(1, math.ceil(longest - problem.minutes))
    return Unreached(
        key=stop.key,
        name=stop.name,
        missing_min=missing,
        zh=f"{stop.name}：时间不够，还差 {missing} 分钟。可延长班次、减少停留或另派一队。",
        en=f"{stop.name}: {missing} minutes short. Lengthen the shift, stay shorter, or send another team.",
    )
