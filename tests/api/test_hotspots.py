"""The hotspot pages say how many, whether it is chance and what changed, and raise requirements."""

import csv
import io
import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from api.accounts import Role
from api.audit import AuditEntry
from api.hotspots.findings import PeriodUnfit, Question, investigate, last_year
from api.hotspots.picture import write_hotspot_map
from api.job_runs import JobRun
from api.users.service import create_token
from grid.incident_counts import PlaceKind
from maps.counts import LEAST_FOR_HOT
from maps.folium_page import refuse_outside_assets
from scheduling.demand import PatrolRequirement
from tests.conftest import SAMPLE_UNTIL

FORM = {
    "category": "噪音扰民", "band_start": "19:00", "band_end": "22:00", "weekdays": ["5", "6"],
    "visits": "2", "dwell": "15", "valid_from": "2026-11-30", "valid_last": "2027-01-24",
    "reason": "广场舞",
}  # fmt: skip


def community(session) -> int:
    return session.scalar(text("SELECT min(id) FROM community"))


@pytest.fixture
def found(sample):
    return investigate(sample, community(sample), last_year(SAMPLE_UNTIL), SAMPLE_UNTIL)


def building(session, estate: str, number: str) -> int:
    return session.scalar(
        text("""SELECT b.id FROM building b JOIN estate e ON e.id = b.estate_id
                WHERE e.name = :e AND b.number = :n"""),
        {"e": estate, "n": number},
    )


# What is found


def test_the_planted_hotspots_are_found_and_little_else(found):
    hot = {(one.place.label, one.category) for one in found.hot}
    assert {
        ("铸钢花园5栋", "噪音扰民"), ("铸钢广场", "噪音扰民"), ("铸钢花园13栋", "高空抛物"),
        ("印象西区消防通道", "占用消防通道"), ("铸钢印象5栋", "占用消防通道"),
    } <= hot  # fmt: skip
    planted = {"噪音扰民", "高空抛物", "占用消防通道", "消费纠纷", "劳资纠纷", "盗窃电动车", "赌博"}
    assert {category for _, category in hot} <= planted


def test_the_square_is_loud_in_the_evening(found):
    square = next(one for one in found.hot if one.place.label == "铸钢花园5栋")
    assert 18 * 60 <= square.band.start_min <= 20 * 60
    assert square.band.end_min <= 23 * 60


def test_the_communitys_figures_come_out_with_their_bases(found):
    calls, cases = found.headlines["police_call"], found.headlines["security_case"]
    assert (calls.base, calls.n, round(calls.percent)) == (433, 338, -22)
    assert (cases.base, cases.n, round(cases.percent)) == (53, 41, -23)


def test_every_count_adds_up_to_n(found):
    cells = sum(one.n for one in found.counts if one.place.kind is PlaceKind.CELL)
    assert cells + found.unplaced == found.n == found.matrix.sum()
    assert found.density.n == pytest.approx(cells, abs=1)
    assert found.base == sum(change.base for change in found.headlines.values())


def test_nothing_under_five_is_called_hot(sample):
    for days in (7, 30, 90):
        question = Question(SAMPLE_UNTIL - timedelta(days), SAMPLE_UNTIL)
        answer = investigate(sample, community(sample), question, SAMPLE_UNTIL)
        assert all(one.n >= LEAST_FOR_HOT for one in answer.findings)


def test_filters_narrow_the_question(sample):
    def n(**filters) -> int:
        question = last_year(SAMPLE_UNTIL, **filters)
        return investigate(sample, community(sample), question, SAMPLE_UNTIL).n

    assert n(incident_class="police_call") == 338
    assert n(category="噪音扰民") == 174
    assert n(category="噪音扰民", source="p110") < 110
    evening = n(category="噪音扰民", from_hour=18, to_hour=23)
    late = n(category="噪音扰民", from_hour=23, to_hour=18)
    assert evening > 5 * late
    assert evening + late == 174


def test_a_small_dwelling_is_counted_in_its_cell_but_never_shown(sample):
    five = building(sample, "铸钢花园", "5")
    sample.execute(text("UPDATE building SET households = 4 WHERE id = :id"), {"id": five})
    answer = investigate(sample, community(sample), last_year(SAMPLE_UNTIL), SAMPLE_UNTIL)
    assert five not in {
        one.place.id
        for one in [*answer.findings, *answer.counts]
        if one.place.kind is PlaceKind.BUILDING
    }
    assert answer.hidden >= 29
    assert ("花园广场网格", "噪音扰民") in {(one.place.label, one.category) for one in answer.hot}


