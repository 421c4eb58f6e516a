"""Plan the walks of a shift: which visits, by whom, in which order, along which streets.

Every visit is optional to the search, a required one at a prize that no others outweigh: so there
are always walks within the shift, and a required stop that does not fit is named with the minutes
missing instead of failing the whole. Rounds, not seconds, make the same seed give the same walks.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scheduling.core.network import Floats, WalkMatrix, WalkNetwork, walk_matrix
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
from scheduling.core.routes.lay import Course, Laid, lay, shared_m
from scheduling.core.routes.orienteering import Orienteering, Tours, arrivals, worth
from scheduling.core.routes.proof import collected, prove
from scheduling.core.routes.search import RouteEffort, search
from scheduling.core.routes.variety import (
    BINS,
    ENDS,
    arrival_entropy,
    jaccard,
    step_weights,
    steps,
    streets_of,
    time_weights,
)
from scheduling.core.routes.visits import Rank, Visit, longest_gap, visits_of

FAR_MIN = 1e6
"""Minutes that stand for no way at all."""
CONNECTED = 0.99
"""Of the network's metres; below it its islands are told."""
LEAST_SHARE = 0.97
"""What is collected unlike the last walks, of what could be collected without minding them."""
STEP_TOLL = 0.6
TIME_TOLL = 0.4
STOP_TOLL = 0.05
"""What a step of all recent walks, a time and a stop cost, in usual prizes."""
TRIES = 6
"""If too much is lost at the full tolls, the share that just loses little enough is halved out."""
QUARTER = 15.0
"""Minutes in which a visit's worth is the same where times of arrival matter."""

NO_NETWORK = ("没有步行网络，路线只列出停留点。请先导入或画出步行道。", "There is no walk network: the stops are listed without a way. Import or draw walkways first.")  # fmt: skip
NO_STOPS = ("本巡区没有必到点，请自由巡查。可在“地点与网格”中添加必到点。", "The zone has no checkpoints: walk it freely. Add checkpoints under Places.")  # fmt: skip


@dataclass(frozen=True)
class _Ground:
    """The points of a problem with walks between them: the teams' starts and ends, then the stops.

    ``starts`` and ``ends`` are points, None where a walk begins or ends at a stop.
    """

    network: WalkNetwork
    matrix: WalkMatrix
    starts: tuple[int | None, ...]
    ends: tuple[int | None, ...]
    first_stop: int


def plan_routes(
    problem: RouteProblem, network: WalkNetwork | None = None, *, proof: bool = True
) -> RoutePlan:
    """Return walks that make every required visit the teams have time for, and collect the most.

    ``network`` may be given where many problems share one; it must be that of ``problem.lines``.
    ``proof``: whether to ask how much better the best walks can be, which takes longer than the
    walks where prizes go by the hour.
    """
    network = network or WalkNetwork.from_lines(problem.lines)
    if network.is_empty:
        return _nowhere(problem, NO_NETWORK, "没有步行网络", "there is no walk network")
    if not problem.stops:
        return _nowhere(problem, NO_STOPS, "", "")
    ground = _ground(problem, network)
    candidates, unreached = _reachable(problem, ground)
    reach = _reach(problem, ground, candidates)
    visits = visits_of(problem, candidates, reach)
    asked = _asked(problem, ground, visits)
    found = _searched(problem, asked)
    if missed := _missed(problem, visits, asked, found):
        visits = visits_of(problem, candidates, reach, missed)
        asked = _asked(problem, ground, visits)
        found = _searched(problem, asked)
    best = prove(asked.problem, found, problem.seed) if proof else found
    chosen = _varied(problem, asked, visits, best) if problem.recent else best
    routes = _turned(problem, ground, asked.problem, chosen.routes)
    laid = _laid(problem, ground, visits, routes, around=True)
    if any(stop.prize_by_hour for stop in problem.stops):
        # Going around may make a visit begin in an hour that is worth less.
        straight = _laid(problem, ground, visits, routes, around=False)
        if _prizes(problem, visits, straight) > _prizes(problem, visits, laid):
            laid = straight
    return _plan(problem, ground, visits, asked, laid, best, unreached)


def _nowhere(problem: RouteProblem, note: tuple[str, str], zh: str, en: str) -> RoutePlan:
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


def _ground(problem: RouteProblem, network: WalkNetwork) -> _Ground:
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
    return _Ground(
        network, walk_matrix(network, points), tuple(ends[0]), tuple(ends[1]), len(places)
    )


