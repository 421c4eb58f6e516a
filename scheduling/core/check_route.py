"""The independent checker of walks: it re-derives length, times and legality from the plan alone.

It shares no code with the planner: it walks the planned line and asks of every metre whether a
walkway lies under it.
"""

import math

import shapely

from scheduling.core.route import RoutePlan, RouteProblem

ON_WALKWAY_M = 0.6
LENGTH_TOLERANCE_M = 2.0


def check_route(problem: RouteProblem, plan: RoutePlan) -> tuple[str, ...]:
    """Return what is wrong with a walk, each in one English sentence; empty when nothing is."""
    found: list[str] = []
    known = {stop.key: stop for stop in problem.stops}
    visited = [stop.key for stop in plan.stops]
    if len(set(visited)) != len(visited):
        found.append("a stop is visited twice")
    named = {unreached.key for unreached in plan.unreached}
    for key in set(visited) | named:
        if key not in known:
            found.append(f"stop {key} is not of this problem")
    for stop in problem.stops:
        if stop.required and (stop.key in visited) == (stop.key in named):
            found.append(f"required stop {stop.key} is neither visited nor named, or both")
    if plan.minutes > problem.minutes and plan.stops:
        found.append(f"the walk takes {plan.minutes} of {problem.minutes} minutes")
    if not plan.stops:
        return tuple(found)
    return tuple(found + _line(problem, plan) + _times(problem, plan))


def _line(problem: RouteProblem, plan: RoutePlan) -> list[str]:
    if len(plan.line) < 2:
        return [] if plan.length_m == 0 else ["a walk of some length has no line"]
    found = []
    line = shapely.LineString(plan.line)
    if abs(line.length - plan.length_m) > LENGTH_TOLERANCE_M:
        found.append(f"the line is {line.length:.0f} m, the plan says {plan.length_m} m")
    ways = shapely.union_all([shapely.LineString(way) for way in problem.lines if len(way) > 1])
    places = [(stop.x, stop.y) for stop in plan.stops]
    for place, tip in ((problem.start, plan.line[0]), (problem.end, plan.line[-1])):
        if place is not None:
            places.append((place.x, place.y))
            if math.dist((place.x, place.y), tip) > ON_WALKWAY_M:
                found.append(f"the walk does not begin or end at {place.name}")
    # Off the walkways only on the way to a stop, and no longer than each stop lies off them.
    allowed = sum(2 * ways.distance(shapely.Point(spot)) for spot in places)
    outside = line.difference(ways.buffer(ON_WALKWAY_M)).length
    if outside > allowed + 1.0:
        found.append(f"{outside:.0f} m of the walk lie off the walkways")
    for stop in plan.stops:
        if line.distance(shapely.Point(stop.x, stop.y)) > ON_WALKWAY_M:
            found.append(f"the walk passes stop {stop.key} at a distance")
    return found


def _times(problem: RouteProblem, plan: RoutePlan) -> list[str]:
    """Walk the line at the problem's speed and hold every arrival to it."""
    found = []
    line = shapely.LineString(plan.line) if len(plan.line) > 1 else None
    dwell = 0
    before = 0.0
    for stop in plan.stops:
        # Arrivals are rounded down; between them lie the stays and what the speed asks for.
        if stop.arrive_min < before - 1:
            found.append(f"stop {stop.key} is reached before the one before it is left")
        before = stop.arrive_min + stop.dwell_min
        dwell += stop.dwell_min
    walked = (line.length if line is not None else 0.0) / problem.metres_per_min
    if abs(walked + dwell - plan.minutes) > 1.5:
        found.append(
            f"walking and staying take {walked + dwell:.0f} min, the plan says {plan.minutes}"
        )
    return found
