"""The independent checker of walks: it re-derives everything a plan says from the plan alone.

It shares no code with the planner: it follows the planned lines, asks of every metre whether a
walkway lies under it, holds every arrival to the walking speed, and counts prizes, gaps, shared
streets and variety anew.
"""

import itertools
import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
import shapely

from scheduling.core.route import (
    PlannedStop,
    PlannedWalk,
    RecentWalk,
    RoutePlan,
    RouteProblem,
    Stop,
    Team,
)

ON_WALKWAY_M = 0.6
LENGTH_TOLERANCE_M = 2.0
ROUNDED_MIN = 1.05
"""Arrivals are told in whole minutes, rounded down."""
STREETS_TOLERANCE = 0.15
"""Streets are compared in pieces by the planner, as geometry here."""


def check_route(problem: RouteProblem, plan: RoutePlan) -> tuple[str, ...]:
    """Return what is wrong with the walks, each in one English sentence; empty if nothing is."""
    found = _visits(problem, plan)
    if [walk.team for walk in plan.walks] != [team.key for team in problem.teams]:
        return (*found, "the walks are not those of the teams")
    ways = [shapely.LineString(way) for way in problem.lines if len(way) > 1]
    ground = shapely.union_all(ways) if ways else shapely.GeometryCollection()
    passed = []
    for team, walk in zip(problem.teams, plan.walks, strict=True):
        found += [f"team {team.key}: {fault}" for fault in _walk(problem, team, walk, ground)]
        places, faults = _times(problem, team, walk)
        found += [f"team {team.key}: {fault}" for fault in faults]
        found += [f"team {team.key}: {fault}" for fault in _variety(problem, team, walk)]
        passed.append(places)
    found += _shared(problem, plan, passed)
    return tuple(found)


def _due(problem: RouteProblem, stop: Stop) -> bool:
    """Whether a stop must be visited or named: required, or its hard gap ends in this shift."""
    if stop.required:
        return True
    if stop.max_gap_min is None:
        return False
    end = max(team.begin_min + team.minutes for team in problem.teams)
    return stop.last_visit_min is None or stop.last_visit_min + stop.max_gap_min <= end


