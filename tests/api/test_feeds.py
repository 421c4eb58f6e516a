"""A member's calendar: what it tells, how it changes, and how it ends."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from icalendar import Calendar
from sqlalchemy import func, select, text

from api.accounts import Account, Role
from grid.people import Member
from scheduling.feeds import READS_PER_HOUR, CalendarFeed
from scheduling.rosters import Assignment, Patrol, RosterVersion
from tests.api.conftest import Site
from tests.conftest import Server
from tests.published_week import publish_week

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def published(server: Server, sample_template: str) -> Iterator[str]:
    """The name of a database with a published week."""
    database = server.clone(sample_template, f"feeds_template_{os.getpid()}")
    site = Site(database)
    with site.session() as session, session.begin():
        publish_week(session)
    site.close()
    database.engine.dispose()
    yield database.name
    database.drop()


@pytest.fixture
def team(server: Server, published: str) -> Iterator[Site]:
    database = server.clone(published, f"feeds_{os.getpid()}")
    site = Site(database)
    yield site
    site.close()
    database.drop()


def walker(site: Site, *, night: bool = False) -> Member:
    """The member with the most patrols of the week, or one who walks past midnight."""
    with site.session() as session:
        found = session.scalars(
            select(Member)
            .join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .group_by(Member.id)
            .order_by(func.max(Patrol.end_min).desc() if night else func.count().desc(), Member.id)
        ).first()
    assert found is not None
    return found


def subscribe(site: Site, member: Member) -> str:
    """Press the button on the phone and return the address it shows."""
    shown = site.signed_in(Role.PATROLLER, member_id=member.id).post("/my/calendar")
    assert shown.status_code == 200
    return re.search(r"http://testserver(/feeds/[\w-]+\.ics)", shown.text)[1]


def events(site: Site, address: str) -> dict[str, object]:
    answer = site.browser().get(address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/calendar")
    return {str(e["uid"]): e for e in Calendar.from_ical(answer.content).walk("VEVENT")}


def own_patrols(site: Site, member: Member) -> list[Patrol]:
    with site.session() as session:
        return list(
            session.scalars(
                select(Patrol)
                .join(Assignment, Assignment.patrol_id == Patrol.id)
                .join(RosterVersion, RosterVersion.id == Patrol.roster_version_id)
                .where(
                    Assignment.member_id == member.id,
                    RosterVersion.state.in_(["published", "locked"]),
                )
                .order_by(Patrol.day, Patrol.start_min)
            )
        )


def test_a_member_reads_exactly_their_own_published_patrols_on_shanghais_clock(team):
    member = walker(team, night=True)
    told = sorted(events(team, subscribe(team, member)).values(), key=lambda e: e["dtstart"].dt)
    patrols = own_patrols(team, member)
    assert len(told) == len(patrols) > 0
    for event, patrol in zip(told, patrols, strict=True):
        midnight = datetime.combine(patrol.day, datetime.min.time(), SHANGHAI)
        assert event["dtstart"].dt == midnight + timedelta(minutes=patrol.start_min)
        assert event["dtend"].dt == midnight + timedelta(minutes=patrol.end_min)
        assert event["dtstart"].params["TZID"] == "Asia/Shanghai"
    over = [e for e in told if e["dtend"].dt.date() > e["dtstart"].dt.date()]
    assert over, "the member was chosen for walking past midnight"
    assert over[0]["dtend"].dt.hour < 12


def test_the_zone_is_written_out_and_lines_are_folded_for_every_reader(team):
    answer = team.browser().get(subscribe(team, walker(team)))
    zone = Calendar.from_ical(answer.content).walk("VTIMEZONE")[0]
    assert zone["tzid"] == "Asia/Shanghai"
    assert zone.walk("STANDARD")[0]["tzoffsetto"].td == timedelta(hours=8)
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))


def test_nobody_else_is_named(team):
    member = walker(team)
    content = team.browser().get(subscribe(team, member)).content.replace(b"\r\n ", b"").decode()
    with team.session() as session:
        others = session.scalars(select(Member).where(Member.id != member.id)).all()
    assert [m.name for m in others if m.name in content] == []
    assert [m.phone for m in others if m.phone and m.phone in content] == []


def test_a_changed_patrol_keeps_its_identity_and_counts_up(team):
    member = walker(team)
    address = subscribe(team, member)
    before = events(team, address)
    again = events(team, address)
    assert {u: e["sequence"] for u, e in again.items()} == dict.fromkeys(before, 0)
    changed = own_patrols(team, member)[0]
    with team.session() as session, session.begin():
        session.get_one(Patrol, changed.id).start_min += 30
    after = events(team, address)
    assert set(after) == set(before)
    assert sorted(e["sequence"] for e in after.values()) == [0] * (len(before) - 1) + [1]
    moved = next(e for e in after.values() if e["sequence"] == 1)
    assert moved["dtstart"].dt - before[str(moved["uid"])]["dtstart"].dt == timedelta(minutes=30)


def test_a_cancelled_patrol_disappears_and_a_withdrawn_roster_empties_the_calendar(team):
    member = walker(team)
    address = subscribe(team, member)
    before = events(team, address)
    with team.session() as session, session.begin():
        session.execute(
            text("DELETE FROM assignment WHERE patrol_id = :p AND member_id = :m"),
            {"p": own_patrols(team, member)[0].id, "m": member.id},
        )
    after = events(team, address)
    assert len(after) == len(before) - 1
    assert set(after) < set(before)
    with team.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'reviewed'"))
    assert events(team, address) == {}


def test_a_week_published_anew_keeps_what_did_not_change(team):
    """Two versions of one week are one week's events, though their rows differ."""
    member = walker(team)
    address = subscribe(team, member)
    before = events(team, address)
    with team.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'reviewed'"))
        publish_week(session)
    after = events(team, address)
    assert set(after) == set(before)
    assert {e["sequence"] for e in after.values()} == {0}


