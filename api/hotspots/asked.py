"""Read a question about hotspots from an address line: a form's empty fields ask nothing."""

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request

from api.hotspots.findings import YEAR_DAYS, Question
from api.today import today
from grid.errors import DomainError
from grid.incidents import IncidentClass, Source

PERIODS = {"365": 365, "90": 90, "30": 30, "7": 7}
"""Lengths one can pick, in days ending yesterday; anything else is two dates."""


class DayUnread(DomainError):
    """A date that is none."""

    zh = "日期“{written}”无法识别。请按 2026-11-23 的格式填写，或从日历中选择。"
    en = "The date “{written}” cannot be read. Write it as 2026-11-23 or pick it from the calendar."


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise DayUnread(written=written) from error


def _word(kind: type[StrEnum], written: str) -> str | None:
    return written if written in {member.value for member in kind} else None


def _hour(written: str) -> int:
    return int(written) if written.isascii() and written.isdigit() and int(written) < 24 else 0


def read_question(
    request: Request,
    period: Annotated[str, Query(max_length=10)] = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
    incident_class: Annotated[str, Query(alias="class", max_length=40)] = "",
    category: Annotated[str, Query(max_length=60)] = "",
    source: Annotated[str, Query(max_length=40)] = "",
    from_hour: Annotated[str, Query(max_length=2)] = "",
    to_hour: Annotated[str, Query(max_length=2)] = "",
) -> Question:
    """Return what is asked; without dates, the 365 days before today.

    ``from`` and ``to`` are the first and last day, both included.
    """
    until = today(request.app.state.settings)
    since = until - timedelta(PERIODS.get(period, YEAR_DAYS))
    if period not in PERIODS and (first or last):
        until = _day(last) + timedelta(1) if last else until
        since = _day(first) if first else until - timedelta(YEAR_DAYS)
    return Question(
        since,
        until,
        incident_class=_word(IncidentClass, incident_class),
        category=category.strip() or None,
        source=_word(Source, source),
        from_hour=_hour(from_hour),
        to_hour=_hour(to_hour),
    )


Asked = Annotated[Question, Depends(read_question)]


def address_of(question: Question) -> str:
    """Return the question as a query string."""
    parts = {
        "from": question.first.isoformat(),
        "to": (question.until - timedelta(1)).isoformat(),
        "class": question.incident_class,
        "category": question.category,
        "source": question.source,
    }
    if question.from_hour != question.to_hour:
        parts |= {"from_hour": str(question.from_hour), "to_hour": str(question.to_hour)}
    return urlencode({name: value for name, value in parts.items() if value})
