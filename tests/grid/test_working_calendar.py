"""The working calendar knows the noticed years, warns of the rest, and keeps what people say."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grid.calendar import CalendarDay, DayKind
from grid.working_calendar import (
    DayOutOfReach,
    assume_year,
    day_kind,
    day_kinds,
    forget_year,
    noticed_years,
    seed_calendar,
    set_day,
    unknown_year,
)


@pytest.fixture
def calendar(db: Session) -> Session:
    seed_calendar(db)
    return db


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), DayKind.HOLIDAY),
        (date(2026, 10, 10), DayKind.COMPENSATORY_WORKDAY),
        (date(2026, 11, 21), DayKind.WEEKEND),
        (date(2026, 11, 23), DayKind.WORKDAY),
        (date(2025, 10, 6), DayKind.HOLIDAY),
        (date(2025, 9, 28), DayKind.COMPENSATORY_WORKDAY),
    ],
)
def test_a_noticed_day_is_what_the_notice_says(calendar: Session, day: date, kind: DayKind):
    assert day_kind(calendar, day) is kind


def test_a_working_saturday_names_the_holiday_it_pays_for(calendar: Session):
    row = calendar.get_one(CalendarDay, date(2026, 10, 10))
    assert row.name == "国庆节调休"


def test_an_unknown_year_is_a_state_that_warns(calendar: Session):
    assert day_kind(calendar, date(2027, 1, 1)) is None
    warning = unknown_year(calendar, date(2026, 12, 28), date(2027, 1, 3))
    assert warning is not None
    assert "2027年" in warning.sentence("zh")
    assert "2027" in warning.sentence("en")
    kinds = day_kinds(calendar, date(2026, 12, 28), date(2027, 1, 3))
    assert [kind is None for kind in kinds.values()] == [False] * 4 + [True] * 3


def test_a_known_week_gives_no_warning(calendar: Session):
    assert unknown_year(calendar, date(2026, 11, 23), date(2026, 11, 29)) is None


def test_seeding_again_changes_nothing(calendar: Session):
    count = calendar.scalar(select(func.count()).select_from(CalendarDay))
    assert seed_calendar(calendar) == 0
    assert calendar.scalar(select(func.count()).select_from(CalendarDay)) == count
    assert count == sum(366 if y % 4 == 0 else 365 for y in noticed_years())


def test_an_edit_survives_seeding(calendar: Session):
    set_day(calendar, date(2026, 11, 24), DayKind.HOLIDAY, "社区活动日")
    seed_calendar(calendar)
    assert day_kind(calendar, date(2026, 11, 24)) is DayKind.HOLIDAY


def test_saying_one_day_of_an_unknown_year_lets_the_rest_follow_the_week(calendar: Session):
    set_day(calendar, date(2027, 1, 1), DayKind.HOLIDAY, "元旦")
    assert day_kind(calendar, date(2027, 1, 1)) is DayKind.HOLIDAY
    assert day_kind(calendar, date(2027, 1, 2)) is DayKind.WEEKEND
    assert day_kind(calendar, date(2027, 1, 4)) is DayKind.WORKDAY
    assert unknown_year(calendar, date(2027, 1, 1), date(2027, 1, 7)) is None
    forget_year(calendar, 2027)
    assert day_kind(calendar, date(2027, 1, 1)) is None


def test_what_was_assumed_yields_to_the_notice(db: Session):
    assume_year(db, 2026)
    assert day_kind(db, date(2026, 10, 1)) is DayKind.WORKDAY
    seed_calendar(db)
    assert day_kind(db, date(2026, 10, 1)) is DayKind.HOLIDAY


def test_a_mistyped_year_is_refused(calendar: Session):
    with pytest.raises(DayOutOfReach, match="2206"):
        set_day(calendar, date(2206, 1, 1), DayKind.HOLIDAY)
