"""Routes of a stored roster: what each must visit, stored once, the same every time."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from grid.cells import PatrolZone
from grid.communities import Community
from grid.people import Member
from scheduling.demand import PatrolRequirement, PatrolType, ShiftTemplate
from scheduling.found import found_demand
from scheduling.rosters import Assignment, Patrol, PatrolRoute, RosterState, RosterVersion
from scheduling.walked import load_walked
from scheduling.walks import NotPublished, plan_walks, week_of_member
from tests.conftest import SAMPLE_UNTIL

MONDAY = date(2026, 11, 30)


def put_roster(session, state=RosterState.PUBLISHED, patrols=3) -> RosterVersion:
    """A hand-written version: the same shift on the first days, in zone Z2, by two members."""
    community = session.scalars(select(Community)).one()
    found_demand(session, community.id)
    shift = session.scalars(
        select(ShiftTemplate)
        .where(ShiftTemplate.start_min >= 18 * 60)
        .order_by(ShiftTemplate.start_min)
    ).first()
    kind = session.scalars(select(PatrolType).order_by(PatrolType.code)).first()
    zone = session.scalars(select(PatrolZone).where(PatrolZone.code.endswith("2"))).first()
    members = session.scalars(select(Member).order_by(Member.staff_number).limit(2)).all()
    version = RosterVersion(
        community_id=community.id, week_start=MONDAY, number=1, state=state, problem={}, plan={},
        violations=0, created_by="test", created_at=func.now(),
    )  # fmt: skip
    session.add(version)
    session.flush()
    for n in range(patrols):
        patrol = Patrol(
            roster_version_id=version.id, key=f"{n}", day=MONDAY + timedelta(days=n),
            shift_template_id=shift.id, zone_id=zone.id, patrol_type_id=kind.id,
            start_min=shift.start_min, end_min=shift.end_min,
        )  # fmt: skip
        patrol.assignments = [
            Assignment(member_id=m.id, seat=seat, leader=seat == 0)
            for seat, m in enumerate(members)
        ]
        session.add(patrol)
    session.flush()
    return version


def silent(done: int, total: int) -> None:
    pass


def routes(session) -> list[PatrolRoute]:
    return list(
        session.scalars(
            select(PatrolRoute)
            .join(Patrol, Patrol.id == PatrolRoute.patrol_id)
            .order_by(Patrol.day)
        )
    )


def test_every_patrol_that_goes_gets_a_walk_past_its_zones_checkpoints(sample):
    version = put_roster(sample)
    assert plan_walks(sample, version.community_id, version.id, silent) == 3
    in_zone = set(
        sample.scalars(
            text(
                """SELECT c.id FROM checkpoint c JOIN grid_cell g ON ST_Covers(g.boundary, c.location)
                   JOIN patrol_zone_cell zc ON zc.cell_id = g.id
                   JOIN patrol p ON p.zone_id = zc.zone_id"""
            )
        )
    )
    for route in routes(sample):
        visited = {s["id"] for s in route.stops if s["kind"] == "checkpoint"}
        assert visited == in_zone
        assert route.unreached == []
        assert route.length_m > 500


def test_a_walk_lies_on_the_community_and_ends_within_the_shift(sample):
    version = put_roster(sample)
    plan_walks(sample, version.community_id, version.id, silent)
    rows = sample.execute(
        text(
            """SELECT r.minutes, p.start_min, p.end_min, ST_Covers(ST_Buffer(c.boundary, 0.0002), r.line) AS inside
               FROM patrol_route r JOIN patrol p ON p.id = r.patrol_id, community c"""
        )
    ).all()
    assert all(row.inside and row.minutes <= row.end_min - row.start_min for row in rows)


def test_planning_twice_stores_the_same_walks_once(sample):
    version = put_roster(sample)
    plan_walks(sample, version.community_id, version.id, silent)
    first = [(r.stops, r.length_m) for r in routes(sample)]
    plan_walks(sample, version.community_id, version.id, silent)
    assert [(r.stops, r.length_m) for r in routes(sample)] == first


def test_another_days_walk_of_the_zone_tells_how_unlike_the_last_it_is(sample):
    version = put_roster(sample)
    plan_walks(sample, version.community_id, version.id, silent)
    first, *later = [[zh for zh, _ in r.notes] for r in routes(sample)]
    assert not any("与上次路线相同的走法" in note for note in first)
    assert all(any("与上次路线相同的走法" in note for note in notes) for notes in later)


def test_last_weeks_walks_are_minded_and_a_redraft_of_this_week_is_not(sample):
    version = put_roster(sample)
    plan_walks(sample, version.community_id, version.id, silent)
    community = sample.get(Community, version.community_id)
    week_after = MONDAY + timedelta(days=7)
    lately = load_walked(sample, community.id, community.metric_srid, week_after)
    (zone,) = lately.recent
    assert len(lately.lately(zone)) == 3
    newest = routes(sample)[-1]
    assert lately.lately(zone)[0].stops == tuple(f"{s['kind']}:{s['id']}" for s in newest.stops)
    assert not load_walked(sample, community.id, community.metric_srid, MONDAY).recent


def test_two_teams_in_a_zone_at_the_same_time_share_its_checkpoints(sample):
    version = put_roster(sample, patrols=1)
    (one,) = sample.scalars(select(Patrol)).all()
    other = Patrol(
        roster_version_id=version.id, key="other", day=one.day,
        shift_template_id=one.shift_template_id, zone_id=one.zone_id,
        patrol_type_id=one.patrol_type_id, start_min=one.start_min + 30, end_min=one.end_min + 30,
    )  # fmt: skip
    member = sample.scalars(select(Member).order_by(Member.staff_number.desc())).first()
    other.assignments = [Assignment(member_id=member.id, seat=0, leader=True)]
    sample.add(other)
    sample.flush()
    assert plan_walks(sample, version.community_id, version.id, silent) == 2
    mine, theirs = ({s["id"] for s in r.stops if s["kind"] == "checkpoint"} for r in routes(sample))
    assert mine.isdisjoint(theirs)
    assert mine | theirs
    late = sample.scalars(select(PatrolRoute).where(PatrolRoute.patrol_id == other.id)).one()
    assert all(s["arrive_min"] >= other.start_min for s in late.stops)


def test_a_requirement_that_the_patrol_can_meet_is_a_required_stop_of_its_walk(sample):
    version = put_roster(sample)
    patrol = sample.scalars(select(Patrol).order_by(Patrol.day)).first()
    building = sample.scalar(
        text(
            """SELECT b.id FROM building b JOIN grid_cell g ON ST_Covers(g.boundary, ST_PointOnSurface(b.footprint))
               JOIN patrol_zone_cell zc ON zc.cell_id = g.id WHERE zc.zone_id = :zone LIMIT 1"""
        ),
        {"zone": patrol.zone_id},
    )
    sample.add(
        PatrolRequirement(
            community_id=version.community_id,
            zone_id=patrol.zone_id,
            building_id=building,
            category="噪音扰民",
            band_start_min=patrol.start_min,
            band_end_min=patrol.end_min,
            weekdays=[1],
            visits_per_week=1,
            dwell_min=12,
            valid_from=SAMPLE_UNTIL,
            valid_to=SAMPLE_UNTIL + timedelta(days=30),
            reason="试",
            raised_by="test",
            raised_at=func.now(),
        )
    )
    sample.flush()
    plan_walks(sample, version.community_id, version.id, silent)
    asked = [[s for s in r.stops if s["kind"] == "requirement"] for r in routes(sample)]
    assert [len(stops) for stops in asked] == [1, 0, 0]
    assert asked[0][0]["dwell_min"] == 12


def test_a_draft_gets_no_routes_and_says_what_to_do(sample):
    version = put_roster(sample, RosterState.DRAFT)
    with pytest.raises(NotPublished) as refused:
        plan_walks(sample, version.community_id, version.id, silent)
    assert "请先发布" in refused.value.sentence("zh")


def test_a_members_week_shows_published_patrols_only(sample):
    version = put_roster(sample)
    member = sample.scalars(select(Assignment.member_id)).first()
    assert len(week_of_member(sample, version.community_id, member, MONDAY)) == 3
    version.state = RosterState.DRAFT
    sample.flush()
    assert week_of_member(sample, version.community_id, member, MONDAY) == []
