"""The roster on the site: generated live, read, reviewed, published, taken along."""

import io
import json

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, text
from typer.testing import CliRunner

from api.accounts import Role
from api.job_runs import JobRun
from api.jobs import ask, perform
from api.rosters.excel import harmless
from grid.communities import Community
from scheduling.core.problem import write_problem
from scheduling.found import found_demand
from scheduling.rosters import Patrol, RosterVersion
from tests.scheduling.roster_problems import problem

WEEK = "2026-11-30"


@pytest.fixture
def founded(sample_site):
    with sample_site.session() as session, session.begin():
        found_demand(session, session.scalar(select(Community.id)))
    return sample_site


def solve_week(site, week=WEEK) -> int:
    """Have a week solved with little effort; return the version's id."""
    with site.session() as session, session.begin():
        run = ask(
            session, "roster.solve", {"week_start": week, "deterministic": 0.2, "workers": 1},
            community_id=session.scalar(select(Community.id)), asked_by="lead",
        )  # fmt: skip
    perform(site.database.engine, run)
    with site.session() as session:
        row = session.get_one(JobRun, run)
        assert row.state == "done", row.error
        return row.result["roster_version_id"]


def test_a_week_without_a_roster_offers_to_make_one(founded):
    lead = founded.signed_in(Role.TEAM_LEAD)
    shown = lead.get(f"/rosters?week={WEEK}")
    assert shown.status_code == 200
    assert "这一周还没有排班表" in shown.text
    assert "生成排班" in shown.text
    office = founded.signed_in(Role.STREET_OFFICE).get(f"/rosters?week={WEEK}")
    assert "还没有已发布的排班表" in office.text
    assert "/rosters/generate" not in office.text


def test_any_day_opens_its_week_and_nonsense_is_said(founded):
    lead = founded.signed_in(Role.TEAM_LEAD)
    assert "2026年第49周" in lead.get("/rosters?week=2026-12-03").text
    assert "2026年第48周" in lead.get("/rosters").text
    for nonsense in ("abc", "2026-13-01", "0001-01-01"):
        answer = lead.get(f"/rosters?week={nonsense}")
        assert answer.status_code == 422
        assert "排班周从星期一开始" in answer.text


def test_the_lead_generates_reviews_publishes_and_locks(founded, run_jobs):
    lead = founded.signed_in(Role.TEAM_LEAD)
    asked = lead.post("/rosters/generate", data={"week": "2026-12-02"})
    assert asked.status_code == 303
    assert asked.headers["location"].startswith("/jobs/")
    again = lead.post("/rosters/generate", data={"week": WEEK})
    assert again.headers["location"] == asked.headers["location"], "one job per week at a time"
    lead.post(asked.headers["location"] + "/stop")
    run_jobs(founded)
    done = lead.get(asked.headers["location"])
    assert done.status_code == 303
    shown = lead.get(done.headers["location"])
    assert "独立检查：0 处硬性违规" in shown.text
    assert "草稿" in shown.text
    with founded.session() as session:
        version = session.scalar(select(RosterVersion))
    office = founded.signed_in(Role.STREET_OFFICE)
    for who, step, state in (
        (lead, "submit", "待审核"),
        (office, "review", "已审核"),
        (lead, "publish", "已发布"),
        (lead, "lock", "已锁定"),
    ):
        answer = who.post(f"/rosters/{version.id}/{step}")
        assert answer.status_code == 303
        assert state in who.get(answer.headers["location"]).text
    refused = lead.post(f"/rosters/{version.id}/publish")
    assert refused.status_code == 409
    assert "已锁定" in refused.text
    assert lead.post(f"/rosters/{version.id}/dance").status_code == 404
    with founded.session() as session:
        actions = session.scalars(text("SELECT action FROM audit_entry ORDER BY id")).all()
    assert {"roster.ask", "roster.generate", "roster.submit", "roster.review", "roster.publish", "roster.lock"} <= set(actions)  # fmt: skip


def test_a_job_taken_up_again_makes_no_second_version(founded):
    version = solve_week(founded)
    with founded.session() as session, session.begin():
        session.execute(text("UPDATE job_run SET state = 'running'"))
        run = session.scalar(select(JobRun.id))
    perform(founded.database.engine, run)
    with founded.session() as session:
        assert session.scalars(select(RosterVersion.id)).all() == [version]
        assert session.get_one(JobRun, run).result["roster_version_id"] == version
        assert session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'roster.generate'")) == 1  # fmt: skip


def test_the_street_office_reads_only_what_is_published(founded):
    version = solve_week(founded)
    office = founded.signed_in(Role.STREET_OFFICE)
    for path in (f"/rosters?week={WEEK}&version={version}", f"/rosters/{version}/excel",
                 f"/api/v1/rosters/{version}", f"/api/v1/rosters/{version}/problem"):  # fmt: skip
        assert office.get(path).status_code == 404
    assert office.get("/api/v1/rosters").json()["total"] == 0
    lead = founded.signed_in(Role.TEAM_LEAD)
    lead.post(f"/rosters/{version}/review")
    lead.post(f"/rosters/{version}/publish")
    page = office.get(f"/rosters?week={WEEK}")
    assert "花园西巡区" in page.text
    assert "锁定</button>" not in page.text
    assert office.get("/api/v1/rosters").json()["total"] == 1


