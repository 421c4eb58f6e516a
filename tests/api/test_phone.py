"""What phones bring back: each item once, in any order, odd ones flagged, nothing dropped."""

import base64
import re
import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select

from api.accounts import Role
from grid.incident_photos import IncidentPhoto
from grid.incidents import Incident
from grid.people import Member
from grid.places import Checkpoint
from scheduling.checkpoint_codes import codes_in_use, make_codes, renew_code
from scheduling.phone_items import PhoneItem
from scheduling.rosters import Assignment, CheckIn, Patrol, PatrolRoute, RosterVersion
from scheduling.tracks import PatrolEffort, TrackPoint, store_effort, thin_tracks
from scheduling.walks import plan_walks
from tests.scheduling.test_walks import put_roster, silent

STARTS = datetime(2026, 11, 30, 11, 0, tzinfo=UTC)
"""Within the patrol's shift of the evening."""
JPEG = base64.b64encode(b"\xff\xd8\xff" + b"x" * 40).decode()


@pytest.fixture
def walked(sample_site):
    with sample_site.session() as session, session.begin():
        version = put_roster(session)
        plan_walks(session, version.community_id, version.id, silent)
        patrol = session.scalars(select(Patrol).order_by(Patrol.day)).first()
        member = session.scalars(select(Assignment.member_id).where(Assignment.patrol_id == patrol.id)).first()  # fmt: skip
        route = session.scalars(select(PatrolRoute).where(PatrolRoute.patrol_id == patrol.id)).one()
    return sample_site, patrol.id, member, [s for s in route.stops if s["kind"] == "checkpoint"]


def item(kind, patrol=None, **more):
    made = {"client_id": str(uuid.uuid4()), "kind": kind, "device_at": STARTS.isoformat(), **more}
    return made | ({"patrol_id": patrol} if patrol else {})


def check_in(patrol, stop, **more):
    place = {"lon": stop["lon"], "lat": stop["lat"], "accuracy_m": 5}
    return item("check_in", patrol, stop=f"checkpoint:{stop['id']}", place=place, **more)


def send(site, member, items, ahead=timedelta(0)):
    sent = {"sent_at": (datetime.now(UTC) + ahead).isoformat(), "items": items}
    answer = site.signed_in(Role.PATROLLER, member_id=member).post("/api/v1/phone/sync", json=sent)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def count(site, table):
    with site.session() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_duplicate_and_reordered_batches_store_every_item_once(walked):
    site, patrol, member, stops = walked
    report = item("report", category="路灯不亮")
    photo = item("photo", report=report["client_id"], content=JPEG)
    items = [check_in(patrol, stop) for stop in stops[:4]] + [photo, report]
    send(site, member, items[3:])
    send(site, member, list(reversed(items)) + items)
    assert {told["repeated"] for told in send(site, member, items)} == {True}
    with site.session() as session:
        reports = session.scalars(select(Incident).where(Incident.ticket_number == f"phone-{report['client_id']}")).all()  # fmt: skip
    assert len(reports) == 1
    assert (count(site, CheckIn), count(site, IncidentPhoto), count(site, PhoneItem)) == (4, 1, 6)
    office = site.signed_in(Role.STREET_OFFICE)
    (source,) = re.findall(r'src="(/incident-photos/\d+)"', office.get(f"/incidents/{reports[0].id}").text)  # fmt: skip
    assert office.get(source).content.startswith(b"\xff\xd8\xff")


def test_one_bad_item_is_told_and_the_others_are_stored(walked):
    site, patrol, member, stops = walked
    bad = [check_in(patrol, {**stops[0], "id": 424242}), {"client_id": "no"}, item("photo", report=str(uuid.uuid4()), content="%%")]  # fmt: skip
    told = send(site, member, [*bad, check_in(patrol, stops[0])])
    assert [t["state"] for t in told] == ["refused", "refused", "refused", "stored"]
    assert all(t["zh"] and t["en"] for t in told[:3])
    assert count(site, CheckIn) == 1