def _reachable(problem: RouteProblem, ground: _Ground) -> tuple[list[int], list[Unreached]]:
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


def _best_connected(ground: _Ground, problem: RouteProblem) -> int:
    """Return the stop from which most others can be reached: an open walk stays in that part."""
    stops = slice(ground.first_stop, ground.first_stop + len(problem.stops))
    reached = np.isfinite(ground.matrix.metres[stops, stops]).sum(axis=1)
    return ground.first_stop + int(np.argmax(reached))


def _prize(stop: Stop, at: float) -> int:
    """Return what a visit of a stop is worth at a minute."""
    if not stop.prize_by_hour:
        return stop.prize
    hour = min(len(stop.prize_by_hour) - 1, max(0, int(at // 60)))
    return int(stop.prize_by_hour[hour])


def _most(stop: Stop) -> int:
    return int(max(stop.prize_by_hour, default=stop.prize))


@dataclass(frozen=True)
class _Walked:
    """One team's walk on its streets: numbers of visits in order, when each begins, when it ends."""

    visits: tuple[int, ...]
    begun: tuple[float, ...]
    over: float
    laid: Laid


@dataclass(frozen=True)
class _Asked:
    """The problem as the search takes it; ``rank`` (n,) is the part of each prize that is rank."""

    problem: Orienteering
    rank: Floats

    @property
    def first(self) -> int:
        """The node of the first visit."""
        return 2 * len(self.problem.starts)


def _rounds(problem: RouteProblem) -> int:
    """Return how many rounds to search: fewer where each takes longer."""
    slower = (max(150, len(problem.stops)) / 150) ** 1.5
    return max(100, round(problem.rounds / float(slower)))


def _asked(problem: RouteProblem, ground: _Ground, visits: Sequence[Visit]) -> _Asked:
    """Return two nodes per team, then the visits, in minutes."""
    teams = problem.teams
    first = 2 * len(teams)
    points: list[int | None] = []
    for start, end in zip(ground.starts, ground.ends, strict=True):
        points += [start, end]
    points += [ground.first_stop + visit.stop for visit in visits]
    nowhere = np.array([point is None for point in points])
    at = np.array([0 if point is None else point for point in points])
    walk = ground.matrix.metres[np.ix_(at, at)] / problem.metres_per_min
    walk[nowhere, :] = 0.0
    walk[:, nowhere] = 0.0
    stops = [problem.stops[visit.stop] for visit in visits]
    last = max(team.begin_min + team.minutes for team in teams)
    by_hour = any(stop.prize_by_hour for stop in stops)
    slot = QUARTER if problem.recent else 60.0 if by_hour else np.inf
    slots = math.ceil(last / slot) if np.isfinite(slot) else 1
    # Ranks outweigh all that is below them: the scale is the problem's own.
    hot = 1 + sum(_most(stop) for stop in stops)
    required = hot * (1 + sum(visit.rank is Rank.HOT for visit in visits))
    value = {Rank.PRIZE: 0, Rank.HOT: hot, Rank.REQUIRED: required}
    rank = np.array([*[0.0] * first, *(float(value[visit.rank]) for visit in visits)])
    prize = np.zeros((len(points), slots))
    for node, stop in enumerate(stops, start=first):
        prize[node] = [_prize(stop, (k + 0.5) * slot if slots > 1 else 0.0) for k in range(slots)]
    timed = any(np.isfinite([visit.early, visit.late]).any() for visit in visits)
    optional = [_most(s) for s, v in zip(stops, visits, strict=True) if v.rank is Rank.PRIZE]
    asked = Orienteering(
        walk=np.where(np.isfinite(walk), walk, FAR_MIN),
        stay=np.array([*[0.0] * first, *(float(stop.dwell_min) for stop in stops)]),
        prize=prize + rank[:, None],
        starts=tuple(range(0, first, 2)),
        ends=tuple(range(1, first, 2)),
        begin=tuple(float(team.begin_min) for team in teams),
        end=tuple(float(team.begin_min + team.minutes) for team in teams),
        early=np.array([*[-np.inf] * first, *(v.early for v in visits)]) if timed else None,
        late=np.array([*[np.inf] * first, *(v.late for v in visits)]) if timed else None,
        slot_length=slot,
        usual=max(1.0, sum(optional) / len(optional)) if any(optional) else None,
    )
    return _Asked(asked, rank)


def _reach(problem: RouteProblem, ground: _Ground, numbers: Sequence[int]) -> dict[int, float]:
    """Return how soon after the start a team can be at each stop."""
    starts = [point for point in ground.starts if point is not None]
    if len(starts) < len(problem.teams):
        return dict.fromkeys(numbers, 0.0)
    metres = ground.matrix.metres[starts].min(axis=0)
    return {n: float(metres[ground.first_stop + n]) / problem.metres_per_min for n in numbers}


def _searched(problem: RouteProblem, asked: _Asked) -> Tours:
    return search(asked.problem, RouteEffort(rounds=_rounds(problem), seed=problem.seed))


def _missed(
    problem: RouteProblem, visits: Sequence[Visit], asked: _Asked, found: Tours
) -> set[int]:
    """Return the hot places that are not visited at all because no window could be kept."""
    made = {visits[node - asked.first].stop for route in found.routes for node in route}
    return {
        visit.stop
        for visit in visits
        if visit.rank is not Rank.PRIZE
        and visit.stop not in made
        and (problem.stops[visit.stop].every_min or problem.stops[visit.stop].max_gap_min)
    }


def _varied(problem: RouteProblem, asked: _Asked, visits: Sequence[Visit], best: Tours) -> Tours:
    """Return walks as unlike the recent ones as a small loss of prizes buys."""
    ranks = sum(float(asked.rank[node]) for route in best.routes for node in route)
    allowed = (1 - LEAST_SHARE) * (best.prize - ranks) + 1e-9
    rounds, seed = 3 * _rounds(problem) // 4, problem.seed + 1
    chosen, low, high = best, 0.0, 1.0
    share = 1.0
    for _ in range(TRIES):
        tolled = _tolled(problem, asked, visits, share)
        found = search(tolled, RouteEffort(rounds=rounds, seed=seed))
        found = _other_way(problem, asked, tolled, found)
        whole = collected(asked.problem, found.routes)
        if whole is not None and best.prize - whole <= allowed:
            chosen, low = found, share
            if share == 1.0:
                break
        else:
            high = share
        share = (low + high) / 2
    return chosen


def _other_way(problem: RouteProblem, asked: _Asked, tolled: Orienteering, found: Tours) -> Tours:
    """Turn round trips round where that arrives at hours less used lately."""
    routes = list(found.routes)
    for number, team in enumerate(problem.teams):
        if team.start is None or team.start != team.end:
            continue
        turned = [*routes[:number], routes[number][::-1], *routes[number + 1 :]]
        now, then = collected(tolled, tuple(routes)), collected(tolled, tuple(turned))
        if now is not None and then is not None and then > now:
            routes = turned
    return replace(found, routes=tuple(routes))


def _tolled(
    problem: RouteProblem, asked: _Asked, visits: Sequence[Visit], share: float
) -> Orienteering:
    """Return the problem with lately walked steps, times and stops worth less."""
    plain = asked.problem
    usual = plain.usual or 1.0
    begin = min(team.begin_min for team in problem.teams)
    minutes = max(team.minutes for team in problem.teams)
    keys = [problem.stops[visit.stop].key for visit in visits]
    names = [""] * asked.first + keys
    for number, team in enumerate(problem.teams):
        names[2 * number] = ENDS[0]
        names[2 * number + 1] = ENDS[0] if team.end == team.start else ENDS[1]
    team = problem.teams[0]
    weights = step_weights(
        problem.recent,
        start=team.start is not None,
        end=team.end is not None,
        closed=team.start == team.end,
    )
    nodes: dict[str, list[int]] = defaultdict(list)
    for node, name in enumerate(names):
        nodes[name].append(node)
    toll = np.zeros((plain.size, plain.size))
    for step, weight in weights.items():
        one, other = (*step, *step)[:2]
        for a, b in itertools.product(nodes[one], nodes[other]):
            toll[a, b] = toll[b, a] = share * STEP_TOLL * usual * weight
    prize = plain.prize - asked.rank[:, None]
    middle = (np.arange(prize.shape[1]) + 0.5) * plain.slot_length
    eighth = np.clip((BINS * (middle - begin) / minutes).astype(int), 0, BINS - 1)
    for key, times in time_weights(problem.recent, minutes).items():
        for node in nodes[key]:
            less = (
                STOP_TOLL * min(1.0, times.sum()) * prize[node] + TIME_TOLL * usual * times[eighth]
            )
            # A stop that is worth going to stays so.
            prize[node] -= np.minimum(share * less, np.where(asked.rank[node] > 0, np.inf, 0.6 * prize[node]))  # fmt: skip
    return replace(plain, prize=prize + asked.rank[:, None], toll=toll)


def _turned(
    problem: RouteProblem,
    ground: _Ground,
    asked: Orienteering,
    routes: Sequence[tuple[int, ...]],
) -> list[tuple[int, ...]]:
    """Return the walks, some the other way round where that takes as long and is worth as much."""
    found = []
    for number, route in enumerate(routes):
        free = asked.early is None and asked.late is None and asked.prize.shape[1] == 1
        round_trip = ground.starts[number] == ground.ends[number]
        if free and round_trip and route:
            turn = (problem.seed + number) % 2 == 1
            found.append(route if (route[0] > route[-1]) == turn else route[::-1])
        else:
            found.append(route)
    return found


def _course(
    problem: RouteProblem,
    ground: _Ground,
    visits: Sequence[Visit],
    number: int,
    route: Sequence[int],
) -> Course:
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


def _laid(
    problem: RouteProblem,
    ground: _Ground,
    visits: Sequence[Visit],
    routes: Sequence[Sequence[int]],
    *,
    around: bool,
) -> list[_Walked]:
    courses = [_course(problem, ground, visits, n, route) for n, route in enumerate(routes)]
    found = []
    first = 2 * len(problem.teams)
    speed = problem.metres_per_min
    all_laid = lay(ground.network, ground.matrix, courses, problem.recent, speed, around=around)
    for number, (route, laid) in enumerate(zip(routes, all_laid, strict=True)):
        skip = 0 if ground.starts[number] is None else 1
        over = laid.times[-1] + laid.course.stay[-1] if route else laid.course.begin
        found.append(
            _Walked(
                visits=tuple(node - first for node in route),
                begun=laid.times[skip : skip + len(route)],
                over=over,
                laid=laid,
            )
        )
    return found


def _prizes(problem: RouteProblem, visits: Sequence[Visit], walked: Sequence[_Walked]) -> int:
    """Return what the visits that are not required are worth when they begin."""
    return sum(
        _prize(problem.stops[visits[number].stop], math.floor(at))
        for walk in walked
        for number, at in zip(walk.visits, walk.begun, strict=True)
        if visits[number].rank is not Rank.REQUIRED
    )


def _plan(
    problem: RouteProblem,
    ground: _Ground,
    visits: Sequence[Visit],
    asked: _Asked,
    walked: Sequence[_Walked],
    best: Tours,
    unreached: list[Unreached],
) -> RoutePlan:
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
    most = sum(
        worth(asked.problem, node, at) - float(asked.rank[node])
        for team, route in enumerate(best.routes)
        for node, at in zip(route, arrivals(asked.problem, team, route), strict=False)
        if visits[node - asked.first].rank is not Rank.REQUIRED
    )
    prize = _prizes(problem, visits, walked)
    return RoutePlan(
        walks=walks,
        unreached=tuple(unreached),
        hot_gaps=hot,
        prize=prize,
        best_prize=max(prize, round(most)),
        proven=best.proven,
        shared_m=shared,
        notes=_notes(problem, ground, walks, hot, shared),
    )


def _planned(
    problem: RouteProblem, ground: _Ground, visits: Sequence[Visit], team: Team, walk: _Walked
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
    ground: _Ground,
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
    problem: RouteProblem, visits: Sequence[Visit], walked: Sequence[_Walked]
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
    ground: _Ground,
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
    ground: _Ground,
    visits: Sequence[Visit],
    walked: Sequence[_Walked],
    visit: Visit,
) -> Unreached:
    """Name a stop there is no time for, with the minutes missing at its cheapest place."""
    first = 2 * len(problem.teams)
    number = visits.index(visit)
    missing = math.inf
    for team, walk in enumerate(walked):
        for at in range(len(walk.visits) + 1):
            route = [first + one for one in (*walk.visits[:at], number, *walk.visits[at:])]
            missing = min(missing, _late_by(problem, ground, _course(problem, ground, visits, team, route)))  # fmt: skip
    lacking = max(1, math.ceil(missing - 1e-6))
    stop = problem.stops[visit.stop]
    return Unreached(
        key=stop.key,
        name=stop.name,
        missing_min=lacking,
        zh=f"{stop.name}：时间不够，还差 {lacking} 分钟。可延长班次、减少停留或另派一队。",
        en=f"{stop.name}: {lacking} minutes short. Lengthen the shift, stay shorter, or send another team.",
    )


def _late_by(problem: RouteProblem, ground: _Ground, course: Course) -> float:
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
