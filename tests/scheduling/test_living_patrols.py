"""Publishing a week anew: the patrols people walk keep their rows, and every version its people."""

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select

from grid.communities import Community
from grid.people import Member
from scheduling.core.solve import solve
from scheduling.publish import publish, review
from scheduling.rosters import Assignment, CheckIn, Patrol, PatrolRoute, RosterVersion
from scheduling.versions import store_draft
from scheduling.week import plan_of, problem_of
from tests.published_week import LITTLE, publish_week

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def rows_of(session, version: RosterVersion) -> dict[tuple[str, int], str]:
    """Who sits where by the rows."""
    found = session.execute(
        select(Patrol.key, Assignment.seat, Member.staff_number)
        .join(Assignment, Assignment.patrol_id == Patrol.id)
        .join(Member, Member.id == Assignment.member_id)
        .where(Patrol.roster_version_id == version.id)
    )
    return {(key, seat): member for key, seat, member in found}


def plan_says(version: RosterVersion) -> dict[tuple[str, int], str]:
    """Who sits where by the plan."""
    return {
        (p.key, n): s.member
        for p in plan_of(version).patrols
        for n, s in enumerate(p.seats)
        if s.member
    }


def test_check_ins_and_links_go_on_with_the_version_published_next_and_back(sample):
    community = sample.scalar(select(Community.id))
    first = publish_week(sample)
    problem = problem_of(first)
    busy = max(plan_of(first).loads, key=lambda load: load.patrols).member
    without = replace(
        problem,
        members=tuple(
            replace(m, leave=tuple(range(7))) if m.key == busy else m for m in problem.members
        ),
    )
    second = store_draft(sample, community, without, solve(without, LITTLE), by="maker")
    assert plan_says(first) != plan_says(second)
    both = {k for k, _ in plan_says(first)} & {k for k, _ in plan_says(second)}
    living = dict(
        sample.execute(
            select(Patrol.key, Patrol.id).where(Patrol.roster_version_id == first.id)
        ).all()
    )
    walked = living[min(both)]
    member = sample.scalars(select(Assignment.member_id).where(Assignment.patrol_id == walked)).first()  # fmt: skip
    sample.add(PatrolRoute(patrol_id=walked, length_m=1, minutes=1, stops=[]))
    sample.add(CheckIn(client_id="c" * 8, patrol_id=walked, stop="checkpoint:1", member_id=member, device_at=NOW, server_at=NOW))  # fmt: skip
    sample.flush()

    review(sample, community, second.id, by="lead")
    publish(sample, community, second.id, by="lead")
    now = dict(
        sample.execute(
            select(Patrol.key, Patrol.id).where(Patrol.roster_version_id == second.id)
        ).all()
    )
    assert {key: now[key] for key in both} == {key: living[key] for key in both}
    for table in (CheckIn, PatrolRoute):
        assert sample.scalars(select(table.patrol_id)).all() == [now[min(both)]]
    for version in (first, second):
        assert rows_of(sample, version) == plan_says(version)

    publish(sample, community, first.id, by="lead")
    back = dict(
        sample.execute(
            select(Patrol.key, Patrol.id).where(Patrol.roster_version_id == first.id)
        ).all()
    )
    assert back == living
    for version in (first, second):
        assert rows_of(sample, version) == plan_says(version)
