"""Swaps on the site: proposed and answered on two phones, approved by the lead, seen by all."""

import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from api.accounts import Role
from api.audit import AuditEntry
from grid.people import Member
from scheduling.rosters import Assignment, Patrol, RosterState, RosterVersion
from scheduling.swaps import Swap
from tests.api.conftest import Site
from tests.api.test_members import other_community
from tests.conftest import Server
from tests.published_week import publish_week


@pytest.fixture(scope="module")
def week_template(server: Server, sample_template: str) -> Iterator[str]:
    """The name of a database with a published week."""
    database = server.clone(sample_template, f"swap_template_{os.getpid()}")
    site = Site(database)
    with site.session() as session, session.begin():
        publish_week(session)
    site.close()
    database.engine.dispose()
    yield database.name
    database.drop()


@pytest.fixture
def team(server: Server, week_template: str) -> Iterator[Site]:
    database = server.clone(week_template, f"swap_site_{os.getpid()}")
    site = Site(database)
    yield site
    site.close()
    database.drop()


def offer(site: Site, *, trade: bool):
    """A guard's phone, the patrol, and the first choice the page offers for it."""
    with site.session() as session:
        rows = session.execute(
            select(Member.id, Patrol.id)
            .join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .where(Member.force == "guard")
            .order_by(Patrol.day, Patrol.id)
        ).all()
    for member, patrol in rows:
        phone = site.signed_in(Role.PATROLLER, member_id=member)
        shown = phone.get(f"/my/swaps/new?patrol={patrol}").text
        found = re.findall(r'<option value="(\d+(?::[^"]+)?)">', shown)
        found = [f for f in found if (":" in f) == trade]
        if found:
            return phone, patrol, found[0], member
    raise AssertionError("nothing is on offer")


def only_swap(site) -> Swap:
    with site.session() as session:
        return session.scalars(select(Swap)).one()


def published(site) -> RosterVersion:
    with site.session() as session:
        return session.scalars(select(RosterVersion).where(RosterVersion.state == RosterState.PUBLISHED)).one()  # fmt: skip


def accepted(site, *, trade=False):
    phone, patrol, to, _ = offer(site, trade=trade)
    assert phone.post("/my/swaps", data={"patrol": patrol, "to": to, "note": "孩子开家长会"}).status_code == 303  # fmt: skip
    swap = only_swap(site)
    other = site.signed_in(Role.PATROLLER, member_id=swap.other_id)
    assert other.post(f"/my/swaps/{swap.id}/answer", data={"accept": "true"}).status_code == 303
    return phone, other, patrol, only_swap(site)


@pytest.mark.parametrize("trade", [False, True])
def test_a_swap_goes_over_both_phones_and_the_lead_into_a_new_published_version(team, trade):
    before = published(team)
    phone, patrol, to, _ = offer(team, trade=trade)
    assert phone.post("/my/swaps", data={"patrol": patrol, "to": to, "note": "孩子开家长会"}).status_code == 303  # fmt: skip
    swap = only_swap(team)
    other = team.signed_in(Role.PATROLLER, member_id=swap.other_id)
    lead = team.signed_in(Role.TEAM_LEAD)
    assert "待对方答复" in phone.get("/my/swaps").text
    assert "1 条换班等您答复" in other.get("/my").text
    assert "等您答复" not in phone.get("/my").text
    asked = other.get("/my/swaps").text
    assert "等我答复" in asked
    assert "孩子开家长会" in asked
    assert "没有待审批的换班" in lead.get("/swaps").text
    other.post(f"/my/swaps/{swap.id}/answer", data={"accept": "true"})
    waiting = lead.get("/swaps").text
    assert "符合全部规定" in waiting
    assert "批准并发布" in waiting
    assert published(team).id == before.id, "nothing changes before the lead approves"
    done = lead.post(f"/swaps/{swap.id}/approve")
    assert "新的一版" in lead.get(done.headers["location"]).text
    after = published(team)
    assert after.number == before.number + 1
    assert after.created_by != after.reviewed_by
    for one in (phone, other):
        assert "已换班" in one.get("/my/swaps").text
    assert f'href="/patrols/{patrol}"' in other.get(f"/my?week={after.week_start}").text
    assert f'href="/patrols/{patrol}"' not in phone.get(f"/my?week={after.week_start}").text
    assert other.get(f"/patrols/{patrol}").status_code == 200
    assert phone.get(f"/patrols/{patrol}").status_code == 404
    assert lead.get(f"/api/v1/rosters/{after.id}/check").json()["violations"] == []
    assert lead.get(f"/rosters?week={after.week_start}&version={before.id}").status_code == 200
    with team.session() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.target == f"swap:{swap.id}").order_by(AuditEntry.id)).all()  # fmt: skip
    assert [e.action for e in entries] == ["swap.propose", "swap.accept", "swap.approve"]
    assert entries[-1].details["version"] == after.id


