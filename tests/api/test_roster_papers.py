"""What a roster goes out as, and its versions side by side, on a published week of the sample."""

import io
import os
import re
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text

from api.accounts import Role
from api.rosters.paper import COLUMNS_MAX, Paper
from api.rosters.pdf import roster_document
from grid.people import Member
from scheduling.rosters import Assignment, Patrol, RosterVersion
from scheduling.versions import store_draft
from scheduling.week import plan_of, problem_of
from tests.api.conftest import Site
from tests.conftest import Server
from tests.published_week import WEEK, publish_week


@pytest.fixture(scope="module")
def site(server: Server, sample_template: str) -> Iterator[Site]:
    database = server.clone(sample_template, f"papers_{os.getpid()}")
    made = Site(database)
    with made.session() as session, session.begin():
        publish_week(session)
    yield made
    made.close()
    database.drop()


@pytest.fixture(scope="module")
def version(site) -> RosterVersion:
    with site.session() as session:
        return session.scalars(select(RosterVersion).where(RosterVersion.number == 1)).one()


@pytest.fixture(scope="module")
def draft(site, version) -> Iterator[int]:
    """A draft of the lead's, with two people of the published version exchanged."""
    with site.session() as session, session.begin():
        plan = plan_of(version)
        made = store_draft(
            session, version.community_id, problem_of(version), plan, by=lead_name(site)
        )
        one, two = [p for p in made.plan["patrols"] if p["walked"]][:2]
        changed = dict(made.plan)
        a, b = one["seats"][0]["member"], two["seats"][0]["member"]
        assert a != b
        swap = {one["key"]: b, two["key"]: a}
        changed["patrols"] = [
            {**p, "seats": [{**p["seats"][0], "member": swap[p["key"]]}, *p["seats"][1:]]}
            if p["key"] in swap
            else p
            for p in made.plan["patrols"]
        ]
        made.plan = changed
        session.flush()
        return made.id


def lead_name(site: Site) -> str:
    return site.account(Role.TEAM_LEAD)


@pytest.fixture(scope="module")
def book(site, version):
    answer = site.signed_in(Role.TEAM_LEAD).get(f"/rosters/{version.id}/excel")
    assert answer.status_code == 200
    assert "沙鱼坝社区排班表-2026年第49周-第1版.xlsx" in unquote(
        answer.headers["content-disposition"]
    )
    return load_workbook(io.BytesIO(answer.content))


def week_sheets(book):
    return [s for s in book.worksheets if s["A3"].value == "日期" and s["B3"].value == "星期"][:-1]


def test_every_sheet_prints_on_a4_landscape_with_its_heads_repeated(book):
    sheets = week_sheets(book)
    assert len(sheets) >= 3
    for sheet in book.worksheets:
        assert sheet.page_setup.orientation == "landscape"
        assert sheet.page_setup.paperSize == 9
        assert sheet.page_setup.fitToWidth == 1
        assert sheet.page_setup.fitToHeight == 0
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "2026年第49周　2026-11-30 至 2026-12-06" in sheet["A1"].value
    for sheet in sheets:
        assert sheet.print_title_rows == "$1:$4"
        assert sheet.print_title_cols == "$A:$B"
        assert sheet.max_column - 2 <= COLUMNS_MAX


def test_dates_run_down_and_shifts_over_zones_across(book):
    for sheet in week_sheets(book):
        assert [sheet.cell(r, 2).value for r in range(5, 12)] == [
            f"周{d}" for d in "一二三四五六日"
        ]
        assert sheet["A5"].value == "11月30日"
        heads = [sheet.cell(3, c).value for c in range(3, sheet.max_column + 1)]
        assert re.match(r"\S+班\S* \d\d:\d\d–", heads[0])
        assert all(sheet.cell(4, c).value.endswith("巡区") for c in range(3, sheet.max_column + 1))


def test_every_walked_patrol_stands_in_one_cell_with_leader_phone_and_members(book, site, version):
    with site.session() as session:
        walked = session.scalars(select(Patrol).where(Patrol.roster_version_id == version.id)).all()
        phones = dict(session.execute(select(Member.name, Member.phone)).all())
        names = {
            member.name
            for member in session.scalars(
                select(Member).join(Assignment, Assignment.member_id == Member.id)
            )
        }
    cells = [
        str(sheet.cell(r, c).value or "")
        for sheet in week_sheets(book)
        for r in range(5, 12)
        for c in range(3, sheet.max_column + 1)
    ]
    everything = "\n".join(cells)
    leaders = re.findall(r"★(\S+)\n(\S+)", everything)
    assert len(leaders) == len(walked)
    assert all(phones[name] == phone for name, phone in leaders)
    assert all(name in everything for name in names)


