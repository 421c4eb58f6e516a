"""The community's day and clock: Asia/Shanghai, or the day the settings pretend it is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.settings import Settings

LOCAL = ZoneInfo("Asia/Shanghai")


def today(settings: Settings) -> date:
    """Return the community-local day."""
    return settings.today or datetime.now(LOCAL).date()


def now(settings: Settings) -> datetime:
    """Return this moment in UTC, moved to the pretended day where one is set."""
    moment = datetime.now(UTC)
    if settings.today is None:
        return moment
    return moment + (settings.today - datetime.now(LOCAL).date())


def next_monday(day: date) -> date:
    """Return the Monday that starts the week after ``day``'s."""
    return day + timedelta(days=7 - day.weekday())


def this_monday(day: date) -> date:
    """Return the Monday that starts ``day``'s week."""
    return day - timedelta(days=day.weekday())
