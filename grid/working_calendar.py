"""What kind of day a day is: seeded from the State Council's notices, edited by the team lead.

The package ``chinesecalendar`` knows the years whose notice has been published (2004–2026 in
1.11). A later year has no rows until someone fills it in: that is a state which warns
(:class:`UnknownYear`), never a crash and never a guess that Saturdays are free.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import chinese_calendar
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grid.calendar import CalendarDay, DayKind
from grid.errors import DomainError

FROM_NOTICE = "chinesecalendar"
ASSUMED = "assumed"
"""The source of a day that only follows its weekday, in a year whose notice is awaited."""
EDITED = "edited"


class UnknownYear(DomainError):
    """A year's public holidays are not known yet: said as a warning beside what was done."""

    zh = (
        "{years}年的节假日安排尚未收录，这些日子暂按“未知”处理，不计节假日权重。"
        "国务院通知公布后，请在工作日历中录入，或升级 chinesecalendar。"
    )
    en = (
        "The public holidays of {years} are not known yet; those days count as unknown, without "
        "holiday weight. Enter them in the working calendar once the notice is out, or upgrade "
        "chinesecalendar."
    )


class DayOutOfReach(DomainError):
    """The calendar is asked to hold a day that makes no sense for it."""

    zh = "日期 {day} 超出工作日历范围（2004 年至 {last} 年）。请检查年份。"
    en = "The day {day} is outside the working calendar (2004 to {last}). Check the year."


def noticed_years() -> range:
    """Return the years whose holidays the installed ``chinesecalendar`` knows."""
    known = {day.year for day in chinese_calendar.holidays}
    return range(min(known), max(known) + 1)


def noticed_day(day: date) -> tuple[DayKind, str | None]:
    """Return the kind of a day of a noticed year, and the holiday it belongs to."""
    off, holiday = chinese_calendar.get_holiday_detail(day)
    named = chinese_calendar.Holiday(holiday).chinese if holiday else None
    if off:
        return (DayKind.HOLIDAY, named) if named else (DayKind.WEEKEND, None)
    if named:
        return DayKind.COMPENSATORY_WORKDAY, f"{named}调休"
    return DayKind.WORKDAY, None


def _year_days(year: int) -> Iterable[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(1)


def _plain(day: date) -> DayKind:
    return DayKind.WEEKEND if day.isoweekday() >= 6 else DayKind.WORKDAY


def seed_calendar(session: Session) -> int:
    """Enter every noticed day that is not there yet; return how many were new or newly sure.

    A day that someone edited keeps the edit; a day that was only assumed takes the notice's word.
    """
    years = noticed_years()
    said = select(func.count()).where(
        CalendarDay.day.between(date(years[0], 1, 1), date(years[-1], 12, 31)),
        CalendarDay.source != ASSUMED,
    )
    before = session.scalar(said) or 0
    days = [day for year in years for day in _year_days(year)]
    if before == len(days):
        return 0
    rows = []
    for day in days:
        kind, name = noticed_day(day)
        rows.append({"day": day, "kind": kind, "name": name, "source": FROM_NOTICE})
    statement = insert(CalendarDay)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[CalendarDay.day],
            set_={
                "kind": statement.excluded.kind,
                "name": statement.excluded.name,
                "source": statement.excluded.source,
            },
            where=CalendarDay.source == ASSUMED,
        ),
        rows,
    )
    return len(days) - before


def day_kind(session: Session, day: date) -> DayKind | None:
    """Return what a day is, or None where its year is not known."""
    kind = session.scalar(select(CalendarDay.kind).where(CalendarDay.day == day))
    return None if kind is None else DayKind(kind)


def day_kinds(session: Session, first: date, last: date) -> dict[date, DayKind | None]:
    """Return what each day from ``first`` to ``last`` (included) is; None where not known."""
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.kind).where(CalendarDay.day.between(first, last))
    )
    known = {day: DayKind(kind) for day, kind in rows}
    days = (first + timedelta(n) for n in range((last - first).days + 1))
    return {day: known.get(day) for day in days}


def unknown_year(session: Session, first: date, last: date) -> UnknownYear | None:
    """Return the warning to show beside anything planned for these days, if one is due."""
    years = {day.year for day, kind in day_kinds(session, first, last).items() if kind is None}
    return UnknownYear(years="、".join(map(str, sorted(years)))) if years else None


def set_day(session: Session, day: date, kind: DayKind, name: str | None = None) -> None:
    """Say what a day is. In an unknown year, the year's other days follow their weekday until said."""
    last = noticed_years()[-1] + 5
    if not noticed_years()[0] <= day.year <= last:
        raise DayOutOfReach(day=day.isoformat(), last=last)
    if day_kind(session, day) is None:
        assume_year(session, day.year)
    statement = insert(CalendarDay).values(day=day, kind=kind, name=name, source=EDITED)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[CalendarDay.day],
            set_={"kind": kind, "name": name, "source": EDITED},
        )
    )


def assume_year(session: Session, year: int) -> None:
    """Let the days of a year follow their weekday, marked as assumed, where nothing is known."""
    session.execute(
        insert(CalendarDay).on_conflict_do_nothing(),
        [{"day": day, "kind": _plain(day), "source": ASSUMED} for day in _year_days(year)],
    )


def forget_year(session: Session, year: int) -> None:
    """Make a year unknown again: take back its assumed and edited days."""
    session.execute(
        delete(CalendarDay).where(
            CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)),
            CalendarDay.source != FROM_NOTICE,
        )
    )
