"""The ledger's pages and JSON: who sees what, what comes in once, what is refused and recorded."""

import csv
import io
import json
import os
import re
from datetime import datetime, timedelta

import openpyxl
import pytest
from sqlalchemy import func, select, text

from api.accounts import Role
from api.audit import AuditEntry
from api.incidents.export import harmless
from api.permissions import SESSION_COOKIE
from api.users.service import create_token
from grid.communities import ImportBatch
from grid.incidents import Incident
from grid.intake import LOCAL
from grid.people import Member
from tests.api.conftest import Site
from tests.conftest import SAMPLE_UNTIL

YESTERDAY = datetime.combine(SAMPLE_UNTIL - timedelta(1), datetime.min.time(), LOCAL).replace(
    hour=20
)
FORM = {
    "incident_class": "hazard",
    "category": "占用消防通道",
    "source": "hotline",
    "urgency": "major",
    "occurred_at": YESTERDAY.strftime("%Y-%m-%dT%H:%M"),
    "building": "铸钢印象5栋",
    "description": "面包车堵在消防通道",
    "form_key": "A1B2C3",
}
EVENT = {
    "source": "device",
    "ticket_number": "CAM7-000123",
    "incident_class": "hazard",
    "category": "占用消防通道",
    "occurred_at": YESTERDAY.isoformat(),
    "address": "铸钢印象5栋",
}


@pytest.fixture
def lead(sample_site):
    return sample_site.signed_in(Role.TEAM_LEAD)


@pytest.fixture
def program(sample_site):
    return a_program(sample_site)


@pytest.fixture(scope="module")
def still_site(server, sample_template):
    """One site for every test that changes nothing: a clone for each would cost a third of a second."""
    database = server.clone(sample_template, f"still_{os.getpid()}")
    made = Site(database)
    yield made
    made.close()
    database.drop()


@pytest.fixture(scope="module")
def still_lead(still_site):
    return still_site.signed_in(Role.TEAM_LEAD)


@pytest.fixture(scope="module")
def still_program(still_site):
    return a_program(still_site)


def a_program(site):
    with site.session() as session, session.begin():
        community = session.scalar(text("SELECT min(id) FROM community"))
        token = create_token(session, "cameras", community, actor="test")
    client = site.browser()
    client.headers["authorization"] = f"Bearer {token}"
    client.headers["accept"] = "application/json"
    return client


def incident_id(answer) -> int:
    assert answer.status_code == 303, answer.text
    return int(answer.headers["location"].split("?")[0].rsplit("/", 1)[1])


def acts(site, action: str) -> list[AuditEntry]:
    with site.session() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action)))


