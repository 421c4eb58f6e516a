"""What differs between two versions of a week: who gained or lost which patrol, and the figures.

Pure: two problems with their plans in, plain facts out. A patrol is the same in both where its
key is; every figure is the plan's own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from grid.errors import DomainError
from scheduling.core.plan import PlannedPatrol, RosterPlan
from scheduling.core.problem import Member, RosterProblem


class OtherWeek(DomainError):
    """Two versions that no table can lay side by side."""

    zh = "第 {number} 版是 {week} 一周的排班，只能和同一周的版本比较。请选择同一周的另一版。"
    en = "Version {number} belongs to the week of {week}. Choose another version of the same week."
    status = 409


@dataclass(frozen=True, slots=True)
class Placed:
    """A patrol where and when it is, in words."""

    key: str
    day: date
    start_min: int
    end_min: int
    shift: str
    zone: str
    type: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A patrol of a member."""

    patrol: Placed
    leader: bool


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What a member gained and lost; loads in basis points, None where not in that version."""

    member: Member
    gained: tuple[Taken, ...]
    lost: tuple[Taken, ...]
    leads_now: tuple[Placed, ...]
    leads_no_more: tuple[Placed, ...]
    load_before_bp: int | None
    load_after_bp: int | None


@dataclass(frozen=True, slots=True)
class PatrolChange:
    """A patrol whose team or being walked differs; a team is None where it was not asked for."""

    patrol: Placed
    before: tuple[tuple[str, bool], ...] | None
    """Names, each with whether they lead."""
    after: tuple[tuple[str, bool], ...] | None
    empty_before: int
    empty_after: int
    walked_before: bool
    walked_after: bool
    moved_from: Placed | None
    """Where it was, if its hours, zone or shift differ under one key."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of both versions. ``lower_is_better`` is None where neither is."""

    name: str
    of: str
    before: int | None
    after: int | None
    lower_is_better: bool | None


@dataclass(frozen=True, slots=True)
class Differences:
    """Everything that differs, and how much stayed."""

    members: tuple[MemberChange, ...]
    patrols: tuple[PatrolChange, ...]
    figures: tuple[Figure, ...]
    kept: int
    """Assignments that are in both."""
    before: int
    after: int

    @property
    def same(self) -> bool:
        """Say whether nothing differs in who walks what."""
        return not self.members and not self.patrols


class _Side:
    """One version, by key."""

    def __init__(self, problem: RosterProblem, plan: RosterPlan) -> None:
        self.problem = problem
        self.plan = plan
        self.members = {m.key: m for m in problem.members}
        self.loads = {load.member: load.load_bp for load in plan.loads}
        self.patrols = {p.key: p for p in plan.patrols}
        shifts = {s.key: s for s in problem.shifts}
        zones = {z.key: z.name for z in problem.zones}
        types = {t.key: t.name for t in problem.types}
        self.placed = {
            p.key: Placed(
                key=p.key,
                day=problem.date_of(p.day),
                start_min=shifts[p.shift].start_min,
                end_min=shifts[p.shift].end_min,
                shift=shifts[p.shift].name,
                zone=zones[p.zone],
                type=types[p.type],
            )
            for p in plan.patrols
        }
        self.taken = {
            (seat.member, p.key): seat.leader
            for p in plan.patrols
            if p.walked
            for seat in p.seats
            if seat.member is not None
        }

    def team(self, patrol: PlannedPatrol) -> tuple[tuple[str, bool], ...]:
        return tuple(
            (self.members[s.member].name, s.leader)
            for s in patrol.seats
            if s.member is not None and patrol.walked
        )


def differences(
    before: tuple[RosterProblem, RosterPlan], after: tuple[RosterProblem, RosterPlan]
) -> Differences:
    """Return what changes from one version to another. Raises OtherWeek."""
    old, new = _Side(*before), _Side(*after)
    if old.problem.week_start != new.problem.week_start:
        raise OtherWeek(number="–", week=new.problem.week_start)
    return Differences(
        members=tuple(_members(old, new)),
        patrols=tuple(_patrols(old, new)),
        figures=tuple(_figures(old, new)),
        kept=len(old.taken.keys() & new.taken.keys()),
        before=len(old.taken),
        after=len(new.taken),
    )


