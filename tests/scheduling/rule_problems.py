"""Random small weeks in which every rule of the catalogue is asked for, and random people in them."""

import random

from scheduling.core.plan import LEVELS, LevelOutcome, RosterPlan
from scheduling.core.problem import (
    Absence,
    CoverBand,
    Demand,
    Law,
    Limits,
    Lock,
    Member,
    Pair,
    Request,
    Requirement,
    RollingLimit,
    RosterProblem,
    Sat,
    Shares,
    Staggering,
    Succession,
    Zone,
)
from scheduling.core.reseat import plan_of_roll
from scheduling.core.roll import Roll
from scheduling.core.slots import Agenda
from tests.scheduling.roster_problems import DAY, EVENING, JOINT, NIGHT, ROUND, WATCH

ZONES = (
    Zone(key="garden", name="铸钢花园", employers=("嘉通",)),
    Zone(key="impression", name="铸钢印象", employers=("嘉汇",)),
)
FORCES = ("officer", "auxiliary", "grid_member", "grid_member", "guard")


def _limits(rng: random.Random) -> Limits:
    def maybe(*values):
        return rng.choice((None, None, *values))

    least_run = rng.choice((1, 1, 2, 3))
    return Limits(
        minutes_week=rng.choice((480, 960, 2400)), patrols_week=rng.choice((2, 5, 7)),
        nights_week=rng.choice((0, 2, 7)), run_days=rng.choice((3, 5, 7)),
        minutes_day=maybe(200, 240, 480), patrols_day=maybe(1, 2),
        rolling=rng.choice(((), (RollingLimit(days=2, minutes=400),), (RollingLimit(days=9, minutes=900),))),
        weekends_in_four=maybe(1, 2), weekends_row=maybe(0, 1, 2), zone_week=maybe(1, 3),
        least_minutes_day=rng.choice((0, 200)), least_minutes_week=rng.choice((0, 480)),
        least_patrols_week=rng.choice((0, 2)), least_run_days=least_run,
        least_off_days=rng.choice((1, 2, 3)), most_off_days=maybe(3, 4),
        complete_weekends=rng.random() < 0.4,
    )  # fmt: skip


def _member(rng: random.Random, n: int, days: int) -> Member:
    force = rng.choice(FORCES)
    return Member(
        key=f"M{n}", name=f"队员{n}", force=force,
        employer=rng.choice(("嘉通", "嘉汇")) if force == "guard" else None,
        home_zone=rng.choice((None, "garden", "impression")),
        lent_to=rng.choice(((), ("impression",))),
        known_zones=rng.choice(((), (), ("garden",))),
        never_alone=rng.random() < 0.2,
        days_off=tuple(d for d in range(days) if rng.random() < 0.1),
        leave=tuple(d for d in range(days) if rng.random() < 0.05),
        unavailable=rng.choice(((), (), (Absence(start_min=1000, end_min=3000),))),
        requests=rng.choice(((), (Request(day=1, wants=True), Request(day=2, shift="D", wants=False, weight=3)))),
        limits=_limits(rng), available_min=rng.choice((0, 700, 2400)),
        carried_over_bp=rng.randrange(-900, 900), last_end_min=rng.choice((None, -900, -60)),
        run_before_days=rng.choice((0, 0, 1, 2)), shift_before=rng.choice((None, "D", "N")),
        minutes_before=rng.choice(((), (240, 0, 240), (240,) * 8)),
        weekends_before=rng.choice(((), (True,), (True, False), (False, True, True), (True,) * 5)),
    )  # fmt: skip


