"""The independent checker of street coverage: geometry only, nothing of the planner's graph."""

import math

import shapely

from scheduling.core.routes.coverage import CoveragePlan, CoverageProblem

ON_STREET_M = 0.6
TOLERANCE = 0.005


def check_coverage(problem: CoverageProblem, plan: CoveragePlan) -> tuple[str, ...]:
    """Return what is wrong with a coverage plan, each in one sentence; empty if nothing is."""
    found = []
    ways = [shapely.LineString(way) for way in problem.lines if len(way) > 1]
    ground = shapely.union_all(ways, grid_size=0.1) if ways else shapely.GeometryCollection()
    if len(plan.walks) > problem.patrols:
        found.append(f"{len(plan.walks)} walks for {problem.patrols} patrols")
    off = ground.distance(shapely.Point(problem.start.x, problem.start.y)) if ways else 0.0
    streets = ground.buffer(ON_STREET_M)
    lines = []
    for number, walk in enumerate(plan.walks, start=1):
        line = shapely.LineString(walk.line)
        lines.append(line)
        if abs(line.length - walk.length_m) > 2.0 + 0.001 * line.length:
            found.append(f"walk {number} is {line.length:.0f} m, the plan says {walk.length_m} m")
        minutes = line.length / problem.metres_per_min
        if walk.minutes > problem.minutes or minutes > problem.minutes + 0.1:
            found.append(f"walk {number} takes {minutes:.1f} of {problem.minutes} minutes")
        for tip in (walk.line[0], walk.line[-1]):
            if math.dist(tip, (problem.start.x, problem.start.y)) > ON_STREET_M:
                found.append(f"walk {number} does not begin and end at the start")
        outside = line.difference(streets).length
        if outside > 2 * off + 1.0:
            found.append(f"walk {number} leaves the streets for {outside:.0f} m")
    total = ground.length
    left = (
        ground.difference(shapely.union_all(lines).buffer(ON_STREET_M)).length if lines else total
    )
    if abs(total - left - plan.covered_m) > 5.0 + TOLERANCE * total:
        found.append(f"{total - left:.0f} m are walked, the plan says {plan.covered_m} m")
    rest = total - plan.beyond_m - plan.islands_m - plan.covered_m
    if plan.needed <= problem.patrols and rest > 5.0 + TOLERANCE * total:
        found.append(f"{rest:.0f} m within reach are not walked")
    return tuple(found)
