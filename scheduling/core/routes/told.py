"""Say what a plan of walks is: stops with times, what was left out and why, gaps and variety."""

import math
from collections import defaultdict
from collections.abc import Sequence

from scheduling.core.route import (
    HotGap,
    PlannedStop,
    PlannedWalk,
    RecentWalk,
    RoutePlan,
    RouteProblem,
    Stop,
    Team,
    Unreached,
    Variety,
)
from scheduling.core.routes.ground import Ground, Walked, course_of
from scheduling.core.routes.lay import Course, shared_m
from scheduling.core.routes.variety import arrival_entropy, jaccard, steps, streets_of
from scheduling.core.routes.visits import Rank, Visit, longest_gap

CONNECTED = 0.99
"""Of the network's metres; below it its islands are told."""


def tell_nowhere(problem: RouteProblem, note: tuple[str, str], zh: str, en: str) -> RoutePlan:
    """Return a plan without walks: each required stop is named with the reason."""
    none = Variety(edge_jaccard=None, street_jaccard=None, arrival_entropy=None)
    return RoutePlan(
        walks=tuple(
            PlannedWalk(team=team.key, stops=(), line=(), length_m=0, minutes=0, variety=none)
            for team in problem.teams
        ),
        unreached=tuple(
            Unreached(key=s.key, name=s.name, missing_min=None, zh=f"{s.name}：{zh}", en=f"{s.name}: {en}")
            for s in problem.stops
            if s.required
        ),
        hot_gaps=(),
        prize=0,
        best_prize=0,
        proven=False,
        shared_m=0,
        notes=(note,),
    )  # fmt: skip


