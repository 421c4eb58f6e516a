"""Incidents come in once, placed and assigned; what is wrong with them is said in sentences."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from grid.addresses import BuildingUnknown, EstateUnknown
from grid.communities import Building, Community, ImportBatch
from grid.coordinates import BD09, GCJ02, WGS84, CrsNotChosen
from grid.database import transaction
from grid.errors import DomainError, NotFound
from grid.handling import STEPS, CallbackTooEarly, StepRefused, advance, call_back
from grid.identity import IdentityRefused, mask, refuse_identity
from grid.imports.batches import undo
from grid.imports.errors import BatchUndone
from grid.incident_table import ColumnsMissing, match_columns, preview_incidents, read_time
from grid.incidents import Incident, IncidentClass, IncidentState, Provenance, Source
from grid.intake import (
    LOCAL,
    CoordinateHalf,
    FieldMissing,
    FutureTime,
    PlaceMissing,
    PointOutside,
    PointUnreadable,
    Report,
    TextTooLong,
    TimeTooOld,
    commit,
    find_incident,
    take_in,
)
from tests.conftest import SAMPLE_UNTIL

NOW = datetime(2026, 11, 23, 20, 0, tzinfo=LOCAL)
SQUARE = (104.7766, 29.3604)


@pytest.fixture
def community(sample: Session) -> int:
    return sample.scalars(select(Community.id)).one()


def report(**more) -> Report:
    given = {
        "source": Source.HOTLINE,
        "ticket_number": "T-1",
        "incident_class": IncidentClass.REQUEST,
        "category": "噪音扰民",
        "occurred_at": NOW - timedelta(hours=1),
        "address": "铸钢花园5栋2单元301",
    }
    return Report(**(given | more))


def inside(sample: Session, estate: str = "铸钢花园", number: str = "5") -> tuple[float, float]:
    row = sample.execute(
        text("""SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(b.footprint) AS p
                FROM building b JOIN estate e ON e.id = b.estate_id
                WHERE e.name = :estate AND b.number = :number) AS at"""),
        {"estate": estate, "number": number},
    ).one()
    return row[0], row[1]


class TestForm:
    def test_an_address_places_it_in_building_and_cell(self, sample, community):
        taken = take_in(sample, community, report(), now=NOW)
        assert taken.created
        building = sample.get_one(Building, taken.incident.building_id)
        assert building.number == "5"
        assert taken.incident.provenance == Provenance.ADDRESS
        assert taken.incident.address == "铸钢花园5栋2单元"
        code = sample.scalar(
            text("SELECT code FROM grid_cell WHERE id = :id"), {"id": taken.incident.cell_id}
        )
        assert code.endswith("004")

    def test_the_same_ticket_again_changes_nothing(self, sample, community):
        first = take_in(sample, community, report(), now=NOW)
        again = take_in(sample, community, report(description="另一段话"), now=NOW)
        assert not again.created
        assert again.incident.id == first.incident.id
        assert again.incident.description == ""

    def test_the_same_ticket_of_another_source_is_another_incident(self, sample, community):
        first = take_in(sample, community, report(), now=NOW)
        other = take_in(sample, community, report(source=Source.H12345), now=NOW)
        assert other.created
        assert other.incident.id != first.incident.id

    def test_a_point_belongs_to_the_building_it_lies_in(self, sample, community):
        x, y = inside(sample)
        taken = take_in(sample, community, report(x=x, y=y, address=""), now=NOW)
        assert sample.get_one(Building, taken.incident.building_id).number == "5"
        assert taken.incident.provenance == Provenance.GIVEN

    def test_a_point_in_the_open_has_a_cell_and_no_building(self, sample, community):
        x, y = sample.execute(
            text("SELECT ST_X(location), ST_Y(location) FROM key_place WHERE name = '铸钢广场'")
        ).one()
        taken = take_in(sample, community, report(x=x, y=y, address=""), now=NOW)
        assert taken.incident.building_id is None
        assert taken.incident.cell_id is not None

    def test_a_shifted_coordinate_is_brought_back(self, sample, community):
        import prcoords

        x, y = inside(sample)
        lat, lon = prcoords.wgs_gcj((y, x))
        taken = take_in(sample, community, report(x=lon, y=lat, system=GCJ02, address=""), now=NOW)
        assert sample.get_one(Building, taken.incident.building_id).number == "5"
        assert taken.incident.source_crs == "GCJ-02"

    def test_a_mislabelled_coordinate_is_half_a_kilometre_off(self, sample, community):
        import prcoords

        x, y = inside(sample, "铸钢印象", "12")
        lat, lon = prcoords.wgs_bd((y, x))
        with pytest.raises(PointOutside) as refused:
            take_in(sample, community, report(x=lon, y=lat, address=""), now=NOW)
        assert "km" in refused.value.sentence() or " m" in refused.value.sentence()
        take_in(sample, community, report(x=lon, y=lat, system=BD09, address=""), now=NOW)

    @pytest.mark.parametrize(
        ("more", "refusal", "cure"),
        [
            ({"occurred_at": NOW + timedelta(minutes=6)}, FutureTime, "检查年月日"),
            ({"occurred_at": NOW.replace(year=1926)}, TimeTooOld, "年份"),
            ({"x": 104.9, "y": 29.4}, PointOutside, "重新选点"),
            ({"x": 29.36, "y": 104.78}, PointUnreadable, "放反"),
            ({"x": float("inf"), "y": 29.4}, PointUnreadable, "坐标系"),
            ({"x": 104.78}, CoordinateHalf, "两个都填"),
            ({"address": ""}, PlaceMissing, "位置不详"),
            ({"address": "铸钢花园88栋"}, BuildingUnknown, "核对楼栋号"),
            ({"address": "和平里3栋"}, EstateUnknown, "铸钢印象"),
            ({"ticket_number": "  "}, FieldMissing, "工单号"),
            ({"category": ""}, FieldMissing, "类型"),
            ({"description": "吵" * 2001}, TextTooLong, "2000"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_a_cure(self, sample, community, more, refusal, cure):
        before = sample.scalar(select(func.count()).select_from(Incident))
        with pytest.raises(refusal) as refused:
            take_in(sample, community, report(**more), now=NOW)
        assert cure in refused.value.sentence("zh")
        assert refused.value.sentence("en")
        assert sample.scalar(select(func.count()).select_from(Incident)) == before

    def test_a_place_unknown_is_kept_without_a_place_when_said_so(self, sample, community):
        taken = take_in(sample, community, report(address=""), now=NOW, unplaced=True)
        assert taken.incident.provenance == Provenance.NONE
        assert taken.incident.cell_id is None

    def test_identity_in_the_words_is_masked_and_said(self, sample, community):
        taken = take_in(
            sample,
            community,
            report(
                description="张某（身份证510304199001011234，电话13812345678）驾驶川C12345堵门",
                address="铸钢花园5栋 13812345678",
            ),
            now=NOW,
        )
        for secret in ("510304199001011234", "13812345678", "川C12345"):
            assert secret not in taken.incident.description
            assert secret not in taken.incident.address
        (note,) = taken.notes
        assert "身份证号" in note.zh
        assert "number plates" in note.en

    def test_the_household_is_not_kept(self, sample, community):
        taken = take_in(sample, community, report(address="铸钢花园大门 3栋301室旁"), now=NOW)
        assert "301" not in taken.incident.address

    def test_another_communitys_incident_is_not_found(self, sample, community):
        taken = take_in(sample, community, report(), now=NOW)
        with pytest.raises(NotFound):
            find_incident(sample, community + 1, taken.incident.id)

    def test_a_cell_must_be_valid_on_the_day(self, sample, community):
        sample.execute(text("UPDATE grid_cell SET valid_from = '2026-11-23'"))
        old = take_in(sample, community, report(occurred_at=NOW - timedelta(days=1)), now=NOW)
        new = take_in(sample, community, report(ticket_number="T-2"), now=NOW)
        assert old.incident.cell_id is None
        assert new.incident.cell_id is not None


class TestWords:
    @pytest.mark.parametrize(
        ("words", "kind"),
        [
            ("身份证510304199001011234。", "id_number"),
            ("号码 51030419900101123X", "id_number"),
            ("旧证510304900101123", "id_number"),
            ("１３８１２３４５６７８", "phone"),
            ("+86 138-1234-5678", "phone"),
            ("卡号6222021234567890123", "bank_card"),
            ("川C12345停在通道", "plate"),
            ("川CD12345", "plate"),
        ],
    )
    def test_identities_are_masked(self, words, kind):
        masked = mask(words)
        assert [k for k, _ in masked.found] == [kind]
        assert not any(run.isdigit() and len(run) > 4 for run in masked.text.split("*"))

    @pytest.mark.parametrize(
        "words",
        [
            "铸钢花园3栋2单元",
            "2026-11-23 20:15 起持续2小时",
            "噪音达到 85 分贝",
            "工单 12345-202600017",
        ],
    )
    def test_ordinary_words_stay_as_they_are(self, words):
        assert mask(words).text == words

    @given(st.text(max_size=80))
    @settings(max_examples=100, deadline=None)
    def test_masking_again_changes_nothing(self, words):
        once = mask(words).text
        assert mask(once).text == once

    @pytest.mark.parametrize(
        "event",
        [
            {"face_id": "x"},
            {"payload": {"objects": [{"plateNumber": "川C12345"}]}},
            {"idCard": "1"},
            {"姓名": "某"},
            {"faceFeature": [0.1]},
            {"Phone-Number": "1"},
        ],
    )
    def test_an_event_with_an_identity_field_is_refused(self, event):
        with pytest.raises(IdentityRefused):
            refuse_identity(event)

    def test_an_event_about_a_place_passes(self):
        refuse_identity({"source": "device", "category": "占用消防通道", "lon": 104.78})


class TestTimes:
    @pytest.mark.parametrize(
        "written",
        [
            "2026-11-01 20:15",
            "2026/11/1 20:15:00",
            "2026年11月1日20时15分",
            "2026.11.1 20:15",
            "2026-11-01T20:15:00+08:00",
            "2026-11-01T12:15:00Z",
            "20261101201500",
            "2026-11-1 下午8:15",
            "２０２６－１１－０１　２０：１５",
            datetime(2026, 11, 1, 20, 15),  # noqa: DTZ001 - as Excel gives it
            46327 + 20.25 / 24,
        ],
    )
    def test_one_moment_however_written(self, written):
        assert read_time(written).astimezone(UTC) == datetime(2026, 11, 1, 12, 15, tzinfo=UTC)

    def test_day_and_clock_may_stand_apart(self):
        assert read_time(date(2026, 11, 1), "20:15") == datetime(2026, 11, 1, 20, 15, tzinfo=LOCAL)

    @pytest.mark.parametrize(
        ("written", "cure"),
        [
            ("2026-13-01 20:15", "不存在"),
            ("2026-11-01 25:15", "不存在"),
            ("2026-11-01", "没有钟点"),
            (datetime(2026, 11, 1), "没有钟点"),  # noqa: DTZ001
            ("昨晚八点", "2026-11-01 20:15"),
            ("11/1/2026 20:15", "2026-11-01 20:15"),
            ("", "看不懂"),
        ],
    )
    def test_what_is_no_time_is_said(self, written, cure):
        with pytest.raises(ValueError, match=cure):
            read_time(written)


HEAD = "来源,工单号,类别,类型,发生时间,地址,描述,状态\n"


def csv(folder: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    path = folder / "事件.csv"
    path.write_bytes((head + "\n".join(rows) + "\n").encode(encoding))
    return path


class TestImport:
    def test_a_chinese_ledger_comes_in_placed_and_assigned(self, sample, community, tmp_path):
        path = csv(
            tmp_path,
            "110警情,JQ1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋2单元,广场舞,已结案",
            "热线,RX1,诉求,停车难,2026/11/21 18:00,铸钢印象三栋,没有车位,",
            encoding="gbk",
        )
        preview = preview_incidents(sample, community, path, now=NOW)
        assert (len(preview.intake.new), preview.intake.placed) == (2, 2)
        assert not preview.intake.errors
        batch = commit(
            sample, community, preview.intake, filename="事件.csv", system=None, today=SAMPLE_UNTIL
        )
        rows = sample.scalars(select(Incident).where(Incident.batch_id == batch.id)).all()
        assert {r.address for r in rows} == {"铸钢花园5栋2单元", "铸钢印象3栋"}
        assert all(r.cell_id and r.building_id for r in rows)
        assert {r.state for r in rows} == {"closed", "reported"}

    def test_importing_again_brings_nothing_new(self, sample, community, tmp_path):
        path = csv(tmp_path, "110警情,JQ1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,x,")
        first = preview_incidents(sample, community, path, now=NOW)
        commit(sample, community, first.intake, filename="a", system=None, today=SAMPLE_UNTIL)
        again = preview_incidents(sample, community, path, now=NOW)
        assert again.intake.already == 1
        assert not again.intake.new
        assert (
            commit(sample, community, again.intake, filename="a", system=None, today=SAMPLE_UNTIL)
            is None
        )

    def test_a_batch_is_undone_as_one_and_once(self, sample, community, tmp_path):
        before = sample.scalar(select(func.count()).select_from(Incident))
        path = csv(
            tmp_path,
            "110,JQ1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
            "110,JQ2,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
        )
        intake = preview_incidents(sample, community, path, now=NOW).intake
        batch = commit(sample, community, intake, filename="a", system=None, today=SAMPLE_UNTIL)
        assert undo(sample, batch.id, community) == 2
        assert sample.scalar(select(func.count()).select_from(Incident)) == before
        with pytest.raises(BatchUndone):
            undo(sample, batch.id, community)

    def test_row_errors_are_listed_together_with_their_rows(self, sample, community, tmp_path):
        path = csv(
            tmp_path,
            "来路不明,JQ1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
            "110,JQ2,警情,噪音扰民,昨晚,铸钢花园5栋,,",
            "110,JQ3,警情,噪音扰民,2027-11-20 20:15,铸钢花园5栋,,",
            "110,,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
            "110,JQ5,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
            "110,JQ5,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,,",
        )
        intake = preview_incidents(sample, community, path, now=NOW).intake
        assert [error.row for error in intake.errors] == [2, 3, 4, 5]
        assert "110警情" in intake.errors[0].zh
        assert "晚于现在" in intake.errors[2].zh
        assert (len(intake.new), intake.repeated) == (1, 1)

    def test_an_unknown_address_comes_in_unplaced_and_is_said(self, sample, community, tmp_path):
        path = csv(tmp_path, "110,JQ1,警情,噪音扰民,2026-11-20 20:15,和平里3栋,,")
        intake = preview_incidents(sample, community, path, now=NOW).intake
        assert (len(intake.new), intake.placed) == (1, 0)
        assert "和平里" in intake.warnings[0].zh

    def test_coordinates_need_their_system(self, sample, community, tmp_path):
        head = "source,ticket,class,category,time,lon,lat\n"
        path = csv(
            tmp_path, "p110,J1,police_call,噪音扰民,2026-11-20 20:15,104.78,29.36", head=head
        )
        with pytest.raises(CrsNotChosen):
            preview_incidents(sample, community, path, now=NOW)
        ok = preview_incidents(sample, community, path, now=NOW, system=WGS84)
        assert ok.intake.placed == 1

    def test_swapped_axes_are_suspected(self, sample, community, tmp_path):
        head = "source,ticket,class,category,time,lon,lat\n"
        path = csv(
            tmp_path, "p110,J1,police_call,噪音扰民,2026-11-20 20:15,29.36,104.78", head=head
        )
        preview = preview_incidents(sample, community, path, now=NOW, system=WGS84)
        assert "放反" in preview.notes[-1].zh
        assert len(preview.intake.errors) == 1

    def test_points_outside_are_row_errors(self, sample, community, tmp_path):
        head = "source,ticket,class,category,time,lon,lat\n"
        path = csv(
            tmp_path,
            "p110,J1,police_call,噪音扰民,2026-11-20 20:15,104.78,29.36",
            "p110,J2,police_call,噪音扰民,2026-11-20 20:15,104.90,29.36",
            head=head,
        )
        intake = preview_incidents(sample, community, path, now=NOW, system=WGS84).intake
        assert [error.row for error in intake.errors] == [3]
        assert len(intake.new) == 1

    def test_missing_columns_are_named(self, sample, community, tmp_path):
        path = csv(tmp_path, "1,2", head="工单号,地址\n")
        with pytest.raises(ColumnsMissing) as refused:
            preview_incidents(sample, community, path, now=NOW)
        for column in ("来源", "类别", "类型", "发生时间"):
            assert column in refused.value.sentence("zh").split("认出")[0]

    def test_source_and_class_may_stand_in_for_columns(self, sample, community, tmp_path):
        path = csv(tmp_path, "J1,打架,2026-11-20 20:15", head="警情编号,警情类型,报警时间\n")
        with pytest.raises(ColumnsMissing):
            preview_incidents(sample, community, path, now=NOW)
        path = csv(tmp_path, "J1,打架,2026-11-20 20:15", head="警情编号,警情类型,发生时间\n")
        preview = preview_incidents(
            sample,
            community,
            path,
            now=NOW,
            source=Source.P110,
            incident_class=IncidentClass.POLICE_CALL,
        )
        assert len(preview.intake.new) == 1

    def test_a_workbook_with_real_dates(self, sample, community, tmp_path):
        book = openpyxl.Workbook()
        book.active.append(["2026年11月事件汇总表"])
        book.active.append(["来源", "工单号", "类别", "类型", "日期", "时间", "地址", "经办人"])
        book.active.append(
            [
                "热线",
                12026000017,
                "隐患",
                "堆放杂物",
                date(2026, 11, 2),
                "8:30",
                "铸钢花园9栋",
                "甲",
            ]
        )
        path = tmp_path / "台账.xlsx"
        book.save(path)
        preview = preview_incidents(sample, community, path, now=NOW)
        ((_, ready),) = preview.intake.new
        assert ready.row["ticket_number"] == "12026000017"
        assert ready.row["occurred_at"] == datetime(2026, 11, 2, 8, 30, tzinfo=LOCAL)
        assert preview.reading.ignored == ("经办人",)

    def test_a_thousand_rows_take_no_more_statements_than_ten(self, sample, community, tmp_path):
        rows = [
            f"110,BULK{n},警情,噪音扰民,2026-11-{n % 20 + 1:02d} 20:15,铸钢花园{n % 49 + 1}栋,x,"
            for n in range(1_000)
        ]
        counts = []
        for some in (rows[:10], rows):
            said: list[str] = []
            listen = lambda *args, said=said: said.append(args[2])  # noqa: E731
            event.listen(sample.get_bind(), "before_cursor_execute", listen)
            intake = preview_incidents(sample, community, csv(tmp_path, *some), now=NOW).intake
            batch = commit(sample, community, intake, filename="a", system=None, today=SAMPLE_UNTIL)
            event.remove(sample.get_bind(), "before_cursor_execute", listen)
            counts.append((batch.rows, len(said)))
        assert [rows for rows, _ in counts] == [10, 990]
        assert counts[1][1] <= counts[0][1] + 2 < 30

    @pytest.mark.parametrize(
        ("header", "field"),
        [
            ("发生时间（必填）", "occurred_at"),
            ("工单号*", "ticket_number"),
            ("Category", "category"),
            ("经度(GCJ02)", "x"),
        ],
    )
    def test_headers_are_known_with_their_trimmings(self, header, field):
        assert match_columns([header]) == {field: header}


class TestHandling:
    @pytest.fixture
    def incident(self, sample, community) -> int:
        return take_in(sample, community, report(), now=NOW).incident.id

    def test_it_walks_to_the_end_and_is_called_back(self, sample, community, incident):
        for step in ("accepted", "dispatched", "handled", "verified", "closed"):
            found = advance(sample, community, incident, IncidentState(step), now=NOW)
        assert found.closed_at == NOW
        assert call_back(sample, community, incident, satisfied=True).satisfied is True

    def test_a_step_cannot_be_skipped(self, sample, community, incident):
        with pytest.raises(StepRefused) as refused:
            advance(sample, community, incident, IncidentState.CLOSED, now=NOW)
        assert "已受理" in refused.value.sentence("zh")
        assert refused.value.status == 409

    def test_reopening_forgets_the_ending(self, sample, community, incident):
        for step in ("accepted", "handled", "verified", "closed"):
            advance(sample, community, incident, IncidentState(step), now=NOW)
        call_back(sample, community, incident, satisfied=False)
        again = advance(sample, community, incident, IncidentState.DISPATCHED, now=NOW)
        assert (again.closed_at, again.satisfied) == (None, None)

    def test_nobody_is_called_back_before_the_end(self, sample, community, incident):
        with pytest.raises(CallbackTooEarly):
            call_back(sample, community, incident, satisfied=True)

    def test_every_state_is_reached_and_has_a_way_on(self):
        reached = {IncidentState.REPORTED} | {s for steps in STEPS.values() for s in steps}
        assert reached == set(IncidentState) == set(STEPS)


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_cell_is_a_time_or_a_sentence(written):
    try:
        assert read_time(written).tzinfo is not None
    except ValueError as refusal:
        assert str(refusal)
    except DomainError:
        raise AssertionError("a cell is no business of the domain's errors") from None


def test_a_batch_row_counts_what_was_stored(sample: Session, community, tmp_path):
    path = csv(tmp_path, "110,JQ1,警情,噪音扰民,2026-11-20 20:15,铸钢花园5栋,13812345678,")
    preview = preview_incidents(sample, community, path, now=NOW)
    commit(sample, community, preview.intake, filename="a.csv", system=None, today=SAMPLE_UNTIL)
    batch = sample.scalars(select(ImportBatch).where(ImportBatch.kind == "incidents")).one()
    assert (batch.rows, batch.warnings, batch.source_crs) == (1, 1, "EPSG:4326")


def test_two_at_once_take_the_same_ticket_in_once(sample_database):
    start = Barrier(4)

    def send() -> tuple[int, bool]:
        with transaction(sample_database.engine) as session:
            community = session.scalars(select(Community.id)).one()
            start.wait()
            taken = take_in(session, community, report(), now=NOW)
            return taken.incident.id, taken.created

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: send(), range(4)))
    assert len({incident for incident, _ in answers}) == 1
    assert sorted(created for _, created in answers) == [False, False, False, True]


def test_two_handlers_at_once_take_one_step(sample_database):
    with transaction(sample_database.engine) as session:
        community = session.scalars(select(Community.id)).one()
        incident = take_in(session, community, report(), now=NOW).incident.id
    start = Barrier(2)

    def step() -> bool:
        start.wait()
        try:
            with transaction(sample_database.engine) as session:
                advance(session, community, incident, IncidentState.ACCEPTED, now=NOW)
        except StepRefused:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lambda _: step(), range(2))) == [False, True]
