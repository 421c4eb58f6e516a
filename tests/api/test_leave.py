"""Leave on the site: asked on the phone, decided by the lead, with what it breaks."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from api.accounts import Role
from api.audit import AuditEntry
from grid.people import Member
from scheduling.availability import MemberRequest
from scheduling.leave import Leave
from scheduling.rosters import Assignment, Patrol
from tests.api.conftest import Site
from tests.api.test_members import other_community
from tests.conftest import Server
from tests.published_week import WEEK, publish_week

DAY = WEEK.isoformat()


@pytest.fixture(scope="module")
def team(server: Server, sample_template: str) -> Iterator[Site]:
    database = server.clone(sample_template, f"leave_site_{os.getpid()}")
    site = Site(database)
    with site.session() as session, session.begin():
        publish_week(session)
    yield site
    site.close()
    database.drop()


@pytest.fixture
def fresh(team):
    """The site with no leave and no wishes."""
    with team.session() as session, session.begin():
        session.execute(text("DELETE FROM leave; DELETE FROM member_request"))
    return team


def on_duty(site) -> tuple[Member, Patrol]:
    with site.session() as session:
        return session.execute(
            select(Member, Patrol)
            .join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .order_by(Member.staff_number, Patrol.day)
        ).first()


def ask(phone, first=DAY, last=DAY, reason="家里有事"):
    return phone.post("/my/leave", data={"first_day": first, "last_day": last, "reason": reason})


def only_leave(site) -> Leave:
    with site.session() as session:
        return session.scalars(select(Leave)).one()


def test_leave_goes_from_the_phone_over_the_lead_to_a_conflict_with_its_way_to_the_desk(fresh):
    member, patrol = on_duty(fresh)
    phone = fresh.signed_in(Role.PATROLLER, member_id=member.id)
    lead = fresh.signed_in(Role.TEAM_LEAD)
    day = patrol.day.isoformat()
    assert ask(phone, day, day).status_code == 303
    assert "待审批" in phone.get("/my/leave").text
    waiting = lead.get("/leave")
    assert "家里有事" in waiting.text
    assert "需要替班" in waiting.text
    assert "没有冲突" in lead.get("/leave/conflicts").text, "what is only asked breaks nothing"
    leave = only_leave(fresh)
    done = lead.post(f"/leave/{leave.id}/approve")
    assert done.status_code == 303
    after = lead.get(done.headers["location"])
    link = f"/rosters/{patrol.roster_version_id}/desk?member={member.staff_number}&amp;day={(patrol.day - WEEK).days}"  # fmt: skip
    assert link in after.text
    assert link in lead.get("/leave/conflicts").text
    assert link in lead.get(f"/members/{member.id}").text
    banner = "1 处派班不再成立"
    assert banner in lead.get(f"/rosters?week={WEEK}").text
    assert banner not in fresh.signed_in(Role.STREET_OFFICE).get(f"/rosters?week={WEEK}").text
    assert "已批准" in phone.get("/my/leave").text
    with fresh.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("leave.")).order_by(AuditEntry.id.desc()).limit(2)).all()  # fmt: skip
    assert [e.action for e in entries] == ["leave.approve", "leave.ask"]
    assert "家里有事" not in str([e.details for e in entries]), "health stays out of the log"


def test_a_refusal_is_read_by_the_member_and_needs_its_reason(fresh):
    phone, lead = fresh.signed_in(Role.PATROLLER), fresh.signed_in(Role.TEAM_LEAD)
    ask(phone)
    leave = only_leave(fresh)
    empty = lead.post(f"/leave/{leave.id}/refuse", data={"decision": " "})
    assert empty.status_code == 422
    assert "理由" in empty.text
    assert lead.post(f"/leave/{leave.id}/refuse", data={"decision": "当天有安保任务"}).status_code == 303  # fmt: skip
    assert "当天有安保任务" in phone.get("/my/leave").text
    late = lead.post(f"/leave/{leave.id}/approve")
    assert late.status_code == 409
    assert "未批准" in late.text


def test_a_member_sees_and_touches_only_their_own(fresh):
    with fresh.session() as session:
        one, two = session.scalars(select(Member.id).order_by(Member.id).limit(2)).all()
    mine = fresh.signed_in(Role.PATROLLER, member_id=one)
    theirs = fresh.signed_in(Role.PATROLLER, member_id=two)
    ask(mine, reason="只有我知道")
    leave = only_leave(fresh)
    assert "只有我知道" not in theirs.get("/my/leave").text
    assert theirs.post(f"/my/leave/{leave.id}/withdraw").status_code == 404
    for path in ("/leave", "/leave/conflicts", "/members", "/swaps"):
        assert theirs.get(path).status_code == 403
    assert mine.post(f"/leave/{leave.id}/approve").status_code == 403
    far = fresh.signed_in(Role.TEAM_LEAD, community_id=other_community(fresh))
    assert "只有我知道" not in far.get("/leave").text
    for step in ("approve", "refuse", "withdraw"):
        assert far.post(f"/leave/{leave.id}/{step}", data={"decision": "x"}).status_code == 404
    assert "只有我知道" not in far.get(f"/leave?settled={leave.id}").text
    assert mine.post(f"/my/leave/{leave.id}/withdraw").status_code == 303
    assert only_leave(fresh).state == "withdrawn"


def test_two_leads_who_decide_at_once_decide_once(fresh):
    ask(fresh.signed_in(Role.PATROLLER))
    leave = only_leave(fresh)
    leads = [fresh.signed_in(Role.TEAM_LEAD) for _ in range(2)]
    calls = [(leads[0], "approve", ""), (leads[1], "refuse", "不行")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda c: c[0].post(f"/leave/{leave.id}/{c[1]}", data={"decision": c[2]}).status_code, calls))  # fmt: skip
    assert sorted(answers) == [303, 409]
    with fresh.session() as session:
        n = session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.target == f"leave:{leave.id}", AuditEntry.action.in_(["leave.approve", "leave.refuse"])))  # fmt: skip
    assert n == 1


def test_the_lead_enters_leave_and_takes_it_back(fresh):
    member, patrol = on_duty(fresh)
    lead = fresh.signed_in(Role.TEAM_LEAD)
    day = patrol.day.isoformat()
    body = {"member_id": member.id, "first_day": day, "last_day": day}
    entered = lead.post("/leave", data=body)
    assert "不再成立" in lead.get(entered.headers["location"]).text
    twice = lead.post("/leave", data=body)
    assert twice.status_code == 409
    assert "日期重叠" in twice.text
    backwards = lead.post("/leave", data=body | {"last_day": "2026-11-01"})
    assert backwards.status_code == 422
    leave = only_leave(fresh)
    assert lead.post(f"/leave/{leave.id}/withdraw").status_code == 303
    assert "没有冲突" in lead.get("/leave/conflicts").text
    assert lead.post("/leave", data=body | {"member_id": 10**15}).status_code == 404


def test_programs_enter_decide_and_read_conflicts(fresh):
    member, patrol = on_duty(fresh)
    lead = fresh.signed_in(Role.TEAM_LEAD)
    day = patrol.day.isoformat()
    made = lead.post("/api/v1/leave", json={"staff_number": member.staff_number, "first_day": day, "last_day": day, "reason": "病"})  # fmt: skip
    assert made.status_code == 201
    assert patrol.id in {c["patrol_id"] for c in made.json()["conflicts"]}
    assert patrol.id in {c["patrol_id"] for c in lead.get("/api/v1/conflicts").json()}
    assert "病" not in lead.get("/api/v1/leave").text
    decided = lead.post(f"/api/v1/leave/{made.json()['id']}/decision", json={"approve": True})
    assert decided.status_code == 409
    assert lead.post("/api/v1/leave", json={"staff_number": "nobody", "first_day": day, "last_day": day}).status_code == 404  # fmt: skip
    ask(fresh.signed_in(Role.PATROLLER), "2027-01-04", "2027-01-05")
    waiting = next(row for row in lead.get("/api/v1/leave").json() if row["state"] == "asked")
    answer = lead.post(f"/api/v1/leave/{waiting['id']}/decision", json={"approve": False})
    assert answer.status_code == 422
    answer = lead.post(f"/api/v1/leave/{waiting['id']}/decision", json={"approve": True})
    assert (answer.json()["state"], answer.json()["conflicts"]) == ("approved", [])


def test_wishes_are_kept_one_for_a_day_and_shift_and_deleted_by_their_member_only(fresh):
    phone = fresh.signed_in(Role.PATROLLER)
    lead = fresh.signed_in(Role.TEAM_LEAD)
    page = phone.get("/my/leave").text
    shift = re.search(r'<option value="(\d+)">', page)[1]
    day = (WEEK + timedelta(days=8)).isoformat()
    for wants, weight, chosen in (("false", 5, ""), ("true", 9, ""), ("false", 2, shift)):
        answer = phone.post("/my/wishes", data={"day": day, "wants": wants, "weight": weight, "shift": chosen})  # fmt: skip
        assert answer.status_code == 303
    with fresh.session() as session:
        rows = session.scalars(select(MemberRequest).order_by(MemberRequest.shift_template_id)).all()  # fmt: skip
    assert [(r.wants, r.weight, r.shift_template_id) for r in rows] == [(False, 2, int(shift)), (True, 9, None)]  # fmt: skip
    assert "想上班" in lead.get(f"/members/{rows[0].member_id}").text
    for wrong in ({"day": DAY[:4] + "-11-23"}, {"day": "2028-01-01"}):
        refused = phone.post("/my/wishes", data={"wants": "true", "weight": 5} | wrong)
        assert refused.status_code == 422
        assert "意愿没有保存" in refused.text
    assert phone.post("/my/wishes", data={"day": day, "wants": "true", "weight": 50}).status_code == 422  # fmt: skip
    assert phone.post("/my/wishes", data={"day": day, "wants": "true", "shift": "999999"}).status_code == 404  # fmt: skip
    with fresh.session() as session:
        other = session.scalars(select(Member.id).where(Member.id != rows[0].member_id)).first()
    theirs = fresh.signed_in(Role.PATROLLER, member_id=other)
    assert theirs.post(f"/my/wishes/{rows[0].id}/delete").status_code == 404
    assert phone.post(f"/my/wishes/{rows[0].id}/delete").status_code == 303


def test_leave_approved_while_a_roster_waits_for_review_stops_it_with_what_to_do(fresh):
    member, patrol = on_duty(fresh)
    lead = fresh.signed_in(Role.TEAM_LEAD)
    with fresh.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'reviewed', published_by = NULL"))
    day = patrol.day.isoformat()
    lead.post("/leave", data={"member_id": member.id, "first_day": day, "last_day": day})
    url = f"/rosters/{patrol.roster_version_id}/publish"
    refused = lead.post(url)
    assert refused.status_code == 409
    assert "请在“调整排班”里换人" in refused.text
    assert lead.post(f"/leave/{only_leave(fresh).id}/withdraw").status_code == 303
    assert lead.post(url).status_code == 303
