"""The patroller's pages: one's own week and walk, nobody else's; checking in counts once."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import defusedxml.ElementTree
import pytest
from sqlalchemy import select

from api.accounts import Role
from grid.people import Member
from scheduling.rosters import Assignment, Patrol, RosterVersion
from scheduling.walks import plan_walks
from tests.scheduling.test_walks import MONDAY, put_roster, silent


@pytest.fixture
def walked(sample_site):
    with sample_site.session() as session, session.begin():
        version = put_roster(session)
        plan_walks(session, version.community_id, version.id, silent)
        patrol = session.scalars(select(Patrol.id).order_by(Patrol.day)).first()
        mine, other = session.scalars(select(Assignment.member_id).where(Assignment.patrol_id == patrol)).first(), session.scalars(select(Member.id).order_by(Member.id.desc())).first()  # fmt: skip
    return sample_site, patrol, mine, other


def test_a_patroller_sees_his_own_week_and_reaches_his_walk_from_it(walked):
    site, patrol, mine, _ = walked
    browser = site.signed_in(Role.PATROLLER, member_id=mine)
    week = browser.get(f"/my?week={MONDAY}")
    assert week.status_code == 200
    assert f"/patrols/{patrol}" in week.text
    walk = browser.get(f"/patrols/{patrol}")
    assert walk.status_code == 200
    assert "打卡" in walk.text


def test_another_members_patrol_is_not_found_and_his_week_is_refused(walked):
    site, patrol, mine, other = walked
    browser = site.signed_in(Role.PATROLLER, member_id=other)
    assert browser.get(f"/patrols/{patrol}").status_code == 404
    assert browser.get(f"/patrols/{patrol}/map").status_code == 404
    assert browser.get(f"/api/v1/patrols/{patrol}/route").status_code == 404
    refused = browser.get(f"/my?member={mine}")
    assert refused.status_code == 403
    assert "您的角色" in refused.text


def test_the_lead_may_look_at_any_member_of_the_community(walked):
    site, patrol, mine, _ = walked
    lead = site.signed_in(Role.TEAM_LEAD)
    assert f"/patrols/{patrol}" in lead.get(f"/my?member={mine}&week={MONDAY}").text
    assert lead.get("/my?member=999999").status_code == 404


def test_a_roster_taken_back_is_gone_from_the_phones(walked):
    site, patrol, mine, _ = walked
    with site.session() as session, session.begin():
        session.scalars(select(RosterVersion)).one().state = "reviewed"
    browser = site.signed_in(Role.PATROLLER, member_id=mine)
    assert browser.get(f"/patrols/{patrol}").status_code == 404
    assert "没有已发布的巡逻安排" in browser.get(f"/my?week={MONDAY}").text


def test_the_map_frame_carries_its_own_policy_and_reaches_nowhere(walked):
    site, patrol, mine, _ = walked
    answer = site.signed_in(Role.PATROLLER, member_id=mine).get(f"/patrols/{patrol}/map")
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert 'src="http' not in answer.text


def test_the_route_for_programs_is_geojson_with_the_line_first(walked):
    site, patrol, _, _ = walked
    found = site.signed_in(Role.TEAM_LEAD).get(f"/api/v1/patrols/{patrol}/route").json()
    assert found["type"] == "FeatureCollection"
    assert found["features"][0]["geometry"]["type"] == "LineString"
    assert [f["properties"]["number"] for f in found["features"][1:]] == list(
        range(1, len(found["features"]))
    )


def test_a_walk_goes_to_other_devices_as_gpx(walked):
    site, patrol, mine, other = walked
    browser = site.signed_in(Role.PATROLLER, member_id=mine)
    assert f"/patrols/{patrol}/route.gpx" in browser.get(f"/patrols/{patrol}").text
    answer = browser.get(f"/patrols/{patrol}/route.gpx")
    assert answer.headers["content-type"] == "application/gpx+xml"
    space = {"g": "http://www.topografix.com/GPX/1/1"}
    root = defusedxml.ElementTree.fromstring(answer.content)
    line, *stops = browser.get(f"/api/v1/patrols/{patrol}/route").json()["features"]
    spots = [(float(w.get("lon")), float(w.get("lat"))) for w in root.findall("g:wpt", space)]
    assert spots == [tuple(stop["geometry"]["coordinates"]) for stop in stops]
    way = [[float(p.get("lon")), float(p.get("lat"))] for p in root.findall(".//g:trkpt", space)]
    assert way == line["geometry"]["coordinates"]
    with site.session() as session:
        day = session.get_one(Patrol, patrol).day
    begin = datetime.combine(day, time(), ZoneInfo("Asia/Shanghai"))
    told = [datetime.fromisoformat(t.text) for t in root.findall("g:wpt/g:time", space)]
    assert told == [begin + timedelta(minutes=s["properties"]["arrive_min"]) for s in stops]
    stranger = site.signed_in(Role.PATROLLER, member_id=other)
    assert stranger.get(f"/patrols/{patrol}/route.gpx").status_code == 404