def test_three_people_sign_by_name_under_every_sheet(book, site):
    for sheet in week_sheets(book):
        last = sheet.cell(sheet.max_row, 1).value
        assert re.match(r"制表：maker　+审核：lead　+签发：lead　+日期：", last)
        assert "备注：" in sheet.cell(sheet.max_row - 1, 1).value


def test_every_member_has_one_row_with_what_they_walk_each_day(book, site, version):
    sheet = book["按队员"]
    rows = {r[0]: r for r in sheet.iter_rows(min_row=4, values_only=True) if r[1] and r[2]}
    with site.session() as session:
        counts = dict(
            session.execute(
                text(
                    "SELECT m.staff_number, count(*) FROM assignment a "
                    "JOIN member m ON m.id = a.member_id JOIN patrol p ON p.id = a.patrol_id "
                    "WHERE p.roster_version_id = :v GROUP BY 1"
                ),
                {"v": version.id},
            ).all()
        )
    assert len(rows) == 55
    for number, row in rows.items():
        days = [d for d in row[4:11] if d and d not in {"休", "假"}]
        assert len(days) == row[11] == counts.get(number, 0)


def test_the_pdf_has_the_workbooks_pages_then_the_members(site, version):
    with site.session() as session:
        found = session.get_one(RosterVersion, version.id)
        pages = Paper(session, found).pages()
        document = roster_document(session, found)
    assert len(pages) <= len(document.pages) <= len(pages) + 3
    for page in document.pages:
        assert page.width > page.height, "landscape"
        assert round(page.width) == 1123, "A4 at 96 dots per inch"
    assert "2026年第49周" in document.metadata.title


def test_the_pdf_is_one_with_a_chinese_name_and_is_recorded(site, version):
    office = site.signed_in(Role.STREET_OFFICE)
    answer = office.get(f"/rosters/{version.id}/pdf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")
    assert "排班表-2026年第49周" in unquote(answer.headers["content-disposition"])
    with site.session() as session:
        forms = session.scalars(
            text("SELECT details ->> 'form' FROM audit_entry WHERE action = 'roster.export'")
        ).all()
    assert "pdf" in forms


def test_the_text_of_a_day_and_of_the_week_names_every_team_and_no_telephone(site, version):
    lead = site.signed_in(Role.TEAM_LEAD)
    week = lead.get(f"/rosters/{version.id}/text.txt")
    assert week.headers["content-type"].startswith("text/plain")
    assert week.text.startswith("【沙鱼坝社区】2026年第49周巡逻安排（11月30日–12月6日）")
    monday = lead.get(f"/rosters/{version.id}/text.txt?day=0").text
    assert monday.startswith("【沙鱼坝社区】11月30日 周一巡逻安排")
    with site.session() as session:
        there = session.scalars(
            select(Member.name)
            .join(Assignment, Assignment.member_id == Member.id)
            .join(Patrol, Patrol.id == Assignment.patrol_id)
            .where(Patrol.roster_version_id == version.id, Patrol.day == WEEK)
        ).all()
    assert all(name in monday for name in there)
    assert re.search(r"\d{8,}", week.text) is None
    assert lead.get(f"/rosters/{version.id}/text.txt?day=7").status_code == 422
    page = lead.get(f"/rosters/{version.id}/text").text
    assert page.count("data-copy=") == 8


def test_versions_side_by_side_say_who_gained_and_lost_what(site, version, draft):
    lead = site.signed_in(Role.TEAM_LEAD)
    page = lead.get(f"/rosters/{version.id}/compare?with={draft}")
    assert page.status_code == 200
    assert "去掉 2 个，新增 2 个；涉及 2 名队员、2 次巡逻" in page.text
    found = lead.get(f"/api/v1/rosters/{version.id}/compare?with={draft}").json()
    assert len(found["members"]) == 2
    for member in found["members"]:
        assert len(member["gained"]) == len(member["lost"]) == 1
    same = lead.get(f"/rosters/{version.id}/compare?with={version.id}")
    assert "完全相同" in same.text
    assert lead.get(f"/rosters/{draft}/compare").status_code == 200, "with what, is guessed"


def test_a_draft_still_worked_on_is_not_compared_by_the_street_office(site, version, draft):
    office = site.signed_in(Role.STREET_OFFICE)
    assert office.get(f"/rosters/{version.id}/compare?with={draft}").status_code == 404
    assert office.get(f"/rosters/{draft}/compare").status_code == 404
    assert office.get(f"/rosters/{draft}/pdf").status_code == 404
    assert office.get(f"/rosters/{draft}/text.txt").status_code == 404


