"""The checker's second half: what a team agrees on beside the law, re-derived from its words.

Like the first half it shares no code with rules, model or figures: it reads problem and plan.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from scheduling.core.plan import PlannedPatrol
from scheduling.core.problem import Member, RosterProblem

Worked = Mapping[str, Sequence[tuple[int, str, str]]]
"""Member → (day, shift, zone) of each patrol."""
Said = tuple[str, str, str]
"""Rule, and what is wrong in two languages."""
PROMISE = 10_000
MINUTE = 40


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


# --- hard rules of one team -------------------------------------------------------------------------


def team_broken(problem: RosterProblem, zone: str, team: Sequence[Member]) -> Iterator[Said]:
    """Yield what is wrong with a team beside its seats and its legal power."""
    here = {m.key: m for m in team}
    for pair in problem.pairs:
        present = len({pair.one, pair.other} & here.keys())
        if present == 2 and pair.kind == "apart":
            yield (
                "apart",
                f"{pair.one}与{pair.other}约定不同组",
                f"{pair.one} and {pair.other} are kept apart",
            )
        if present == 1 and pair.kind == "together":
            yield (
                "together",
                f"{pair.one}与{pair.other}须同组",
                f"{pair.one} and {pair.other} walk together",
            )
    if problem.law.familiar_team and here:
        zones = {m.home_zone for m in team}.union(*(m.known_zones for m in team))
        if zone not in zones:
            yield "familiar_team", f"队伍中无人熟悉{zone}", f"nobody on the team knows {zone}"


# --- hard rules of one member ------------------------------------------------------------------------


def member_broken(
    problem: RosterProblem, who: Member, worked: Sequence[tuple[int, str, str]]
) -> Iterator[Said]:
    """Yield which limits of the contract and which successions a member's roster breaks."""
    length = {s.key: s.end_min - s.start_min for s in problem.shifts}
    limits = who.limits
    barred = [(s.first, s.then) for s in problem.law.forbidden_successions]
    days = [(day, shift) for day, shift, _ in worked]
    eve = [] if who.shift_before is None else [(-1, who.shift_before)]
    for day, shift in days:
        if any(d == day - 1 and (s, shift) in barred for d, s in [*days, *eve]):
            yield (
                "forbidden_succession",
                f"{who.name}第{day + 1}天的班次不得接前一天的班次",
                f"the shift of {who.name} on day {day + 1} may not follow the day before",
            )
    for day, n in Counter(day for day, _ in days).items():
        minutes = sum(length[s] for d, s in days if d == day)
        if limits.patrols_day is not None and n > limits.patrols_day:
            yield "patrols_day", f"{who.name}一天{n}次巡逻", f"{who.name} has {n} patrols on a day"
        if limits.minutes_day is not None and minutes > limits.minutes_day:
            yield (
                "minutes_day",
                f"{who.name}一天{minutes}分钟",
                f"{who.name} has {minutes} min on a day",
            )
    in_zone = Counter((zone, day // 7) for day, _, zone in worked)
    if limits.zone_week is not None and any(n > limits.zone_week for n in in_zone.values()):
        yield (
            "zone_week",
            f"{who.name}一周在同一巡区超过{limits.zone_week}次",
            f"{who.name} is in one zone more than {limits.zone_week} times a week",
        )
    calendar = Counter({n - len(who.minutes_before): m for n, m in enumerate(who.minutes_before)})
    for day, shift in days:
        calendar[day] += length[shift]
    touched = {day for day, _ in days}
    for limit in limits.rolling:
        # A window that the roster adds nothing to is history's, not this roster's.
        if any(
            sum(calendar[d] for d in range(end - limit.days + 1, end + 1)) > limit.minutes
            for day in touched
            for end in range(day, day + limit.days)
        ):
            yield (
                "minutes_rolling",
                f"{who.name}在{limit.days}天内超过{limit.minutes}分钟",
                f"{who.name} works more than {limit.minutes} min in {limit.days} days",
            )
    yield from _weekends_broken(problem, who, touched)


def _weekends_broken(problem: RosterProblem, who: Member, days: set[int]) -> Iterator[Said]:
    before = "".join("x" if w else "." for w in who.weekends_before)
    # Capitals are the roster's own weekends: history alone breaks nothing.
    now = "".join("X" if days & set(weekend) else "." for weekend in _weekends(problem))
    history = before + now
    four, row = who.limits.weekends_in_four, who.limits.weekends_row
    windows = [history[n : n + 4] for n in range(max(1, len(history) - 3))]
    if four is not None and any("X" in w and len(w) - w.count(".") > four for w in windows):
        yield (
            "weekends_in_four",
            f"{who.name}四个周末上勤超过{four}个",
            f"{who.name} works more than {four} of four weekends",
        )
    if row is not None and any(
        "X" in run.group() and len(run.group()) > row for run in re.finditer("[xX]+", history)
    ):
        yield (
            "weekends_row",
            f"{who.name}连续上勤周末超过{row}个",
            f"{who.name} works more than {row} weekends in a row",
        )


def _weekends(problem: RosterProblem) -> list[list[int]]:
    found: list[list[int]] = []
    for day, kind in enumerate(problem.days):
        if day % 7 == 0:
            found.append([])
        if day % 7 >= 5 and kind != "compensatory_workday":
            found[-1].append(day)
    return found


# --- costs -----------------------------------------------------------------------------------------


def promises_cost(problem: RosterProblem, worked: Worked) -> int:
    """Return what broken promises of contracts cost."""
    length = {s.key: s.end_min - s.start_min for s in problem.shifts}
    total = 0
    for who in problem.members:
        mine = list(worked.get(who.key, ()))
        total += MINUTE * _minutes_short(problem, who, mine, length)
        total += PROMISE * _patrols_short(problem, who, mine)
        total += PROMISE * _rhythm_broken(problem, who, {day for day, _, _ in mine})
        by_day: Counter[int] = Counter()
        for day, shift, _ in mine:
            by_day[day] += length[shift]
        total += PROMISE * sum(m < who.limits.least_minutes_day for m in by_day.values())
        total += PROMISE * _out_of_order(problem, who, {(day, shift) for day, shift, _ in mine})
    return total


def _full_weeks(problem: RosterProblem, who: Member) -> list[range]:
    weeks = [range(n, n + 7) for n in range(0, len(problem.days) - 6, 7)]
    return [week for week in weeks if not set(week) & set(who.leave)]


def _minutes_short(
    problem: RosterProblem,
    who: Member,
    mine: Sequence[tuple[int, str, str]],
    length: dict[str, int],
) -> int:
    least = who.limits.least_minutes_week
    return sum(
        max(0, least - sum(length[shift] for day, shift, _ in mine if day in week))
        for week in _full_weeks(problem, who)
    )


def _patrols_short(
    problem: RosterProblem, who: Member, mine: Sequence[tuple[int, str, str]]
) -> int:
    least = who.limits.least_patrols_week
    return sum(
        max(0, least - sum(day in week for day, _, _ in mine)) for week in _full_weeks(problem, who)
    )


def _rhythm_broken(problem: RosterProblem, who: Member, days: set[int]) -> int:
    """Count by reading the roster as a line: w and o for days worked and off, | at its end."""
    limits, n = who.limits, len(problem.days)
    line = "w" * who.run_before_days + "".join("w" if d in days else "o" for d in range(n)) + "|"
    begin = who.run_before_days
    broken = 0
    for run in re.finditer("w+", line):
        ends_inside = line[run.end()] == "o"
        of_this_roster = run.end() > begin or (run.end() == begin > 0)
        broken += ends_inside and of_this_roster and len(run.group()) < limits.least_run_days
    for rest in re.finditer("(?<=w)o+(?=w)", line):
        broken += len(rest.group()) < limits.least_off_days
    if limits.most_off_days:
        span = limits.most_off_days + 1
        off = "".join("w" if d in days else "l" if d in who.leave else "o" for d in range(n))
        broken += sum(off[d : d + span] == "o" * span for d in range(n - span + 1))
    if limits.complete_weekends:
        pairs = [w for w in _weekends(problem) if len(w) == 2]
        broken += sum((w[0] in days) != (w[1] in days) for w in pairs)
    return broken


def _out_of_order(problem: RosterProblem, who: Member, mine: set[tuple[int, str]]) -> int:
    firsts: dict[str, set[str]] = defaultdict(set)
    for order in problem.law.only_after:
        firsts[order.then].add(order.first)
    known = mine if who.shift_before is None else mine | {(-1, who.shift_before)}
    return sum(
        not firsts[shift] & {s for d, s in known if d == day - 1}
        for day, shift in mine
        if shift in firsts
    )


def shares_cost(problem: RosterProblem, worked: Worked, groups: Sequence[Sequence[Member]]) -> int:
    """Return what uneven shares of nights, weekends and holidays cost."""
    wanted = problem.shares
    if wanted is None:
        return 0
    ends = {s.key: (s.end_min - s.start_min, s.end_min) for s in problem.shifts}
    total = 0
    for members in groups:
        shares: dict[str, list[int]] = {"nights": [], "weekends": [], "holidays": []}
        for who in members:
            own = Counter[str]()
            for day, shift, _ in worked.get(who.key, ()):
                minutes, end = ends[shift]
                part = 10_000 * minutes // who.available_min
                own["nights"] += part * (end > problem.law.night_after_min)
                own["weekends"] += part * (problem.days[day] == "weekend")
                own["holidays"] += part * (problem.days[day] == "holiday")
            for kind, found in shares.items():
                found.append(own[kind])
        weights = {
            "nights": wanted.nights,
            "weekends": wanted.weekends,
            "holidays": wanted.holidays,
        }
        total += sum(weights[kind] * (max(x) - min(x)) for kind, x in shares.items())
    return total


def bands_cost(problem: RosterProblem, patrols: Sequence[PlannedPatrol]) -> int:
    """Return what too few and too many teams at the worst moment of each band's day cost."""
    times = {s.key: (s.start_min, s.end_min) for s in problem.shifts}
    total = 0
    for band in problem.bands:
        for day in band.days:
            teams = [0] * (band.end_min - band.start_min)
            for p in patrols:
                if p.walked and p.zone == band.zone:
                    start, end = (1440 * (p.day - day) + t - band.start_min for t in times[p.shift])
                    for minute in range(max(0, start), min(len(teams), end)):
                        teams[minute] += 1
            total += band.importance * max(0, band.least - min(teams))
            if band.most is not None:
                total += band.importance * max(0, max(teams) - band.most)
    return total
