"""The team's books: what may be said of a member, imports previewed and undone as one."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from grid.communities import Community, Employer, ImportBatch
from grid.errors import NotFound
from grid.imports.batches import undo
from grid.imports.errors import BatchHeld, BatchUndone, ChangedSince
from grid.imports.members import (
    MemberColumnsMissing,
    TooManyMembers,
    commit_members,
    lock_team,
    preview_members,
)
from grid.member_words import (
    NotUnderstood,
    masked_phone,
    read_weekdays,
    read_windows,
    write_weekdays,
    write_windows,
)
from grid.people import Member, MemberBefore
from grid.team import (
    MemberChanged,
    MemberFacts,
    MemberUnfit,
    StaffNumberTaken,
    bring_back,
    change,
    enter,
    facts_of,
    find_member,
    listed,
    misfits,
    retire,
)
from scheduling.leave import Leave

TODAY = date(2026, 11, 23)
HEADERS = ["编号", "姓名", "力量", "物业公司", "责任巡区", "电话", "资格", "合同", "每周工时上限（小时）", "固定休息日", "不可排时段", "到岗日"]  # fmt: skip


@pytest.fixture
def community(sample) -> int:
    return sample.scalar(select(Community.id))


def sheet(folder: Path, *rows: list[object], headers: list[str] = HEADERS) -> Path:
    book = Workbook()
    book.active.append(headers)
    for row in rows:
        book.active.append(row)
    path = folder / "队员.xlsx"
    book.save(path)
    return path


def member(session, number: str) -> Member:
    return session.scalars(select(Member).where(Member.staff_number == number)).one()


def brought_in(session, community, path, today=TODAY) -> ImportBatch | None:
    lock_team(session, community)
    preview = preview_members(session, community, path, today=today)
    return commit_members(session, community, preview, today=today, by="lead")


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("周六、周日", (6, 7)), ("周末", (6, 7)), ("周一至周五", (1, 2, 3, 4, 5)), ("六日", (6, 7)),
        ("星期三", (3,)), ("6,7", (6, 7)), ("每天", (1, 2, 3, 4, 5, 6, 7)), ("无", ()),
        ("周五至周一", (1, 5, 6, 7)), ("周天", (7,)),
    ],
)  # fmt: skip
def test_weekdays_are_read_as_people_write_them(written, days):
    assert read_weekdays(written) == days


@pytest.mark.parametrize("written", ["周八", "明天", "0", "周一-"])
def test_what_is_no_weekday_is_refused_with_an_example(written):
    with pytest.raises(NotUnderstood) as refusal:
        read_weekdays(written)
    assert "周六、周日" in refusal.value.zh


@pytest.mark.parametrize("days", [(1,), (1, 2), (2, 3, 4), (1, 3, 5), (6, 7), tuple(range(1, 8))])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_weekdays_are_read_back_as_written(days, locale):
    assert read_weekdays(write_weekdays(days, locale)) == days


def test_closed_hours_run_past_midnight_and_are_read_back_as_written():
    windows = read_windows("周一至周五 08:00-12:00；周六 22:00-次日06:00\n周日 23:00-05:00")
    assert windows == [
        {"weekdays": [1, 2, 3, 4, 5], "start_min": 480, "end_min": 720},
        {"weekdays": [6], "start_min": 1320, "end_min": 1800},
        {"weekdays": [7], "start_min": 1380, "end_min": 1740},
    ]
    for locale in ("zh", "en"):
        assert read_windows(write_windows(windows, locale=locale)) == windows
    assert read_windows("00:00-24:00") == [
        {"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_min": 0, "end_min": 1440}
    ]


@pytest.mark.parametrize(
    "written", ["早上", "周一 25:00-26:00", "周一 08:70-09:00", "周八 08:00-09:00"]
)
def test_hours_that_are_none_are_refused(written):
    with pytest.raises(NotUnderstood):
        read_windows(written)


def test_a_masked_phone_cannot_be_called():
    assert masked_phone("13812345678") == "138****5678"
    assert masked_phone("110") == "1****"
    assert masked_phone(None) == ""


@pytest.mark.parametrize(
    ("field", "facts"),
    [
        ("employer", {"force": "guard"}),
        ("force", {"force": "soldier"}),
        ("qualifications", {"force": "auxiliary", "qualifications": ("enforcement",)}),
        ("days_off", {"days_off": tuple(range(1, 8))}),
        ("days_off", {"days_off": (0,)}),
        ("max_minutes_week", {"max_minutes_week": 61 * 60}),
        ("max_patrols_week", {"max_patrols_week": -1}),
        ("phone", {"phone": "=cmd()"}),
        ("staff_number", {"staff_number": "A 1"}),
        ("name", {"name": " "}),
        ("active_to", {"active_from": date(2026, 2, 1), "active_to": date(2026, 1, 1)}),
        ("unavailable", {"unavailable": ({"weekdays": [], "start_min": 0, "end_min": 60},)}),
        ("unavailable", {"unavailable": ({"weekdays": [1], "start_min": 60, "end_min": 60},)}),
    ],
)
def test_what_a_member_cannot_be_is_said_of_its_field(field, facts):
    sound = {"staff_number": "X1", "name": "甲", "force": "officer"}
    assert misfits(MemberFacts(**sound)) == []
    assert [m.field for m in misfits(MemberFacts(**(sound | facts)))] == [field]


def test_a_number_is_given_once_and_a_stale_form_changes_nothing(sample, community):
    facts = MemberFacts(staff_number="V01", name="吴志愿", force="volunteer")
    entered = enter(sample, community, facts)
    with pytest.raises(StaffNumberTaken):
        enter(sample, community, facts)
    opened = entered.revision
    changed = change(sample, entered, MemberFacts(staff_number="V99", name="吴志远", force="volunteer"), opened)  # fmt: skip
    assert changed == {"name": "吴志愿"}
    assert entered.staff_number == "V01", "rosters name members by number: it stays"
    with pytest.raises(MemberChanged):
        change(sample, entered, facts, opened)
    assert entered.name == "吴志远"


def test_another_communitys_member_or_firm_is_not_there(sample, community):
    with pytest.raises(NotFound):
        find_member(sample, community + 1, member(sample, "P01").id)
    with pytest.raises(NotFound):
        enter(sample, community, MemberFacts(staff_number="B99", name="甲", force="guard", employer_id=999999))  # fmt: skip


def test_who_left_stays_in_the_books_and_can_come_back(sample, community):
    guard = member(sample, "B01")
    retire(sample, guard, date(2026, 11, 23))
    serving = {row[0].staff_number for row in listed(sample, community, TODAY)}
    gone = [row[0].staff_number for row in listed(sample, community, TODAY, retired=True)]
    assert "B01" not in serving
    assert gone == ["B01"]
    for impossible in (date(1, 1, 1), date(2019, 1, 1), date(2999, 1, 1)):
        with pytest.raises(MemberUnfit):
            retire(sample, guard, impossible)
    assert guard.active_to == date(2026, 11, 23)
    bring_back(sample, guard)
    assert listed(sample, community, TODAY, words="B01")[0][0] is guard
    assert listed(sample, community, TODAY, words="%") == []
    assert {r[0].force for r in listed(sample, community, TODAY, force="officer")} == {"officer"}


def test_an_import_adds_changes_and_is_undone_as_one(sample, community, tmp_path):
    before = facts_of(member(sample, "B01"))
    path = sheet(
        tmp_path,
        ["N01", "新网格", "网格员", None, "花园西巡区", 13912345678, "带班、急救", "全日制", 36, "周六、周日", "周一 08:00-12:00", "2026-12-01"],
        ["B01", None, None, "嘉汇物业", None, "100****0001", None, None, 40.5, "无", None, None],
        ["P01", None, None, None, None, None, None, None, None, None, None, None],
    )  # fmt: skip
    preview = preview_members(sample, community, path, today=TODAY)
    assert preview.errors == ()
    assert (len(preview.new), len(preview.changed), preview.same) == (1, 1, 1)
    assert [d[0] for d in preview.changed[0].differences] == [
        "物业公司",
        "每周工时上限",
        "固定休息日",
    ]
    batch = brought_in(sample, community, path)
    new, guard = member(sample, "N01"), member(sample, "B01")
    assert (new.name, new.force, new.phone, new.max_minutes_week) == ("新网格", "grid_member", "13912345678", 2160)  # fmt: skip
    assert new.qualifications == ["leader", "first_aid"]
    assert new.unavailable == [{"weekdays": [1], "start_min": 480, "end_min": 720}]
    assert new.active_from == date(2026, 12, 1)
    firm = sample.get_one(Employer, guard.employer_id)
    assert (firm.name, guard.days_off, guard.max_minutes_week) == ("嘉汇物业", [], 2430)
    assert guard.phone == before.phone, "a masked number says nothing new"
    assert brought_in(sample, community, path) is None, "the same file again changes nothing"

    assert undo(sample, batch.id, community) == 2
    sample.expire_all()
    assert facts_of(member(sample, "B01")) == before
    assert sample.scalar(select(func.count()).where(Member.staff_number == "N01")) == 0
    assert sample.scalar(select(func.count()).select_from(MemberBefore)) == 0
    with pytest.raises(BatchUndone):
        undo(sample, batch.id, community)


def test_every_wrong_row_is_listed_and_the_others_come_in(sample, community, tmp_path):
    path = sheet(
        tmp_path,
        ["", "无号", "民警"],
        ["N01", "甲", "宇航员"],
        ["N02", "乙", "保安"],
        ["N03", "丙", "保安", "无名物业"],
        ["N04", "丁", "辅警", None, "月球巡区"],
        ["N05", "戊", "辅警", None, None, "abc"],
        ["N06", "己", "辅警", None, None, None, "执法资格"],
        ["N07", "庚", "辅警", None, None, None, None, "临时"],
        ["N08", "辛", "辅警", None, None, None, None, None, "很多"],
        ["N09", "壬", "辅警", None, None, None, None, None, None, "周八"],
        ["N10", "癸", "辅警", None, None, None, None, None, None, None, "早上"],
        ["N11", "子", "辅警", None, None, None, None, None, None, None, None, "明天"],
        ["N12", "丑", "民警"],
        ["N12", "寅", "民警"],
        ["N13", None, "民警"],
    )  # fmt: skip
    preview = preview_members(sample, community, path, today=TODAY)
    assert [e.row for e in preview.errors] == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16]
    said = {e.row: e.zh for e in preview.errors}
    assert "民警、辅警" in said[3]
    assert "物业公司" in said[4]
    assert "嘉通物业" in said[5]
    assert "花园西巡区" in said[6]
    assert "只有民警" in said[8]
    assert "第 14 行" in said[15]
    assert [c.facts.staff_number for c in preview.new] == ["N12"]


def test_a_file_without_the_columns_that_name_a_member_is_refused(sample, community, tmp_path):
    path = sheet(tmp_path, ["a", "b"], headers=["工号", "备注"])
    with pytest.raises(MemberColumnsMissing) as refusal:
        preview_members(sample, community, path, today=TODAY)
    assert "姓名、力量" in str(refusal.value)


def test_a_batch_whose_members_are_in_use_or_changed_since_is_kept_whole(
    sample, community, tmp_path
):
    path = sheet(tmp_path, ["N01", "新警", "民警"], ["B02", None, None, None, None, None, None, None, 30])  # fmt: skip
    batch = brought_in(sample, community, path)
    leave = Leave(member_id=member(sample, "N01").id, first_day=TODAY, last_day=TODAY)
    sample.add(leave)
    sample.flush()
    with pytest.raises(BatchHeld) as held:
        undo(sample, batch.id, community)
    assert "1 条请假" in str(held.value)
    sample.delete(leave)
    guard = member(sample, "B02")
    change(sample, guard, facts_of(guard), guard.revision)
    retire(sample, guard, date(2027, 1, 1))
    with pytest.raises(ChangedSince) as changed:
        undo(sample, batch.id, community)
    assert guard.name in str(changed.value)
    assert guard.max_minutes_week == 1800


def test_a_part_time_member_gets_part_time_limits(sample, community, tmp_path):
    path = sheet(tmp_path, ["L99", "新组长", "居民组长"])
    brought_in(sample, community, path)
    leader = member(sample, "L99")
    assert (leader.contract, leader.max_minutes_week, leader.max_nights_week) == ("part_time", 720, 0)  # fmt: skip


def test_ten_thousand_members_are_refused_with_a_sentence(sample, community, tmp_path):
    path = tmp_path / "all.csv"
    path.write_text("编号,姓名,力量\n" + "".join(f"V{n},甲,志愿者\n" for n in range(10_000)))
    with pytest.raises(TooManyMembers) as refusal:
        preview_members(sample, community, path, today=TODAY)
    assert "10000 行" in str(refusal.value)
    assert "拆分" in str(refusal.value)
