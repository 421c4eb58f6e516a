"""What kind of day a day is: seeded from the State Council's notices, edited by the team lead.

The package ``chinesecalendar`` knows the years whose notice has been published (2004–2026 in
1.11). A later year has no rows until someone fills it in: that is a state which warns
(:class:`UnknownYear`), never a crash and never a guess that Saturdays are free.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

import chinese_calendar
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grid.calendar import CalendarDay, CalendarEdit, DayKind
from grid.errors import Conflict, DomainError, NotFound

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


class ReasonMissing(DomainError):
    """An edit of the calendar without a reason."""

    zh = "请填写修改 {day} 的理由，例如“国办发明电〔2026〕7号”或“社区庙会”。"
    en = "Say why {day} is changed, for instance the number of the notice or the local fair."


class NothingChanges(DomainError):
    """An edit that says what the day already is."""

    zh = "{day} 本来就是这样，没有需要修改的内容。请选择另一种日期类型或名称。"
    en = "{day} is that already. Choose another kind of day or another name."


class EditedSince(Conflict):
    """An older edit cannot be undone under a newer one."""

    zh = "{day} 在这次修改之后又改过，或已经撤销。请从该日最近的一次修改开始撤销。"
    en = "{day} was edited again since, or this is undone already. Undo its latest edit first."


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


def edit_day(
    session: Session,
    day: date,
    kind: DayKind,
    name: str | None,
    *,
    reason: str,
    by: str,
    now: datetime,
) -> CalendarEdit:
    """Say what a day is, with the reason; the edit is kept so that it can be undone.

    Raises ReasonMissing, NothingChanges or DayOutOfReach.
    """
    reason, name = reason.strip(), (name or "").strip() or None
    if not reason:
        raise ReasonMissing(day=day.isoformat())
    was = session.get(CalendarDay, day, populate_existing=True)
    if was is not None and (was.kind, was.name) == (kind, name):
        raise NothingChanges(day=day.isoformat())
    edit = CalendarEdit(
        day=day,
        kind_before=was.kind if was else None,
        name_before=was.name if was else None,
        source_before=was.source if was else None,
        kind=kind,
        name=name,
        reason=reason,
        made_by=by,
        made_at=now,
    )
    set_day(session, day, kind, name)
    session.add(edit)
    session.flush()
    session.expire_all()
    return edit


def undo_edit(session: Session, edit_id: int, *, by: str, now: datetime) -> CalendarEdit:
    """Make a day what it was before its latest edit. Raises NotFound or EditedSince.

    A day whose year was unknown goes back to unknown with the whole year, once no edit of that
    year is left; until then it follows its weekday, as the year's other days do.
    """
    edit = session.get(CalendarEdit, edit_id, with_for_update=True)
    if edit is None:
        raise NotFound(thing="日历修改", name=edit_id)
    latest = session.scalar(
        select(func.max(CalendarEdit.id)).where(
            CalendarEdit.day == edit.day, CalendarEdit.undone_at.is_(None)
        )
    )
    if latest != edit.id:
        raise EditedSince(day=edit.day.isoformat())
    edit.undone_by, edit.undone_at = by, now
    session.flush()
    row = session.get_one(CalendarDay, edit.day, populate_existing=True)
    row.kind = edit.kind_before or _plain(edit.day)
    row.name = edit.name_before
    row.source = edit.source_before or ASSUMED
    session.flush()
    if edit.kind_before is None or edit.source_before == ASSUMED:
        _forget_where_nothing_is_said(session, edit.day.year)
    return edit


def _forget_where_nothing_is_said(session: Session, year: int) -> None:
    said = session.scalar(
        select(CalendarDay.day)
        .where(
            CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)),
            CalendarDay.source != ASSUMED,
        )
        .limit(1)
    )
    if said is None:
        forget_year(session, year)
    session.expire_all()


def days_between(session: Session, first: date, last: date) -> dict[date, CalendarDay]:
    """Return the days that are known, from ``first`` to ``last`` (included)."""
    rows = session.scalars(select(CalendarDay).where(CalendarDay.day.between(first, last)))
    return {row.day: row for row in rows}


def assumed_year(session: Session, year: int) -> bool:
    """Say whether a year's days mostly follow their weekday only: its notice is awaited."""
    found = session.scalar(
        select(CalendarDay.day)
        .where(
            CalendarDay.day.between(date(year, 1, 1), date(year, 12, 31)),
            CalendarDay.source == ASSUMED,
        )
        .limit(1)
    )
    return found is not None


def edits_between(session: Session, first: date, last: date) -> list[CalendarEdit]:
    """Return the edits of these days, the newest first."""
    return list(
        session.scalars(
            select(CalendarEdit)
            .where(CalendarEdit.day.between(first, last))
            .order_by(CalendarEdit.id.desc())
        )
    )