class TestLedger:
    def test_it_counts_and_pages(self, still_lead):
        page = still_lead.get("/incidents")
        assert "2667" in page.text
        assert page.text.count('<td class="nowrap"><a href="/incidents/') == 50
        assert still_lead.get("/incidents?page=54").text.count('<td class="nowrap"><a href') == 17
        assert "没有这一页" in still_lead.get("/incidents?page=55").text

    @pytest.mark.parametrize(
        ("query", "sql"),
        [
            ("class=security_case", "incident_class = 'security_case'"),
            ("state=open", "state <> 'closed'"),
            ("source=p110&state=closed", "source = 'p110' AND state = 'closed'"),
            ("q=广场舞", "description LIKE '%广场舞%'"),
            (
                "from=2026-03-01&to=2026-03-31",
                "(occurred_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN '2026-03-01' AND '2026-03-31'",
            ),
            ("cell=4", "cell_id = 4"),
            ("zone=2", "cell_id IN (SELECT cell_id FROM patrol_zone_cell WHERE zone_id = 2)"),
            ("place=none", "location IS NULL"),
            ("class=&state=&q=", "true"),
            ("class=nonsense&from=xx&zone=9x", "true"),
        ],
    )
    def test_a_filter_means_what_sql_says(self, still_site, still_program, query, sql):
        with still_site.session() as session:
            expected = session.scalar(text(f"SELECT count(*) FROM incident WHERE {sql}"))
        assert expected > 0
        assert still_program.get(f"/api/v1/incidents?{query}").json()["total"] == expected

    def test_a_percent_sign_is_a_percent_sign(self, still_program):
        assert still_program.get("/api/v1/incidents", params={"q": "100%_\\"}).json()["total"] == 0

    def test_nothing_found_is_said(self, still_lead):
        assert "没有符合条件的事件" in still_lead.get("/incidents?q=外星人").text

    def test_an_empty_ledger_says_what_to_do(self, site):
        assert "导入已有台账" in site.signed_in(Role.TEAM_LEAD).get("/incidents").text

    def test_a_patroller_sees_what_he_reported_and_nothing_else(self, sample_site, lead):
        patroller = sample_site.signed_in(Role.PATROLLER)
        assert "还没有上报过" in patroller.get("/incidents").text
        others = incident_id(lead.post("/incidents", data=FORM))
        assert patroller.get(f"/incidents/{others}").status_code == 404
        own = incident_id(patroller.post("/incidents", data=FORM | {"form_key": "D4"}))
        assert patroller.get(f"/incidents/{own}").status_code == 200
        listed = patroller.get("/incidents").text
        assert f"/incidents/{own}" in listed
        assert f"/incidents/{others}" not in listed
        with sample_site.session() as session:
            assert session.get_one(Incident, own).source == "patrol"

    def test_two_patrollers_do_not_see_each_other(self, sample_site):
        with sample_site.session() as session:
            first, second = session.scalars(select(Member.id).order_by(Member.id).limit(2)).all()
        mine = sample_site.signed_in(Role.PATROLLER, member_id=first)
        theirs = sample_site.signed_in(Role.PATROLLER, member_id=second)
        own = incident_id(mine.post("/incidents", data=FORM))
        assert theirs.get(f"/incidents/{own}").status_code == 404
        assert theirs.get("/incidents/export").status_code == 403


