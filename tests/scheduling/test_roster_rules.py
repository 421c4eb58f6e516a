"""Each rule as a claim about the rosters that come out."""

import pytest

from scheduling.core.check import check
from scheduling.core.problem import (
    Absence,
    Demand,
    Law,
    Limits,
    Lock,
    NobodyNeeded,
    NoSuchKey,
    OutOfRange,
    PatrolType,
    Requirement,
    Seat,
    Shift,
    TooLarge,
    TwiceTheSame,
    UnreadableFile,
    WeekMustStartOnMonday,
    read_problem,
    write_problem,
)
from tests.scheduling.roster_problems import (
    DAY,
    TEAM,
    changed,
    guard,
    member,
    problem,
    rules_of_empty,
    solved,
    watches,
    who,
)


def clean(of, plan):
    report = check(of, plan)
    assert report.violations == ()
    assert report.mismatches == ()


def test_a_guard_of_jiatong_never_patrols_impression():
    of = problem([guard("B1", "嘉通")], watches((0, "D", "impression")))
    plan = solved(of)
    assert who(plan, "0.D.impression.watch.1") == [None]
    assert rules_of_empty(plan) == {"B1": "estate"}
    assert "不在本物业服务的小区1人" in plan.empty_seats[0].zh
    clean(of, plan)


def test_a_guard_who_is_lent_may():
    of = problem([guard("B1", "嘉通", lent_to=("impression",))], watches((0, "D", "impression")))
    assert who(solved(of), "0.D.impression.watch.1") == ["B1"]


def test_an_enforcement_patrol_without_an_officer_stays_at_home():
    of = problem(
        [member("A1", "auxiliary"), member("G1")],
        [Demand(day=0, shift="D", zone="garden", type="joint")],
    )
    plan = solved(of)
    assert who(plan, "0.D.garden.joint.1") == [None, None, None]
    assert plan.empty_seats[0].zh == "队伍中没有民警"
    assert "缺民警" in plan.empty_seats[1].zh
    clean(of, plan)


def test_an_officer_seat_left_to_others_still_needs_an_officer_to_lead():
    kind = PatrolType(
        key="odd",
        name="执法",
        enforcement=True,
        seats=(Seat(forces=("officer", "grid_member"), leader=True), Seat(forces=("grid_member",))),
    )
    of = problem(
        [member("G1"), member("G2")],
        [Demand(day=0, shift="D", zone="garden", type="odd")],
        types=(kind,),
    )
    plan = solved(of)
    assert who(plan, "0.D.garden.odd.1") == [None, None]
    assert {c.rule for c in plan.empty_seats[0].candidates} == {"officer_leads"}


def test_two_auxiliaries_are_still_alone():
    demand = [Demand(day=0, shift="D", zone="garden", type="round")]
    of = problem([member("A1", "auxiliary"), member("A2", "auxiliary")], demand)
    assert who(solved(of), "0.D.garden.round.1") == [None, None]
    of = problem([member("A1", "auxiliary"), member("G1")], demand)
    assert set(who(solved(of), "0.D.garden.round.1")) == {"A1", "G1"}


def test_a_patrol_goes_without_its_optional_seat():
    of = problem(
        [member("P1", "officer"), member("G1")],
        [Demand(day=0, shift="D", zone="garden", type="joint")],
    )
    plan = solved(of)
    assert who(plan, "0.D.garden.joint.1") == ["P1", "G1", None]
    assert [(e.seat, e.required) for e in plan.empty_seats] == [(2, False)]


def test_nobody_walks_two_patrols_a_day():
    of = problem([guard("B1", "嘉通")], watches((0, "D", "garden"), (0, "N", "garden")))
    plan = solved(of)
    assert len(plan.empty_seats) == 1
    assert rules_of_empty(plan) == {"B1": "one_patrol"}


def test_eleven_hours_lie_between_two_patrols():
    of = problem([guard("B1", "嘉通")], watches((0, "N", "garden"), (1, "D", "garden")))
    plan = solved(of)  # 02:00 to 09:00 is 7 h
    assert len(plan.empty_seats) == 1
    assert rules_of_empty(plan) == {"B1": "rest"}
    of = problem([guard("B1", "嘉通")], watches((0, "N", "garden"), (1, "E", "garden")))
    assert solved(of).empty_seats == ()


def test_exactly_eleven_hours_are_enough():
    early = Shift(key="F", name="早班", start_min=780, end_min=900)
    of = problem(
        [guard("B1", "嘉通")], watches((0, "N", "garden"), (1, "F", "garden")), shifts=(*(DAY,), early, *problem().shifts[1:])
    )  # fmt: skip
    assert solved(of).empty_seats == ()


def test_rest_holds_over_the_border_of_the_week():
    late = guard("B1", "嘉通", last_end_min=120)  # until Monday 02:00
    plan = solved(problem([late], watches((0, "D", "garden"))))
    assert rules_of_empty(plan) == {"B1": "rest"}
    assert "上周" in plan.empty_seats[0].candidates[0].zh
    early = guard("B1", "嘉通", last_end_min=-120)
    assert solved(problem([early], watches((0, "D", "garden")))).empty_seats == ()


