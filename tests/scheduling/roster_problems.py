"""Small roster problems for tests: two officers, two auxiliaries, guards of two firms."""

from dataclasses import replace

from scheduling.core.plan import RosterPlan
from scheduling.core.problem import (
    Demand,
    Limits,
    Member,
    PatrolType,
    RosterProblem,
    Seat,
    Shift,
    Zone,
)
from scheduling.core.solve import Effort, solve

DAY = Shift(key="D", name="白班", start_min=540, end_min=780)
EVENING = Shift(key="E", name="晚班", start_min=1140, end_min=1320)
NIGHT = Shift(key="N", name="夜班", start_min=1320, end_min=1560)
GARDEN = Zone(key="garden", name="铸钢花园", employers=("嘉通",))
IMPRESSION = Zone(key="impression", name="铸钢印象", employers=("嘉汇",))
JOINT = PatrolType(
    key="joint",
    name="联合巡逻",
    enforcement=True,
    seats=(
        Seat(forces=("officer",), leader=True),
        Seat(forces=("auxiliary", "grid_member")),
        Seat(forces=("guard",), required=False),
    ),
)
ROUND = PatrolType(
    key="round",
    name="网格巡查",
    seats=(
        Seat(forces=("grid_member", "auxiliary"), leader=True),
        Seat(forces=("guard", "auxiliary", "grid_member")),
    ),
)
WATCH = PatrolType(key="watch", name="物业巡防", seats=(Seat(forces=("guard",), leader=True),))


def member(key: str, force: str = "grid_member", **more) -> Member:
    return Member(key=key, name=f"名{key}", force=force, **more)


def guard(key: str, employer: str, **more) -> Member:
    return member(key, "guard", employer=employer, **more)


TEAM = (
    member("P1", "officer"),
    member("P2", "officer"),
    member("A1", "auxiliary", home_zone="garden"),
    member("A2", "auxiliary"),
    member("G1", home_zone="impression"),
    member("G2", days_off=(6,)),
    guard("B1", "嘉通", limits=Limits(nights_week=3, patrols_week=6, run_days=6)),
    guard("B2", "嘉汇"),
)


def problem(members=TEAM, demands=None, **more) -> RosterProblem:
    if demands is None:
        demands = [
            Demand(day=d, shift=s, zone=z, type=t, importance=i)
            for d in range(7)
            for s, z, t, i in (
                ("D", "garden", "round", 6),
                ("E", "impression", "joint", 8),
                ("N", "garden", "watch", 4),
            )
        ]
    more = {
        "week_start": "2026-11-30",
        "days": ("workday",) * 5 + ("weekend",) * 2,
        "zones": (GARDEN, IMPRESSION),
        "shifts": (DAY, EVENING, NIGHT),
        "types": (JOINT, ROUND, WATCH),
        **more,
    }
    return RosterProblem(members=tuple(members), demands=tuple(demands), **more)


def watches(*places, **more) -> list[Demand]:
    """One-guard patrols at (day, shift, zone)."""
    return [Demand(day=d, shift=s, zone=z, type="watch", **more) for d, s, z in places]


def solved(of: RosterProblem, **effort) -> RosterPlan:
    return solve(of, Effort(**{"deterministic": 2.0, "workers": 1, "seconds": 30.0, **effort}))


def who(plan: RosterPlan, patrol: str) -> list[str | None]:
    return next([s.member for s in p.seats] for p in plan.patrols if p.key == patrol)


def rules_of_empty(plan: RosterPlan) -> dict[str, str]:
    """Member → rule that stopped them, over all empty seats."""
    return {c.member: c.rule for e in plan.empty_seats for c in e.candidates}


def changed(of: RosterProblem, key: str, **more) -> RosterProblem:
    """The problem with one member changed."""
    return replace(of, members=tuple(replace(m, **more) if m.key == key else m for m in of.members))
