"""The team on the site: listed with masked phones, entered, changed, retired, imported, exported."""

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select, text

from api.accounts import Account, Role
from api.audit import AuditEntry
from grid.communities import Community, Employer
from grid.people import Member
from tests.api.conftest import Site
from tests.conftest import Server


@pytest.fixture(scope="module")
def team(server: Server, sample_template: str):
    """One site for the tests of this module: each looks at members of its own."""
    import os

    database = server.clone(sample_template, f"team_{os.getpid()}")
    site = Site(database)
    yield site
    site.close()
    database.drop()


def member(site, number: str) -> Member:
    with site.session() as session:
        return session.scalars(select(Member).where(Member.staff_number == number)).one()


def form(**more) -> dict[str, object]:
    return {
        "name": "新人", "force": "auxiliary", "contract": "full_time", "hours_week": "40",
        "max_patrols_week": "5", "max_nights_week": "2", "revision": "1", **more,
    }  # fmt: skip


def workbook(*rows: list[object]) -> tuple[str, bytes]:
    book = Workbook()
    book.active.append(["编号", "姓名", "力量", "每周工时上限"])
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return "队员.xlsx", stream.getvalue()


def actions(site, prefix: str) -> list[AuditEntry]:
    with site.session() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action.startswith(prefix)).order_by(AuditEntry.id)))  # fmt: skip