def test_a_period_must_run_forward_and_last_a_year_at_most():
    with pytest.raises(PeriodUnfit):
        Question(date(2026, 1, 2), date(2026, 1, 2))
    with pytest.raises(PeriodUnfit):
        Question(date(2025, 1, 1), date(2026, 11, 1))


def test_all_incidents_at_one_point_or_outside_the_community_break_nothing(sample):
    sample.execute(
        text("UPDATE incident SET location = ST_SetSRID(ST_Point(104.7761, 29.3601), 4326) "
             "WHERE location IS NOT NULL")
    )  # fmt: skip
    answer = investigate(sample, community(sample), last_year(SAMPLE_UNTIL), SAMPLE_UNTIL)
    assert answer.density.n > 1000
    sample.execute(
        text("UPDATE incident SET location = ST_SetSRID(ST_Point(106.5, 29.5), 4326), "
             "building_id = NULL WHERE location IS NOT NULL")
    )  # fmt: skip
    answer = investigate(sample, community(sample), last_year(SAMPLE_UNTIL), SAMPLE_UNTIL)
    assert answer.unplaced == answer.n
    assert answer.hot == ()
    assert answer.density.n == 0


# Pages


def test_the_page_shows_the_figures_the_places_and_the_hours(sample_site):
    page = sample_site.signed_in(Role.STREET_OFFICE).get("/hotspots").text
    assert "433 → 338" in page
    assert "−22%" in page
    assert "53 → 41" in page
    assert re.search(r"铸钢花园5栋 噪音扰民 \d+ 件，按户数应有", page)
    assert "提出巡逻要求" in page
    assert page.count('scope="row"') == 8


def test_an_auditor_reads_but_is_offered_no_button(sample_site):
    page = sample_site.signed_in(Role.AUDITOR).get("/hotspots").text
    assert "433 → 338" in page
    assert "提出巡逻要求" not in page
    assert "一并提出" not in page


def test_a_patroller_sees_no_hotspots_and_no_requirements(sample_site):
    patroller = sample_site.signed_in(Role.PATROLLER)
    for path in ("/hotspots", "/hotspots/map", "/hotspots/export.csv", "/requirements"):
        assert patroller.get(path).status_code == 403


def test_the_map_comes_with_a_policy_that_lets_nothing_out(sample_site):
    answer = sample_site.signed_in(Role.STREET_OFFICE).get("/hotspots/map?category=噪音扰民")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "default-src 'none'" in policy
    assert "allow-same-origin" not in policy
    assert json.dumps("铸钢广场") in answer.text
    refuse_outside_assets(answer.text)


def test_an_empty_community_has_an_empty_page_not_an_error(site):
    lead = site.signed_in(Role.TEAM_LEAD)
    assert "这段时间没有符合条件的事件" in lead.get("/hotspots").text
    assert lead.get("/hotspots/map").status_code == 200
    assert "还没有巡逻要求" in lead.get("/requirements").text
    assert "还没有划分巡区" in lead.get("/requirements/new").text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=2026-13-01", "无法识别"),
        ("from=2026-06-01&to=2026-05-01", "时间范围不对"),
        ("from=2020-01-01&to=2026-01-01", "最长一年"),
    ],
)
def test_days_that_do_not_fit_get_a_sentence(sample_site, query, words):
    answer = sample_site.signed_in(Role.STREET_OFFICE).get(f"/hotspots?{query}")
    assert answer.status_code == 422
    assert words in answer.text


def test_days_in_the_future_are_empty_not_an_error(sample_site):
    answer = sample_site.signed_in(Role.STREET_OFFICE).get(
        "/hotspots?from=2030-01-01&to=2030-06-01"
    )
    assert "没有符合条件的事件" in answer.text


def test_the_page_speaks_english_too(sample_site):
    browser = sample_site.signed_in(Role.STREET_OFFICE)
    browser.cookies.set("xunge_locale", "en")
    assert browser.get("/hotspots").status_code == 200
    assert browser.get("/requirements/new").status_code == 200


# Programs and files


