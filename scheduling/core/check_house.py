"""The checker's second half: what a team agrees on beside the law, re-derived from its words.

Like the first half it shares no code with rules, model or figures: it reads problem and plan.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from scheduling.core.plan import PlannedPatrol
from scheduling.core.problem import RosterProblem


def staggering_cost(
    problem: RosterProblem,
    patrols: Sequence[PlannedPatrol],
    gaps: Mapping[tuple[str, int], int],
) -> int:
    """Return the minutes of gaps over the bound, and what repeated starts count beside them."""
    wanted = problem.staggering
    if wanted is None:
        return 0
    cost = 0
    if wanted.gap_max_min is not None:
        cost += sum(gap - wanted.gap_max_min for gap in gaps.values() if gap > wanted.gap_max_min)
    if wanted.same_start_days is not None:
        starts = {s.key: s.start_min for s in problem.shifts}
        begun = {(p.zone, starts[p.shift], p.day) for p in patrols if p.walked}
        weeks = Counter((zone, minute, day // 7) for zone, minute, day in begun)
        cost += wanted.same_start_counts_min * sum(
            n - wanted.same_start_days for n in weeks.values() if n > wanted.same_start_days
        )
    return cost


def changes_cost(problem: RosterProblem, patrols: Sequence[PlannedPatrol]) -> int:
    """Return how many seats hold somebody else than in the roster that stands.

    Seats of patrols that nobody asks for any more are no change: no roster could keep them.
    """
    if not problem.baseline:
        return 0
    seats = {t.key: len(t.seats) for t in problem.types}
    asked: dict[str, int] = defaultdict(int)
    for d in problem.demands:
        for n in range(1, d.ideal + d.extra + 1):
            asked[f"{d.day}.{d.shift}.{d.zone}.{d.type}.{n}"] = seats[d.type]
    before = {
        (s.patrol, s.seat): s.member for s in problem.baseline if 0 <= s.seat < asked[s.patrol]
    }
    now = {
        (p.key, n): seat.member
        for p in patrols
        for n, seat in enumerate(p.seats)
        if seat.member is not None
    }
    same = sum(now[place] == member for place, member in before.items() if place in now)
    return len(before) + len(now) - len(before.keys() & now.keys()) - same