def test_a_week_nobody_can_roster_is_said_on_the_page(sample_site):
    lead = sample_site.signed_in(Role.TEAM_LEAD)
    answer = lead.post("/rosters/generate", data={"week": WEEK})
    assert answer.status_code == 422
    assert "勤务需求" in answer.text


def test_the_json_api_lists_reads_checks_and_generates(founded):
    version = solve_week(founded)
    lead = founded.signed_in(Role.TEAM_LEAD)
    listed = lead.get(f"/api/v1/rosters?week_start={WEEK}").json()
    assert [(v["id"], v["state"], v["violations"]) for v in listed["items"]] == [
        (version, "draft", 0)
    ]
    one = lead.get(f"/api/v1/rosters/{version}").json()
    assert one["plan"]["levels"][1]["level"] == "cover_minimum"
    assert len(lead.get(f"/api/v1/rosters/{version}/problem").json()["members"]) == 55
    assert lead.get(f"/api/v1/rosters/{version}/check").json()["violations"] == []
    job = lead.post("/api/v1/rosters", json={"week_start": "2026-12-07"})
    assert job.status_code == 202
    assert lead.get(f"/api/v1/jobs/{job.json()['job']}").json()["state"] == "queued"
    for body in (
        {"week_start": "2026-12-08"},
        {"week_start": "x"},
        {},
        {"week_start": WEEK, "a": 1},
    ):
        assert lead.post("/api/v1/rosters", json=body).status_code == 422
    assert lead.get("/api/v1/rosters/99999999999999999999").status_code == 422
    assert lead.post(f"/api/v1/rosters/{version}/publish").status_code == 409
    assert lead.post(f"/api/v1/rosters/{version}/review").json()["state"] == "reviewed"


def test_another_communitys_roster_is_not_there(founded):
    version = solve_week(founded)
    with founded.session() as session, session.begin():
        other = Community(street_office_id=session.scalar(text("SELECT id FROM street_office")), code="510304099999", name="别的社区")  # fmt: skip
        session.add(other)
        session.flush()
        other_id = other.id
    lead = founded.signed_in(Role.TEAM_LEAD, community_id=other_id)
    for path in (f"/api/v1/rosters/{version}", f"/rosters/{version}/excel"):
        assert lead.get(path).status_code == 404
    assert lead.post(f"/rosters/{version}/review").status_code == 404


def test_the_excel_has_every_patrol_with_leader_phone_and_lines_to_sign(founded):
    version = solve_week(founded)
    answer = founded.signed_in(Role.TEAM_LEAD).get(f"/rosters/{version}/excel")
    assert answer.status_code == 200
    assert "2026" in answer.headers["content-disposition"]
    book = load_workbook(io.BytesIO(answer.content))
    patrols = book["派班明细"]
    with founded.session() as session:
        walked = len(session.scalars(select(Patrol.id)).all())
    rows = [r for r in patrols.iter_rows(min_row=4, values_only=True) if r[0] and r[5]]
    assert len([r for r in rows if r[6]]) == walked
    assert all(r[7] for r in rows if r[6])
    with founded.session() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'roster.export'")) == 1  # fmt: skip


def test_a_name_is_never_a_formula():
    assert harmless("=1+1") == "'=1+1"
    assert harmless("赵甲子") == "赵甲子"


def test_english_pages_are_english(founded):
    solve_week(founded)
    lead = founded.signed_in(Role.TEAM_LEAD)
    lead.cookies.set("xunge_locale", "en")
    assert lead.get(f"/rosters?week={WEEK}").status_code == 200


def run(*words):
    from api.rosters.commands import commands

    return CliRunner().invoke(commands, [str(word) for word in words])


def test_files_are_solved_and_checked_with_no_database(tmp_path, monkeypatch):
    monkeypatch.setenv("XUNGE_DATABASE_URL", "postgresql://nowhere.invalid/none")
    source, out = tmp_path / "p.json", tmp_path / "plan.json"
    source.write_text(write_problem(problem()), encoding="utf-8")
    made = run("solve", source, "--out", out, "--effort", "0.3", "--workers", "1")
    assert made.exit_code == 0, made.output
    assert "硬性违规 0 处" in made.output
    assert run("check", source, out).exit_code == 0
    plan = json.loads(out.read_text(encoding="utf-8"))
    plan["patrols"][0]["seats"][0]["member"] = "nobody"
    out.write_text(json.dumps(plan), encoding="utf-8")
    broken = run("check", source, out)
    assert broken.exit_code == 1
    assert "nobody" in broken.output


def test_bad_files_get_a_sentence(tmp_path):
    from grid.errors import DomainError

    cut = tmp_path / "cut.json"
    cut.write_text(write_problem(problem())[:500], encoding="utf-8")
    huge = tmp_path / "huge.json"
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    for path in (cut, huge, tmp_path / "none.json", tmp_path):
        answer = run("solve", path, "--out", tmp_path / "x.json")
        assert isinstance(answer.exception, DomainError)
        assert path.name in answer.exception.sentence("zh")