@pytest.mark.parametrize("day", [0, 1])
def test_leave_holds_for_the_small_hours_too(day):
    # A night patrol of day 0 runs into day 1: leave on either forbids it.
    plan = solved(problem([guard("B1", "嘉通", leave=(day,))], watches((0, "N", "garden"))))
    assert rules_of_empty(plan) == {"B1": "leave"}


def test_a_day_off_is_free():
    plan = solved(problem([guard("B1", "嘉通", days_off=(0,))], watches((0, "D", "garden"))))
    assert rules_of_empty(plan) == {"B1": "day_off"}


def test_hours_that_are_not_available_are_not_used():
    busy = guard("B1", "嘉通", unavailable=(Absence(start_min=700, end_min=720),))
    plan = solved(problem([busy], watches((0, "D", "garden"))))
    assert rules_of_empty(plan) == {"B1": "unavailable"}


@pytest.mark.parametrize(
    ("limits", "rule", "shift", "walked"),
    [
        (Limits(minutes_week=700, run_days=7), "minutes_week", "D", 2),
        (Limits(patrols_week=3, run_days=7), "patrols_week", "D", 3),
        (Limits(nights_week=1, run_days=7), "nights_week", "N", 1),
        (Limits(patrols_week=7, run_days=2), "run_of_days", "D", 5),
    ],
)
def test_a_weekly_limit_holds(limits, rule, shift, walked):
    of = problem(
        [guard("B1", "嘉通", limits=limits)], watches(*((d, shift, "garden") for d in range(7)))
    )
    plan = solved(of)
    assert sum(p.walked for p in plan.patrols) == walked
    assert set(rules_of_empty(plan).values()) == {rule}
    clean(of, plan)


def test_days_worked_before_the_week_count_in_the_run():
    tired = guard("B1", "嘉通", run_before_days=5)
    plan = solved(problem([tired], watches((0, "D", "garden"), (1, "D", "garden"))))
    assert who(plan, "0.D.garden.watch.1") == [None]
    assert who(plan, "1.D.garden.watch.1") == ["B1"]


def test_a_patrol_that_ends_at_eleven_is_no_night_and_a_minute_later_is_one():
    for end, nights in ((1380, 0), (1381, 1)):
        shift = Shift(key="L", name="晚", start_min=1200, end_min=end)
        of = problem([guard("B1", "嘉通")], watches((0, "L", "garden")), shifts=(shift,))
        assert solved(of).loads[0].nights == nights


def test_the_more_important_patrol_gets_the_only_hand():
    of = problem(
        [guard("B1", "嘉通")],
        [*watches((0, "D", "garden"), importance=3), *watches((0, "E", "garden"), importance=9)],
    )
    plan = solved(of)
    assert who(plan, "0.E.garden.watch.1") == ["B1"]
    assert [(e.rank, e.importance) for e in plan.empty_seats] == [(1, 3)]


def test_minimum_cover_comes_before_any_number_of_ideal_ones():
    of = problem(
        [guard("B1", "嘉通", limits=Limits(patrols_week=1))],
        [
            *watches((0, "D", "garden"), importance=1),
            *watches(*((d, "D", "garden") for d in (1, 2, 3)), minimum=0, importance=100),
        ],
    )
    assert who(solved(of), "0.D.garden.watch.1") == ["B1"]


def test_a_requirement_from_a_hotspot_is_honoured_by_an_added_patrol():
    need = Requirement(
        key="R", zone="garden", band_start_min=1140, band_end_min=1290, days=(0, 2, 4), visits=2
    )
    demands = watches(*((d, "E", "garden") for d in range(7)), minimum=0, ideal=0, extra=1)
    of = problem([guard("B1", "嘉通")], demands, requirements=(need,))
    plan = solved(of)
    assert plan.requirements[0].short == 0
    assert len(plan.requirements[0].patrols) == 2
    assert {p.day for p in plan.patrols} <= {0, 2, 4}
    assert sum(p.walked for p in plan.patrols) == 2, "no more is added than was asked for"
    clean(of, plan)


def test_a_night_patrol_meets_the_early_hours_of_the_day_after_it():
    need = Requirement(
        key="R", zone="garden", band_start_min=60, band_end_min=240, days=(3,), visits=1
    )
    demands = watches(*((d, "N", "garden") for d in range(7)), minimum=0, ideal=0, extra=1)
    of = problem([guard("B1", "嘉通")], demands, requirements=(need,))
    plan = solved(of)
    assert plan.requirements[0].short == 0
    assert [p.day for p in plan.patrols if p.walked] == [2]
    clean(of, plan)


def test_a_requirement_that_cannot_be_met_is_short_and_said():
    need = Requirement(
        key="R", zone="garden", band_start_min=1140, band_end_min=1290, days=(0,), visits=3
    )
    of = problem([guard("B1", "嘉通")], watches((0, "E", "garden")), requirements=(need,))
    assert solved(of).requirements[0].short == 2