def test_programs_read_what_the_page_shows(sample_site):
    with sample_site.session() as session, session.begin():
        token = create_token(session, "reader", community(session), actor="test")
    program = sample_site.browser()
    program.headers["authorization"] = f"Bearer {token}"
    told = program.get("/api/v1/hotspots").json()
    assert told["headlines"]["police_call"]["base"] == 433
    assert told["hotspots"][0]["hot"]
    assert sum(map(sum, told["hour_by_weekday"])) == told["n"]
    assert told["total"] == len(told["hotspots"])
    second = program.get("/api/v1/hotspots?per_page=2&page=2").json()
    assert second["hotspots"] == told["hotspots"][2:4]
    everything = program.get("/api/v1/hotspots?hot_only=false&per_page=500").json()
    assert everything["total"] > told["total"]
    assert program.get("/api/v1/requirements").json()["total"] == 0
    assert program.get("/api/v1/hotspots?from=x").status_code == 422


def test_the_csv_equals_the_table_opens_in_excel_and_is_recorded(sample_site):
    browser = sample_site.signed_in(Role.STREET_OFFICE)
    answer = browser.get("/hotspots/export.csv?class=police_call")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    tower = next(r for r in rows if r["地点"] == "铸钢花园13栋" and r["类型"] == "高空抛物")
    assert int(tower["件数"]) >= 10
    assert tower["热点"] == "是"
    assert all(int(row["件数"]) >= LEAST_FOR_HOT for row in rows)
    with sample_site.session() as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "hotspot.export")
        ).one()
        assert entry.details["n"] == 338


def test_a_place_named_like_a_formula_is_no_formula_in_the_csv(sample_site):
    with sample_site.session() as session, session.begin():
        session.execute(text("UPDATE key_place SET name = '=cmd()' WHERE name = '铸钢广场'"))
    answer = sample_site.signed_in(Role.STREET_OFFICE).get("/hotspots/export.csv")
    assert "'=cmd()" in answer.text
    assert "\n=cmd()" not in answer.text


def test_the_map_is_written_as_one_file(sample, tmp_path: Path):
    out = tmp_path / "out" / "hotspots.html"
    found = write_hotspot_map(sample, community(sample), out, day=SAMPLE_UNTIL)
    html = out.read_text(encoding="utf-8")
    assert found.n > 1000
    assert "热点图" in html
    assert "/requirements/new" not in html  # a file has no site behind it
    again = tmp_path / "again.html"
    write_hotspot_map(sample, community(sample), again, day=SAMPLE_UNTIL)
    assert again.read_bytes() == out.read_bytes()


# Requirements


def test_the_form_is_filled_from_what_the_place_has_shown(sample_site):
    with sample_site.session() as session:
        five = building(session, "铸钢花园", "5")
    page = (
        sample_site.signed_in(Role.TEAM_LEAD)
        .get(f"/requirements/new?place=building:{five}&category=噪音扰民")
        .text
    )
    assert f'value="building:{five}" selected' in page
    assert 'name="band_start" required value="19:00"' in page
    assert 'value="2026-11-30"' in page
    assert "按全社区水平约" in page


def test_a_requirement_is_raised_listed_withdrawn_and_recorded(sample_site):
    office = sample_site.signed_in(Role.STREET_OFFICE)
    with sample_site.session() as session:
        five = building(session, "铸钢花园", "5")
    answer = office.post("/requirements", data={**FORM, "place": f"building:{five}"})
    assert answer.status_code == 303
    with sample_site.session() as session:
        row = session.scalars(select(PatrolRequirement)).one()
    assert (row.band_start_min, row.band_end_min, row.weekdays) == (1140, 1320, [5, 6])
    assert row.valid_to == date(2027, 1, 25)
    assert row.evidence["n"] >= 25
    page = office.get("/requirements").text
    assert "铸钢花园5栋 · 噪音扰民" in page
    assert "待生效" in page
    assert "这一周还没有排班表" in page
    again = office.post("/requirements", data={**FORM, "place": f"building:{five}"})
    assert again.status_code == 409
    assert "已有有效的巡逻要求" in again.text
    assert "广场舞" in again.text  # what was written is still there
    assert office.post(f"/requirements/{row.id}/withdraw").status_code == 303
    assert "已撤回" in office.get("/requirements").text
    with sample_site.session() as session:
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.action.startswith("requirement"))
        ).all()
    assert actions == ["requirement.raise", "requirement.withdraw"]


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"weekdays": []}, 422, "没有选择星期"),
        ({"band_start": "9点"}, 422, "无法识别"),
        ({"valid_last": "2026-11-01"}, 422, "日期不对"),
        ({"dwell": "90"}, 422, "dwell"),
        ({"place": "building:999999"}, 404, "找不到"),
        ({"place": "person:1"}, 404, "找不到"),
        ({"place": "building:99999999999999999999"}, 404, "找不到"),
    ],
)
def test_a_form_that_does_not_fit_gets_a_sentence(sample_site, change, status, words):
    with sample_site.session() as session:
        five = building(session, "铸钢花园", "5")
    data = {**FORM, "place": f"building:{five}", **change}
    answer = sample_site.signed_in(Role.STREET_OFFICE).post("/requirements", data=data)
    assert answer.status_code == status
    assert words in answer.text


