"""Leave: asked, decided, and what of a published roster it breaks."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.errors import NotFound
from grid.people import Member
from scheduling.availability import absences
from scheduling.conflicts import ToldSince, conflicts, refuse_told_since, would_break
from scheduling.core.problem import Absence
from scheduling.leave import (
    Leave,
    LeaveDecided,
    LeaveOverlaps,
    LeaveState,
    LeaveUnfit,
    ask_leave,
    decide_leave,
    enter_leave,
    withdraw_leave,
)
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.week import load_problem
from tests.conftest import Database, Server
from tests.published_week import WEEK, publish_week

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def published(server: Server, sample_template: str) -> Iterator[Database]:
    database = server.clone(sample_template, f"leave_week_{os.getpid()}")
    with Session(database.engine) as session, session.begin():
        publish_week(session)
    yield database
    database.drop()


@pytest.fixture
def week(published) -> Iterator[Session]:
    with published.engine.connect() as connection:
        outer = connection.begin()
        with Session(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        ) as session:
            yield session
        outer.rollback()


@pytest.fixture
def community(week) -> int:
    return week.scalar(select(Community.id))


def busy(session: Session) -> tuple[Member, list[Patrol]]:
    """A member with several published patrols."""
    rows = session.execute(
        select(Member, Patrol)
        .join(Assignment, Assignment.member_id == Member.id)
        .join(Patrol, Patrol.id == Assignment.patrol_id)
        .order_by(Member.staff_number, Patrol.day)
    ).all()
    found: dict[Member, list[Patrol]] = {}
    for member, patrol in rows:
        found.setdefault(member, []).append(patrol)
    return next((m, p) for m, p in found.items() if len(p) >= 3)


def asked(session, member, first=WEEK, last=WEEK, **more) -> Leave:
    return ask_leave(
        session, member, first, last,
        **{"reason": "家中有事", "by": "m", "today": TODAY, "now": NOW, **more},
    )  # fmt: skip


def away(session, community, member) -> tuple[int, ...]:
    return next(m.leave for m in load_problem(session, community, WEEK).members if m.key == member.staff_number)  # fmt: skip


def test_only_approved_leave_reaches_the_roster(week, community):
    member, _ = busy(week)
    leave = asked(week, member, WEEK, WEEK + timedelta(days=1))
    assert away(week, community, member) == ()
    decide_leave(week, community, leave.id, approve=True, decision="", by="lead", now=NOW)
    assert away(week, community, member) == (0, 1)
    withdraw_leave(week, community, leave.id, by="lead", now=NOW)
    assert away(week, community, member) == ()


def test_a_refusal_needs_a_reason_and_leave_is_decided_once(week, community):
    member, _ = busy(week)
    leave = asked(week, member)
    with pytest.raises(LeaveUnfit):
        decide_leave(week, community, leave.id, approve=False, decision=" ", by="lead", now=NOW)
    decide_leave(week, community, leave.id, approve=False, decision="当天有安保", by="lead", now=NOW)  # fmt: skip
    assert (leave.state, leave.decision, leave.decided_by) == ("refused", "当天有安保", "lead")
    with pytest.raises(LeaveDecided) as again:
        decide_leave(week, community, leave.id, approve=True, decision="", by="other", now=NOW)
    assert "未批准" in str(again.value)
    assert "lead" in str(again.value)
    assert away(week, community, member) == ()


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 12, 2), date(2026, 12, 1)),
        (date(2026, 11, 22), date(2026, 11, 24)),
        (date(2026, 12, 1), date(2027, 12, 1)),
        (date(2029, 1, 1), date(2029, 1, 2)),
    ],
)
def test_days_that_cannot_be_leave_are_refused_with_what_to_do(week, first, last):
    with pytest.raises(LeaveUnfit) as refusal:
        asked(week, busy(week)[0], first, last)
    assert "请" in str(refusal.value)


def test_leave_does_not_overlap_leave_but_may_follow_what_was_refused(week, community):
    member, _ = busy(week)
    first = asked(week, member, WEEK, WEEK + timedelta(days=2))
    with pytest.raises(LeaveOverlaps):
        asked(week, member, WEEK + timedelta(days=2), WEEK + timedelta(days=4))
    withdraw_leave(week, community, first.id, by="m", now=NOW, member_id=member.id)
    asked(week, member, WEEK + timedelta(days=2), WEEK + timedelta(days=4))


def test_the_lead_enters_leave_just_past_and_it_counts_at_once(week, community):
    member, _ = busy(week)
    leave = enter_leave(
        week, member, TODAY - timedelta(days=3), WEEK, reason="", by="lead", today=TODAY, now=NOW
    )
    assert leave.state == LeaveState.APPROVED
    assert away(week, community, member) == (0,)
    with pytest.raises(LeaveUnfit):
        enter_leave(week, member, date(2026, 9, 1), date(2026, 9, 2), reason="", by="lead", today=TODAY, now=NOW)  # fmt: skip


def test_a_member_takes_back_only_their_own_and_only_what_is_open(week, community):
    member, _ = busy(week)
    other = week.scalars(select(Member).where(Member.id != member.id)).first()
    leave = asked(week, member)
    with pytest.raises(NotFound):
        withdraw_leave(week, community, leave.id, by="x", now=NOW, member_id=other.id)
    with pytest.raises(NotFound):
        decide_leave(week, community + 1, leave.id, approve=True, decision="", by="x", now=NOW)
    decide_leave(week, community, leave.id, approve=True, decision="", by="lead", now=NOW)
    with pytest.raises(LeaveDecided):
        withdraw_leave(week, community, leave.id, by="m", now=NOW, member_id=member.id)


def test_leave_after_publication_lists_the_patrols_it_breaks_until_it_is_taken_back(
    week, community
):
    member, patrols = busy(week)
    assert conflicts(week, community, WEEK) == []
    first, last = patrols[0].day, patrols[1].day
    expected = {p.id for p in patrols if first <= p.day + timedelta(days=(p.end_min - 1) // 1440) and p.day <= last}  # fmt: skip
    assert {c.patrol_id for c in would_break(week, community, member.id, first, last)} == expected
    leave = enter_leave(week, member, first, last, reason="", by="lead", today=TODAY, now=NOW)
    found = conflicts(week, community, WEEK)
    assert {c.patrol_id for c in found} == expected
    assert {(c.member_id, c.why, c.leave_id, c.locked) for c in found} == {(member.id, "leave", leave.id, False)}  # fmt: skip
    day = (found[0].day - WEEK).days
    assert found[0].desk == f"/rosters/{found[0].version_id}/desk?member={member.staff_number}&day={day}"  # fmt: skip
    assert conflicts(week, community, WEEK, member_id=member.id + 1) == []
    withdraw_leave(week, community, leave.id, by="lead", now=NOW)
    assert conflicts(week, community, WEEK) == []


def test_a_patrol_past_midnight_meets_the_next_days_leave(week, community):
    member, patrols = busy(week)
    night = patrols[0]
    night.end_min = 1500
    week.flush()
    day = night.day + timedelta(days=1)
    assert night.id in {c.patrol_id for c in would_break(week, community, member.id, day, day)}
    night.end_min = 1440
    week.flush()
    assert night.id not in {c.patrol_id for c in would_break(week, community, member.id, day, day)}


def test_a_draft_and_an_earlier_day_are_no_conflict(week, community):
    member, _ = busy(week)
    enter_leave(week, member, WEEK, WEEK + timedelta(days=6), reason="", by="lead", today=TODAY, now=NOW)  # fmt: skip
    assert conflicts(week, community, WEEK)
    assert conflicts(week, community, WEEK + timedelta(days=7)) == []
    week.scalars(select(RosterVersion)).one().state = RosterState.REVIEWED
    week.flush()
    assert conflicts(week, community, WEEK) == []


def test_a_draft_that_leave_overtook_is_not_published_but_an_eased_day_off_is(week, community):
    member, patrols = busy(week)
    draft = week.scalars(select(RosterVersion)).one()
    draft.state = RosterState.DRAFT
    day = patrols[0].day
    member.days_off = [day.isoweekday()]
    week.flush()
    refuse_told_since(week, community, draft.id, TODAY)
    enter_leave(week, member, day, day, reason="", by="lead", today=TODAY, now=NOW)
    with pytest.raises(ToldSince) as refusal:
        refuse_told_since(week, community, draft.id, TODAY)
    assert refusal.value.status == 409
    assert member.name in str(refusal.value)
    assert "请假" in str(refusal.value)
    refuse_told_since(week, community, draft.id, WEEK + timedelta(days=7))
    refuse_told_since(week, community + 1, draft.id, TODAY)


def test_leavers_new_days_off_and_closed_hours_break_what_is_published(week, community):
    member, patrols = busy(week)
    patrol = patrols[0]
    member.active_to = patrol.day
    week.flush()
    assert {c.why for c in conflicts(week, community, WEEK)} == {"left"}
    member.active_to = None
    member.days_off = [patrol.day.isoweekday()]
    week.flush()
    assert [(c.patrol_id, c.why) for c in conflicts(week, community, WEEK)] == [(patrol.id, "day_off")]  # fmt: skip
    member.days_off = []
    eve = (patrol.day - timedelta(days=1)).isoweekday()
    member.unavailable = [{"weekdays": [eve], "start_min": 1380, "end_min": 1440 + patrol.start_min + 1}]  # fmt: skip
    week.flush()
    assert [(c.patrol_id, c.why) for c in conflicts(week, community, WEEK)] == [(patrol.id, "closed_hours")]  # fmt: skip
    member.unavailable = [{"weekdays": [eve], "start_min": 1380, "end_min": 1440 + patrol.start_min}]  # fmt: skip
    week.flush()
    assert conflicts(week, community, WEEK) == []


def test_a_guard_who_changed_firms_breaks_the_patrols_of_the_old_one(week, community):
    guard = week.scalars(
        select(Member)
        .join(Assignment, Assignment.member_id == Member.id)
        .where(Member.force == "guard")
    ).first()
    other = week.scalars(
        select(Member.employer_id).where(
            Member.force == "guard", Member.employer_id != guard.employer_id
        )
    ).first()
    mine = week.scalars(select(Assignment.patrol_id).where(Assignment.member_id == guard.id)).all()
    guard.employer_id = other
    week.flush()
    found = conflicts(week, community, WEEK)
    assert {c.patrol_id for c in found} == set(mine)
    assert {c.why for c in found} == {"employer"}


def test_closed_hours_reach_the_roster_over_midnight_and_over_the_weeks_border(week, community):
    member, _ = busy(week)
    member.unavailable = [
        {"weekdays": [1], "start_min": 480, "end_min": 720},
        {"weekdays": [7], "start_min": 1320, "end_min": 1800},
    ]
    assert absences(member, WEEK) == (
        Absence(start_min=0, end_min=360),
        Absence(start_min=480, end_min=720),
        Absence(start_min=6 * 1440 + 1320, end_min=7 * 1440 + 360),
    )
    week.flush()
    loaded = next(m for m in load_problem(week, community, WEEK).members if m.key == member.staff_number)  # fmt: skip
    assert loaded.unavailable == absences(member, WEEK)


def test_two_who_ask_at_once_make_one_leave(server, sample_template):
    """The second waits for the first and then sees it."""
    database = server.clone(sample_template, f"leave_race_{os.getpid()}")
    try:
        with Session(database.engine) as one, Session(database.engine) as two:
            member = one.scalars(select(Member).order_by(Member.id)).first()
            asked(one, member)
            two.execute(text("SET lock_timeout = '200ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                asked(two, two.get_one(Member, member.id))
            two.rollback()
            one.commit()
            with pytest.raises(LeaveOverlaps):
                asked(two, two.get_one(Member, member.id))
    finally:
        database.drop()
