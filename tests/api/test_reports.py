"""A report's figures are the ledger's, the same on the page, in the JSON and in the Word file."""

import io
import json
import re
from datetime import date, timedelta

import pytest
from docx import Document
from sqlalchemy import select, text

from api.accounts import Role
from api.jobs import ask, perform
from api.reports.figures import collect, period_of
from grid.communities import Community
from scheduling.found import found_demand
from tests.conftest import SAMPLE_UNTIL
from tests.published_week import publish_week

WEEK = SAMPLE_UNTIL - timedelta(SAMPLE_UNTIL.weekday() + 7)


@pytest.fixture
def office(sample_site):
    return sample_site.signed_in(Role.STREET_OFFICE)


def counted(site, first: date, until: date, more: str = "") -> int:
    with site.session() as session:
        return session.scalar(
            text(
                "SELECT count(*) FROM incident WHERE "
                "(occurred_at AT TIME ZONE 'Asia/Shanghai')::date >= :a AND "
                "(occurred_at AT TIME ZONE 'Asia/Shanghai')::date < :b" + more
            ),
            {"a": first, "b": until},
        )


def words_of(docx: bytes) -> str:
    document = Document(io.BytesIO(docx))
    cells = [c.text for t in document.tables for row in t.rows for c in row.cells]
    return "\n".join([p.text for p in document.paragraphs] + cells)


def test_weeks_begin_on_monday_and_months_on_the_first():
    assert period_of("week", date(2026, 11, 22)) == (date(2026, 11, 16), date(2026, 11, 23))
    assert period_of("month", date(2026, 12, 31)) == (date(2026, 12, 1), date(2027, 1, 1))


def test_the_figures_are_the_ledgers_with_their_bases(sample_site, office):
    told = office.get("/api/v1/reports", params={"kind": "week", "day": WEEK.isoformat()}).json()
    assert told["total"]["n"] == counted(sample_site, WEEK, WEEK + timedelta(7))
    assert told["total"]["before"] == counted(sample_site, WEEK - timedelta(7), WEEK)
    ago = WEEK - timedelta(365)
    assert told["total"]["year"] == counted(sample_site, ago, ago + timedelta(7))
    assert sum(one["n"] for one in told["classes"]) == told["total"]["n"]
    assert sum(map(sum, told["matrix"])) == told["total"]["n"]
    month = office.get("/api/v1/reports", params={"kind": "month", "day": "2026-10-09"}).json()
    assert month["total"]["n"] == counted(sample_site, date(2026, 10, 1), date(2026, 11, 1)) > 0


def test_page_word_and_json_say_the_same(sample_site, office):
    asked = {"kind": "month", "day": "2026-10-01"}
    told = office.get("/api/v1/reports", params=asked).json()
    html = office.get("/reports", params=asked).text
    word = office.get("/reports/word", params=asked)
    assert word.status_code == 200
    assert "%E7%A0%94%E5%88%A4" in word.headers["content-disposition"]
    written = words_of(word.content)
    assert [s["title"][2:] for s in told["sections"]] == [
        "概况", "时空分布", "类型", "重要事件", "勤务投入", "效果", "建议",
    ]  # fmt: skip
    for section in told["sections"]:
        for sentence in section["paragraphs"]:
            assert sentence in html
            assert sentence in written
        for row in section["rows"]:
            for cell in row:
                assert cell in written
    assert len(Document(io.BytesIO(word.content)).inline_shapes) == 3
    for name in ("weeks", "hours", "map"):
        picture = office.get("/reports/picture", params={**asked, "name": name})
        assert picture.content[:8] == b"\x89PNG\r\n\x1a\n"


def test_hot_places_without_a_requirement_are_what_is_advised(sample_site, office):
    advice = office.get("/api/v1/reports").json()["sections"][-1]["paragraphs"]
    assert any("铸钢" in told and "建议提出" in told for told in advice)


def test_no_person_is_in_it(sample_site, office):
    written = words_of(office.get("/reports/word").content)
    with sample_site.session() as session:
        names = session.scalars(text("SELECT name FROM member")).all()
        told = session.scalars(
            text("SELECT description FROM incident WHERE length(description) > 8 LIMIT 300")
        ).all()
    assert not [name for name in names if name in written]
    assert not [text for text in told if text in written]
    assert not re.search(r"1[3-9]\d{9}", written)


def test_what_was_put_in_is_the_published_roster(sample_site):
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        found_demand(session, community)
        version = publish_week(session)
        monday = session.scalar(text("SELECT min(week_start) FROM roster_version"))
        report = collect(session, community, "week", monday, monday + timedelta(9))
        walked = session.execute(
            text("""SELECT count(DISTINCT p.id), sum(p.end_min - p.start_min) / 60.0
                    FROM patrol p JOIN assignment a ON a.patrol_id = p.id""")
        ).one()
    assert version is not None
    assert report.duty.patrols == walked[0] > 0
    assert report.duty.person_hours == pytest.approx(float(walked[1]), abs=0.05)


def test_days_to_come_and_no_day_are_told(office):
    ahead = office.get("/reports", params={"kind": "week", "day": "2027-05-01"})
    assert ahead.status_code == 422
    assert "还没有到" in ahead.text
    assert office.get("/reports", params={"day": "yesterday"}).status_code == 422


def test_the_digest_is_made_of_the_day_and_shown(sample_site, office):
    with sample_site.session() as session, session.begin():
        community = session.scalar(select(Community.id))
        day = session.scalar(
            text("""SELECT max(occurred_at AT TIME ZONE 'Asia/Shanghai')::date FROM incident""")
        )
        ask(
            session, "report.digest", {"today": day.isoformat()}, community_id=community,
            asked_by="daily", run_id="digest",
        )  # fmt: skip
    perform(sample_site.database.engine, "digest")
    html = office.get("/reports").text
    n = counted(sample_site, day, day + timedelta(1))
    assert f"今日接报{n}件" in html
    assert "今晚没有已发布的巡逻" in html
    with sample_site.session() as session:
        stored = session.scalar(text("SELECT result FROM job_run WHERE id = 'digest'"))
    assert json.dumps(stored, ensure_ascii=False).count("今日接报") == 1


def test_patrollers_and_administrators_have_no_reports(sample_site):
    for role in (Role.PATROLLER, Role.ADMIN):
        assert sample_site.signed_in(role).get("/reports").status_code == 403
