"""A member's patrols as iCalendar (RFC 5545), on the clock of Asia/Shanghai."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard

from scheduling.feeds import Shift

ZONE = "Asia/Shanghai"
REFRESH = timedelta(hours=1)
NO_DST_SINCE = datetime(1991, 9, 15)  # noqa: DTZ001 - an offset's start is written without a zone
"""The last change of China's clocks; nothing we tell of is older."""


def write_calendar(name: str, shifts: Sequence[Shift], site: str) -> bytes:
    """Return a calendar. ``site`` is where the pages are, without a slash at its end.

    The same patrols give the same bytes: a calendar that asks again can be told "unchanged".
    """
    calendar = Calendar()
    calendar.add("prodid", "-//Xunge//Patrol calendar//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"巡逻排班 {name}")
    calendar.add("x-wr-timezone", ZONE)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    calendar.add_component(_shanghai())
    for shift in shifts:
        calendar.add_component(_event(shift, site))
    return bytes(calendar.to_ical())


def _shanghai() -> Timezone:
    zone = Timezone()
    zone.add("tzid", ZONE)
    standard = TimezoneStandard()
    standard.add("dtstart", NO_DST_SINCE)
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone.add_component(standard)
    return zone


def _event(shift: Shift, site: str) -> Event:
    event = Event()
    event.add("uid", shift.uid)
    event.add("dtstamp", shift.changed_at.astimezone(UTC))
    event.add("last-modified", shift.changed_at.astimezone(UTC))
    event.add("sequence", shift.sequence)
    event.add("dtstart", shift.starts)
    event.add("dtend", shift.ends)
    leads = "（带班）" if shift.leader else ""
    event.add("summary", f"巡逻 {shift.zone} {shift.shift}{leads}")
    event.add("location", shift.zone)
    page = f"{site}/my?week={shift.week_start.isoformat()}"
    event.add("description", f"{shift.type}。同组队员、路线和打卡见：{page}")
    event.add("url", page)
    event.add("status", "CONFIRMED")
    event.add("transp", "OPAQUE")
    event.add("class", "PRIVATE")
    return event