def test_a_check_in_far_from_its_place_is_flagged_and_kept(walked):
    site, patrol, member, stops = walked
    far = check_in(patrol, stops[0])
    far["place"] = {"lon": stops[0]["lon"] + 0.003, "lat": stops[0]["lat"], "accuracy_m": 5}
    near, nowhere = check_in(patrol, stops[1]), check_in(patrol, stops[2])
    del nowhere["place"]
    assert [t["flags"] for t in send(site, member, [far, near, nowhere])] == [["far"], [], ["no_place"]]  # fmt: skip
    with site.session() as session:
        assert session.scalar(select(CheckIn.distance_m).where(CheckIn.client_id == far["client_id"])) == pytest.approx(286, abs=8)  # fmt: skip


def test_a_copied_a_forged_and_a_revoked_code_are_seen(walked):
    site, patrol, member, stops = walked
    with site.session() as session, session.begin():
        point = session.get_one(Checkpoint, stops[0]["id"])
        assert make_codes(session, [point], now=STARTS - timedelta(days=9), by="lead") == 1
        code = codes_in_use(session, [point])[point.id]
    copied = check_in(patrol, stops[0], code=code)
    copied["place"]["lat"] += 0.004
    genuine = check_in(patrol, stops[0], code=f"http://host/phone/q/{code}")
    forged = check_in(patrol, stops[0], code=code[:-2] + ("aa" if code[-2:] != "aa" else "bb"))
    other = check_in(patrol, stops[1], code=code)
    flags = [t["flags"] for t in send(site, member, [copied, genuine, forged, other])]
    assert flags[:3] == [["far"], [], ["forged_code"]]
    assert "other_stop" in flags[3]
    with site.session() as session, session.begin():
        renew_code(session, point.community_id, point.id, now=STARTS - timedelta(days=1), by="lead")  # fmt: skip
        renewed = codes_in_use(session, [point])[point.id]
    again = [check_in(patrol, stops[0], code=code), check_in(patrol, stops[0], code=renewed)]
    assert [t["flags"] for t in send(site, member, again)] == [["revoked_code"], []]


def test_a_phone_whose_clock_is_off_is_flagged_and_both_times_are_kept(walked):
    site, patrol, member, stops = walked
    made = check_in(patrol, stops[0])
    (told,) = send(site, member, [made], ahead=timedelta(minutes=10))
    assert "clock" in told["flags"]
    with site.session() as session:
        row = session.scalars(select(CheckIn)).one()
    assert row.device_at == STARTS
    assert row.skew_s == pytest.approx(600, abs=5)
    assert row.server_at != row.device_at


def test_a_patrol_given_to_others_or_withdrawn_meanwhile_is_told_and_nothing_is_lost(walked):
    site, patrol, member, stops = walked
    with site.session() as session, session.begin():
        seat = session.scalars(select(Assignment).where(Assignment.patrol_id == patrol, Assignment.member_id == member)).one()  # fmt: skip
        seat.member_id = session.scalars(select(Member.id).order_by(Member.id.desc())).first()
    (told,) = send(site, member, [check_in(patrol, stops[0])])
    assert (told["state"], told["flags"]) == ("conflict", ["reassigned"])
    assert "改派" in told["zh"]
    with site.session() as session, session.begin():
        session.scalars(select(RosterVersion)).one().state = "reviewed"
    (told,) = send(site, member, [check_in(patrol, stops[1])])
    assert told["flags"] == ["superseded"]
    assert count(site, CheckIn) == 2
    (told,) = send(site, member, [check_in(999_999, stops[1])])
    assert (told["state"], told["flags"]) == ("conflict", ["patrol_gone"])
    with site.session() as session:
        kept = session.scalars(select(PhoneItem).where(PhoneItem.patrol_id == 999_999)).one()
    assert kept.payload["stop"] == f"checkpoint:{stops[1]['id']}"


