"""A week is loaded from the tables, stored as versions, and walks through its states."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from grid.calendar import CalendarDay
from grid.cells import PatrolZone
from grid.communities import Community
from grid.people import Member
from scheduling.core.check import check
from scheduling.core.problem import Limits
from scheduling.core.solve import Effort, solve
from scheduling.demand import CoverDemand, PatrolRequirement, ShiftTemplate
from scheduling.found import NobodyToPatrol, found_demand
from scheduling.leave import Leave
from scheduling.publish import BreaksTheLaw, RosterIsLocked, WrongState, lock, publish, review
from scheduling.rosters import Assignment, Patrol, RosterState
from scheduling.versions import find_version, shown_first, store_draft, versions_of
from scheduling.week import NotAWeek, NothingToRoster, load_problem, plan_of, problem_of

WEEK = date(2026, 11, 30)
QUICK = Effort(deterministic=0.2, workers=1)


@pytest.fixture
def community(sample) -> int:
    found = sample.scalar(select(Community.id))
    found_demand(sample, found)
    return found


def raise_requirement(session, community: int, **more) -> PatrolRequirement:
    zone = session.scalar(select(PatrolZone.id).where(PatrolZone.code == "Z3"))
    row = PatrolRequirement(
        **{
            "community_id": community, "zone_id": zone, "band_start_min": 1140,
            "band_end_min": 1290, "weekdays": [1, 2, 3, 4, 5, 6, 7], "visits_per_week": 5,
            "valid_from": date(2026, 11, 23), "valid_to": date(2027, 1, 1), "reason": "广场噪音",
            "raised_by": "lead", "raised_at": datetime.now(UTC), **more,
        }
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def draft(session, community, week=WEEK, job=None):
    problem = load_problem(session, community, week)
    return store_draft(session, community, problem, solve(problem, QUICK), by="lead", job_id=job)


def test_the_sample_team_fills_its_minimum_cover_and_the_hotspots_requirement(sample, community):
    raise_requirement(sample, community)
    problem = load_problem(sample, community, WEEK)
    assert len(problem.members) == 55
    assert sum(d.minimum for d in problem.demands) > 60
    plan = solve(problem, QUICK)
    assert check(problem, plan).clean
    costs = {o.level: o.cost for o in plan.levels}
    assert costs["cover_minimum"] == 0
    assert plan.requirements[0].short == 0


def test_founded_shifts_start_staggered_and_are_founded_once(sample, community):
    starts = sample.scalars(select(ShiftTemplate.start_min)).all()
    assert len(set(starts)) >= 5
    rows = sample.scalar(select(func.count()).select_from(CoverDemand))
    assert found_demand(sample, community) is False
    assert sample.scalar(select(func.count()).select_from(CoverDemand)) == rows


def test_no_zone_starts_at_the_same_minute_every_day(sample, community):
    problem = load_problem(sample, community, WEEK)
    shifts = {s.key: s.start_min for s in problem.shifts}
    for zone in problem.zones:
        first = [
            min(shifts[d.shift] for d in problem.demands if (d.zone, d.day) == (zone.key, day))
            for day in range(7)
        ]
        assert max(first.count(start) for start in first) <= 3


def test_a_community_without_zones_says_what_to_do(db):
    with pytest.raises(NobodyToPatrol) as refusal:
        found_demand(db, 0)
    assert "巡区" in refusal.value.sentence("zh")


def test_a_week_without_demand_says_what_to_do(sample):
    found = sample.scalar(select(Community.id))
    with pytest.raises(NothingToRoster) as refusal:
        load_problem(sample, found, WEEK)
    assert "勤务需求" in refusal.value.sentence("zh")


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(1999, 1, 4), "soon"])
def test_what_is_no_week_is_refused(sample, community, day):
    with pytest.raises(NotAWeek):
        if isinstance(day, str):
            from scheduling.week import as_monday

            as_monday(day)
        load_problem(sample, community, day)


def test_leave_days_off_and_contract_are_loaded(sample, community):
    officer = sample.scalar(select(Member).where(Member.staff_number == "P01"))
    sample.add(
        Leave(member_id=officer.id, first_day=date(2026, 12, 2), last_day=date(2026, 12, 20))
    )
    sample.flush()
    by_key = {m.key: m for m in load_problem(sample, community, WEEK).members}
    assert by_key["P01"].leave == (2, 3, 4, 5, 6)
    assert by_key["P01"].available_min == 2400 * 2 // 7
    assert by_key["B01"].days_off == (0,)
    assert by_key["B01"].employer == "嘉通物业"
    assert by_key["L01"].limits == Limits(
        minutes_week=720, patrols_week=3, nights_week=0, run_days=5
    )


def test_a_guard_of_jiatong_never_patrols_impression_in_the_sample(sample, community):
    version = draft(sample, community)
    rows = sample.execute(
        select(Member.staff_number, PatrolZone.code)
        .join(Assignment, Assignment.member_id == Member.id)
        .join(Patrol, Patrol.id == Assignment.patrol_id)
        .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
        .where(Patrol.roster_version_id == version.id, Member.force == "guard")
    ).all()
    assert rows
    for number, zone in rows:
        assert zone in ({"Z1", "Z2", "Z3"} if int(number[1:]) <= 12 else {"Z4", "Z5"})


def test_holidays_are_known_and_an_unknown_year_is_said(sample, community):
    national = load_problem(sample, community, date(2026, 9, 28))
    assert "holiday" in national.days
    assert national.notes == ()
    unknown = load_problem(sample, community, date(2029, 3, 5))
    assert set(unknown.days) == {"unknown"}
    assert "2029" in unknown.notes[0].zh
    assert (
        sample.scalar(select(CalendarDay.kind).where(CalendarDay.day == date(2029, 3, 5))) is None
    )


def test_a_withdrawn_or_ended_requirement_asks_nothing(sample, community):
    raise_requirement(sample, community, withdrawn=True)
    raise_requirement(sample, community, valid_to=date(2026, 11, 30))
    held = raise_requirement(sample, community, valid_to=date(2026, 12, 2))
    problem = load_problem(sample, community, WEEK)
    assert [r.key for r in problem.requirements] == [str(held.id)]
    assert problem.requirements[0].days == (0, 1)


def test_a_job_stores_its_version_once(sample, community):
    first = draft(sample, community, job="job-1")
    assert draft(sample, community, job="job-1") is first
    assert first.violations == 0
    assert first.number == 1
    assert draft(sample, community, job="job-2").number == 2
    assert problem_of(first).week_start == "2026-11-30"
    assert len(first.patrols) == sum(p.walked for p in plan_of(first).patrols)


def test_a_version_walks_through_its_states(sample, community):
    first = draft(sample, community)
    with pytest.raises(WrongState):
        publish(sample, community, first.id, by="lead")
    review(sample, community, first.id, by="office")
    publish(sample, community, first.id, by="lead")
    assert (first.state, first.reviewed_by, first.published_by) == ("published", "office", "lead")

    second = draft(sample, community)
    assert shown_first(versions_of(sample, community, WEEK)) is first
    review(sample, community, second.id, by="office")
    publish(sample, community, second.id, by="lead")
    assert (first.state, second.state) == ("reviewed", "published")

    lock(sample, community, second.id)
    assert second.state == RosterState.LOCKED
    for step in (
        lambda: review(sample, community, second.id, by="office"),
        lambda: publish(sample, community, second.id, by="lead"),
        lambda: publish(sample, community, first.id, by="lead"),
        lambda: lock(sample, community, second.id),
    ):
        with pytest.raises(RosterIsLocked) as refusal:
            step()
        assert refusal.value.status == 409
    assert first.state == RosterState.REVIEWED


def test_a_roster_that_breaks_the_law_is_never_published(sample, community):
    version = draft(sample, community)
    plan = dict(version.plan)
    plan["patrols"] = [
        {**p, "seats": [{**s, "member": "B20"} if s["member"] else s for s in p["seats"]]}
        for p in plan["patrols"]
    ]
    version.plan = plan
    sample.flush()
    with pytest.raises(BreaksTheLaw) as refusal:
        review(sample, community, version.id, by="office")
    assert refusal.value.status == 409
    assert "硬性违规" in refusal.value.sentence("zh")


def test_another_communitys_version_is_not_found(sample, community):
    from grid.errors import NotFound

    version = draft(sample, community)
    with pytest.raises(NotFound):
        find_version(sample, community + 1, version.id)


def test_the_next_week_carries_over_balance_rest_and_run(sample, community):
    version = draft(sample, community)
    before = load_problem(sample, community, date(2026, 12, 7))
    assert all(m.last_end_min is None and m.carried_over_bp == 0 for m in before.members)
    review(sample, community, version.id, by="office")
    publish(sample, community, version.id, by="lead")
    after = load_problem(sample, community, date(2026, 12, 7))
    plan, shifts = plan_of(version), {s.key: s for s in problem_of(version).shifts}
    ends: dict[str, int] = {}
    for p in plan.patrols:
        for seat in p.seats:
            if seat.member:
                end = (p.day - 7) * 1440 + shifts[p.shift].end_min
                ends[seat.member] = max(end, ends.get(seat.member, end))
    assert {m.key: m.last_end_min for m in after.members if m.last_end_min is not None} == ends
    assert any(m.last_end_min > 0 for m in after.members if m.last_end_min is not None)
    balances = [m.carried_over_bp for m in after.members if m.force == "guard"]
    assert any(balances)
    assert abs(sum(balances)) <= len(balances), "what one is owed, others owe"
    sunday = {s.member for p in plan.patrols if p.day == 6 for s in p.seats if s.member}
    assert {m.key for m in after.members if m.run_before_days} == sunday
    later = load_problem(sample, community, date(2026, 12, 14))
    assert all(m.last_end_min is None for m in later.members)
    assert [m.carried_over_bp for m in later.members if m.force == "guard"] == balances
    much_later = load_problem(sample, community, date(2027, 1, 11))
    assert not any(m.carried_over_bp for m in much_later.members)