def test_load_is_shared_and_what_was_carried_over_is_made_good():
    demands = watches(*((d, "D", "garden") for d in range(4)))
    plan = solved(problem([guard("B1", "嘉通"), guard("B2", "嘉通")], demands))
    assert {load.member: load.patrols for load in plan.loads} == {"B1": 2, "B2": 2}
    owed = guard("B1", "嘉通", carried_over_bp=2000)  # two patrols of 240 in 2400 minutes
    plan = solved(problem([owed, guard("B2", "嘉通")], demands))
    assert {load.member: load.patrols for load in plan.loads} == {"B1": 1, "B2": 3}
    assert plan.fairness[0].spread_bp == 0


def test_who_is_half_available_walks_half_as_much():
    half = guard("B1", "嘉通", available_min=1200)
    demands = watches(*((d, "D", "garden") for d in range(6)))
    plan = solved(problem([half, guard("B2", "嘉通")], demands))
    assert {load.member: load.patrols for load in plan.loads} == {"B1": 2, "B2": 4}


def test_people_walk_their_home_zone_where_nothing_else_is_lost():
    zones = [z for z in problem().zones]
    team = [
        member("G1", home_zone="garden"), member("G2", home_zone="garden"),
        member("G3", home_zone="impression"), member("G4", home_zone="impression"),
    ]  # fmt: skip
    of = problem(team, [Demand(day=0, shift="D", zone=z.key, type="round") for z in zones])
    plan = solved(of)
    assert set(who(plan, "0.D.garden.round.1")) == {"G1", "G2"}
    assert plan.levels[-1].cost == 0


def test_a_lock_stays_and_a_lock_against_the_law_does_not():
    of = problem(TEAM, locks=(Lock(patrol="0.D.garden.round.1", seat=0, member="A2"),))
    assert who(solved(of), "0.D.garden.round.1")[0] == "A2"
    of = problem(TEAM, locks=(Lock(patrol="0.N.garden.watch.1", seat=0, member="B2"),))
    plan = solved(of)
    assert who(plan, "0.N.garden.watch.1") != ["B2"], "B2 is not of the garden's firm"
    assert plan.levels[0].cost == 1
    clean(of, plan)


def test_nobody_at_all_is_a_roster_of_empty_seats():
    of = problem([])
    plan = solved(of)
    assert not any(p.walked for p in plan.patrols)
    assert len(plan.empty_seats) == 7 * (2 + 3 + 1)
    assert all(e.zh for e in plan.empty_seats)
    clean(of, plan)


def test_everybody_on_leave_is_explained():
    of = problem([changed_member(m) for m in TEAM])
    plan = solved(of)
    assert set(rules_of_empty(plan).values()) <= {"leave", "estate"}
    clean(of, plan)


def changed_member(m):
    return changed(problem([m]), m.key, leave=tuple(range(7)), available_min=0).members[0]


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (lambda: problem([*TEAM, TEAM[0]]), TwiceTheSame, "“P1”出现了两次"),
        (lambda: problem(shifts=(DAY, Shift(key="X", name="白班", start_min=1, end_min=2))), TwiceTheSame, "班次名称"),
        (lambda: problem(week_start="2026-12-01"), WeekMustStartOnMonday, "2026-12-01"),
        (lambda: problem(week_start="next week"), WeekMustStartOnMonday, "next week"),
        (lambda: Limits(minutes_week=-1), OutOfRange, "-1"),
        (lambda: Shift(key="X", name="X", start_min=0, end_min=900), OutOfRange, "900"),
        (lambda: Law(rest_min=-5), OutOfRange, "-5"),
        (lambda: PatrolType(key="x", name="x", seats=()), NobodyNeeded, "没有任何席位"),
        (lambda: problem(demands=watches((0, "D", "moon"))), NoSuchKey, "moon"),
        (lambda: problem(demands=watches((7, "D", "garden"))), OutOfRange, "7"),
        (lambda: problem([member(str(n)) for n in range(10_000)]), TooLarge, "10000"),
        (lambda: problem([member("G", home_zone="moon")]), NoSuchKey, "moon"),
        (lambda: problem(locks=(Lock(patrol="0.D.garden.round.1", seat=0, member="X"),)), NoSuchKey, "X"),
        (lambda: solved(problem(locks=(Lock(patrol="nowhere", seat=0, member="P1"),))), NoSuchKey, "nowhere"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_a_sentence(make, error, sentence):
    with pytest.raises(error) as refusal:
        make()
    assert sentence in refusal.value.sentence("zh")
    assert refusal.value.sentence("en")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"week_start": 5}', "nul"])
def test_a_broken_file_is_refused_in_a_sentence(text):
    with pytest.raises(UnreadableFile) as refusal:
        read_problem(text, "p.json")
    assert "p.json" in refusal.value.sentence("zh")


def test_an_unknown_word_in_a_file_is_said():
    text = write_problem(problem()).replace('"law"', '"lore"', 1)
    with pytest.raises(UnreadableFile) as refusal:
        read_problem(text)
    assert "lore" in refusal.value.sentence("zh")