def test_places_are_kept_only_while_the_patrol_runs(walked):
    site, patrol, member, _ = walked
    with site.session() as session:
        row = session.get_one(Patrol, patrol)
    begin = datetime(2026, 11, 29, 16, tzinfo=UTC) + timedelta(minutes=row.start_min)

    def at(minute):
        return {"at": (begin + timedelta(minutes=minute)).isoformat(), "lon": 104.3, "lat": 30.9}

    length = row.end_min - row.start_min
    inside, after = [at(n) for n in range(5)], [at(length + 1)]
    end = item("end", patrol) | {"device_at": (begin + timedelta(minutes=20)).isoformat()}
    told = send(site, member, [item("track", patrol, points=inside + after), item("track", patrol, points=after), end, item("track", patrol, points=[at(25)])])  # fmt: skip
    assert [t["state"] for t in told] == ["stored", "refused", "stored", "refused"]
    assert told[0]["flags"] == ["points_dropped"]
    assert count(site, TrackPoint) == 5


def test_effort_is_kept_and_tracks_older_than_thirty_days_are_thinned(walked):
    site, patrol, member, stops = walked
    begin = STARTS
    points = [{"at": (begin + timedelta(minutes=n)).isoformat(), "lon": stops[0]["lon"], "lat": stops[0]["lat"]} for n in range(31)]  # fmt: skip
    send(site, member, [item("track", patrol, points=points), check_in(patrol, stops[0])])
    with site.session() as session, session.begin():
        community = session.scalar(select(RosterVersion.community_id))
        assert store_effort(session, community, date(2026, 11, 20)) == 1
        assert store_effort(session, community, date(2026, 11, 20)) == 1
        assert session.scalar(select(func.sum(PatrolEffort.minutes))) == pytest.approx(30)
        assert thin_tracks(session, community, date(2026, 12, 20)) == (0, 0)
        gone, stay = thin_tracks(session, community, date(2027, 1, 20))
        assert (gone, stay) == (27, 4)
        assert session.scalar(select(CheckIn.lon)) is None
        assert session.scalar(select(func.sum(PatrolEffort.minutes))) == pytest.approx(30)


def test_a_report_whose_phone_thinks_it_is_elsewhere_is_kept_without_a_place(walked):
    site, _, member, _ = walked
    made = item("report", category="噪音扰民", incident_class="police_call", place={"lon": 116.4, "lat": 39.9})  # fmt: skip
    (told,) = send(site, member, [made, item("alarm")])[:1]
    assert told["flags"] == ["place_outside"]
    with site.session() as session:
        assert session.scalar(select(func.count()).where(Incident.urgency == "emergency", Incident.category == "紧急求助")) == 1  # fmt: skip


def test_the_load_holds_patrols_route_map_card_and_contacts(walked):
    site, patrol, member, stops = walked
    load = site.signed_in(Role.PATROLLER, member_id=member).get("/api/v1/phone").json()
    mine = next(p for p in load["patrols"] if p["id"] == patrol)
    assert mine["line"]["type"] == "LineString"
    assert {s["key"] for s in mine["stops"]} >= {f"checkpoint:{s['id']}" for s in stops}
    assert mine["team"]
    assert load["map"]["walkways"]
    names = [building["name"] for building in load["buildings"]]
    assert "铸钢花园5栋" in names
    assert len(names) == len(set(names))


def test_sheets_hold_one_code_per_checkpoint_and_a_revoked_one_is_replaced(walked):
    site, _, _, stops = walked
    lead = site.signed_in(Role.TEAM_LEAD)
    assert "<svg" not in lead.get("/checkpoint-codes").text  # reading makes nothing
    assert lead.post("/checkpoint-codes").status_code == 303
    first = lead.get("/checkpoint-codes")
    assert first.text.count("<svg") == count(site, Checkpoint)
    assert lead.post(f"/checkpoint-codes/{stops[0]['id']}/revoke").status_code == 303
    again = lead.get("/checkpoint-codes")
    assert again.text.count("<svg") == first.text.count("<svg")
    assert again.text != first.text
