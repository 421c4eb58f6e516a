"""Who walks with whom, where, and how many teams there are at a time, rule by rule."""

from dataclasses import replace

from sqlalchemy import select

from grid.communities import Community
from grid.member_words import read_qualifications
from grid.people import Member as MemberRow
from scheduling.core.check import check
from scheduling.core.problem import CoverBand, Demand, Law, Limits, Pair
from scheduling.found import found_demand
from scheduling.week import load_problem
from tests.published_week import WEEK
from tests.scheduling.roster_problems import (
    IMPRESSION,
    changed,
    guard,
    member,
    problem,
    rules_of_empty,
    solved,
    watches,
    who,
)

ROUND = [Demand(day=0, shift="D", zone="garden", type="round")]
KEY = "0.D.garden.round.1"


def broken(of, plan) -> set[str]:
    return {v.rule for v in check(of, plan).violations}


def test_two_who_are_kept_apart_never_share_a_patrol():
    team = [member("G1"), member("G2"), member("G3", carried_over_bp=5000)]
    free = problem(team, ROUND)
    assert set(who(solved(free), KEY)) == {"G1", "G2"}
    of = replace(free, pairs=(Pair(one="G1", other="G2", kind="apart"),))
    plan = solved(of)
    assert "G3" in who(plan, KEY)
    assert broken(of, solved(free)) == {"apart"}
    two = problem(team[:2], ROUND, pairs=of.pairs)
    empty = solved(two)
    assert who(empty, KEY) == [None, None]
    assert check(two, empty).clean


def test_two_who_walk_together_never_go_without_each_other():
    team = [member("G1"), member("G2"), member("G3", carried_over_bp=5000)]
    of = problem(team, ROUND, pairs=(Pair(one="G3", other="G1", kind="together"),))
    assert set(who(solved(of), KEY)) == {"G1", "G3"}
    assert broken(of, solved(replace(of, pairs=()))) == {"together"}
    away = changed(of, "G1", leave=(0,))
    assert who(solved(away), KEY) == [None, None], "G3 does not go without G1"
    alone = problem([guard("B1", "嘉通"), guard("B2", "嘉通")], watches((0, "D", "garden")),
                    pairs=(Pair(one="B1", other="B2", kind="together"),))  # fmt: skip
    assert rules_of_empty(solved(alone)) == {"B1": "together", "B2": "together"}


def test_a_trainee_walks_beside_somebody_who_may_go_alone():
    team = [
        member("G1", never_alone=True),
        member("G2", never_alone=True),
        member("G3", carried_over_bp=5000),
    ]
    of = problem(team, ROUND)
    assert "G3" in who(solved(of), KEY)
    experienced = changed(changed(of, "G1", never_alone=False), "G2", never_alone=False)
    assert broken(of, solved(experienced)) == {"never_alone"}
    two = problem([*team[:1], member("A1", "auxiliary")], ROUND)
    plan = solved(two)
    assert who(plan, KEY) == [None, None], "a trainee and an auxiliary are alone too"


def test_somebody_on_every_team_knows_the_zone():
    team = [member("G1"), member("G2"), member("G3", carried_over_bp=5000, known_zones=("garden",))]
    of = problem(team, ROUND, law=Law(familiar_team=True))
    assert "G3" in who(solved(of), KEY)
    assert broken(of, solved(replace(of, law=Law()))) == {"familiar_team"}
    home = changed(of, "G1", home_zone="garden")
    assert set(who(solved(home), KEY)) == {"G1", "G2"}
    lone = problem([guard("B1", "嘉通")], watches((0, "D", "garden")), law=Law(familiar_team=True))
    assert rules_of_empty(solved(lone)) == {"B1": "familiar_team"}


def test_zones_are_rotated():
    free = Limits(patrols_week=6, run_days=7)
    team = [guard(f"B{n}", "嘉通", limits=free, lent_to=("impression",)) for n in (1, 2)]
    asked = watches(*((d, "D", z) for d in range(4) for z in ("garden", "impression")))
    homes = tuple(
        replace(m, home_zone=z) for m, z in zip(team, ("garden", "impression"), strict=True)
    )
    free_plan = solved(problem(homes, asked))
    at_home = {p.zone: p.seats[0].member for p in free_plan.patrols}
    assert at_home == {"garden": "B1", "impression": "B2"}
    held = tuple(replace(m, limits=replace(free, zone_week=2)) for m in homes)
    of = problem(held, asked)
    plan = solved(of)
    assert all(p.walked for p in plan.patrols)
    for key in ("B1", "B2"):
        assert (
            sorted(p.zone for p in plan.patrols if p.seats[0].member == key)
            == ["garden"] * 2 + ["impression"] * 2
        )
    assert broken(of, free_plan) == {"zone_week"}
    assert check(of, plan).clean


def test_a_band_wants_so_many_teams_at_its_worst_moment_and_no_more():
    one = guard("B1", "嘉通", limits=Limits(patrols_week=1))
    asked = watches((0, "D", "garden"), (1, "D", "garden"), minimum=0, importance=5)
    band = CoverBand(key="day", zone="garden", days=(1,), start_min=600, end_min=700, importance=4)
    of = problem([one], asked, bands=(band,))
    plan = solved(of)
    assert who(plan, "1.D.garden.watch.1") == ["B1"]
    ideal = next(o.cost for o in plan.levels if o.level == "cover_ideal")
    assert ideal == 5
    wider = replace(of, bands=(replace(band, end_min=800),))
    assert next(o.cost for o in solved(wider).levels if o.level == "cover_ideal") == 5 + 4, (
        "from 13:00 on nobody is there"
    )
    most = replace(of, bands=(replace(band, least=0, most=0, importance=9),))
    assert who(solved(most), "0.D.garden.watch.1") == ["B1"], "where a team more is not too many"
    for each in (of, wider, most):
        assert check(each, solved(each)).clean


def test_teams_that_overlap_count_together_and_past_midnight_too():
    team = [guard(f"B{n}", "嘉汇") for n in (1, 2)]
    band = CoverBand(
        key="late",
        zone="impression",
        days=(0,),
        start_min=1380,
        end_min=1500,
        least=2,
        importance=3,
    )
    of = problem(
        team,
        watches((0, "N", "impression")),
        bands=(band,),
        zones=(*problem().zones[:1], IMPRESSION),
    )
    plan = solved(of)
    assert next(o.cost for o in plan.levels if o.level == "cover_ideal") == 3
    assert check(of, plan).clean


def test_a_trainee_of_the_team_is_one_in_the_weeks_problem(sample):
    community = sample.scalar(select(Community.id))
    found_demand(sample, community)
    member = sample.scalars(select(MemberRow).where(MemberRow.staff_number == "G01")).one()
    assert read_qualifications("急救、见习队员") == ("first_aid", "trainee")
    member.qualifications = [*member.qualifications, "trainee"]
    sample.flush()
    loaded = load_problem(sample, community, WEEK)
    assert [m.key for m in loaded.members if m.never_alone] == ["G01"]