def random_week(seed: int, days: int = 7) -> RosterProblem:
    """A week of a few people with every parameter set for somebody, or for none."""
    rng = random.Random(seed)
    team = tuple(_member(rng, n, days) for n in range(rng.randrange(3, 8)))
    places = [(d, s, z.key) for d in range(days) for s in "DEN" for z in ZONES]
    demands = []
    for day, shift, zone in sorted(rng.sample(places, 8)):
        kind = rng.choice(("joint", "round", "watch"))
        tier = rng.choice((0, 1))
        demands.append(
            Demand(day=day, shift=shift, zone=zone, type=kind, minimum=tier, ideal=1 - (not tier and rng.random() < 0.2),
                   extra=0, importance=rng.randrange(1, 9))
        )  # fmt: skip
    keys = [m.key for m in team]
    pairs = []
    if rng.random() < 0.6:
        one, other, third = rng.sample(keys, 3)
        pairs = [
            Pair(one=one, other=other, kind="together"),
            Pair(one=one, other=third, kind="apart"),
        ]
    if rng.random() < 0.5:
        one, other = rng.sample(keys, 2)
        pairs = [Pair(one=one, other=other, kind="apart")]
    kinds = [rng.choice(("workday", "holiday")) for _ in range(days)]
    for first in range(0, days, 7):
        for day in range(first + 5, min(first + 7, days)):
            kinds[day] = rng.choice(("weekend", "weekend", "compensatory_workday"))
    patrols = [f"{d.day}.{d.shift}.{d.zone}.{d.type}.1" for d in demands if d.ideal]
    some = rng.sample(patrols, 3)
    return RosterProblem(
        week_start="2026-11-30",
        days=tuple(kinds),
        members=team,
        zones=ZONES,
        shifts=(DAY, EVENING, NIGHT),
        types=(JOINT, ROUND, WATCH),
        demands=tuple(demands),
        requirements=(
            Requirement(key="R", zone="garden", band_start_min=1140, band_end_min=1400,
                        days=(0, 2, 4), visits=2),
        ),
        locks=(Lock(patrol=some[0], seat=0, member=rng.choice(keys)),) if rng.random() < 0.5 else (),
        law=Law(
            patrols_per_day=rng.choice((1, 1, 2)), rest_min=rng.choice((0, 60, 660)),
            familiar_team=rng.random() < 0.4,
            forbidden_successions=rng.choice(((), (Succession(first="D", then="E"),
                                                  Succession(first="N", then="D")))),
            only_after=rng.choice(((), (Succession(first="D", then="N"), Succession(first="E", then="N")))),
        ),
        pairs=tuple(pairs),
        bands=(
            CoverBand(key="b", zone="garden", days=(0, 3), start_min=600, end_min=1500, least=1,
                      most=rng.choice((None, 1)), importance=3),
        ) if rng.random() < 0.6 else (),
        staggering=Staggering(gap_max_min=500, same_start_days=1) if rng.random() < 0.6 else None,
        shares=Shares(nights=2, weekends=1, holidays=3) if rng.random() < 0.6 else None,
        baseline=tuple(Sat(patrol=p, seat=0, member=rng.choice(keys)) for p in some)
        if rng.random() < 0.5 else (),
    )  # fmt: skip


def random_people(of: RosterProblem, seed: int, *, fitting: float = 0.85) -> Roll:
    """Whole teams of people who mostly fit their seats, whatever else the rules say."""
    rng = random.Random(seed)
    roll = Roll(Agenda(of))
    for slot in roll.agenda.slots:
        if rng.random() < 0.4:
            continue
        for n, seat in enumerate(slot.type.seats):
            fit = [
                m.key for m in of.members
                if m.force in seat.forces and m.key not in roll.team(slot).values()
            ]  # fmt: skip
            anybody = [m.key for m in of.members if m.key not in roll.team(slot).values()]
            pool = fit if fit and rng.random() < fitting else anybody
            if seat.required or rng.random() < 0.5:
                roll.put(slot, n, rng.choice(pool))
    return roll


def plan_as_seated(roll: Roll) -> RosterPlan:
    """The plan of people as they sit, with every figure and nothing proven."""
    nothing = RosterPlan(
        problem="", status="found", patrols=(), empty_seats=(), requirements=(), loads=(),
        fairness=(), coverage_gaps=(), seed=1,
        levels=tuple(
            LevelOutcome(level=level, cost=0, bound=0, gap=0.0, proven=False) for level in LEVELS
        ),
    )  # fmt: skip
    return plan_of_roll(roll, nothing)