class TestForm:
    def test_a_report_is_placed_recorded_and_shown(self, sample_site, lead):
        answer = lead.post("/incidents", data=FORM)
        number = incident_id(answer)
        page = lead.get(answer.headers["location"]).text
        for shown in ("已登记", "铸钢印象5栋", "印象西网格", "印象西巡区", "占用消防通道", "<svg"):
            assert shown in page
        (act,) = acts(sample_site, "incident.report")
        assert act.target == f"incident:{number}"

    def test_a_second_tap_sends_nothing_twice(self, sample_site, lead):
        first = incident_id(lead.post("/incidents", data=FORM))
        again = lead.post("/incidents", data=FORM)
        assert incident_id(again) == first
        assert "没有重复登记" in lead.get(again.headers["location"]).text
        assert len(acts(sample_site, "incident.report")) == 1

    def test_a_phones_position_places_it(self, sample_site, lead):
        with sample_site.session() as session:
            lon, lat = session.execute(
                text("SELECT ST_X(location), ST_Y(location) FROM key_place WHERE name='铸钢广场'")
            ).one()
        place = {"building": "", "address": "广场东边树下", "lon": f"{lon}", "lat": f"{lat}"}
        number = incident_id(lead.post("/incidents", data=FORM | place))
        with sample_site.session() as session:
            incident = session.get_one(Incident, number)
        assert (incident.provenance, incident.address) == ("given", "广场东边树下")
        assert incident.cell_id is not None

    def test_a_point_of_the_sketch_is_the_point_on_the_ground(self, sample_site, lead):
        svg = lead.get("/incidents/sketch").text
        lon, lat = (
            [float(n) for n in re.search(rf'data-{axis}="([^"]+)"', svg)[1].split()]
            for axis in ("lon", "lat")
        )
        # 13栋's label stands on its footprint: the sketch's own metres lead back into the building.
        x, y = (
            float(n) for n in re.search(r'<text x="([^"]+)" y="([^"]+)">13</text>', svg).groups()
        )
        y -= 4
        place = {
            "building": "",
            "lon": f"{lon[0] + lon[1] * x + lon[2] * y:.7f}",
            "lat": f"{lat[0] + lat[1] * x + lat[2] * y:.7f}",
            "picked": "map",
        }
        number = incident_id(lead.post("/incidents", data=FORM | place))
        page = lead.get(f"/incidents/{number}").text
        assert "13栋" in page
        assert "在地图上选点" in page

    def test_only_a_patrol_one_is_on_is_named_with_the_report(self, sample_site):
        with sample_site.session() as session, session.begin():
            first, second = session.scalars(select(Member.id).order_by(Member.id).limit(2)).all()
            patrol = session.scalar(
                text("""
                WITH shift AS (
                    INSERT INTO shift_template
                        (community_id, code, name, start_min, end_min, weekdays)
                    SELECT id, 'T', '试', 1140, 1380, '{1}' FROM community RETURNING id),
                kind AS (
                    INSERT INTO patrol_type (community_id, code, name, composition)
                    SELECT id, 'T', '试', '[]' FROM community RETURNING id),
                roster AS (
                    INSERT INTO roster_version (community_id, week_start, number, state, problem,
                                                plan, violations, created_by, created_at)
                    SELECT id, '2026-11-23', 1, 'draft', '{}', '{}', 0, 'test', now()
                    FROM community RETURNING id),
                walk AS (
                    INSERT INTO patrol (roster_version_id, key, day, shift_template_id, zone_id,
                                        patrol_type_id, start_min, end_min, empty_seats)
                    SELECT roster.id, 'k', '2026-11-23', shift.id,
                           (SELECT min(id) FROM patrol_zone), kind.id, 1140, 1380, 0
                    FROM roster, shift, kind RETURNING id)
                INSERT INTO assignment (patrol_id, member_id, seat, leader)
                SELECT id, :member, 0, true FROM walk RETURNING patrol_id"""),
                {"member": first},
            )
        named = FORM | {"patrol": str(patrol)}
        for member, expected in ((first, patrol), (second, None)):
            browser = sample_site.signed_in(Role.PATROLLER, member_id=member)
            answer = browser.post("/incidents", data=named | {"form_key": f"K{member}"})
            with sample_site.session() as session:
                assert session.get_one(Incident, incident_id(answer)).patrol_id == expected
        answer = browser.post("/incidents", data=FORM | {"patrol": "9" * 18, "form_key": "Z"})
        assert answer.status_code == 303

    def test_a_community_without_a_boundary_has_no_sketch(self, site):
        assert "还没有边界" in site.signed_in(Role.TEAM_LEAD).get("/incidents/sketch").text

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"building": "", "address": "和平里3栋"}, "没有本社区的小区"),
            ({"building": ""}, "没有填写位置"),
            ({"occurred_at": "2030-01-01T10:00"}, "晚于现在"),
            ({"occurred_at": "昨天"}, "发生时间还没有选"),
            ({"incident_class": ""}, "类别还没有选"),
            ({"category": ""}, "类型还没有选"),
            ({"building": "", "lon": "105.9", "lat": "29.3"}, "社区范围外"),
            ({"building": "", "lon": "abc", "lat": "29.3"}, "检查经纬度"),
        ],
    )
    def test_what_does_not_fit_is_said_with_the_form_still_filled(self, still_lead, change, said):
        answer = still_lead.post("/incidents", data=FORM | change)
        assert answer.status_code == 422
        assert said in answer.text
        assert "面包车堵在消防通道" in answer.text
        assert 'value="A1B2C3"' in answer.text

    def test_identities_in_the_words_are_masked(self, sample_site, lead):
        words = {"description": "车主电话13812345678，车牌川C12345，身份证510304199001011234"}
        answer = lead.post("/incidents", data=FORM | words)
        page = lead.get(answer.headers["location"]).text
        assert "已打码" in page
        for secret in ("13812345678", "川C12345", "510304199001011234"):
            assert secret not in page

    def test_script_in_the_words_stays_words(self, lead):
        answer = lead.post("/incidents", data=FORM | {"description": "<script>alert(1)</script>"})
        page = lead.get(answer.headers["location"]).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
    def test_who_only_reads_may_not_report(self, still_site, role):
        assert still_site.signed_in(role).post("/incidents", data=FORM).status_code == 403