def _visits(problem: RouteProblem, plan: RoutePlan) -> list[str]:
    """Hold who is visited, what is collected and how long hot places wait to the problem."""
    found = []
    known = {stop.key: stop for stop in problem.stops}
    visits = [visit for walk in plan.walks for visit in walk.stops]
    named = {unreached.key for unreached in plan.unreached}
    for key in sorted({visit.key for visit in visits} | named):
        if key not in known:
            found.append(f"stop {key} is not of this problem")
    visits = [visit for visit in visits if visit.key in known]
    for key, times in Counter(visit.key for visit in visits).items():
        if times > 1 and known[key].every_min is None and known[key].max_gap_min is None:
            found.append(f"stop {key} is visited twice")
    seen = {visit.key for visit in visits}
    for stop in problem.stops:
        if _due(problem, stop) and (stop.key in seen) == (stop.key in named):
            found.append(f"required stop {stop.key} is neither visited nor named, or both")
    prize = 0
    for visit in visits:
        stop = known[visit.key]
        if visit.dwell_min != stop.dwell_min:
            found.append(f"stop {visit.key} stays {visit.dwell_min} of {stop.dwell_min} minutes")
        if stop.window and not stop.window[0] <= visit.arrive_min <= stop.window[1]:
            found.append(f"stop {visit.key} is visited outside its window")
        if visit.required and not _due(problem, stop):
            found.append(f"stop {visit.key} is not required")
        if not visit.required:
            hours = stop.prize_by_hour or (stop.prize,)
            prize += hours[min(len(hours) - 1, visit.arrive_min // 60)]
    if prize != plan.prize:
        found.append(f"the visits collect {prize}, the plan says {plan.prize}")
    if plan.best_prize < plan.prize:
        found.append("the walks collect more than the best ones")
    if plan.walks and any(walk.stops for walk in plan.walks):
        found += _gaps(problem, plan, visits)
    return found


def _gaps(problem: RouteProblem, plan: RoutePlan, visits: list[PlannedStop]) -> list[str]:
    told = {gap.key: gap for gap in plan.hot_gaps}
    first = min(team.begin_min for team in problem.teams)
    last = max(team.begin_min + team.minutes for team in problem.teams)
    found = []
    for stop in problem.stops:
        limits = [limit for limit in (stop.every_min, stop.max_gap_min) if limit is not None]
        if not limits:
            continue
        free = first if stop.last_visit_min is None else stop.last_visit_min
        waits = []
        for at in sorted(visit.arrive_min for visit in visits if visit.key == stop.key):
            waits.append(at - free)
            free = max(free, at + stop.dwell_min)
        waits.append(last - free)
        gap = told.get(stop.key)
        if gap is None or gap.longest_min != max(waits) or gap.allowed_min != min(limits):
            found.append(
                f"hot place {stop.key} waits {max(waits)} minutes, the plan says otherwise"
            )
    return found


def _walk(
    problem: RouteProblem, team: Team, walk: PlannedWalk, ground: shapely.Geometry
) -> list[str]:
    """Hold a walk's line to the walkways, its ends and its length."""
    if not walk.stops:
        return [] if walk.length_m == 0 and not walk.line else ["a walk without stops has a line"]
    found = []
    if walk.minutes > team.minutes:
        found.append(f"the walk takes {walk.minutes} of {team.minutes} minutes")
    line = _line(walk)
    if line is None:
        return found + ([] if walk.length_m == 0 else ["a walk of some length has no line"])
    if abs(line.length - walk.length_m) > LENGTH_TOLERANCE_M:
        found.append(f"the line is {line.length:.0f} m, the plan says {walk.length_m} m")
    spots = [(stop.x, stop.y) for stop in walk.stops]
    for place, tip in ((team.start, walk.line[0]), (team.end, walk.line[-1])):
        if place is not None:
            spots.append((place.x, place.y))
            if math.dist((place.x, place.y), tip) > ON_WALKWAY_M:
                found.append(f"the walk does not begin or end at {place.name}")
    # Off the walkways only on the way to a stop, and no longer than each stop lies off them.
    allowed = sum(2 * ground.distance(shapely.Point(spot)) for spot in spots)
    beside = [way for way in shapely.get_parts(ground) if way.dwithin(line, ON_WALKWAY_M)]
    outside = line.difference(shapely.union_all(beside).buffer(ON_WALKWAY_M)).length
    if outside > allowed + 1.0:
        found.append(f"{outside:.0f} m of the walk lie off the walkways")
    for stop in walk.stops:
        if line.distance(shapely.Point(stop.x, stop.y)) > ON_WALKWAY_M:
            found.append(f"the walk passes stop {stop.key} at a distance")
    return found


def _line(walk: PlannedWalk) -> shapely.LineString | None:
    return shapely.LineString(walk.line) if len(walk.line) > 1 else None


@dataclass(frozen=True)
class _Passed:
    """Where along its line a walk's stops lie, metres; when it sets out again, minutes."""

    along: tuple[float, ...]
    leaves: tuple[float, ...]


def _times(
    problem: RouteProblem, team: Team, walk: PlannedWalk
) -> tuple[_Passed | None, list[str]]:
    """Follow the line at the problem's speed and hold every arrival to it.

    A line may pass a stop before it is visited; so all its passages are tried.
    """
    if not walk.stops:
        return None, []
    line = _line(walk)
    length = line.length if line is not None else 0.0
    clock, spent = float(team.begin_min), 0
    # Every place on the line where the walk can be, and how it came there.
    reached: dict[float, tuple[float, ...]] = {0.0: ()}
    known = {stop.key: stop for stop in problem.stops}
    for number, visit in enumerate(walk.stops):
        stop = known.get(visit.key)
        if stop is None:
            return None, []
        room = (visit.arrive_min - clock + ROUNDED_MIN) * problem.metres_per_min
        may_wait = stop.window is not None or stop.every_min is not None or stop.max_gap_min is not None  # fmt: skip
        if number == 0 and team.start is None:
            room, may_wait = 1.0, True  # it begins there
        least = -math.inf if may_wait else room - 2 * ROUNDED_MIN * problem.metres_per_min
        after: dict[float, tuple[float, ...]] = {}
        for along in _passages(line, stop):
            for before, path in reached.items():
                if max(least, -1.0) <= along - before <= room + 1.0:
                    after.setdefault(along, (*path, along))
        if not after:
            return None, [f"stop {visit.key} cannot be reached at minute {visit.arrive_min}"]
        reached = after
        clock = visit.arrive_min + visit.dwell_min
        spent += visit.dwell_min
    over = team.begin_min + walk.minutes
    late = {along: over - clock - (length - along) / problem.metres_per_min for along in reached}
    fitting = [along for along, off in late.items() if -0.1 <= off <= 2 * ROUNDED_MIN]
    if team.end is None:
        fitting = [along for along in fitting if length - along < 1.0]
    if not fitting:
        return None, [f"the walk's end does not follow from its line: off by {late} minutes"]
    best = min(fitting, key=lambda along: abs(late[along] - 1.0))
    path = reached[best]
    return _Passed(path, tuple(float(v.arrive_min + v.dwell_min) for v in walk.stops)), []


def _passages(line: shapely.LineString | None, stop: Stop) -> list[float]:
    """Return how far along a line a stop is passed, each time."""
    if line is None:
        return [0.0]
    spot = np.array([stop.x, stop.y])
    course = shapely.get_coordinates(line)
    start, step = course[:-1], np.diff(course, axis=0)
    size = np.maximum(np.linalg.norm(step, axis=1), 1e-9)
    share = np.clip(((spot - start) * step).sum(axis=1) / size**2, 0.0, 1.0)
    away = np.linalg.norm(start + share[:, None] * step - spot, axis=1)
    before = np.concatenate([[0.0], size.cumsum()[:-1]])
    hits = np.flatnonzero(away <= ON_WALKWAY_M)
    return sorted({round(float(before[k] + share[k] * size[k]), 1) for k in hits})


def _variety(problem: RouteProblem, team: Team, walk: PlannedWalk) -> list[str]:
    """Count steps, streets and arrivals shared with the recent walks anew."""
    told = walk.variety
    if not problem.recent or not walk.stops:
        nothing = (told.edge_jaccard, told.street_jaccard, told.arrival_entropy)
        return [] if nothing == (None, None, None) else ["variety is told of nothing"]
    found = []
    before = problem.recent[0]
    mine, theirs = _pairs(team, [s.key for s in walk.stops]), _pairs(team, list(before.stops))
    share = len(mine & theirs) / len(mine | theirs) if mine | theirs else None
    if (share is None) != (told.edge_jaccard is None) or (
        share is not None and abs(share - (told.edge_jaccard or 0.0)) > 1e-3
    ):
        found.append(f"{share} of its steps are those of the walk before, the plan says otherwise")
    line = _line(walk)
    if line is not None and len(before.line) > 1:
        ours = shapely.union_all([line])
        other = shapely.union_all([shapely.LineString(before.line)])
        both = ours.intersection(other.buffer(ON_WALKWAY_M)).length
        either = ours.length + other.length - both
        if abs(both / either - (told.street_jaccard or 0.0)) > STREETS_TOLERANCE:
            found.append(f"{both / either:.2f} of its streets are those of the walk before, the plan says {told.street_jaccard}")  # fmt: skip
    entropy = _entropy(team, walk, problem.recent)
    if (entropy is None) != (told.arrival_entropy is None) or (
        entropy is not None and abs(entropy - (told.arrival_entropy or 0.0)) > 1e-3
    ):
        found.append(f"the entropy of arrivals is {entropy}, the plan says {told.arrival_entropy}")
    return found


def _pairs(team: Team, keys: list[str]) -> set[tuple[str, str]]:
    if not keys:
        return set()
    ends = ["start"] if team.start else [], ["start" if team.start == team.end else "end"]
    line = [*ends[0], *keys, *(ends[1] if team.end else [])]
    return {(min(pair), max(pair)) for pair in itertools.pairwise(line)}


def _entropy(team: Team, walk: PlannedWalk, recent: tuple[RecentWalk, ...]) -> float | None:
    arrivals: dict[str, list[int]] = defaultdict(list)
    for stops in (
        [(stop.key, stop.arrive_min - team.begin_min) for stop in walk.stops],
        *(list(zip(other.stops, other.arrive_min, strict=True)) for other in recent),
    ):
        first: dict[str, int] = {}
        for key, at in stops:
            first.setdefault(key, at)
        for key, at in first.items():
            arrivals[key].append(min(7, 8 * at // team.minutes))
    weighed = [
        (len(eighths), _spread(eighths)) for eighths in arrivals.values() if len(eighths) > 1
    ]
    total = sum(count for count, _ in weighed)
    return sum(count * spread for count, spread in weighed) / total if total else None


def _spread(eighths: list[int]) -> float:
    shares = np.bincount(eighths) / len(eighths)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum() / math.log(min(8, len(eighths))))


def _shared(problem: RouteProblem, plan: RoutePlan, passed: list[_Passed | None]) -> list[str]:
    """Lay the walks' hours over each other."""
    hours = [
        _by_hour(problem, team, walk, places)
        for team, walk, places in zip(problem.teams, plan.walks, passed, strict=True)
        if places is not None
    ]
    total = 0.0
    for one, other in itertools.combinations(hours, 2):
        for hour in set(one) & set(other):
            total += one[hour].intersection(other[hour].buffer(ON_WALKWAY_M)).length
    if abs(total - plan.shared_m) > 60 * len(hours) + STREETS_TOLERANCE * total:
        return [f"teams share {total:.0f} m in the same hour, the plan says {plan.shared_m} m"]
    return []


def _by_hour(
    problem: RouteProblem, team: Team, walk: PlannedWalk, passed: _Passed
) -> dict[int, shapely.Geometry]:
    """Return the streets that a walk takes in each hour, each once."""
    line = _line(walk)
    if line is None:
        return {}
    course = shapely.get_coordinates(line)
    along = np.concatenate([[0.0], np.linalg.norm(np.diff(course, axis=0), axis=1).cumsum()])
    metres = np.unique(np.concatenate([np.arange(0.0, along[-1], 2.0), along]))
    places = np.stack([np.interp(metres, along, course[:, axis]) for axis in (0, 1)], axis=1)
    marks = np.array([0.0, *passed.along])
    leaves = np.array([float(team.begin_min), *passed.leaves])
    leg = np.clip(np.searchsorted(marks, metres[:-1] + 1e-6, side="right") - 1, 0, None)
    clock = leaves[leg] + (metres[:-1] - marks[leg]) / problem.metres_per_min
    pieces: dict[int, list[shapely.Geometry]] = defaultdict(list)
    for number, hour in enumerate((clock // 60).astype(int).tolist()):
        pieces[hour].append(shapely.LineString(places[number : number + 2]))
    return {hour: shapely.union_all(parts, grid_size=0.01) for hour, parts in pieces.items()}
