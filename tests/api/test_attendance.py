"""A week planned against done: members for the lead alone; volunteers' rounds counted neither way."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from api.accounts import Role
from grid.people import Member
from scheduling.attendance import week_done
from scheduling.rosters import RosterVersion
from tests.api.conftest import Site
from tests.api.test_phone import check_in, send, walked  # noqa: F401
from tests.scheduling.test_walks import MONDAY

LATER = datetime(2026, 12, 7, tzinfo=UTC)


@pytest.fixture
def after(walked):  # noqa: F811
    site, patrol, member, stops = walked
    send(site, member, [check_in(patrol, stop) for stop in stops[:2]])
    made = Site(site.database, today=date(2026, 12, 7))
    yield made, member
    made.close()


def done(site):
    with site.session() as session:
        community = session.scalar(select(RosterVersion.community_id))
        return week_done(session, community, MONDAY, LATER)


def test_a_team_that_checked_in_counts_and_the_others_do_not(after):
    site, _ = after
    (zone,) = done(site).zones
    assert (zone.walked, zone.planned) == (1, 3)
    assert zone.missed == zone.stops - 2
    assert zone.gap_done_min > zone.gap_planned_min
    mine, other = sorted(done(site).members, key=lambda m: -m.own)
    assert (mine.due, mine.own, mine.absent) == (3, 1, 2)
    assert (other.own, other.team) == (0, 1)


def test_only_the_lead_reads_members_by_name(after):
    site, member = after
    with site.session() as session:
        name = session.get_one(Member, member).name
    address = f"/attendance?week={MONDAY}"
    assert name in site.signed_in(Role.TEAM_LEAD).get(address).text
    office = site.signed_in(Role.STREET_OFFICE).get(address)
    assert office.status_code == 200
    assert "漏巡" in office.text
    assert name not in office.text


def test_rounds_of_volunteers_alone_are_counted_neither_way(after):
    site, _ = after
    with site.session() as session, session.begin():
        session.execute(update(Member).values(force="volunteer"))
    (zone,) = done(site).zones
    assert (zone.planned, zone.missed, zone.voluntary) == (0, 0, 3)
