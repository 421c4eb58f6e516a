"""Swaps: proposed, answered, checked by rule, and published anew."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.database import transaction
from grid.errors import DomainError, NotFound
from grid.people import Member
from scheduling.conflicts import conflicts
from scheduling.core.check import check
from scheduling.core.plan import LEVELS
from scheduling.core.problem import Lock
from scheduling.core.reseat import Exchange, locks_moved, plan_of_roll, roll_of, try_exchange
from scheduling.exchange import Choice, PublishedWeek, begins_at
from scheduling.leave import enter_leave
from scheduling.publish import RosterIsLocked, publish
from scheduling.rosters import Assignment, CheckIn, Patrol, PatrolRoute, RosterState, RosterVersion
from scheduling.swaps import (
    Swap,
    SwapBreaksRules,
    SwapPending,
    SwapSettled,
    SwapState,
    SwapUnfit,
    answer,
    approve,
    let_lapse,
    propose,
    refuse,
    withdraw,
)
from scheduling.versions import report_of
from scheduling.week import plan_of, problem_of
from tests.conftest import Database, Server
from tests.published_week import WEEK, publish_week
from tests.scheduling.roster_problems import GARDEN, IMPRESSION, guard, problem, solved, watches

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
MONDAY_GARDEN, TUESDAY_GARDEN = "0.D.garden.watch.1", "1.D.garden.watch.1"


# --- The pure part ------------------------------------------------------------------------------


def small():
    """Two guards of one firm and one of another, a watch a day for two days."""
    return problem(
        members=[guard("B1", "嘉通"), guard("B2", "嘉通"), guard("B3", "嘉汇")],
        demands=watches((0, "D", "garden"), (1, "D", "garden"), (0, "D", "impression")),
        zones=(GARDEN, IMPRESSION),
    )


def seated(of, plan) -> dict[str, str]:
    return {p.key: p.seats[0].member for p in plan.patrols}


def test_a_plan_becomes_a_roll_and_the_same_plan_again():
    of = small()
    plan = solved(of)
    again = plan_of_roll(roll_of(of, plan), plan)
    assert again == replace(plan, status=again.status)
    assert check(of, again).clean


def test_an_exchange_keeps_every_figure_true_and_claims_nothing_unproven():
    of = problem()
    plan = solved(of)
    sits = [(p.key, n, s.member) for p in plan.patrols for n, s in enumerate(p.seats) if s.member]
    done = 0
    for key, _, member in sits:
        for other in (m.key for m in of.members):
            trial, breaches = try_exchange(roll_of(of, plan), Exchange(member, key, other))
            if other == member:
                continue
            changed = plan_of_roll(trial, plan)
            report = check(of, changed)
            assert bool(report.violations) == bool(breaches), (key, member, other, breaches, report)
            assert report.mismatches == ()
            done += not breaches
            if not breaches:
                worse = False
                for was, now in zip(plan.levels, changed.levels, strict=True):
                    assert not (worse and now.bound), "nothing is proven once a level before got worse"  # fmt: skip
                    worse = worse or now.cost > was.cost
    assert done
    assert tuple(level.level for level in plan.levels) == LEVELS


def test_the_rules_say_why_an_exchange_is_forbidden_and_for_whom():
    of = small()
    plan = solved(of)
    sits = seated(of, plan)
    mine, other = sits[MONDAY_GARDEN], sits["0.D.impression.watch.1"]
    assert other == "B3"
    _, breaches = try_exchange(roll_of(of, plan), Exchange(mine, MONDAY_GARDEN, "B3", "0.D.impression.watch.1"))  # fmt: skip
    assert {(b.member, b.rule) for b in breaches} == {("B3", "estate"), (mine, "estate")}
    gone, _ = try_exchange(roll_of(of, plan), Exchange("B3", MONDAY_GARDEN, mine))
    assert gone is None, "B3 does not sit there"


def test_a_lock_goes_over_to_who_sits_there_now():
    of = small()
    sits = seated(of, solved(of))
    mine = sits[MONDAY_GARDEN]
    other = "B2" if mine == "B1" else "B1"
    locked = replace(of, locks=(Lock(patrol=MONDAY_GARDEN, seat=0, member=mine),))
    moved = locks_moved(locked, Exchange(mine, MONDAY_GARDEN, other))
    assert moved.locks == (Lock(patrol=MONDAY_GARDEN, seat=0, member=other),)
    assert locks_moved(of, Exchange(mine, MONDAY_GARDEN, other)) is of


# --- On the published week ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(server: Server, sample_template: str) -> Iterator[Database]:
    database = server.clone(sample_template, f"swap_week_{os.getpid()}")
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


def member(session, number: str) -> Member:
    return session.scalars(select(Member).where(Member.staff_number == number)).one()


def current(session) -> RosterVersion:
    return session.scalars(select(RosterVersion).where(RosterVersion.state == RosterState.PUBLISHED)).one()  # fmt: skip


def offers(session, *, trade: bool) -> Iterator[tuple[Member, Patrol, Member, Choice]]:
    """Exchanges that the rules allow: asker, their patrol, the other, what is taken for it."""
    version = current(session)
    shown = PublishedWeek(session, version)
    rows = session.execute(
        select(Member, Patrol)
        .join(Assignment, Assignment.member_id == Member.id)
        .join(Patrol, Patrol.id == Assignment.patrol_id)
        .where(Patrol.roster_version_id == version.id, Member.force == "guard")
        .order_by(Patrol.day, Patrol.id)
    ).all()
    for asker, patrol in rows:
        for choice in shown.choices(asker.staff_number, patrol.key, NOW):
            if (choice.patrol is not None) == trade:
                yield asker, patrol, member(session, choice.member), choice
                break


def proposed(session, *, trade=False, skip=0, **more) -> Swap:
    asker, patrol, other, choice = [o for _, o in zip(range(skip + 1), offers(session, trade=trade), strict=False)][skip]  # fmt: skip
    return propose(session, asker, patrol.id, other.id, other_patrol=choice.patrol, note="有事", by="asker", now=NOW, **more)  # fmt: skip


def accepted(session, **more) -> Swap:
    swap = proposed(session, **more)
    return answer(session, session.get_one(Member, swap.other_id), swap.id, accept=True, reason="", now=NOW)  # fmt: skip


def sitting(session, key: str, version: RosterVersion | None = None) -> set[int]:
    return set(
        session.scalars(
            select(Assignment.member_id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .where(Patrol.roster_version_id == (version or current(session)).id, Patrol.key == key)
        )
    )


@pytest.mark.parametrize("trade", [False, True])
def test_an_approved_swap_is_published_as_a_new_version_that_the_checker_finds_sound(
    week, community, trade
):
    old = current(week)
    before = {p.id: (p.key, p.day) for p in week.scalars(select(Patrol))}
    swap = accepted(week, trade=trade)
    done = approve(week, community, swap.id, by="lead", now=NOW)
    new = current(week)
    assert done.version is new
    assert (new.number, old.state) == (old.number + 1, "reviewed")
    assert (new.created_by, new.reviewed_by, new.published_by) == ("asker", "lead", "lead")
    assert new.violations == 0
    assert report_of(new).clean
    assert swap.other_id in sitting(week, swap.asker_patrol)
    assert swap.asker_id not in sitting(week, swap.asker_patrol)
    assert swap.asker_id in sitting(week, swap.asker_patrol, old), "what was stays to compare with"
    if trade:
        assert swap.asker_id in sitting(week, swap.other_patrol)
    living = {p.id: (p.key, p.day) for p in week.scalars(select(Patrol).where(Patrol.roster_version_id == new.id))}  # fmt: skip
    assert living == before, "the patrols people walk keep their rows"
    seats = {
        (p.key, n): s.member
        for p in plan_of(new).patrols
        for n, s in enumerate(p.seats)
        if s.member
    }
    stored = week.execute(
        select(Patrol.key, Assignment.seat, Member.staff_number)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .join(Member, Member.id == Assignment.member_id)
        .where(Patrol.roster_version_id == new.id)
    )
    assert {(key, seat): number for key, seat, number in stored} == seats
    assert problem_of(new) == problem_of(old)


def test_walks_and_check_ins_go_on_with_the_patrol(week, community):
    swap = accepted(week)
    patrol = week.scalars(select(Patrol).where(Patrol.key == swap.asker_patrol)).one()
    week.add(PatrolRoute(patrol_id=patrol.id, length_m=1, minutes=1, stops=[]))
    week.add(CheckIn(client_id="c" * 8, patrol_id=patrol.id, stop="checkpoint:1", member_id=swap.asker_id, device_at=NOW, server_at=NOW))  # fmt: skip
    week.flush()
    done = approve(week, community, swap.id, by="lead", now=NOW)
    for table in (PatrolRoute, CheckIn):
        on = week.execute(select(Patrol.roster_version_id).join(table, table.patrol_id == Patrol.id)).scalars()  # fmt: skip
        assert list(on) == [done.version.id]


def test_the_rules_are_asked_again_with_leave_told_since(week, community):
    swap = accepted(week)
    patrol = week.scalars(select(Patrol).where(Patrol.key == swap.asker_patrol)).one()
    other = week.get_one(Member, swap.other_id)
    enter_leave(week, other, patrol.day, patrol.day, reason="", by="lead", today=NOW.date(), now=NOW)  # fmt: skip
    with pytest.raises(SwapBreaksRules) as refusal:
        approve(week, community, swap.id, by="lead", now=NOW)
    assert "请假" in str(refusal.value)
    assert other.name in str(refusal.value)
    assert swap.state == SwapState.ACCEPTED


def test_a_swap_settles_the_conflict_that_leave_made(week, community):
    asker, patrol, other, _ = next(offers(week, trade=False))
    enter_leave(week, asker, patrol.day, patrol.day, reason="", by="lead", today=NOW.date(), now=NOW)  # fmt: skip
    assert patrol.id in {c.patrol_id for c in conflicts(week, community, WEEK)}
    swap = propose(week, asker, patrol.id, other.id, other_patrol=None, note="", by="a", now=NOW)
    answer(week, other, swap.id, accept=True, reason="", now=NOW)
    approve(week, community, swap.id, by="lead", now=NOW)
    assert patrol.id not in {c.patrol_id for c in conflicts(week, community, WEEK)}


def test_what_the_rules_forbid_cannot_even_be_proposed(week):
    version = current(week)
    asker, patrol, *_ = next(offers(week, trade=False))
    zone_firm = asker.employer_id
    stranger = week.scalars(select(Member).where(Member.force == "guard", Member.employer_id != zone_firm)).first()  # fmt: skip
    with pytest.raises(SwapBreaksRules) as refusal:
        propose(week, asker, patrol.id, stranger.id, other_patrol=None, note="", by="a", now=NOW)
    assert stranger.name in str(refusal.value)
    assert refusal.value.status == 409
    assert current(week) is version


def test_rest_counts_over_the_border_of_two_published_weeks(week, community):
    """Sunday night here and Monday early there: each week alone is sound."""
    shown = PublishedWeek(week, current(week))
    late = [
        (key, slot)
        for key, slots in shown.roll.patrols.items()
        for slot in slots
        if slot.day == 6 and slot.shift.end_min >= 1320 and key.startswith("B")
    ]
    key, slot = late[0]
    free = next(
        c.member for c in shown.choices(key, slot.key, NOW) if c.patrol is None
    )  # fmt: skip
    monday = publish_week(week, WEEK + timedelta(days=7))
    person = member(week, free)
    theirs = select(Assignment.patrol_id).where(Assignment.member_id == person.id)
    early = week.scalars(
        select(Patrol)
        .where(
            Patrol.roster_version_id == monday.id,
            Patrol.day == WEEK + timedelta(days=7),
            Patrol.id.not_in(theirs),
        )
        .order_by(Patrol.start_min)
    ).first()
    early.start_min, early.end_min = 60, 240
    week.add(Assignment(patrol_id=early.id, member_id=person.id, seat=9))
    week.flush()
    verdict = PublishedWeek(week, current_of(week, WEEK)).verdict(Exchange(key, slot.key, free))
    rest = next(b for b in verdict.breaches if (b.member, b.rule) == (free, "rest"))
    assert "相邻一周" in rest.zh
    assert free not in {c.member for c in PublishedWeek(week, current_of(week, WEEK)).choices(key, slot.key, NOW)}  # fmt: skip


def current_of(session, monday) -> RosterVersion:
    return session.scalars(select(RosterVersion).where(RosterVersion.state == RosterState.PUBLISHED, RosterVersion.week_start == monday)).one()  # fmt: skip


def test_days_in_a_row_count_over_the_border(week):
    shown = PublishedWeek(week, current(week))
    key, slot = next((k, s) for k, slots in shown.roll.patrols.items() for s in slots if s.day == 6 and k.startswith("B"))  # fmt: skip
    free = next(c.member for c in shown.choices(key, slot.key, NOW) if c.patrol is None)
    worked = {s.day for s in shown.roll.patrols[free]}
    person = member(week, free)
    following = publish_week(week, WEEK + timedelta(days=7))
    theirs = select(Assignment.patrol_id).where(Assignment.member_id == person.id)
    spare = week.scalars(
        select(Patrol)
        .where(Patrol.roster_version_id == following.id, Patrol.id.not_in(theirs))
        .order_by(Patrol.id)
    ).all()
    for row, day in zip(spare, range(7, 13), strict=False):
        row.day, row.start_min, row.end_min = WEEK + timedelta(days=day), 1200, 1260
        week.add(Assignment(patrol_id=row.id, member_id=person.id, seat=9))
    week.flush()
    verdict = PublishedWeek(week, current_of(week, WEEK)).verdict(Exchange(key, slot.key, free))
    assert "run_days" in {b.rule for b in verdict.breaches}, worked


def test_a_locked_week_takes_no_swap(week, community):
    swap = accepted(week)
    asker, patrol, other, choice = next(offers(week, trade=False))
    current(week).state = RosterState.LOCKED
    week.flush()
    with pytest.raises(RosterIsLocked) as refusal:
        approve(week, community, swap.id, by="lead", now=NOW)
    assert refusal.value.status == 409
    with pytest.raises(RosterIsLocked):
        propose(week, asker, patrol.id, other.id, other_patrol=choice.patrol, note="", by="a", now=NOW)  # fmt: skip
    assert [s.state for s in let_lapse(week, community, NOW)] == ["obsolete"]
    assert "锁定" in swap.decision


def test_a_proposal_expires_when_the_patrol_begins_and_says_so(week, community):
    swap = accepted(week)
    later = swap.begins_at + timedelta(minutes=1)
    with pytest.raises(SwapSettled) as refusal:
        approve(week, community, swap.id, by="lead", now=later)
    assert "已过期" in str(refusal.value)
    assert let_lapse(week, community, NOW) == []
    assert let_lapse(week, community, later) == [swap]
    assert swap.state == SwapState.EXPIRED
    assert "已经开始" in swap.decision
    patrol = week.scalars(select(Patrol).where(Patrol.key == swap.asker_patrol)).one()
    assert begins_at(patrol.day, patrol.start_min) >= swap.begins_at
    with pytest.raises(SwapUnfit):
        propose(week, week.get_one(Member, swap.asker_id), patrol.id, swap.other_id, other_patrol=None, note="", by="a", now=later)  # fmt: skip


def test_one_swap_makes_the_others_of_the_same_patrol_obsolete(week, community):
    first = accepted(week)
    asker = week.get_one(Member, first.asker_id)
    patrol = week.scalars(select(Patrol).where(Patrol.key == first.asker_patrol)).one()
    with pytest.raises(SwapPending):
        propose(week, asker, patrol.id, first.other_id, other_patrol=None, note="", by="a", now=NOW)
    # Somebody else wants the same patrol of the asker in exchange for theirs.
    shown = PublishedWeek(week, current(week))
    second = next(
        propose(week, someone, other_patrol.id, asker.id, other_patrol=patrol.key, note="", by="b", now=NOW)
        for someone, other_patrol in week.execute(
            select(Member, Patrol).join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id).where(Member.id != asker.id).order_by(Patrol.id)
        )
        if shown.verdict(Exchange(someone.staff_number, other_patrol.key, asker.staff_number, patrol.key)).allowed
        and someone.id != first.other_id
    )  # fmt: skip
    done = approve(week, community, first.id, by="lead", now=NOW)
    assert list(done.obsolete) == [second]
    assert second.state == SwapState.OBSOLETE
    with pytest.raises(SwapSettled) as refusal:
        answer(week, asker, second.id, accept=True, reason="", now=NOW)
    assert "已失效" in str(refusal.value)


def test_each_step_is_for_the_one_whose_turn_it_is(week, community):
    swap = proposed(week)
    asker, other = week.get_one(Member, swap.asker_id), week.get_one(Member, swap.other_id)
    with pytest.raises(SwapSettled):
        approve(week, community, swap.id, by="lead", now=NOW)
    for wrong in (
        lambda: answer(week, asker, swap.id, accept=True, reason="", now=NOW),
        lambda: withdraw(week, other, swap.id, now=NOW),
        lambda: approve(week, community + 1, swap.id, by="lead", now=NOW),
        lambda: propose(week, other, week.scalars(select(Patrol).where(Patrol.key == swap.asker_patrol)).one().id, asker.id, other_patrol=None, note="", by="x", now=NOW),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            wrong()
    answer(week, other, swap.id, accept=True, reason="", now=NOW)
    with pytest.raises(SwapUnfit):
        refuse(week, community, swap.id, decision=" ", by="lead", now=NOW)
    refuse(week, community, swap.id, decision="人手紧", by="lead", now=NOW)
    for late in (
        lambda: withdraw(week, asker, swap.id, now=NOW),
        lambda: approve(week, community, swap.id, by="lead", now=NOW),
        lambda: answer(week, other, swap.id, accept=False, reason="", now=NOW),
    ):
        with pytest.raises(SwapSettled) as refusal:
            late()
        assert "未批准" in str(refusal.value)


def test_a_declined_proposal_leaves_room_for_the_next(week):
    swap = proposed(week)
    answer(week, week.get_one(Member, swap.other_id), swap.id, accept=False, reason="有事", now=NOW)
    assert (swap.state, swap.decision) == ("declined", "有事")
    assert proposed(week).state == SwapState.PROPOSED


def test_two_leads_who_approve_at_once_approve_once_and_two_swaps_both_come_through(
    server, sample_template
):
    """One swap twice: one wins. Two swaps of one week at once: two new versions, one after the other."""
    database = server.clone(sample_template, f"swap_race_{os.getpid()}")
    try:
        with Session(database.engine) as session, session.begin():
            community = session.scalar(select(Community.id))
            publish_week(session)
            first = accepted(session)
            used = {first.asker_id, first.other_id}
            second = next(
                propose(session, asker, patrol.id, other.id, other_patrol=None, note="", by="b", now=NOW)
                for asker, patrol, other, _ in offers(session, trade=False)
                if not used & {asker.id, other.id}
            )  # fmt: skip
            answer(session, session.get_one(Member, second.other_id), second.id, accept=True, reason="", now=NOW)  # fmt: skip
            ids = [first.id, first.id, second.id, second.id]

        def decide(swap_id: int) -> str:
            try:
                with transaction(database.engine) as session:
                    approve(session, community, swap_id, by="lead", now=NOW)
            except DomainError as refusal:
                return type(refusal).__name__
            return "done"

        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(decide, ids))
        assert sorted(said) == ["SwapSettled", "SwapSettled", "done", "done"]
        with Session(database.engine) as session:
            numbers = session.execute(select(RosterVersion.number, RosterVersion.state).order_by(RosterVersion.number)).all()  # fmt: skip
            assert [tuple(n) for n in numbers] == [(1, "reviewed"), (2, "reviewed"), (3, "published")]  # fmt: skip
            last = current(session)
            assert report_of(last).clean
            for swap in session.scalars(select(Swap)):
                assert swap.other_id in sitting(session, swap.asker_patrol)
            per_version = session.execute(select(func.count()).select_from(Patrol).group_by(Patrol.roster_version_id)).scalars().all()  # fmt: skip
            assert len(set(per_version)) == 1
    finally:
        database.drop()


def test_a_swap_and_a_publication_at_once_leave_one_published_version(server, sample_template):
    database = server.clone(sample_template, f"swap_publish_{os.getpid()}")
    try:
        with Session(database.engine) as session, session.begin():
            community = session.scalar(select(Community.id))
            rival = publish_week(session)
            rival.state = RosterState.REVIEWED
            session.flush()
            publish_week(session)
            swap, rival = accepted(session).id, rival.id
        calls = [
            lambda session: approve(session, community, swap, by="lead", now=NOW),
            lambda session: publish(session, community, rival, by="lead"),
        ]

        def run(call) -> str:
            try:
                with transaction(database.engine) as session:
                    call(session)
            except DomainError as refusal:
                return type(refusal).__name__
            return "done"

        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(run, calls))
        # Whoever comes second finds the other's version; only the swap may have become obsolete.
        assert said[1] == "done"
        assert said[0] in {"done", "SwapSettled", "SwapBreaksRules", "SwapUnfit"}
        with Session(database.engine) as session:
            assert session.scalar(select(func.count()).where(RosterVersion.state == "published")) == 1  # fmt: skip
    finally:
        database.drop()