class TestWalk:
    def test_it_is_handled_to_the_end_and_every_step_recorded(self, sample_site, lead):
        number = incident_id(lead.post("/incidents", data=FORM))
        for step in ("accepted", "dispatched", "handled", "verified", "closed"):
            assert lead.post(f"/incidents/{number}/step", data={"to": step}).status_code == 303
        answer = lead.post(f"/incidents/{number}/callback", data={"satisfied": "true"})
        assert answer.status_code == 303
        steps = [act.details["to"] for act in acts(sample_site, "incident.step")]
        assert steps == ["accepted", "dispatched", "handled", "verified", "closed"]
        page = lead.get(f"/incidents/{number}").text
        assert "重新办理" in page
        assert "aria-pressed" in page

    def test_a_step_out_of_order_is_refused_on_the_page(self, lead):
        number = incident_id(lead.post("/incidents", data=FORM))
        answer = lead.post(f"/incidents/{number}/step", data={"to": "closed"})
        assert answer.status_code == 409
        assert "不能直接变为" in answer.text

    def test_a_reader_sees_no_buttons(self, sample_site, lead):
        number = incident_id(lead.post("/incidents", data=FORM))
        auditor = sample_site.signed_in(Role.AUDITOR)
        assert "/step" not in auditor.get(f"/incidents/{number}").text
        assert auditor.post(f"/incidents/{number}/step", data={"to": "accepted"}).status_code == 403

    @pytest.mark.parametrize("number", ["0", "99999999", "9223372036854775808", "abc"])
    def test_an_incident_that_is_not_there_is_a_sentence(self, still_lead, number):
        assert still_lead.get(f"/incidents/{number}").status_code in {404, 422}


class TestExport:
    def test_the_workbook_holds_the_filtered_ledger_and_is_recorded(self, sample_site, lead):
        answer = lead.get("/incidents/export?class=security_case")
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        assert sheet.max_row == 1 + 94
        assert sheet["A1"].value == "来源"
        (act,) = acts(sample_site, "incident.export")
        assert act.details["rows"] == 94

    def test_the_csv_reads_back_in_as_nothing_new(self, sample_site, lead):
        answer = lead.get("/incidents/export?format=csv&class=dispute")
        rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(rows) == 352
        preview = lead.post(
            "/incidents/import",
            files={"file": ("台账.csv", answer.content)},
            data={"crs": "EPSG:4326"},
        )
        assert "没有可以新增的事件" in preview.text

    def test_no_cell_runs_as_a_formula(self):
        assert harmless("=1+1") == "'=1+1"
        assert harmless("@SUM(A1)") == "'@SUM(A1)"
        assert harmless("噪音") == "噪音"
        assert harmless(-3.5) == -3.5


LEDGER_CSV = (
    "来源,工单号,类别,类型,发生时间,地址,描述\n"
    "110,JQX1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋2单元301室,广场舞\n"
    "热线,RXX2,诉求,停车难,昨晚八点,铸钢印象三栋,没车位\n"
).encode()


