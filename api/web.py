"""Present: a page from a template, in the caller's language, with the form's guard in it."""

from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api.database import Db
from api.i18n import translate
from api.permissions import Caller
from api.today import LOCAL

__all__ = ["Db", "minutes", "page", "see_other"]

TEMPLATES = Path(__file__).parent / "templates"
WEEKDAYS = {"zh": "一二三四五六日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def minutes(value: int) -> str:
    """Return minutes from midnight as a clock time; past midnight is marked: ``次日00:30``."""
    clock = f"{value % 1440 // 60:02d}:{value % 60:02d}"
    return clock if value < 1440 else f"次日{clock}"


def weekday(day: date, locale: str = "zh") -> str:
    """Return 周一 … 周日, or Mon … Sun."""
    name = WEEKDAYS["en" if locale == "en" else "zh"][day.weekday()]
    return name if locale == "en" else f"周{name}"


def local_time(moment: datetime | None, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Return an instant as the community's clock shows it."""
    return moment.astimezone(LOCAL).strftime(pattern) if moment else ""


@lru_cache
def environment() -> Environment:
    """Return the templates, with autoescaping on and undefined names refused."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(minutes=minutes, weekday=weekday, local_time=local_time)
    return env


def page(
    request: Request,
    caller: Caller,
    template: str,
    *,
    status_code: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,  # noqa: ANN401 - what a template needs is its own business
) -> HTMLResponse:
    """Render a template for a caller.

    Templates have ``_`` (translate), ``caller``, ``locale``, ``csrf_field()`` and ``path``.
    """

    def csrf_field() -> Markup:
        return Markup('<input type="hidden" name="csrf_token" value="{}">').format(
            caller.csrf_token
        )

    html = (
        environment()
        .get_template(template)
        .render(
            _=partial(translate, caller.locale),
            caller=caller,
            role=caller.role.value if caller.role else "",
            locale=caller.locale,
            csrf_field=csrf_field,
            path=request.url.path,
            query=request.url.query,
            **context,
        )
    )
    return HTMLResponse(html, status_code=status_code, headers=headers)


def see_other(url: str) -> RedirectResponse:
    """After a form was taken: send the browser to the page that shows the result."""
    return RedirectResponse(url, status_code=303)