def test_an_end_before_the_start_is_the_next_day(sample_site):
    with sample_site.session() as session:
        five = building(session, "铸钢花园", "5")
    data = {**FORM, "place": f"building:{five}", "band_start": "23:00", "band_end": "02:00"}
    office = sample_site.signed_in(Role.STREET_OFFICE)
    assert office.post("/requirements", data=data).status_code == 303
    assert "23:00–次日02:00" in office.get("/requirements").text


def test_the_job_raises_what_follows_once(sample_site, run_jobs):
    office = sample_site.signed_in(Role.STREET_OFFICE)
    for _ in range(2):
        asked = office.post("/hotspots/raise")
        assert asked.headers["location"].startswith("/jobs/")
        with sample_site.session() as session, session.begin():
            # The worker has settings of its own; the day goes with the job here.
            run = session.scalars(select(JobRun).where(JobRun.state == "queued")).one()
            run.arguments = {**run.arguments, "today": SAMPLE_UNTIL.isoformat()}
        run_jobs(sample_site)
    with sample_site.session() as session:
        first, second = session.scalars(select(JobRun).order_by(JobRun.asked_at)).all()
        rows = session.scalars(select(PatrolRequirement)).all()
    assert first.state == second.state == "done"
    assert first.result["next"] == "/requirements"
    assert len(first.result["raised"]) == len(rows) >= 3
    assert second.result["raised"] == []
    raised = {row.category for row in rows}
    assert {"噪音扰民", "高空抛物", "占用消防通道"} <= raised
    assert all(row.evidence["n"] >= 10 and row.evidence["q"] <= 0.05 for row in rows)
    listed = office.get("/api/v1/requirements").json()
    assert {item["state"] for item in listed["items"]} == {"upcoming"}
    assert listed["total"] == len(rows)


def test_another_communitys_requirement_cannot_be_withdrawn(sample_site):
    office = sample_site.signed_in(Role.STREET_OFFICE)
    with sample_site.session() as session:
        five = building(session, "铸钢花园", "5")
    office.post("/requirements", data={**FORM, "place": f"building:{five}"})
    with sample_site.session() as session, session.begin():
        key = session.scalar(select(PatrolRequirement.id))
        other = session.scalar(
            text("""INSERT INTO community (street_office_id, code, name)
                    SELECT min(id), '510304999999', '别的' FROM street_office RETURNING id""")
        )
    stranger = sample_site.signed_in(Role.STREET_OFFICE, community_id=other)
    assert stranger.post(f"/requirements/{key}/withdraw").status_code == 404
    assert "铸钢花园5栋" not in stranger.get("/requirements").text


# The command line


def test_the_commands_list_raise_and_write(sample_database, tmp_path: Path, monkeypatch):
    from api.hotspots import commands
    from api.settings import Settings

    settings = Settings(database_url=sample_database.url, today=SAMPLE_UNTIL)
    monkeypatch.setattr(commands, "settings", lambda: settings)
    monkeypatch.setattr("api.hotspots.picture.settings", lambda: settings)
    monkeypatch.setenv("COLUMNS", "160")
    run = CliRunner().invoke
    listed = run(commands.commands, ["compute"])
    assert "433→338 −22%" in listed.output
    assert "铸钢花园13栋" in listed.output
    assert "每周" in run(commands.commands, ["raise"]).output
    assert "没有新的巡逻要求" in run(commands.commands, ["raise"]).output
    out = tmp_path / "map.html"
    assert "已写入" in run(commands.commands, ["map", "--out", str(out)]).output
    assert out.stat().st_size > 200_000
    unknown = run(commands.commands, ["compute", "--community", "000000000000"])
    assert "找不到社区" in str(unknown.exception)
    nowhere = run(commands.commands, ["map", "--out", "/proc/nowhere.html"])
    assert "不能写入 /proc/nowhere.html" in str(nowhere.exception)
