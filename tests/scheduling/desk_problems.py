"""A team of 65 in 12 zones for the desk's tests: the size a community's lead works on."""

from scheduling.core.first_roster import first_roster
from scheduling.core.model import eligible
from scheduling.core.plan import LEVELS, LevelOutcome, RosterPlan
from scheduling.core.problem import (
    Demand,
    Limits,
    Member,
    PatrolType,
    RosterProblem,
    Seat,
    Zone,
)
from scheduling.core.reseat import plan_of_roll
from scheduling.core.slots import Agenda
from tests.scheduling.roster_problems import DAY, EVENING, NIGHT, WATCH

FIRMS = ("嘉通", "嘉汇", "安邦")
TRIO = PatrolType(
    key="trio",
    name="联动巡逻",
    enforcement=True,
    seats=(
        Seat(forces=("officer",), leader=True),
        Seat(forces=("auxiliary", "grid_member")),
        Seat(forces=("guard", "group_leader"), required=False),
    ),
)
PAIR = PatrolType(
    key="pair",
    name="网格巡查",
    seats=(
        Seat(forces=("grid_member", "auxiliary"), leader=True),
        Seat(forces=("guard", "group_leader", "grid_member")),
    ),
)


def large(members: int = 65, zones: int = 12) -> RosterProblem:
    """65 members of five forces; 12 zones × 7 days × 3 shifts of two or three seats."""
    places = tuple(
        Zone(key=f"z{n}", name=f"第{n + 1}巡区", employers=(FIRMS[n % 3],)) for n in range(zones)
    )
    forces = ("officer",) * 3 + ("auxiliary",) * 3 + ("grid_member",) * 4 + ("guard",) * 3
    team = []
    for n in range(members):
        force = forces[n % len(forces)]
        team.append(
            Member(
                key=f"m{n}", name=f"队员{n}", force=force,
                employer=FIRMS[n // 2 % 3] if force == "guard" else None,
                home_zone=f"z{n % zones}", days_off=(n % 7,),
                limits=Limits(nights_week=2, patrols_week=5, run_days=6),
            )
        )  # fmt: skip
    demands = [
        Demand(day=day, shift=shift, zone=zone.key, type=kind, importance=4 + z % 4)
        for day in range(7)
        for z, zone in enumerate(places)
        for shift, kind in (
            ("D", "pair"),
            *((("E", "trio"),) if (z + day) % 2 == 0 else (("E", "pair"),)),
            *((("N", "watch"),) if z % 3 == day % 3 else ()),
        )
    ]
    return RosterProblem(
        week_start="2026-11-30",
        days=("workday",) * 5 + ("weekend",) * 2,
        members=tuple(team),
        zones=places,
        shifts=(DAY, EVENING, NIGHT),
        types=(TRIO, PAIR, WATCH),
        demands=tuple(demands),
    )


def quickly(problem: RosterProblem) -> RosterPlan:
    """A legal roster at once, with nothing proven of it: no search."""
    agenda = Agenda(problem)
    nothing = RosterPlan(
        problem="", status="found", patrols=(), empty_seats=(), requirements=(), loads=(),
        fairness=(), coverage_gaps=(), seed=1,
        levels=tuple(
            LevelOutcome(level=level, cost=0, bound=0, gap=0.0, proven=False) for level in LEVELS
        ),
    )  # fmt: skip
    return plan_of_roll(first_roster(agenda, eligible(agenda)), nothing)