def test_versions_of_two_weeks_are_refused_with_a_sentence(site, version):
    with site.session() as session, session.begin():
        problem, plan = problem_of(version), plan_of(version)
        from dataclasses import replace
        from datetime import timedelta

        later = replace(problem, week_start=(WEEK + timedelta(days=7)).isoformat())
        other = store_draft(session, version.community_id, later, plan, by="x").id
    lead = site.signed_in(Role.TEAM_LEAD)
    refused = lead.get(f"/rosters/{version.id}/compare?with={other}")
    assert refused.status_code == 409
    assert "同一周" in refused.text
    assert lead.get(f"/api/v1/rosters/{version.id}/compare?with={other}").status_code == 409


def test_the_author_is_told_who_may_review_and_is_refused(site, version, draft):
    site.account(Role.STREET_OFFICE)
    lead = site.signed_in(Role.TEAM_LEAD)
    shown = lead.get(f"/rosters?week={WEEK}&version={draft}").text
    assert "须由另一人审核" in shown
    assert site.account(Role.STREET_OFFICE) in shown
    assert "审核通过" not in shown
    refused = lead.post(f"/rosters/{draft}/review")
    assert refused.status_code == 409
    assert "须由另一人审核" in refused.text
    with site.session() as session, session.begin():
        session.execute(text("UPDATE account SET active = false WHERE role = 'street_office'"))
    alone = lead.get(f"/rosters?week={WEEK}&version={draft}").text
    assert "请管理员在“账号”页新建" in alone
    with site.session() as session, session.begin():
        session.execute(text("UPDATE account SET active = true"))


def test_the_street_office_reviews_what_it_read_and_may_send_it_back(site, version, draft):
    lead, office = site.signed_in(Role.TEAM_LEAD), site.signed_in(Role.STREET_OFFICE)
    assert office.post(f"/rosters/{draft}/review").status_code == 404, "it was not sent"
    with site.session() as session, session.begin():
        # The exchange in the fixture is drawn, not ruled on: what is reviewed here is legal.
        row = session.get_one(RosterVersion, draft)
        row.plan = session.get_one(RosterVersion, version.id).plan
    assert lead.post(f"/rosters/{draft}/submit").status_code == 303
    assert "待您审核" in office.get("/rosters").text
    page = office.get(f"/rosters?week={WEEK}&version={draft}").text
    seen = re.search(r'name="seen" value="(\w+)"', page)[1]
    stale = office.post(f"/rosters/{draft}/review", data={"seen": "0" * 16})
    assert stale.status_code == 409
    assert "又被调整过" in stale.text
    assert office.post(f"/rosters/{draft}/send-back").headers["location"] == f"/rosters?week={WEEK}"
    assert office.get(f"/rosters?week={WEEK}&version={draft}").status_code == 404
    lead.post(f"/rosters/{draft}/submit")
    assert office.post(f"/rosters/{draft}/review", data={"seen": seen}).status_code == 303
    for step in ("publish", "withdraw", "lock"):
        assert office.post(f"/rosters/{draft}/{step}").status_code == 403
    assert lead.post(f"/rosters/{draft}/publish").status_code == 303
    assert lead.post(f"/rosters/{draft}/withdraw").status_code == 303, "no patrol has begun"
    with site.session() as session:
        assert session.get_one(RosterVersion, draft).state == "reviewed"
        actions = session.scalars(text("SELECT action FROM audit_entry")).all()
    assert {"roster.submit", "roster.send-back", "roster.review", "roster.withdraw"} <= set(actions)


def test_the_command_line_publishes_no_draft_without_another_reviewer(site, version, monkeypatch):
    from typer.testing import CliRunner

    from api.rosters import commands

    monkeypatch.setattr(commands, "_ground", lambda: site.database.engine)
    with site.session() as session, session.begin():
        made = store_draft(
            session, version.community_id, problem_of(version), plan_of(version), by="cli"
        ).id
    office = site.account(Role.STREET_OFFICE)

    def run(*words):
        return CliRunner().invoke(commands.commands, [str(word) for word in words])

    for wrong in ([], ["--reviewer", "cli"], ["--reviewer", "nobody"]):
        refused = run("publish", made, *wrong)
        assert "--reviewer" in refused.exception.sentence("zh")
    done = run("publish", made, "--reviewer", office)
    assert done.exit_code == 0, done.output
    with site.session() as session:
        row = session.get_one(RosterVersion, made)
        assert (row.state, row.reviewed_by, row.published_by) == ("published", office, "cli")


def test_the_command_line_exports_by_the_files_ending(site, version, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from api.rosters import commands

    monkeypatch.setattr(commands, "_ground", lambda: site.database.engine)
    starts = {"xlsx": b"PK", "pdf": b"%PDF", "txt": "【沙鱼坝社区】".encode()}
    for ending, start in starts.items():
        out = tmp_path / f"排班表.{ending}"
        done = CliRunner().invoke(commands.commands, ["export", str(version.id), "--out", str(out)])
        assert done.exit_code == 0, done.output
        assert out.read_bytes().startswith(start)