class TestImport:
    def test_preview_commit_again_and_undo(self, sample_site, lead):
        preview = lead.post("/incidents/import", files={"file": ("十一月.csv", LEDGER_CSV)})
        assert preview.status_code == 200
        assert "导入其余 1 条" in preview.text
        assert "昨晚八点" in preview.text
        with sample_site.session() as session:
            before = session.scalar(select(func.count()).select_from(Incident))
        token = preview.text.split('name="token" value="')[1][:32]
        done = lead.post("/incidents/import/commit", data={"token": token})
        assert done.headers["location"] == "/incidents/import?said=done&count=1"
        again = lead.post("/incidents/import/commit", data={"token": token})
        assert again.status_code == 410
        second = lead.post("/incidents/import", files={"file": ("十一月.csv", LEDGER_CSV)})
        assert "没有可以新增的事件" in second.text
        with sample_site.session() as session:
            batch = session.scalars(select(ImportBatch)).one()
            assert (batch.filename, batch.imported_by) == ("十一月.csv", "team_lead-1-0")
        lead.post(f"/incidents/import/{batch.id}/undo")
        with sample_site.session() as session:
            assert session.scalar(select(func.count()).select_from(Incident)) == before
        assert [len(acts(sample_site, a)) for a in ("incident.import", "incident.import_undo")] == [
            1,
            1,
        ]
        assert lead.post(f"/incidents/import/{batch.id}/undo").status_code == 409

    def test_an_upload_belongs_to_whoever_uploaded_it(self, sample_site, lead):
        preview = lead.post("/incidents/import", files={"file": ("a.csv", LEDGER_CSV)})
        token = preview.text.split('name="token" value="')[1][:32]
        other = sample_site.signed_in(Role.STREET_OFFICE)
        assert other.post("/incidents/import/commit", data={"token": token}).status_code == 410

    @pytest.mark.parametrize(
        ("name", "content", "said"),
        [
            ("空.csv", b"", "没有内容"),
            ("图.csv", b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "不是表格"),
            ("旧.xls", b"\xd0\xcf\x11\xe0" + b"\x00" * 50, "旧版 Excel"),
            ("断.xlsx", b"PK\x03\x04" + b"\x00" * 50, "不完整或已损坏"),
            ("缺.csv", "工单号,地址\n1,x\n".encode(), "缺少列"),
            ("坐标.csv", "来源,工单号,类别,类型,发生时间,经度,纬度\n110,1,警情,x,2026-11-20 20:15,104.78,29.36\n".encode(), "没有注明坐标系"),
        ],
    )  # fmt: skip
    def test_a_file_that_will_not_do_is_said(self, still_lead, name, content, said):
        answer = still_lead.post("/incidents/import", files={"file": (name, content)})
        assert answer.status_code in {413, 422}
        assert said in answer.text

    def test_no_file_is_said(self, still_lead):
        assert "没有选择文件" in still_lead.post("/incidents/import", data={"crs": ""}).text

    @pytest.mark.parametrize("token", ["../../etc/passwd", "x" * 32, "0" * 32, ""])
    def test_a_made_up_token_opens_nothing(self, still_lead, token):
        answer = still_lead.post("/incidents/import/commit", data={"token": token})
        assert answer.status_code in {410, 422}


