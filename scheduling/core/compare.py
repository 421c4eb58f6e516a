"""Two rosters of a week side by side: cover, requirements, fairness, and whose days change."""

from collections import Counter
from dataclasses import dataclass

from scheduling.core.plan import RosterPlan
from scheduling.core.problem import RosterProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverSide:
    """What is walked of what is asked."""

    asked: int
    walked: int
    empty_minimum: int
    """Empty required seats of patrols that must be walked."""
    empty_ideal: int
    people: int
    """Assignments."""
    minutes: int
    worst_gap_min: int
    gap_mean_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure on both sides; None where a side does not have it."""

    key: str
    name: str
    first: int | None
    second: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberLine:
    """One member's week on both sides."""

    member: str
    name: str
    force: str
    patrols: tuple[int | None, int | None]
    minutes: tuple[int | None, int | None]
    nights: tuple[int | None, int | None]
    load_bp: tuple[int | None, int | None]
    kept: int
    """Patrols that are the same on both sides: day, shift and zone."""
    lost: tuple[str, ...]
    gained: tuple[str, ...]
    """Patrols of one side only, by key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both rosters; the first is what stands, the second what is compared with it."""

    cover: tuple[CoverSide, CoverSide]
    levels: tuple[Line, ...]
    requirements: tuple[Line, ...]
    """Visits that are missing."""
    fairness: tuple[Line, ...]
    """Spread of load by force, in basis points."""
    members: tuple[MemberLine, ...]
    """Those whose patrols change, the most changed first."""
    changed: int
    """Assignments of the second that are not in the first, and of the first not in the second."""


def compare(
    first: tuple[RosterProblem, RosterPlan], second: tuple[RosterProblem, RosterPlan]
) -> Comparison:
    """Lay two rosters side by side."""
    members = _members(first, second)
    return Comparison(
        cover=(_cover(*first), _cover(*second)),
        levels=_lines(
            {o.level: (o.level, o.cost) for o in first[1].levels},
            {o.level: (o.level, o.cost) for o in second[1].levels},
        ),
        requirements=_lines(_short(*first), _short(*second)),
        fairness=_lines(_spread(first[1]), _spread(second[1])),
        members=members,
        changed=sum(len(m.lost) + len(m.gained) for m in members),
    )


def _cover(problem: RosterProblem, plan: RosterPlan) -> CoverSide:
    shifts = {s.key: s for s in problem.shifts}
    gaps = [g.gap_min for g in plan.coverage_gaps]
    seated = [
        shifts[p.shift].minutes for p in plan.patrols for s in p.seats if s.member is not None
    ]
    return CoverSide(
        asked=sum(p.tier != "extra" for p in plan.patrols),
        walked=sum(p.walked for p in plan.patrols),
        empty_minimum=sum(e.tier == "minimum" and e.required for e in plan.empty_seats),
        empty_ideal=sum(e.tier != "minimum" or not e.required for e in plan.empty_seats),
        people=len(seated),
        minutes=sum(seated),
        worst_gap_min=max(gaps, default=0),
        gap_mean_min=sum(gaps) // len(gaps) if gaps else 0,
    )


def _lines(
    first: dict[str, tuple[str, int]], second: dict[str, tuple[str, int]]
) -> tuple[Line, ...]:
    return tuple(
        Line(
            key=key,
            name=(first.get(key) or second[key])[0],
            first=first[key][1] if key in first else None,
            second=second[key][1] if key in second else None,
        )
        for key in dict.fromkeys([*first, *second])
    )


def _short(problem: RosterProblem, plan: RosterPlan) -> dict[str, tuple[str, int]]:
    zones = {z.key: z.name for z in problem.zones}
    needs = {r.key: r for r in problem.requirements}
    return {
        o.requirement: (
            f"{zones[needs[o.requirement].zone]} {needs[o.requirement].reason}".strip(),
            o.short,
        )
        for o in plan.requirements
    }


def _spread(plan: RosterPlan) -> dict[str, tuple[str, int]]:
    return {
        f"{f.force}/{f.employer or ''}": (f.employer or f.force, f.spread_bp) for f in plan.fairness
    }


def _members(
    first: tuple[RosterProblem, RosterPlan], second: tuple[RosterProblem, RosterPlan]
) -> tuple[MemberLine, ...]:
    people = {m.key: m for problem, _ in (second, first) for m in problem.members}
    loads = [{load.member: load for load in plan.loads} for _, plan in (first, second)]
    walks = [_walks(plan) for _, plan in (first, second)]
    found = []
    for key, member in people.items():
        one, other = (side.get(key, Counter()) for side in walks)
        lost, gained = one - other, other - one
        if not lost and not gained:
            continue
        mine = [side.get(key) for side in loads]
        found.append(
            MemberLine(
                member=key,
                name=member.name,
                force=member.force,
                patrols=_pair(*(load.patrols if load else None for load in mine)),
                minutes=_pair(*(load.minutes if load else None for load in mine)),
                nights=_pair(*(load.nights if load else None for load in mine)),
                load_bp=_pair(*(load.load_bp if load else None for load in mine)),
                kept=(one & other).total(),
                lost=tuple(sorted(lost.elements())),
                gained=tuple(sorted(gained.elements())),
            )
        )
    return tuple(sorted(found, key=lambda m: (-len(m.lost) - len(m.gained), m.member)))


def _pair(first: int | None, second: int | None) -> tuple[int | None, int | None]:
    return first, second


def _walks(plan: RosterPlan) -> dict[str, Counter[str]]:
    """Return each member's patrols as day.shift.zone, with how often."""
    found: dict[str, Counter[str]] = {}
    for p in plan.patrols:
        for seat in p.seats:
            if seat.member is not None:
                found.setdefault(seat.member, Counter())[f"{p.day}.{p.shift}.{p.zone}"] += 1
    return found