def test_asked_again_with_its_mark_it_answers_in_a_few_bytes(team):
    address = subscribe(team, walker(team))
    first = team.browser().get(address)
    again = team.browser().get(address, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_new_address_ends_the_old_one_and_only_its_hash_is_kept(team):
    member = walker(team)
    old = subscribe(team, member)
    new = subscribe(team, member)
    assert old != new
    ended = team.browser().get(old)
    assert ended.status_code == 410
    assert "已停用" in ended.text
    assert "重新" in ended.text or "新的地址" in ended.text
    assert events(team, new)
    page = team.signed_in(Role.PATROLLER, member_id=member.id).get("/my/calendar")
    assert "/feeds/" not in page.text
    with team.session() as session:
        kept = session.scalars(select(CalendarFeed.token_hash)).all()
    assert all(new.split("/")[-1].removesuffix(".ics") not in one for one in kept)
    unknown = team.browser().get("/feeds/nobody.ics")
    assert unknown.status_code == 404
    assert "没有这个日历订阅地址" in unknown.text


def test_a_leavers_calendar_dies(team):
    member = walker(team)
    address = subscribe(team, member)
    with team.session() as session, session.begin():
        session.get_one(Member, member.id).active_to = team.today + timedelta(days=1)
    assert events(team, address), "until the day itself it goes on"
    with team.session() as session, session.begin():
        session.get_one(Member, member.id).active_to = team.today
    answer = team.browser().get(address)
    assert answer.status_code == 410
    assert "已离队" in answer.text


def test_a_member_whose_sign_in_was_taken_away_has_no_calendar(team):
    member = walker(team)
    address = subscribe(team, member)
    with team.session() as session, session.begin():
        session.execute(
            text("UPDATE account SET active = false WHERE member_id = :m"), {"m": member.id}
        )
    assert team.browser().get(address).status_code == 410


def test_the_lead_sees_who_subscribed_and_revokes(team):
    member = walker(team)
    address = subscribe(team, member)
    lead = team.signed_in(Role.TEAM_LEAD)
    assert member.name in lead.get("/feeds").text
    assert address.split("/")[-1] not in lead.get("/feeds").text
    assert lead.post(f"/feeds/{member.id}/revoke").status_code == 303
    assert team.browser().get(address).status_code == 410
    assert lead.post("/feeds/999999/revoke").status_code == 404
    with team.session() as session:
        actions = session.scalars(text("SELECT action FROM audit_entry ORDER BY id")).all()
    assert [a for a in actions if a.startswith("feed.")] == ["feed.open", "feed.revoke"]


def test_another_communitys_lead_revokes_nothing(team):
    from tests.api.test_members import other_community

    member = walker(team)
    address = subscribe(team, member)
    lead = team.signed_in(Role.TEAM_LEAD, community_id=other_community(team))
    assert lead.post(f"/feeds/{member.id}/revoke").status_code == 404
    assert lead.delete(f"/api/v1/feeds/{member.id}").status_code == 404
    assert lead.get("/api/v1/feeds").json() == []
    assert events(team, address)


def test_reading_without_end_is_refused_for_the_hour_and_not_for_ever(team):
    address = subscribe(team, walker(team))
    assert events(team, address)
    with team.session() as session, session.begin():
        session.execute(text("UPDATE calendar_feed SET reads = :n"), {"n": READS_PER_HOUR})
    refused = team.browser().get(address)
    assert refused.status_code == 429
    assert "retry-after" in refused.headers
    with team.session() as session, session.begin():
        session.execute(
            text(
                "UPDATE calendar_feed SET window_started_at = window_started_at - interval '2 hours'"
            )
        )
    assert events(team, address)


def test_a_patroller_without_a_calendar_is_offered_one_and_can_end_it(team):
    member = walker(team)
    phone = team.signed_in(Role.PATROLLER, member_id=member.id)
    assert "生成订阅地址" in phone.get("/my/calendar").text
    address = subscribe(team, member)
    phone = team.signed_in(Role.PATROLLER, member_id=member.id)
    assert phone.post("/my/calendar/revoke").status_code == 303
    assert "已停用" in phone.get("/my/calendar?said=revoked").text
    assert team.browser().get(address).status_code == 410
    with team.session() as session:
        assert session.scalar(select(func.count()).select_from(Account)) >= 1
