"""An edit of the working calendar has a reason, is kept, and can be taken back."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from grid.calendar import CalendarDay, CalendarEdit, DayKind
from grid.working_calendar import (
    DayOutOfReach,
    EditedSince,
    NothingChanges,
    ReasonMissing,
    day_kind,
    edit_day,
    seed_calendar,
    undo_edit,
    unknown_year,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DAY = date(2026, 12, 3)


@pytest.fixture
def calendar(db):
    seed_calendar(db)
    return db


def edit(session, day=DAY, kind=DayKind.HOLIDAY, name="社区节", reason="社区公告"):
    return edit_day(session, day, kind, name, reason=reason, by="lead", now=NOW)


def undo(session, row):
    return undo_edit(session, row.id, by="lead", now=NOW)


def test_an_edit_holds_and_its_undo_brings_back_the_notices_word(calendar):
    row = edit(calendar)
    assert day_kind(calendar, DAY) is DayKind.HOLIDAY
    undo(calendar, row)
    day = calendar.get(CalendarDay, DAY, populate_existing=True)
    assert (day.kind, day.name, day.source) == ("workday", None, "chinesecalendar")
    assert calendar.get(CalendarEdit, row.id).undone_by == "lead"


def test_edits_are_undone_from_the_latest_and_once(calendar):
    first = edit(calendar)
    second = edit(calendar, kind=DayKind.COMPENSATORY_WORKDAY, name=None)
    with pytest.raises(EditedSince, match="最近的一次"):
        undo(calendar, first)
    undo(calendar, second)
    assert day_kind(calendar, DAY) is DayKind.HOLIDAY
    with pytest.raises(EditedSince):
        undo(calendar, second)
    undo(calendar, first)
    assert day_kind(calendar, DAY) is DayKind.WORKDAY


def test_undoing_the_only_edit_of_an_unknown_year_makes_the_year_unknown_again(calendar):
    eve, saturday = date(2027, 2, 5), date(2027, 2, 6)
    one, two = edit(calendar, eve), edit(calendar, saturday)
    assert unknown_year(calendar, eve, saturday) is None
    undo(calendar, one)
    assert day_kind(calendar, eve) is DayKind.WORKDAY  # the year's other edit still stands
    undo(calendar, two)
    assert unknown_year(calendar, eve, eve).facts["years"] == "2027"
    assert not calendar.scalar(select(func.count()).where(CalendarDay.day >= date(2027, 1, 1)))


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"reason": "  "}, ReasonMissing),
        ({"kind": DayKind.WORKDAY, "name": ""}, NothingChanges),
        ({"day": date(1999, 1, 1)}, DayOutOfReach),
        ({"day": date(2060, 1, 1)}, DayOutOfReach),
    ],
)
def test_an_edit_that_cannot_be_meant_is_refused_and_nothing_is_kept(calendar, said, error):
    with pytest.raises(error):
        edit(calendar, **said)
    calendar.rollback()
    assert not calendar.scalar(select(func.count()).select_from(CalendarEdit))
