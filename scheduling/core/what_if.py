"""What if: the same week asked differently, as a problem that is solved beside the real one."""

from dataclasses import dataclass, replace
from typing import Literal

from grid.errors import Conflict, NotFound
from scheduling.core.problem import Demand, Member, PatrolType, Requirement, RosterProblem, Shift
from scheduling.core.slots import overlap_min

WhatIfKind = Literal["one_fewer", "twelve_hours", "requirement", "minimum"]
HALF_DAY_MIN = 720
LONG_DAY = Shift(key="12h-day", name="白班12小时", start_min=480, end_min=1200)
LONG_NIGHT = Shift(key="12h-night", name="夜班12小时", start_min=1200, end_min=1920)
LONG_NIGHTS_WEEK = 3
"""Three long nights fill a full week's hours; two would leave half of them unmanned by the rule."""


class CannotAsk(Conflict):
    """A question that this week has no answer for."""

    zh = "这个假设不成立：{why}。请换一个条件。"
    en = "That cannot be asked of this week: {why_en}. Choose another condition."
    status = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked; which fields count depends on the kind.

    one_fewer: ``member``, or the one of ``force`` whom the week loads least. twelve_hours: none.
    requirement: ``zone``, ``band_start_min``, ``band_end_min``, ``visits``. minimum: ``minimum``
    for the demands of ``zone`` and ``shift`` (each may be left out).
    """

    kind: WhatIfKind
    member: str | None = None
    force: str | None = None
    zone: str | None = None
    shift: str | None = None
    band_start_min: int = 1140
    band_end_min: int = 1380
    visits: int = 3
    minimum: int = 1


def asked(problem: RosterProblem, question: Question) -> tuple[RosterProblem, str]:
    """Return the problem of a what-if and its title in Chinese. Raises NotFound or CannotAsk."""
    problem = replace(problem, baseline=())  # a roster of its own, compared and not kept to
    if question.kind == "one_fewer":
        return _one_fewer(problem, question)
    if question.kind == "twelve_hours":
        return _twelve_hours(problem)
    if question.kind == "requirement":
        return _requirement(problem, question)
    return _minimum(problem, question)


def _one_fewer(problem: RosterProblem, question: Question) -> tuple[RosterProblem, str]:
    days = tuple(range(len(problem.days)))
    serving = [
        m
        for m in problem.members
        if m.available_min
        and (m.key == question.member if question.member else m.force == question.force)
    ]
    if question.member and question.member not in {m.key for m in problem.members}:
        raise NotFound(thing="队员", name=question.member)
    if not serving:
        raise CannotAsk(
            why="这一周没有这样的在岗队员", why_en="nobody like that serves in this week"
        )
    gone = min(serving, key=lambda m: (m.available_min, m.key))
    # Away all week and out of the fairness, so that the others are compared with themselves.
    away = replace(gone, leave=days, available_min=0)
    return replace(
        problem,
        members=tuple(away if m.key == gone.key else m for m in problem.members),
        locks=tuple(k for k in problem.locks if k.member != gone.key),
    ), f"少一人：{gone.name}"


def _twelve_hours(problem: RosterProblem) -> tuple[RosterProblem, str]:
    """Ask for the same patrols in two shifts of twelve hours; those that meet are walked once."""
    shifts = {s.key: s for s in problem.shifts}
    met: dict[tuple[int, str, str, str], Demand] = {}
    for d in problem.demands:
        old = shifts[d.shift]
        middle = (old.start_min + old.end_min) // 2
        day, long = d.day, LONG_DAY
        if not LONG_DAY.start_min <= middle < LONG_DAY.end_min:
            long = LONG_NIGHT
            # Before eight in the morning is the night that began the evening before.
            day -= middle < LONG_DAY.start_min
        if day < 0:
            continue
        key = (day, long.key, d.zone, d.type)
        had = met.get(key)
        met[key] = replace(
            d,
            day=day,
            shift=long.key,
            minimum=max(d.minimum, had.minimum if had else 0),
            ideal=max(d.ideal, had.ideal if had else 0),
            extra=0,
            importance=max(d.importance, had.importance if had else 1),
        )

    def longer(m: Member) -> Member:
        nights = max(m.limits.nights_week, LONG_NIGHTS_WEEK if m.limits.nights_week else 0)
        return replace(m, limits=replace(m.limits, nights_week=nights))

    return replace(
        problem,
        shifts=(LONG_DAY, LONG_NIGHT),
        demands=tuple(met[key] for key in sorted(met)),
        members=tuple(longer(m) for m in problem.members),
        locks=(),
    ), "改为12小时班（白班8–20时，夜班20–8时）"


def _requirement(problem: RosterProblem, question: Question) -> tuple[RosterProblem, str]:
    zone = next((z for z in problem.zones if z.key == question.zone), None)
    if zone is None:
        raise NotFound(thing="巡区", name=question.zone or "")
    days = tuple(range(len(problem.days)))
    keys = {r.key for r in problem.requirements}
    key = next(f"what-if-{n}" for n in range(1, len(keys) + 2) if f"what-if-{n}" not in keys)
    added = Requirement(
        key=key,
        zone=zone.key,
        band_start_min=question.band_start_min,
        band_end_min=question.band_end_min,
        days=days,
        visits=question.visits,
        reason="假设",
    )
    if not any(overlap_min(s, added, 0) >= added.dwell_min for s in problem.shifts):
        raise CannotAsk(why="没有班次落在这个时段", why_en="no shift lies in these hours")
    title = f"{zone.name}{_clock(added.band_start_min)}–{_clock(added.band_end_min)}每周加巡{question.visits}次"
    with_extras = _with_extras(problem, added)
    return replace(problem, requirements=(*problem.requirements, added), demands=with_extras), title


def _with_extras(problem: RosterProblem, added: Requirement) -> tuple[Demand, ...]:
    """Allow one extra patrol on each day and shift that the requirement counts."""
    bound = set(problem.law.estate_bound)

    def hands(kind: PatrolType) -> int:
        return sum(seat.required for seat in kind.seats)

    anybody = [t for t in problem.types if all(set(s.forces) - bound for s in t.seats)]
    if not anybody:
        return problem.demands
    kind = min(anybody, key=lambda t: (t.enforcement, hands(t), t.key)).key
    demands = {(d.day, d.shift, d.zone, d.type): d for d in problem.demands}
    for day in added.days:
        for shift in problem.shifts:
            if overlap_min(shift, added, 0) < added.dwell_min:
                continue
            place = (day, shift.key, added.zone, kind)
            had = demands.get(place) or Demand(
                day=day, shift=shift.key, zone=added.zone, type=kind, minimum=0, ideal=0
            )
            demands[place] = replace(had, extra=max(1, had.extra))
    return tuple(demands[place] for place in sorted(demands))


def _minimum(problem: RosterProblem, question: Question) -> tuple[RosterProblem, str]:
    found = 0
    demands = []
    for d in problem.demands:
        if question.zone in (None, d.zone) and question.shift in (None, d.shift) and d.ideal:
            found += 1
            d = replace(d, minimum=question.minimum, ideal=max(d.ideal, question.minimum))
        demands.append(d)
    if not found:
        raise CannotAsk(why="没有符合条件的勤务需求", why_en="no cover demand is like that")
    zones = {z.key: z.name for z in problem.zones}
    shifts = {s.key: s.name for s in problem.shifts}
    where = zones.get(question.zone or "", "各巡区") + shifts.get(question.shift or "", "")
    return replace(problem, demands=tuple(demands)), f"{where}最低勤务改为{question.minimum}次"


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"