def prize_at(stop: Stop, at: float) -> int:
    """Return what a visit of a stop is worth at a minute."""
    if not stop.prize_by_hour:
        return stop.prize
    hour = min(len(stop.prize_by_hour) - 1, max(0, int(at // 60)))
    return int(stop.prize_by_hour[hour])


def prizes_of(problem: RouteProblem, visits: Sequence[Visit], walked: Sequence[Walked]) -> int:
    """Return what the visits that are not required are worth when they begin."""
    return sum(
        prize_at(problem.stops[visits[number].stop], math.floor(at))
        for walk in walked
        for number, at in zip(walk.visits, walk.begun, strict=True)
        if visits[number].rank is not Rank.REQUIRED
    )


def tell_plan(
    problem: RouteProblem,
    ground: Ground,
    visits: Sequence[Visit],
    walked: Sequence[Walked],
    unreached: list[Unreached],
    *,
    most: int,
    proven: bool,
) -> RoutePlan:
    """Return the plan of walks laid on the ground.

    ``most`` is what walks that mind only prizes collect; ``unreached`` holds the required stops
    no team can walk to, and takes up those there is no time for.
    """
    seen = {visits[number].stop for walk in walked for number in walk.visits}
    made = {number for walk in walked for number in walk.visits}
    for number, visit in enumerate(visits):
        stop = problem.stops[visit.stop]
        known = any(one.key == stop.key for one in unreached)
        if visit.rank is Rank.REQUIRED and number not in made and visit.stop not in seen and not known:  # fmt: skip
            unreached.append(_too_late(problem, ground, visits, walked, visit))
    hot = _hot_gaps(problem, visits, walked)
    walks = tuple(
        _planned(problem, ground, visits, team, walk)
        for team, walk in zip(problem.teams, walked, strict=True)
    )
    shared = shared_m(ground.network, [walk.laid for walk in walked], problem.metres_per_min)
    prize = prizes_of(problem, visits, walked)
    return RoutePlan(
        walks=walks,
        unreached=tuple(unreached),
        hot_gaps=hot,
        prize=prize,
        best_prize=max(prize, most),
        proven=proven,
        shared_m=shared,
        notes=_notes(problem, ground, walks, hot, shared),
    )


def _planned(
    problem: RouteProblem, ground: Ground, visits: Sequence[Visit], team: Team, walk: Walked
) -> PlannedWalk:
    stops = []
    for number, at in zip(walk.visits, walk.begun, strict=True):
        stop = problem.stops[visits[number].stop]
        stops.append(
            PlannedStop(
                key=stop.key, name=stop.name, x=stop.x, y=stop.y,
                arrive_min=math.floor(at + 1e-9), dwell_min=stop.dwell_min,
                required=visits[number].rank is Rank.REQUIRED,
            )
        )  # fmt: skip
    line = tuple((round(x, 2), round(y, 2)) for x, y in walk.laid.line.tolist())
    if stops and not line:
        line = ((round(stops[0].x, 2), round(stops[0].y, 2)),)
    return PlannedWalk(
        team=team.key,
        stops=tuple(stops),
        line=line,
        length_m=round(sum(way.metres for way in walk.laid.ways)),
        minutes=math.ceil(walk.over - team.begin_min - 1e-6),
        variety=_variety(problem, ground, team, stops, line),
    )


def _variety(
    problem: RouteProblem,
    ground: Ground,
    team: Team,
    stops: Sequence[PlannedStop],
    line: tuple[tuple[float, float], ...],
) -> Variety:
    if not problem.recent or not stops:
        return Variety(edge_jaccard=None, street_jaccard=None, arrival_entropy=None)
    before = problem.recent[0]
    start, end, closed = team.start is not None, team.end is not None, team.start == team.end
    mine = steps([stop.key for stop in stops], start=start, end=end, closed=closed)
    theirs = steps(before.stops, start=start, end=end, closed=closed)
    streets = None
    if before.line:
        network = ground.network
        streets = jaccard(streets_of(network, line), streets_of(network, before.line))
    arrived: dict[str, float] = {}
    for stop in stops:
        arrived.setdefault(stop.key, stop.arrive_min - team.begin_min)
    return Variety(
        edge_jaccard=jaccard(mine, theirs),
        street_jaccard=streets,
        arrival_entropy=arrival_entropy([arrived, *map(_arrived, problem.recent)], team.minutes),
    )


def _arrived(walk: RecentWalk) -> dict[str, float]:
    """Return each stop's first arrival."""
    found: dict[str, float] = {}
    for key, at in zip(walk.stops, walk.arrive_min, strict=True):
        found.setdefault(key, at)
    return found


def _hot_gaps(
    problem: RouteProblem, visits: Sequence[Visit], walked: Sequence[Walked]
) -> tuple[HotGap, ...]:
    begin = min(team.begin_min for team in problem.teams)
    end = max(team.begin_min + team.minutes for team in problem.teams)
    times: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for walk in walked:
        for number, at in zip(walk.visits, walk.begun, strict=True):
            place = visits[number].stop
            told = math.floor(at + 1e-9)  # to whole minutes, as the plan tells them
            times[place].append((told, told + problem.stops[place].dwell_min))
    found = []
    for number, stop in enumerate(problem.stops):
        limits = [limit for limit in (stop.every_min, stop.max_gap_min) if limit is not None]
        if limits:
            longest = longest_gap(stop, times[number], begin, end)
            found.append(HotGap(key=stop.key, name=stop.name, longest_min=round(longest), allowed_min=min(limits)))  # fmt: skip
    return tuple(found)


def _notes(
    problem: RouteProblem,
    ground: Ground,
    walks: Sequence[PlannedWalk],
    hot: Sequence[HotGap],
    shared: int,
) -> tuple[tuple[str, str], ...]:
    found = []
    visited = {stop.key for walk in walks for stop in walk.stops}
    total = len(problem.stops)
    if not visited:
        longest = max(team.minutes for team in problem.teams)
        found.append(
            (
                f"班次 {longest} 分钟，一处也走不到。请延长班次或就近设点。",
                f"In {longest} minutes no stop can be reached. Lengthen the shift or set stops nearer.",
            )
        )
    elif len(visited) < total:
        found.append(
            (
                f"{total} 处停留点中，本班次走到 {len(visited)} 处；其余时间不够，按风险高低取舍。",
                f"Of {total} stops this shift visits {len(visited)}: there is no time for the others, "
                "and the riskiest come first.",
            )
        )
    share = ground.network.main_share
    if share < CONNECTED:
        islands = ground.network.islands
        away = (1 - share) * 100
        found.append(
            (
                f"步行网络有 {len(islands)} 处与主体不连通，占 {away:.1f} %。请补画相连的步行道。",
                f"{len(islands)} parts of the walk network, {away:.1f} % of it, hang on nothing. "
                "Draw the walkways that join them.",
            )
        )
    for gap in hot:
        if not gap.kept:
            found.append(
                (
                    f"{gap.name}：最长 {gap.longest_min} 分钟无人到访，应不超过 {gap.allowed_min} 分钟。",
                    f"{gap.name}: up to {gap.longest_min} minutes without a visit, {gap.allowed_min} are allowed.",
                )
            )
    if shared:
        found.append(
            (
                f"同一小时内有 {shared} 米道路由两队走到，没有别的路可走。",
                f"In the same hour two teams walk {shared} m of the same streets: there is no other way.",
            )
        )
    return tuple(found)


def _too_late(
    problem: RouteProblem,
    ground: Ground,
    visits: Sequence[Visit],
    walked: Sequence[Walked],
    visit: Visit,
) -> Unreached:
    """Name a stop there is no time for, with the minutes missing at its cheapest place."""
    first = 2 * len(problem.teams)
    number = visits.index(visit)
    missing = math.inf
    for team, walk in enumerate(walked):
        for at in range(len(walk.visits) + 1):
            route = [first + one for one in (*walk.visits[:at], number, *walk.visits[at:])]
            missing = min(missing, _late_by(problem, ground, course_of(problem, ground, visits, team, route)))  # fmt: skip
    lacking = max(1, math.ceil(missing - 1e-6))
    stop = problem.stops[visit.stop]
    return Unreached(
        key=stop.key,
        name=stop.name,
        missing_min=lacking,
        zh=f"{stop.name}：时间不够，还差 {lacking} 分钟。可延长班次、减少停留或另派一队。",
        en=f"{stop.name}: {lacking} minutes short. Lengthen the shift, stay shorter, or send another team.",
    )


def _late_by(problem: RouteProblem, ground: Ground, course: Course) -> float:
    """Return by how many minutes a course misses what it misses most; infinite without a way."""
    clock, worst = course.begin, 0.0
    for place, point in enumerate(course.points):
        if place:
            before = course.points[place - 1]
            clock += course.stay[place - 1]
            clock += float(ground.matrix.metres[before, point]) / problem.metres_per_min
        clock = max(clock, course.early[place])
        worst = max(worst, clock - course.late[place])
    return worst