def test_the_list_masks_phones_until_they_are_asked_for_and_records_that(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    guard = member(team, "B01")
    shown = lead.get("/members?q=B01")
    assert guard.name in shown.text
    assert guard.phone not in shown.text
    assert "****" in shown.text
    before = len(actions(team, "member.phones"))
    assert guard.phone in lead.get("/members?q=B01&phones=true").text
    assert len(actions(team, "member.phones")) == before + 1
    auditor = team.signed_in(Role.AUDITOR).get("/members?q=B01&phones=true")
    assert guard.phone not in auditor.text
    assert f'href="/members/{guard.id}"' not in auditor.text
    assert guard.phone not in lead.get(f"/members/{guard.id}").text


def test_a_member_is_entered_changed_and_the_form_never_loses_the_hidden_phone(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    made = lead.post("/members", data=form(staff_number="N01", phone="13800001111", has=["leader"], off=["6", "7"], unavailable="周一 08:00-12:00"))  # fmt: skip
    assert made.status_code == 303, made.text
    stored = member(team, "N01")
    assert (stored.qualifications, stored.days_off) == (["leader"], [6, 7])
    assert stored.unavailable == [{"weekdays": [1], "start_min": 480, "end_min": 720}]
    page = lead.get(made.headers["location"])
    assert "周一 08:00-12:00" in page.text
    url = f"/members/{stored.id}"
    assert lead.post(url, data=form(name="改名", revision="1")).status_code == 303
    changed = member(team, "N01")
    assert (changed.name, changed.phone, changed.days_off, changed.revision) == ("改名", "13800001111", [], 2)  # fmt: skip
    stale = lead.post(url, data=form(name="又改", revision="1"))
    assert stale.status_code == 409
    assert "已被别人修改" in stale.text
    assert lead.post(url, data=form(no_phone="1", revision="2")).status_code == 303
    assert member(team, "N01").phone is None
    assert [a.action for a in actions(team, "member.c") if a.target == "N01"] == ["member.create", "member.change", "member.change"]  # fmt: skip
    assert "13800001111" not in str([a.details for a in actions(team, "member.")])


def test_everything_wrong_with_a_form_is_said_at_once_and_what_was_typed_stays(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    answer = lead.post("/members", data=form(staff_number="N 2", force="guard", hours_week="abc", unavailable="早上", active_from="2026-99-01"))  # fmt: skip
    assert answer.status_code == 422
    for said in ("编号应为", "物业公司", "“abc”不是数字", "看不懂时段", "不是日期"):
        assert said in answer.text
    assert 'value="N 2"' in answer.text
    taken = lead.post("/members", data=form(staff_number="P01"))
    assert taken.status_code == 409
    assert "已是" in taken.text


def test_who_leaves_is_kept_and_signs_in_no_more(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    leader = member(team, "L18")
    phone = team.signed_in(Role.PATROLLER, member_id=leader.id)
    assert phone.get("/my").status_code == 200
    assert lead.post(f"/members/{leader.id}/retire", data={"day": "2026-12-31"}).status_code == 303
    assert phone.get("/my").status_code == 200, "until the day comes"
    team.app.state.settings = team.settings.model_copy(update={"today": date(2026, 12, 31)})
    assert phone.get("/my").status_code == 303, "on the day it ends by itself"
    team.app.state.settings = team.settings
    assert lead.post(f"/members/{leader.id}/retire", data={"day": "2026-11-23"}).status_code == 303
    assert phone.get("/my").status_code == 303
    with team.session() as session:
        assert session.scalar(select(Account.active).where(Account.member_id == leader.id)) is False
    assert leader.name not in lead.get("/members").text
    assert leader.name in lead.get("/members?retired=true").text
    assert lead.post(f"/members/{leader.id}/return").status_code == 303
    assert leader.name in lead.get("/members").text


def test_the_export_is_read_back_in_as_unchanged(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    for query in ("", "?phones=true"):
        answer = lead.get("/members/export" + query)
        sheet = load_workbook(io.BytesIO(answer.content)).active
        rows = list(sheet.iter_rows(values_only=True))
        column = rows[0].index("电话")
        assert any("*" in str(r[column]) for r in rows[1:]) is (query == "")
        preview = lead.post("/members/import", files={"file": ("x.xlsx", answer.content)})
        assert preview.status_code == 200
        assert "没有可以保存的内容" in preview.text
        assert "有误的行（" not in preview.text
    assert [a.details["phones"] for a in actions(team, "member.export")][-2:] == [False, True]


def test_the_template_has_every_header_and_says_how_to_fill_it(team):
    answer = team.signed_in(Role.TEAM_LEAD).get("/members/template")
    book = load_workbook(io.BytesIO(answer.content))
    assert [c.value for c in book["队员"][1]][:3] == ["编号", "姓名", "力量"]
    assert book["填写说明"].max_row == 17
    lists = [rule.formula1 for rule in book["队员"].data_validations.dataValidation]
    assert any("物业保安" in choices for choices in lists)
    assert any("嘉通物业" in choices for choices in lists)


def test_an_import_is_previewed_committed_and_undone_as_one(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    was = member(team, "B05")
    file = workbook(["V01", "志愿甲", "志愿者", 10], ["B05", None, None, 20], ["V02", "乙", "超人", 1])  # fmt: skip
    preview = lead.post("/members/import", files={"file": file})
    assert preview.status_code == 200
    assert "力量“超人”不认识" in preview.text
    assert "<del>48</del>" in preview.text
    token = preview.text.split('name="token" value="')[1].split('"')[0]
    other = team.signed_in(Role.TEAM_LEAD, community_id=other_community(team))
    assert other.post("/members/import/commit", data={"token": token}).status_code == 410
    done = lead.post("/members/import/commit", data={"token": token})
    assert done.headers["location"].endswith("said=done&count=2")
    assert member(team, "B05").max_minutes_week == 1200
    assert lead.post("/members/import/commit", data={"token": token}).status_code == 410
    with team.session() as session:
        batch = session.scalar(text("SELECT max(id) FROM import_batch WHERE kind = 'members'"))
    assert other.post(f"/members/import/{batch}/undo").status_code == 404
    assert lead.post(f"/members/import/{batch}/undo").status_code == 303
    assert member(team, "B05").max_minutes_week == was.max_minutes_week
    with team.session() as session:
        assert not session.scalar(select(func.count()).where(Member.staff_number == "V01"))
    again = lead.post(f"/members/import/{batch}/undo")
    assert again.status_code == 409
    assert "已经撤销" in again.text
    assert [a.action for a in actions(team, "member.import")] == ["member.import", "member.import_undo"]  # fmt: skip


def test_a_file_that_is_no_table_is_refused_with_what_to_do(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    for name, content in (("x.xlsx", b"\x89PNG\r\n\x1a\n0000"), ("x.csv", b""), ("x.csv", b"a,b\n1,2")):  # fmt: skip
        answer = lead.post("/members/import", files={"file": (name, content)})
        assert answer.status_code in {413, 422}
        assert "请" in answer.text
    assert "没有选择文件" in lead.post("/members/import").text


def other_community(site) -> int:
    with site.session() as session, session.begin():
        found = session.scalar(select(Community.id).where(Community.code == "510304099999"))
        if found is None:
            office = session.scalar(text("SELECT id FROM street_office"))
            row = Community(street_office_id=office, code="510304099999", name="别的社区")
            session.add(row)
            session.flush()
            found = row.id
    return found


def test_another_communitys_members_are_not_there(team):
    lead = team.signed_in(Role.TEAM_LEAD, community_id=other_community(team))
    officer = member(team, "P01")
    assert officer.name not in lead.get("/members").text
    assert lead.get(f"/members/{officer.id}").status_code == 404
    assert lead.post(f"/members/{officer.id}", data=form()).status_code == 404
    assert lead.post(f"/members/{officer.id}/retire", data={"day": "2026-12-01"}).status_code == 404
    assert lead.get(f"/api/v1/members/{officer.id}").status_code == 404
    with team.session() as session:
        firm = session.scalar(select(Employer.id))
    answer = lead.post("/members", data=form(staff_number="X1", force="guard", employer_id=firm))
    assert answer.status_code == 404


def test_programs_read_masked_members_and_the_lead_changes_them(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    listed = lead.get("/api/v1/members?force=officer").json()
    assert [m["staff_number"] for m in listed] == ["P01", "P02"]
    assert "*" in listed[0]["phone_masked"]
    body = {"staff_number": "J01", "name": "甲", "force": "grid_member", "phone": "13900002222",
            "unavailable": [{"weekdays": [1], "start_min": 0, "end_min": 480}]}  # fmt: skip
    made = lead.post("/api/v1/members", json=body)
    assert made.status_code == 201
    assert lead.post("/api/v1/members", json=body).status_code == 409
    url = f"/api/v1/members/{made.json()['id']}"
    without = {k: v for k, v in body.items() if k != "phone"}
    assert lead.put(url, json=without | {"name": "乙", "revision": 1}).json()["revision"] == 2
    assert member(team, "J01").phone == "13900002222"
    assert lead.put(url, json=without | {"revision": 1}).status_code == 409
    for wrong in ({"force": "soldier"}, {"x": 1}, {"days_off": [9]}, {"force": "guard"}, {"unavailable": [{"weekdays": [1], "start_min": 60, "end_min": 60}]}):  # fmt: skip
        assert lead.post("/api/v1/members", json=body | {"staff_number": "J02"} | wrong).status_code == 422  # fmt: skip


def test_two_leads_who_enter_one_number_at_once_make_one_member(team):
    leads = [team.signed_in(Role.TEAM_LEAD) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda lead: lead.post("/members", data=form(staff_number="R01")).status_code, leads))  # fmt: skip
    assert sorted(answers) == [303, 409]


def test_two_imports_of_one_file_at_once_bring_it_in_once(team):
    lead = team.signed_in(Role.TEAM_LEAD)
    tokens = [
        lead.post("/members/import", files={"file": workbook(["R50", "同时甲", "志愿者"], ["R51", "同时乙", "志愿者"])})
        .text.split('name="token" value="')[1].split('"')[0]
        for _ in range(2)
    ]  # fmt: skip
    leads = [team.signed_in(Role.TEAM_LEAD) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda pair: pair[0].post("/members/import/commit", data={"token": pair[1]}).headers["location"], zip(leads, tokens, strict=True)))  # fmt: skip
    assert sorted(url.split("said=")[1] for url in said) == ["done&count=2", "nothing"]
