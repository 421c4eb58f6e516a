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

from scheduling.core.network import Floats, WalkNetwork
from scheduling.core.route import RoutePlan, RouteProblem, Stop
from scheduling.core.routes.ground import Ground, ground_of, laid_walks, reachable_stops
from scheduling.core.routes.orienteering import Orienteering, Tours, arrivals, worth
from scheduling.core.routes.proof import collected, prove
from scheduling.core.routes.search import RouteEffort, search
from scheduling.core.routes.told import prize_at, prizes_of, tell_nowhere, tell_plan
from scheduling.core.routes.variety import BINS, ENDS, step_weights, time_weights
from scheduling.core.routes.visits import Rank, Visit, visits_of

FAR_MIN = 1e6
"""Minutes that stand for no way at all."""
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
        return tell_nowhere(problem, NO_NETWORK, "没有步行网络", "there is no walk network")
    if not problem.stops:
        return tell_nowhere(problem, NO_STOPS, "", "")
    ground = ground_of(problem, network)
    candidates, unreached = reachable_stops(problem, ground)
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
    laid = laid_walks(problem, ground, visits, routes, around=True)
    if any(stop.prize_by_hour for stop in problem.stops):
        # Going around may make a visit begin in an hour that is worth less.
        straight = laid_walks(problem, ground, visits, routes, around=False)
        if prizes_of(problem, visits, straight) > prizes_of(problem, visits, laid):
            laid = straight
    most = _most_collected(asked, visits, best)
    return tell_plan(problem, ground, visits, laid, unreached, most=most, proven=best.proven)


def _most(stop: Stop) -> int:
    return int(max(stop.prize_by_hour, default=stop.prize))


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


def _asked(problem: RouteProblem, ground: Ground, visits: Sequence[Visit]) -> _Asked:
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
        prize[node] = [prize_at(stop, (k + 0.5) * slot if slots > 1 else 0.0) for k in range(slots)]
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


def _reach(problem: RouteProblem, ground: Ground, numbers: Sequence[int]) -> dict[int, float]:
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


def _most_collected(asked: _Asked, visits: Sequence[Visit], best: Tours) -> int:
    """Return what the walks that mind only prizes collect of them."""
    most = sum(
        worth(asked.problem, node, at) - float(asked.rank[node])
        for team, route in enumerate(best.routes)
        for node, at in zip(route, arrivals(asked.problem, team, route), strict=False)
        if visits[node - asked.first].rank is not Rank.REQUIRED
    )
    return round(most)


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
    ground: Ground,
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
