"""A roster in hand as lines of work: even its loads out, then its preferences, seat by seat.

Which patrols are walked, and which of their seats are filled, is settled by the levels before;
here it is decided who fills them. What lines of work cannot say (who may be on a team together,
rules over several weeks at once) is not in them: whoever takes a roster from here asks the rules
themselves whether it stands, and keeps the old one if it does not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from scheduling.core.lines.line_problem import (
    FORBIDDEN,
    Counter,
    Group,
    Line,
    LineProblem,
    Worker,
    line_of,
)
from scheduling.core.lines.search import Effort, search
from scheduling.core.problem import DAY_MIN, Member, Shift
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD
from scheduling.core.slots import Agenda, Slot

EMPTY_SEAT = 1_000_000.0
"""More than any spread or preference: a seat that is filled stays filled."""
Places = list[tuple[int, int]]
SeatCost = Callable[[Member, Slot, int], int]


class RosterLines:
    """The lines of one roll. ``None`` from :func:`lines_of` where they cannot say the problem."""

    def __init__(
        self,
        roll: Roll,
        may_sit: Mapping[tuple[int, int], list[str]],
        locked: set[tuple[int, int]],
        seat_cost: SeatCost,
    ) -> None:
        self.agenda: Agenda = roll.agenda
        problem = roll.problem
        self.places: Places = sorted(roll.seated)
        self.members = list(problem.members)
        self.number = {m.key: n for n, m in enumerate(self.members)}
        shifts = list(problem.shifts)
        shift_number = {s.key: n for n, s in enumerate(shifts)}
        slots = self.agenda.slots
        self.post = {place: n for n, place in enumerate(self.places)}
        days = len(problem.days)
        posts = len(self.places)
        cost = np.full((len(self.members), posts), FORBIDDEN)
        beside = self._beside(roll)
        for place, n in self.post.items():
            slot = slots[place[0]]
            takers = [roll.seated[place]] if place in locked else may_sit[place]
            if place in beside:
                takers = [
                    key for key in takers if self.agenda.may_go_alone(self.agenda.members[key])
                ]
            for key in takers:
                cost[self.number[key], n] = seat_cost(self.agenda.members[key], slot, place[1])
        follows = np.array(
            [
                [
                    _rested(a, b, problem.law.rest_min)
                    and (a.key, b.key) not in self.agenda.forbidden
                    for b in shifts
                ]
                for a in shifts
            ],
            dtype=np.uint8,
        )
        self.lines = LineProblem(
            days=days,
            shifts=len(shifts),
            follows=follows,
            post_day=np.array([slots[i].day for i, _ in self.places], dtype=np.int64),
            post_shift=np.array(
                [shift_number[slots[i].shift.key] for i, _ in self.places], dtype=np.int64
            ),
            post_row=np.arange(posts),
            row_want=np.ones(posts, dtype=np.int64),
            row_under=np.full(posts, EMPTY_SEAT),
            row_over=np.full(posts, FORBIDDEN),
            workers=tuple(
                self._worker(m, cost[n], shifts, days) for n, m in enumerate(self.members)
            ),
            name=problem.name,
        )
        self.groups = tuple(
            Group(workers=tuple(self.number[m.key] for m in members), weight=1.0)
            for _, _, members in self.agenda.fairness_groups()
        )
        self.start = self._lines(roll)

    def _beside(self, roll: Roll) -> set[tuple[int, int]]:
        """Choose a seat of each team that somebody who may go alone keeps."""
        found: dict[int, tuple[int, int]] = {}
        for place in self.places:
            if self.agenda.may_go_alone(self.agenda.members[roll.seated[place]]):
                found.setdefault(place[0], place)
        return set(found.values())

    def _worker(self, member: Member, cost: np.ndarray, shifts: list[Shift], days: int) -> Worker:
        for n in self._barred(member):
            cost[n] = FORBIDDEN
        limits = member.limits
        load = np.array(
            [[self.agenda.load_bp(member, d, s) for s in shifts] for d in range(days)], dtype=float
        )
        counters: list[Counter] = []
        for rule in reversed(HARD):
            for count in rule.counts(self.agenda, member):
                units = np.array(
                    [[count.units(d, s) for s in shifts] for d in range(days)], dtype=np.int64
                )
                counters.append(
                    Counter(name=count.name, after_off=units, after_work=units, most=count.most)
                )
        return Worker(
            name=member.key,
            post_cost=cost,
            off_cost=np.zeros(days),
            counters=tuple(counters),
            most_run=limits.run_days,
            run_before=member.run_before_days,
            load=load,
            load_before=float(member.carried_over_bp),
        )

    def _barred(self, member: Member) -> list[int]:
        """Return the posts that no rule leaves to the member even in an empty roster.

        What the weeks before leave behind is such: rest, a weekend, a window, a succession.
        """
        nobody = Roll(self.agenda)
        moving = [rule for rule in HARD if not rule.static]
        said: dict[tuple[int, str], bool] = {}
        found = []
        for n, (index, seat) in enumerate(self.places):
            slot = self.agenda.slots[index]
            when = (slot.day, slot.shift.key)
            if when not in said:
                said[when] = any(rule.stops(nobody, member, slot, seat) for rule in moving)
            if said[when]:
                found.append(n)
        return found

    def _lines(self, roll: Roll) -> list[Line]:
        posts = np.full((len(self.members), self.lines.days), -1, dtype=np.int64)
        for place, key in roll.seated.items():
            posts[self.number[key], self.agenda.slots[place[0]].day] = self.post[place]
        return [line_of(self.lines, w, posts[w]) for w in range(len(self.members))]

    def roll_of(self, lines: Sequence[Line]) -> Roll:
        """Return the roll that lines are."""
        roll = Roll(self.agenda)
        for line in lines:
            for post in line.posts[line.posts >= 0]:
                index, seat = self.places[post]
                roll.put(self.agenda.slots[index], seat, self.members[line.worker].key)
        return roll

    def even_out(
        self, effort: Effort, take: Callable[[Roll], bool], stopped: Callable[[], bool]
    ) -> None:
        """Narrow the spreads of load; each better roster is kept if ``take`` takes it."""
        target = self._targets()
        problem = replace(
            self.lines,
            workers=tuple(
                replace(
                    who,
                    post_cost=np.where(who.post_cost < FORBIDDEN, 0.0, FORBIDDEN),
                    load_target=target.get(w),
                )
                for w, who in enumerate(self.lines.workers)
            ),
        )
        self._search(problem, effort, take, stopped)

    def _targets(self) -> dict[int, float]:
        """Return the load each member is drawn to: the mean of the smallest group.

        A spread gives no direction while several share the extreme; squares do.
        """
        found: dict[int, tuple[int, float]] = {}
        for group in self.groups:
            mean = sum(self.start[w].load for w in group.workers) / len(group.workers)
            for w in group.workers:
                if w not in found or len(group.workers) < found[w][0]:
                    found[w] = (len(group.workers), mean)
        return {w: mean for w, (_, mean) in found.items()}

    def prefer(
        self, effort: Effort, take: Callable[[Roll], bool], stopped: Callable[[], bool]
    ) -> None:
        """Better the preferences with every load held between its group's extremes."""
        loads = {line.worker: line.load for line in self.start}
        within: dict[int, tuple[float, float]] = {}
        for group in self.groups:
            low = min(loads[w] for w in group.workers)
            high = max(loads[w] for w in group.workers)
            for w in group.workers:
                had = within.get(w, (-np.inf, np.inf))
                within[w] = (max(low, had[0]), min(high, had[1]))
        problem = replace(
            self.lines,
            workers=tuple(
                replace(who, load_within=within.get(w)) for w, who in enumerate(self.lines.workers)
            ),
        )
        self._search(problem, effort, take, stopped)

    def _search(
        self,
        problem: LineProblem,
        effort: Effort,
        take: Callable[[Roll], bool],
        stopped: Callable[[], bool],
    ) -> None:
        start = [line_of(problem, line.worker, line.posts) for line in self.start]

        def accept(lines: Sequence[Line]) -> bool:
            if not take(self.roll_of(lines)):
                return False
            self.start = [line_of(self.lines, line.worker, line.posts) for line in lines]
            return True

        search(problem, effort, stopped=stopped, start=start, bound=False, accept=accept)


def lines_of(
    roll: Roll,
    may_sit: Mapping[tuple[int, int], list[str]],
    locked: set[tuple[int, int]],
    seat_cost: SeatCost,
) -> RosterLines | None:
    """Return a roll's lines of work, or None where a day may hold several patrols of a member."""
    if roll.problem.law.patrols_per_day != 1 or not roll.seated:
        return None
    if roll.problem.law.rest_min > DAY_MIN // 2:
        return None  # rest could reach over a whole day off
    return RosterLines(roll, may_sit, locked, seat_cost)


def _rested(before: Shift, after: Shift, rest_min: int) -> bool:
    return after.start_min + DAY_MIN - before.end_min >= rest_min