class TestJson:
    def test_an_event_comes_in_once(self, sample_site, program):
        first = program.post("/api/v1/incidents", json=EVENT)
        assert first.status_code == 201, first.text
        assert first.json()["building"] == "铸钢印象5栋"
        assert first.json()["cell_code"] == "510304099901002"
        again = program.post("/api/v1/incidents", json=EVENT)
        assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
        assert again.json()["created"] is False
        one = program.get(f"/api/v1/incidents/{first.json()['id']}")
        assert one.json()["ticket_number"] == "CAM7-000123"
        (act,) = acts(sample_site, "incident.report")
        assert act.actor == "service:cameras"

    @pytest.mark.parametrize(
        "extra",
        [
            {"face_id": "f-1"},
            {"plate": "川C12345"},
            {"idCard": "510304199001011234"},
            {"objects": [{"person": {"name": "某"}}]},
            {"snapshot": "data:image/jpeg;base64,xx"},
        ],
    )
    def test_an_event_with_an_identity_is_refused_whole(self, still_site, still_program, extra):
        answer = still_program.post("/api/v1/incidents", json=EVENT | extra)
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:xunge:problem:IdentityRefused"
        with still_site.session() as session:
            tickets = select(Incident).where(Incident.ticket_number == "CAM7-000123")
            assert session.scalar(tickets) is None

    @pytest.mark.parametrize(
        ("change", "status", "kind"),
        [
            ({"incident_class": "crime"}, 422, "FieldErrors"),
            ({"occurred_at": "2026-11-22T20:00:00"}, 422, "FieldErrors"),
            ({"colour": "red"}, 422, "FieldErrors"),
            ({"x": 104.9, "y": 29.36, "address": ""}, 422, "PointOutside"),
            ({"x": 104.78, "y": 29.36, "crs": "EPSG:2383"}, 422, "CrsRefused"),
            ({"x": 104.78, "y": 29.36, "crs": "mars"}, 422, "CrsUnknown"),
            ({"address": "铸钢花园99栋"}, 422, "BuildingUnknown"),
            ({"address": ""}, 422, "PlaceMissing"),
            ({"ticket_number": " "}, 422, "FieldMissing"),
            ({"x": 1e400}, 422, "FieldErrors"),
        ],
    )
    def test_what_does_not_fit_is_a_problem_with_a_sentence(
        self, still_program, change, status, kind
    ):
        answer = still_program.post(
            "/api/v1/incidents",
            content=json.dumps(EVENT | change),
            headers={"content-type": "application/json"},
        )
        assert (answer.status_code, answer.json()["type"].rsplit(":", 1)[1]) == (status, kind)
        assert answer.json()["detail"]

    @pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'"x"', b""])
    def test_a_broken_body_is_refused(self, still_program, body):
        answer = still_program.post(
            "/api/v1/incidents", content=body, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422

    def test_signs_the_database_cannot_hold_do_no_harm(self, program):
        odd = {"ticket_number": "N\x00UL", "description": "a\x00b", "address": "铸钢印象5栋\x00"}
        answer = program.post("/api/v1/incidents", json=EVENT | odd)
        assert (answer.status_code, answer.json()["ticket_number"]) == (201, "NUL")
        answer = program.post("/api/v1/incidents", json=EVENT | {"category": "\x00"})
        assert answer.status_code == 422
        half = '{"source":"device","ticket_number":"\\ud800"}'
        answer = program.post(
            "/api/v1/incidents", content=half, headers={"content-type": "application/json"}
        )
        assert answer.status_code == 422

    def test_pages_walk_the_whole_ledger_once(self, still_program):
        first = still_program.get("/api/v1/incidents?per_page=500").json()
        seen = [item["id"] for item in first["items"]]
        for number in range(2, first["pages"] + 1):
            page = still_program.get(f"/api/v1/incidents?per_page=500&page={number}").json()
            seen += [item["id"] for item in page["items"]]
        assert len(seen) == len(set(seen)) == first["total"] == 2667

    def test_a_program_needs_its_key(self, still_site):
        client = still_site.browser()
        client.headers["accept"] = "application/json"
        assert client.get("/api/v1/incidents").status_code == 401
        client.cookies.set(SESSION_COOKIE, "x")
        assert client.post("/api/v1/incidents", json=EVENT).status_code == 401

    def test_another_communitys_incidents_do_not_exist(self, sample_site, program):
        with sample_site.session() as session, session.begin():
            office = session.scalar(text("SELECT min(id) FROM street_office"))
            other = session.scalar(
                text(
                    "INSERT INTO community (street_office_id, code, name) "
                    "VALUES (:office, '510304099902', '邻社区') RETURNING id"
                ),
                {"office": office},
            )
        stranger = sample_site.signed_in(Role.TEAM_LEAD, community_id=other)
        assert "还没有事件" in stranger.get("/incidents").text
        assert stranger.get("/incidents/1").status_code == 404
        assert stranger.get("/api/v1/incidents").json()["total"] == 0


class TestCommands:
    @pytest.fixture
    def run(self, sample_site, monkeypatch):
        from typer.testing import CliRunner

        from api.incidents import commands

        monkeypatch.setattr(commands, "settings", lambda: sample_site.settings)
        return lambda *words: CliRunner().invoke(commands.commands, [str(w) for w in words])

    def test_a_file_comes_in_once(self, run, sample_site, tmp_path):
        path = tmp_path / "十一月.csv"
        path.write_bytes(LEDGER_CSV)
        first = run("import", path)
        assert first.exit_code == 0, first.output
        assert "已导入 1 条" in first.output
        assert "没有新的事件" in run("import", path).output
        assert len(acts(sample_site, "incident.import")) == 1

    def test_strict_takes_nothing_where_a_row_is_wrong(self, run, tmp_path):
        path = tmp_path / "十一月.csv"
        path.write_bytes(LEDGER_CSV)
        strict = run("import", path, "--strict")
        assert strict.exit_code == 1
        assert "已导入 1 条" in run("import", path).output

    def test_a_dry_run_stores_nothing(self, run, tmp_path):
        path = tmp_path / "十一月.csv"
        path.write_bytes(LEDGER_CSV)
        assert "台账没有变化" in run("import", path, "--dry-run").output
        assert "已导入 1 条" in run("import", path).output

    def test_what_is_handed_out_comes_in_as_nothing_new(self, run, tmp_path):
        path = tmp_path / "台账.xlsx"
        assert "2667" in run("export", path).output
        assert "没有新的事件" in run("import", path, "--crs", "4326").output

    def test_an_unknown_community_is_said(self, run):
        refused = run("count", "--community", "510304000000")
        assert "510304000000" in str(refused.exception)