def _order(taken: Taken) -> tuple[date, int, str]:
    return taken.patrol.day, taken.patrol.start_min, taken.patrol.key


def _members(old: _Side, new: _Side) -> Iterator[MemberChange]:
    for key in sorted(old.members.keys() | new.members.keys()):
        had = {patrol: leads for (member, patrol), leads in old.taken.items() if member == key}
        has = {patrol: leads for (member, patrol), leads in new.taken.items() if member == key}
        both = had.keys() & has.keys()
        change = MemberChange(
            member=new.members.get(key) or old.members[key],
            gained=tuple(
                sorted((Taken(new.placed[p], has[p]) for p in has.keys() - both), key=_order)
            ),
            lost=tuple(
                sorted((Taken(old.placed[p], had[p]) for p in had.keys() - both), key=_order)
            ),
            leads_now=tuple(new.placed[p] for p in sorted(both) if has[p] and not had[p]),
            leads_no_more=tuple(new.placed[p] for p in sorted(both) if had[p] and not has[p]),
            load_before_bp=old.loads.get(key),
            load_after_bp=new.loads.get(key),
        )
        if change.gained or change.lost or change.leads_now or change.leads_no_more:
            yield change


def _patrols(old: _Side, new: _Side) -> Iterator[PatrolChange]:
    places = {**old.placed, **new.placed}
    for key in sorted(places, key=lambda k: (places[k].day, places[k].start_min, k)):
        was, now = old.patrols.get(key), new.patrols.get(key)
        moved = was and now and old.placed[key] != new.placed[key]
        change = PatrolChange(
            patrol=places[key],
            before=old.team(was) if was else None,
            after=new.team(now) if now else None,
            empty_before=sum(s.member is None for s in was.seats) if was else 0,
            empty_after=sum(s.member is None for s in now.seats) if now else 0,
            walked_before=bool(was and was.walked),
            walked_after=bool(now and now.walked),
            moved_from=old.placed[key] if moved else None,
        )
        walks = change.walked_before or change.walked_after
        differs = set(change.before or ()) != set(change.after or ())
        if walks and (differs or moved or change.walked_before != change.walked_after):
            yield change


_COUNTS: tuple[tuple[str, Callable[[RosterPlan], int], bool | None], ...] = (
    ("walked", lambda plan: sum(p.walked for p in plan.patrols), False),
    ("empty_seats", lambda plan: len(plan.empty_seats), True),
    ("requirement_short", lambda plan: sum(r.short for r in plan.requirements), True),
    ("worst_gap_min", lambda plan: max((g.gap_min for g in plan.coverage_gaps), default=0), True),
    ("people", lambda plan: sum(bool(load.patrols) for load in plan.loads), None),
    ("nights", lambda plan: sum(load.nights for load in plan.loads), None),
    ("minutes", lambda plan: sum(load.minutes for load in plan.loads), None),
)
"""Figures of a whole plan, and whether lower is better."""


def _figures(old: _Side, new: _Side) -> Iterator[Figure]:
    for name, reckon, lower in _COUNTS:
        yield Figure(name, "", reckon(old.plan), reckon(new.plan), lower)
    spreads = [
        {f.force: f.spread_bp for f in side.plan.fairness if f.employer is None}
        for side in (old, new)
    ]
    for force in dict.fromkeys([*spreads[0], *spreads[1]]):
        yield Figure("spread_bp", force, spreads[0].get(force), spreads[1].get(force), True)
    costs: list[dict[str, int]] = [
        {o.level: o.cost for o in side.plan.levels} for side in (old, new)
    ]
    for level in dict.fromkeys([*costs[0], *costs[1]]):
        if level in ("staggering", "changes") and not any(side.get(level) for side in costs):
            continue  # nothing was asked of them
        yield Figure("cost", level, costs[0].get(level), costs[1].get(level), True)
