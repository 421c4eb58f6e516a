"""The team's own rules: kept by the lead, put into the next week's problem, refused where they clash."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from api.audit import AuditEntry
from grid.communities import Community
from scheduling.core.check import check
from scheduling.core.solve import Effort, solve
from scheduling.house_rules import HouseRules, house_rules
from scheduling.week import load_problem
from tests.published_week import WEEK, publish_week

PATH = "/cover/rules"
NEXT = WEEK.fromordinal(WEEK.toordinal() + 7)


@pytest.fixture
def site(sample_site):
    """The sample community with a published week behind the one that is asked for."""
    with sample_site.session() as session, session.begin():
        publish_week(session)
    sample_site.lead = sample_site.signed_in(Role.TEAM_LEAD)
    return sample_site


def problem(site, week=NEXT):
    with site.session() as session:
        return load_problem(session, session.scalar(select(Community.id)), week)


def stored(site) -> HouseRules:
    with site.session() as session:
        return house_rules(session, session.scalar(select(Community.id)))


def test_nothing_is_asked_until_somebody_asks(site):
    plain = problem(site)
    assert (plain.pairs, plain.staggering, plain.shares) == ((), None, None)
    assert "不要求" in site.lead.get(PATH).text
    site.lead.post(PATH, data={})
    assert problem(site) == plain, "an empty form asks for nothing"


def test_what_the_lead_saves_reaches_the_next_problem_and_is_kept_by_its_roster(site):
    before = problem(site)
    guards = [m for m in before.members if m.force == "guard"]
    shifts = [s.key for s in before.shifts]
    answer = site.lead.post(
        PATH,
        data={
            "gap_max_min": "240", "same_start_days": "4", "zone_week": "3", "weekends_row": "2",
            "weekends_in_four": "3", "rolling_days": "7", "rolling_hours": "30", "nights": "1",
            "complete_weekends": "1",
            "succession_first": [shifts[0], ""], "succession_then": [shifts[2], ""],
            "pair_one": [guards[0].key, ""], "pair_other": [guards[1].key, ""],
            "pair_kind": ["apart", "apart"],
        },
    )  # fmt: skip
    assert answer.status_code == 303
    asked = problem(site)
    assert (asked.staggering.gap_max_min, asked.staggering.same_start_days) == (240, 4)
    assert [(s.first, s.then) for s in asked.law.forbidden_successions] == [(shifts[0], shifts[2])]
    assert [(p.one, p.other, p.kind) for p in asked.pairs] == [
        (guards[0].key, guards[1].key, "apart")
    ]
    assert asked.shares.nights > 0
    limits = asked.members[0].limits
    assert (limits.zone_week, limits.weekends_row, limits.rolling[0].minutes) == (3, 2, 1800)
    plan = solve(asked, Effort(deterministic=1, seconds=20))
    assert check(asked, plan).clean
    for patrol in plan.patrols:
        team = {seat.member for seat in patrol.seats}
        assert not {guards[0].key, guards[1].key} <= team
    page = site.lead.get(PATH).text
    assert f'value="{guards[0].key}" selected' in page
    with site.session() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "house_rules.save")
        ).one()
    assert entry.details["now"]["zone_week"] == 3


def test_the_week_before_counts_for_weekends_hours_and_successions(site):
    with site.session() as session:
        worked = session.execute(
            text("""SELECT m.staff_number, p.day, s.code, p.end_min - p.start_min AS minutes
                    FROM assignment a JOIN patrol p ON p.id = a.patrol_id
                    JOIN shift_template s ON s.id = p.shift_template_id
                    JOIN member m ON m.id = a.member_id""")
        ).all()
    site.lead.post(PATH, data={"weekends_row": "1", "rolling_days": "7", "rolling_hours": "44"})
    for member in problem(site).members:
        mine = [row for row in worked if row.staff_number == member.key]
        assert sum(member.minutes_before) == sum(row.minutes for row in mine)
        if member.weekends_before:
            assert member.weekends_before[-1] == any(row.day.weekday() >= 5 for row in mine)
    assert any(m.weekends_before == (True,) for m in problem(site).members)
    one, other = [s.key for s in problem(site).shifts][:2]
    site.lead.post(PATH, data={"succession_first": one, "succession_then": other})
    sunday = {row.staff_number: row.code for row in worked if row.day.weekday() == 6}
    assert sunday
    assert {m.key: m.shift_before for m in problem(site).members if m.shift_before} == sunday


def test_rules_that_clash_or_cannot_be_meant_are_refused_and_what_was_kept_stays(site):
    site.lead.post(PATH, data={"zone_week": "2"})
    kept = stored(site)
    one, other, *_ = [m.key for m in problem(site).members]
    for data, sentence in (
        ({"gap_max_min": "很久"}, "空档上限“很久”应为 0 到 1440 的整数"),
        ({"zone_week": "-3"}, "同一巡区每周次数“-3”"),
        ({"rolling_days": "7"}, "要同时填写"),
        ({"pair_one": one, "pair_other": "", "pair_kind": "apart"}, "第 1 行没有选好队员"),
        ({"pair_one": one, "pair_other": one, "pair_kind": "apart"}, one),
        ({"pair_one": [one, other], "pair_other": [other, one], "pair_kind": ["together", "apart"]},
         "同组"),
        ({"succession_first": "X", "succession_then": "Y"}, "第 1 行没有选好班次"),
    ):  # fmt: skip
        answer = site.lead.post(PATH, data=data)
        assert answer.status_code >= 400, data
        assert sentence in answer.text
        assert stored(site) == kept
    for role in (Role.STREET_OFFICE, Role.PATROLLER):
        assert site.signed_in(role).get(PATH).status_code == 403


def test_a_pair_of_somebody_who_left_stands_in_nobodys_way(site):
    one, other, *_ = [m.key for m in problem(site).members]
    site.lead.post(PATH, data={"pair_one": one, "pair_other": other, "pair_kind": "together"})
    assert len(problem(site).pairs) == 1
    with site.session() as session, session.begin():
        session.execute(
            text("UPDATE member SET active_to = :day WHERE staff_number = :one"),
            {"day": WEEK, "one": one},
        )
    assert problem(site).pairs == ()
    assert replace(stored(site), pairs=()) == HouseRules()