def test_nobody_answers_withdraws_or_reads_anothers_swap(team):
    phone, patrol, to, _ = offer(team, trade=False)
    phone.post("/my/swaps", data={"patrol": patrol, "to": to, "note": "只说给你听"})
    swap = only_swap(team)
    with team.session() as session:
        third = session.scalars(select(Member.id).where(Member.id.not_in([swap.asker_id, swap.other_id]))).first()  # fmt: skip
    stranger = team.signed_in(Role.PATROLLER, member_id=third)
    assert "只说给你听" not in stranger.get("/my/swaps").text
    assert stranger.get(f"/my/swaps/new?patrol={patrol}").status_code == 404
    assert stranger.post("/my/swaps", data={"patrol": patrol, "to": to}).status_code == 404
    for one in (stranger, phone):
        assert one.post(f"/my/swaps/{swap.id}/answer", data={"accept": "true"}).status_code == 404
    assert stranger.post(f"/my/swaps/{swap.id}/withdraw").status_code == 404
    assert stranger.post(f"/swaps/{swap.id}/approve").status_code == 403
    far = team.signed_in(Role.TEAM_LEAD, community_id=other_community(team))
    assert "只说给你听" not in far.get("/swaps").text
    for step in ("approve", "refuse"):
        assert far.post(f"/swaps/{swap.id}/{step}", data={"decision": "x"}).status_code == 404
    assert far.post(f"/api/v1/swaps/{swap.id}/decision", json={"approve": True}).status_code == 404
    again = phone.post("/my/swaps", data={"patrol": patrol, "to": to})
    assert again.status_code == 409
    assert "已有一条换班" in again.text
    assert phone.post(f"/my/swaps/{swap.id}/withdraw").status_code == 303
    other = team.signed_in(Role.PATROLLER, member_id=swap.other_id)
    late = other.post(f"/my/swaps/{swap.id}/answer", data={"accept": "true"})
    assert late.status_code == 409
    assert "已撤回" in late.text


def test_what_the_rules_forbid_is_refused_by_name_though_somebody_forges_the_form(team):
    phone, patrol, _, asker = offer(team, trade=False)
    with team.session() as session:
        guard = session.get_one(Member, asker)
        stranger = session.scalars(select(Member).where(Member.force == "guard", Member.employer_id != guard.employer_id)).first()  # fmt: skip
    answer = phone.post("/my/swaps", data={"patrol": patrol, "to": str(stranger.id)})
    assert answer.status_code == 409
    assert "按规定不能这样换" in answer.text
    assert stranger.name in answer.text
    for forged in ("abc", "", "1:", f"{stranger.id}:nowhere", f"{asker}", "999999"):
        assert phone.post("/my/swaps", data={"patrol": patrol, "to": forged}).status_code in {404, 422}  # fmt: skip


def test_leave_told_since_stops_the_approval_and_is_shown_to_the_lead(team):
    phone, other, patrol, swap = accepted(team)
    lead = team.signed_in(Role.TEAM_LEAD)
    with team.session() as session:
        day = session.get_one(Patrol, patrol).day.isoformat()
    lead.post("/leave", data={"member_id": swap.other_id, "first_day": day, "last_day": day})
    page = lead.get("/swaps").text
    assert "不符合规定" in page
    assert "请假" in page
    refused = lead.post(f"/swaps/{swap.id}/approve")
    assert refused.status_code == 409
    assert published(team).number == 1
    assert lead.post(f"/swaps/{swap.id}/refuse", data={"decision": "对方请假了"}).status_code == 303
    for one in (phone, other):
        assert "对方请假了" in one.get("/my/swaps").text


def test_an_overtaken_proposal_says_so_on_both_phones_and_in_the_log(team):
    phone, other, _, swap = accepted(team)
    with team.session() as session, session.begin():
        session.execute(text("UPDATE roster_version SET state = 'locked'"))
    lead = team.signed_in(Role.TEAM_LEAD)
    locked = lead.post(f"/api/v1/swaps/{swap.id}/decision", json={"approve": True})
    assert locked.status_code == 409
    assert "锁定" in locked.json()["detail"]
    for one in (phone, other):
        shown = one.get("/my/swaps").text
        assert "已失效" in shown
        assert "已锁定" in shown
    with team.session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "swap.lapse")).one()
    assert (entry.actor, entry.details["state"]) == ("system", "obsolete")


def test_two_leads_who_approve_at_once_publish_one_version(team):
    _, _, _, swap = accepted(team)
    leads = [team.signed_in(Role.TEAM_LEAD) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda lead: lead.post(f"/swaps/{swap.id}/approve").status_code, leads))  # fmt: skip
    assert sorted(answers) == [303, 409, 409]
    with team.session() as session:
        assert session.scalars(select(RosterVersion.state).order_by(RosterVersion.number)).all() == ["reviewed", "published"]  # fmt: skip


def test_programs_read_swaps_with_what_the_rules_say(team):
    _, _, _, swap = accepted(team)
    lead = team.signed_in(Role.TEAM_LEAD)
    row = lead.get("/api/v1/swaps").json()[0]
    assert (row["id"], row["state"], row["breaches"]) == (swap.id, "accepted", [])
    url = f"/api/v1/swaps/{swap.id}/decision"
    assert lead.post(url, json={"approve": False}).status_code == 422
    done = lead.post(url, json={"approve": True}).json()
    assert (done["state"], done["roster_version_id"]) == ("approved", published(team).id)
    assert lead.post(url, json={"approve": True}).status_code == 409
