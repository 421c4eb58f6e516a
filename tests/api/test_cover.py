"""What a week is asked for, on the site: calendar, events, shifts, types, cover, duties, cards."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from api.accounts import Role
from api.audit import AuditEntry
from api.rosters.paper import Paper
from grid.calendar import CalendarDay, CalendarEdit
from grid.cells import PatrolZone
from grid.communities import Community
from grid.people import Member
from grid.working_calendar import seed_calendar
from scheduling.demand import CoverDemand, PatrolType, ShiftTemplate
from scheduling.duties import Duty, DutyCell, load_matrix
from scheduling.events import EventFacts, SpecialEvent, enter_event
from scheduling.found import found_demand
from scheduling.rosters import Assignment, Patrol, RosterVersion
from scheduling.week import load_problem
from tests.api.conftest import Site
from tests.api.test_members import other_community
from tests.conftest import Server
from tests.published_week import WEEK, publish_week


@pytest.fixture(scope="module")
def place(server: Server, sample_template: str) -> Iterator[Site]:
    """The sample community with a calendar, founded cover and a published week."""
    database = server.clone(sample_template, f"cover_site_{os.getpid()}")
    site = Site(database)
    with site.session() as session, session.begin():
        seed_calendar(session)
        publish_week(session)
    yield site
    site.close()
    database.drop()


@pytest.fixture
def lead(place):
    return place.signed_in(Role.TEAM_LEAD)


def audited(site, action) -> list[AuditEntry]:
    with site.session() as session:
        return list(
            session.scalars(
                select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            )
        )


def one(site, query):
    with site.session() as session:
        return session.scalars(query).first()


# --- Calendar -----------------------------------------------------------------------------------


def test_a_day_is_edited_with_a_reason_recorded_and_undone(place, lead):
    sent = lead.post(
        "/cover/calendar",
        data={"day": "2026-12-11", "kind": "holiday", "name": "社区节", "reason": "居委会通知"},
    )
    assert sent.headers["location"] == "/cover/calendar?month=2026-12&said=saved"
    shown = lead.get("/cover/calendar?month=2026-12").text
    assert "社区节" in shown and "居委会通知" in shown
    entry = audited(place, "calendar.edit")[-1]
    assert entry.details["before"] == ["workday", None]
    assert entry.details["reason"] == "居委会通知"
    edit = one(place, select(CalendarEdit).order_by(CalendarEdit.id.desc()))
    assert lead.post(f"/cover/calendar/edits/{edit.id}/undo").status_code == 303
    with place.session() as session:
        assert session.get_one(CalendarDay, date(2026, 12, 11)).kind == "workday"
    assert audited(place, "calendar.undo")[-1].details["now"] == ["workday", None]
    again = lead.post(f"/cover/calendar/edits/{edit.id}/undo")
    assert again.status_code == 409
    assert "已经撤销" in again.text


def test_an_edit_without_a_reason_is_refused_and_keeps_what_was_typed(place, lead):
    sent = lead.post(
        "/cover/calendar", data={"day": "2026-12-14", "kind": "holiday", "name": "冬至"}
    )
    assert sent.status_code == 422
    assert "请填写修改 2026-12-14 的理由" in sent.text
    assert 'value="冬至"' in sent.text


def test_an_unknown_year_warns_in_words(lead):
    shown = lead.get("/cover/calendar?month=2027-02").text
    assert "2027年的节假日安排尚未收录" in shown
    assert "未知" in shown
    assert lead.get("/cover/calendar?month=2026-xx").status_code == 200


# --- Events -------------------------------------------------------------------------------------


def event_form(site, **more):
    zone = one(site, select(PatrolZone.id).where(PatrolZone.code == "Z3"))
    kind = one(site, select(PatrolType.id).where(PatrolType.code == "round"))
    return {
        "name": "元旦灯会", "zone_id": zone, "first_day": "2026-12-31", "last_day": "2026-12-31",
        "start": "22:30", "end": "01:00", "patrol_type_id": kind, "minimum": 1, "ideal": 2,
        "importance": 20, "note": "人多，注意桥头", **more,
    }  # fmt: skip


def test_an_event_over_midnight_is_entered_shown_changed_and_cancelled(place, lead):
    assert lead.post("/cover/events", data=event_form(place)).status_code == 303
    row = one(place, select(SpecialEvent).where(SpecialEvent.name == "元旦灯会"))
    assert (row.band_start_min, row.band_end_min) == (1350, 1500)
    shown = lead.get("/cover/events").text
    assert "元旦灯会" in shown and "次日01:00" in shown and "夜班" in shown
    with place.session() as session:
        notes = load_problem(session, row.community_id, date(2026, 12, 28)).notes
    assert any("元旦灯会" in note.zh for note in notes)
    changed = lead.post(f"/cover/events/{row.id}", data=event_form(place, ideal=3))
    assert changed.status_code == 303
    assert audited(place, "event.change")[-1].details["changed"] == {"ideal": ["2", "3"]}
    assert lead.post(f"/cover/events/{row.id}/cancel").status_code == 303
    assert "已取消" in lead.get("/cover/events").text


def test_an_event_is_named_on_the_paper_roster(sample):
    community = sample.scalar(select(Community.id))
    found_demand(sample, community)
    kind = sample.scalar(select(PatrolType.id).where(PatrolType.code == "round"))
    facts = EventFacts(
        name="冬至庙会", zone_id=sample.scalar(select(PatrolZone.id)), first_day=WEEK,
        last_day=WEEK, band_start_min=1140, band_end_min=1300, patrol_type_id=kind,
    )  # fmt: skip
    enter_event(
        sample, community, facts, by="lead", now=datetime(2026, 11, 23, tzinfo=UTC), today=WEEK
    )
    assert "冬至庙会" in Paper(sample, publish_week(sample)).notes


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"first_day": "soon"}, "请填写日期"),
        ({"start": "25:99"}, "不是时间"),
        ({"minimum": "many"}, "理想不少于至少"),
        ({"name": ""}, "名称应为"),
    ],
)
def test_a_bad_event_is_refused_beside_the_form(place, lead, more, sentence):
    sent = lead.post("/cover/events", data=event_form(place, **more))
    assert sent.status_code == 422
    assert sentence in sent.text
    assert "人多，注意桥头" in sent.text


# --- Shifts, types, cover -----------------------------------------------------------------------


def test_two_shifts_with_one_name_negative_minutes_and_13_hours_get_their_sentence(place, lead):
    twice = lead.post(
        "/cover/shifts", data={"name": "早班", "start": "07:00", "end": "09:00", "weekday": [1, 2]}
    )
    assert twice.status_code == 422
    assert "两个班次不能同名" in twice.text
    long = lead.post(
        "/cover/shifts", data={"name": "长班", "start": "07:00", "end": "20:00", "weekday": [1]}
    )
    assert "不能超过 12 小时，现为 13 小时" in long.text
    negative = lead.post("/api/v1/shifts", json={"name": "负班", "start_min": -60, "end_min": 120})
    assert negative.status_code == 422
    assert "不能是负数" in negative.text
    unticked = lead.post("/cover/shifts", data={"name": "空班", "start": "07:00", "end": "09:00"})
    assert "至少勾选" in unticked.text


def test_a_shift_over_midnight_is_entered_changed_retired_and_deleted(place, lead):
    form = {"name": "后夜班", "start": "23:30", "end": "03:00", "weekday": [5, 6]}
    assert lead.post("/cover/shifts", data=form).status_code == 303
    row = one(place, select(ShiftTemplate).where(ShiftTemplate.name == "后夜班"))
    assert (row.start_min, row.end_min, row.weekdays) == (1410, 1620, [5, 6])
    assert 'value="23:30"' in lead.get(f"/cover/shifts?edit={row.id}").text
    lead.post(f"/cover/shifts/{row.id}", data=form | {"end": "04:00"})
    assert audited(place, "shift.save")[-1].details["changed"] == {"end_min": [1620, 1680]}
    assert lead.post(f"/cover/shifts/{row.id}/retire").status_code == 303
    assert "已停用" in lead.get("/cover/shifts").text
    assert lead.post(f"/cover/shifts/{row.id}/delete").status_code == 303
    assert one(place, select(ShiftTemplate).where(ShiftTemplate.name == "后夜班")) is None


def test_a_used_shift_is_not_deleted_and_the_page_says_what_to_do(place, lead):
    row = one(place, select(ShiftTemplate).where(ShiftTemplate.code == "D1"))
    sent = lead.post(f"/cover/shifts/{row.id}/delete")
    assert sent.status_code == 409
    assert "请改用“停用”" in sent.text
    assert one(place, select(ShiftTemplate).where(ShiftTemplate.code == "D1")) is not None


def test_a_patrol_type_is_entered_from_its_seats(place, lead):
    form = {
        "name": "志愿夜巡", "seat": ["0:auxiliary", "0:grid_member", "1:volunteer", "2:volunteer"],
        "flag": ["0:leader", "2:optional"], "duty": ["order", "visit"],
    }  # fmt: skip
    assert lead.post("/cover/types", data=form).status_code == 303
    row = one(place, select(PatrolType).where(PatrolType.name == "志愿夜巡"))
    assert row.composition == [
        {"forces": ["auxiliary", "grid_member"], "leader": True},
        {"forces": ["volunteer"]},
        {"forces": ["volunteer"], "required": False},
    ]
    assert row.duties == ["order", "visit"]
    assert "志愿夜巡" in lead.get(f"/cover/types?edit={row.id}").text
    nobody = lead.post("/cover/types", data={"name": "空巡"})
    assert nobody.status_code == 422
    assert "谁也不需要" in nobody.text


def test_cover_is_entered_changed_and_deleted(place, lead):
    form = {
        "zone_id": one(place, select(PatrolZone.id).where(PatrolZone.code == "Z2")),
        "shift_template_id": one(place, select(ShiftTemplate.id).where(ShiftTemplate.code == "N1")),
        "patrol_type_id": one(place, select(PatrolType.id).where(PatrolType.code == "round")),
        "weekday": [6, 7], "minimum": 0, "ideal": 1, "importance": 3,
    }  # fmt: skip
    assert lead.post("/cover", data=form).status_code == 303
    row = one(place, select(CoverDemand).order_by(CoverDemand.id.desc()))
    assert (row.weekdays, row.minimum, row.importance) == ([6, 7], 0, 3)
    twice = lead.post("/cover", data=form)
    assert "已有一条" in twice.text
    lead.post(f"/cover/demands/{row.id}", data=form | {"ideal": 2})
    assert audited(place, "cover.save")[-1].details["changed"] == {"ideal": [1, 2]}
    assert lead.post(f"/cover/demands/{row.id}/delete").status_code == 303
    assert lead.get(f"/cover?edit={row.id}").status_code == 404


def test_numbers_no_database_holds_and_odd_words_are_refused_in_sentences(place, lead):
    huge = "9" * 19
    cover = {"zone_id": huge, "shift_template_id": huge, "patrol_type_id": huge, "weekday": [1]}
    for url, form in (
        ("/cover", cover | {"minimum": huge, "ideal": huge, "importance": huge}),
        ("/cover/shifts", {"name": "a\x00b", "start": "07:00", "end": "09:00", "weekday": [1]}),
        ("/cover/types", {"name": "甲\x00", "seat": ["0:guard", "x:y", "99:army"]}),
        ("/cover/events", event_form(place, zone_id=huge, patrol_type_id=huge, ideal=huge)),
        ("/cover/events", event_form(place, name="甲\x00乙")),
        (
            "/cover/calendar",
            {"day": "2026-12-16", "kind": "holiday", "name": "甲\x00", "reason": "x"},
        ),
    ):
        assert lead.post(url, data=form).status_code == 422, (url, form)


def test_two_leads_entering_one_name_at_once_make_one_shift(place):
    form = {"name": "同名班", "start": "05:00", "end": "06:00", "weekday": [1]}
    browsers = [place.signed_in(Role.TEAM_LEAD) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(lambda b: b.post("/cover/shifts", data=form).status_code, browsers))
    assert sorted(sent) == [303, 422, 422, 422]


# --- Duties and task card -----------------------------------------------------------------------


def test_a_cell_changed_on_the_page_changes_the_team_and_is_recorded(place, lead):
    with place.session() as session:
        duty = session.scalars(select(Duty).where(Duty.code == "check")).one()
        matrix = load_matrix(session, duty.community_id)
    cells = [f"{k}:{f}:{p}" for (k, f), p in matrix.cells["check"].items()]
    cells = [c for c in cells if not c.startswith("square:auxiliary")]
    sent = lead.post(
        f"/cover/duties/{duty.id}", data={"cell": [*cells, "square:auxiliary:required"]}
    )
    assert sent.status_code == 303
    assert audited(place, "duty.change")[-1].details["changed"] == {
        "square:auxiliary": ["optional", "required"]
    }
    with place.session() as session:
        types = load_problem(session, duty.community_id, WEEK).types
    assert ("auxiliary",) in [s.forces for t in types if t.key == "joint" for s in t.seats]
    lead.post(f"/cover/duties/{duty.id}", data={"cell": [*cells, "square:auxiliary:optional"]})


def test_a_matrix_under_which_a_type_cannot_go_is_refused_on_the_page(place, lead):
    with place.session() as session:
        duties = {d.code: d.id for d in session.scalars(select(Duty))}
        cells = session.execute(
            select(DutyCell.kind, DutyCell.force, DutyCell.part).where(
                DutyCell.duty_id == duties["fire"], DutyCell.force != "guard"
            )
        ).all()
    lead.post(f"/cover/duties/{duties['fire']}", data={"cell": [":".join(c) for c in cells]})
    sent = lead.post(f"/cover/duties/{duties['estate']}", data={"cell": ["gate:guard:never"]})
    assert sent.status_code == 422
    assert "物业巡防" in sent.text and "没有保存" in sent.text
    wrong = lead.post(f"/cover/duties/{duties['fire']}", data={"cell": ["moon:guard:required"]})
    assert "没有“moon" in wrong.text


def test_a_patrols_task_card_says_who_when_where_and_what_with_masked_phones(place, lead):
    with place.session() as session, session.begin():
        patrol, member = session.execute(
            select(Patrol, Member)
            .join(Assignment, Assignment.patrol_id == Patrol.id)
            .join(Member, Member.id == Assignment.member_id)
            .join(PatrolZone, PatrolZone.id == Patrol.zone_id)
            .join(PatrolType, PatrolType.id == Patrol.patrol_type_id)
            .where(PatrolZone.code == "Z3", PatrolType.code == "round")
        ).first()
        member.phone = "13800001234"
        session.add(
            SpecialEvent(
                community_id=1, name="早市", zone_id=patrol.zone_id, first_day=patrol.day,
                last_day=patrol.day, band_start_min=patrol.start_min, band_end_min=patrol.end_min, minimum=1, ideal=1,
                patrol_type_id=patrol.patrol_type_id, importance=5, note="看好出入口",
                made_by="lead", made_at=patrol.roster.created_at,
            )
        )  # fmt: skip
        member_id, name = member.id, member.name
    own = place.signed_in(Role.PATROLLER, member_id=member_id)
    for browser in (lead, own):
        shown = browser.get(f"/patrols/{patrol.id}/card")
        assert shown.status_code == 200
        for words in (name, "138****1234", "网格巡查", "治安巡防", "早市", "看好出入口"):
            assert words in shown.text
        assert "13800001234" not in shown.text
        assert f"/patrols/{patrol.id}" in shown.text
    paper = lead.get(f"/patrols/{patrol.id}/card.pdf")
    assert paper.headers["content-type"] == "application/pdf"
    assert paper.content.startswith(b"%PDF")
    assert audited(place, "task_card.export")


def test_a_days_task_cards_come_as_one_paper_and_only_of_a_published_roster(place, lead):
    with place.session() as session:
        version = session.scalars(select(RosterVersion)).first()
        walked = len(
            session.scalars(
                select(Patrol).where(
                    Patrol.roster_version_id == version.id,
                    Patrol.day == WEEK,
                    Patrol.assignments.any(),
                )
            ).all()
        )
    assert f"/rosters/{version.id}/task-cards?day=0" in lead.get(f"/rosters?week={WEEK}").text
    paper = lead.get(f"/rosters/{version.id}/task-cards?day=0")
    assert paper.content.startswith(b"%PDF")
    assert audited(place, "task_card.export")[-1].details == {"cards": walked}
    with place.session() as session, session.begin():
        session.get_one(RosterVersion, version.id).state = "draft"
    refused = lead.get(f"/rosters/{version.id}/task-cards?day=0")
    with place.session() as session, session.begin():
        session.get_one(RosterVersion, version.id).state = "published"
    assert refused.status_code == 409
    assert "还没有发布" in refused.text


def test_a_card_of_somebody_elses_patrol_is_not_found(place):
    with place.session() as session:
        patrol = session.scalars(select(Patrol)).first()
        stranger = session.scalar(
            select(Member.id).where(
                ~select(Assignment.id)
                .where(Assignment.patrol_id == patrol.id, Assignment.member_id == Member.id)
                .exists()
            )
        )
    browser = place.signed_in(Role.PATROLLER, member_id=stranger)
    assert browser.get(f"/patrols/{patrol.id}/card").status_code == 404


# --- Programs, and other communities ------------------------------------------------------------


def test_programs_read_and_enter_what_a_week_is_asked_for(place, lead):
    assert {s["code"] for s in lead.get("/api/v1/shifts").json()} >= {"D1", "N1"}
    types = {t["code"]: t for t in lead.get("/api/v1/patrol-types").json()}
    assert types["joint"]["seats"][0]["forces"] == ["officer"]
    assert lead.get("/api/v1/cover").json()
    days = {d["day"]: d for d in lead.get("/api/v1/calendar/2026").json()}
    assert days["2026-10-01"]["kind"] == "holiday"
    assert lead.get("/api/v1/calendar/2031").json() == []
    form = event_form(place, name="接口事件")
    given = {k: form[k] for k in ("name", "zone_id", "first_day", "last_day", "patrol_type_id")}
    sent = lead.post("/api/v1/events", json=given | {"band_start_min": 1200, "band_end_min": 1300})
    assert sent.status_code == 201
    assert "接口事件" in {e["name"] for e in lead.get("/api/v1/events").json()}


def test_another_communitys_things_are_not_found(place):
    with place.session() as session:
        shift = session.scalar(select(ShiftTemplate.id))
        kind = session.scalar(select(PatrolType.id))
        duty = session.scalar(select(Duty.id))
        cover = session.scalar(select(CoverDemand.id))
    stranger = place.signed_in(Role.TEAM_LEAD, community_id=other_community(place))
    for url in (
        f"/cover/shifts/{shift}/delete", f"/cover/types/{kind}/retire",
        f"/cover/demands/{cover}/delete", f"/cover/shifts/{shift}", f"/cover/types/{kind}",
    ):  # fmt: skip
        assert stranger.post(url, data={}).status_code == 404, url
    refused = stranger.post(f"/cover/duties/{duty}", data={"cell": ["gate:guard:never"]})
    assert refused.status_code == 404
    assert "还没有职责清单" in stranger.get("/cover/duties").text
