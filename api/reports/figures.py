"""Every figure of a report, counted once: the page, the Word file and the JSON show these.

Places, never persons: what is told of an incident is its class, category, place and state.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from api.hotspots.findings import Finding, Findings, Question, investigate, last_year
from api.requirements.outcome import Outcome, outcome
from grid.errors import DomainError
from grid.incident_counts import local_midnight
from grid.incidents import IncidentClass
from maps.change import Change, change
from scheduling.demand import PatrolRequirement
from scheduling.requirements import listed, planned_visits

Kind = Literal["week", "month"]
TREND_WEEKS = 13
BAND_HOURS = 4
TOP = 10
NEVER_MORE = 12
"""Important incidents that a report names one by one."""


class PeriodAhead(DomainError):
    """A report about days to come."""

    zh = "{first} 还没有到，没有可以报告的内容。请选择今天或更早的日期。"
    en = "{first} has not come yet, so there is nothing to report. Choose today or an earlier day."


@dataclass(frozen=True, slots=True)
class Counted:
    """A name and its count, against the period just before and the year before."""

    name: str
    before: Change
    """环比: the same number of days just before."""
    year: Change | None = None
    """同比: the same days a year before, where it is counted."""

    @property
    def n(self) -> int:
        """The count of the period."""
        return self.before.n


@dataclass(frozen=True, slots=True)
class Important:
    """An incident that is named: an emergency or a major one."""

    number: str
    occurred: str
    urgency: str
    incident_class: str
    category: str
    place: str
    state: str


@dataclass(frozen=True, slots=True)
class Duty:
    """What was put in: patrols of published rosters whose day lies in the period."""

    patrols: int
    person_hours: float
    members: int
    check_ins: int
    checked: int
    """Patrols with at least one check-in."""
    found: int
    """Incidents that patrols found."""


@dataclass(frozen=True, slots=True)
class Report:
    """A week's or a month's report."""

    kind: Kind
    community: str
    first: date
    until: date
    made_on: date
    total: Counted
    classes: tuple[Counted, ...]
    categories: tuple[Counted, ...]
    weeks: tuple[tuple[date, int], ...]
    """The weeks up to the period's end, the oldest first."""
    bands: tuple[tuple[int, int, int], ...]
    """From hour, to hour, n."""
    matrix: tuple[tuple[int, ...], ...]
    """7 × 24, Monday first."""
    places: tuple[tuple[str, int], ...]
    """Places that may be shown with their counts, the most first."""
    hot: tuple[Finding, ...]
    """Hot over the last year: one week is too few to say so of a place."""
    important: tuple[Important, ...]
    important_total: int
    duty: Duty
    outcomes: tuple[tuple[str, Outcome], ...]
    """Requirements that held in the period, by name."""
    short: tuple[tuple[str, int, int], ...]
    """Requirements that next week's roster is short of: name, wanted, planned."""
    bare: tuple[Finding, ...]
    """Hot places without a requirement."""
    unplaced: int


def period_of(kind: Kind, day: date) -> tuple[date, date]:
    """Return the week or month that a day lies in, as first day and the day after the last."""
    if kind == "week":
        first = day - timedelta(day.weekday())
        return first, first + timedelta(7)
    first = day.replace(day=1)
    return first, (first + timedelta(32)).replace(day=1)


def collect(session: Session, community_id: int, kind: Kind, day: date, today: date) -> Report:
    """Return the report of the week or month that ``day`` lies in. Raises PeriodAhead."""
    first, end = period_of(kind, day)
    if first > today:
        raise PeriodAhead(first=first.isoformat())
    until = min(end, today + timedelta(1))
    days = (until - first).days
    now = investigate(session, community_id, Question(first, until), today)
    before = investigate(session, community_id, Question(first - timedelta(days), first), today)
    year = investigate(session, community_id, last_year(today), today)
    asked = listed(session, community_id, today)
    held = [r for r in asked if not r.withdrawn and r.valid_from < until and r.valid_to > first]
    important, important_total = _important(session, community_id, first, until)
    return Report(
        kind=kind,
        community=now.community,
        first=first,
        until=until,
        made_on=today,
        total=Counted("", change(before.n, now.n), change(now.base, now.n)),
        classes=_classes(now, before),
        categories=_categories(now, before),
        weeks=_weeks(session, community_id, until),
        bands=_bands(now.matrix),
        matrix=tuple(tuple(int(n) for n in row) for row in now.matrix),
        places=tuple(
            (one.place.label, one.n)
            for one in sorted(now.counts, key=lambda one: (-one.n, one.place.label))
            if one.n and one.place.kind != "cell"
        )[:TOP],
        hot=year.hot,
        important=important,
        important_total=important_total,
        duty=_duty(session, community_id, first, until),
        outcomes=tuple(
            (_name(r), outcome(session, session.get_one(PatrolRequirement, r.id), today))
            for r in held
        ),
        short=_short(session, community_id, held, today),
        bare=tuple(one for one in year.hot if not _asked_for(one, asked, today)),
        unplaced=now.unplaced,
    )


def _name(row: object) -> str:
    place, zone, category = (getattr(row, name) for name in ("place", "zone", "category"))
    return f"{place or zone} · {category or ''}"


def _classes(now: Findings, before: Findings) -> tuple[Counted, ...]:
    found = []
    for one in IncidentClass:
        this, last = now.headlines.get(one.value), before.headlines.get(one.value)
        if this is not None and last is not None:
            found.append(Counted(one.value, change(last.n, this.n), this))
    return tuple(found)


def _categories(now: Findings, before: Findings) -> tuple[Counted, ...]:
    def count(findings: Findings) -> dict[str, int]:
        names = findings.incidents.categories
        n = np.bincount(findings.incidents.category, minlength=len(names))
        return {name: int(k) for name, k in zip(names, n, strict=True) if k}

    this, last = count(now), count(before)
    ranked = sorted(this, key=lambda name: (-this[name], name))
    return tuple(Counted(name, change(last.get(name, 0), this[name])) for name in ranked[:TOP])


def _bands(matrix: np.ndarray) -> tuple[tuple[int, int, int], ...]:
    by_hour = matrix.sum(axis=0)
    return tuple(
        (start, start + BAND_HOURS, int(by_hour[start : start + BAND_HOURS].sum()))
        for start in range(0, 24, BAND_HOURS)
    )


_WEEKS = text("""
    SELECT CAST(:until AS date) - 7 * (1 + (CAST(:until AS date) - 1 - day) / 7) AS start,
           count(*) AS n
    FROM (SELECT (occurred_at AT TIME ZONE 'Asia/Shanghai')::date AS day FROM incident
          WHERE community_id = :community_id AND occurred_at >= :since AND occurred_at < :end) i
    GROUP BY 1
""")


def _weeks(session: Session, community_id: int, until: date) -> tuple[tuple[date, int], ...]:
    since = until - timedelta(7 * TREND_WEEKS)
    asked = {
        "community_id": community_id, "until": until,
        "since": local_midnight(since), "end": local_midnight(until),
    }  # fmt: skip
    found = {row.start: row.n for row in session.execute(_WEEKS, asked)}
    starts = [since + timedelta(7 * n) for n in range(TREND_WEEKS)]
    return tuple((start, int(found.get(start, 0))) for start in starts)


_IMPORTANT = text("""
    SELECT i.ticket_number, i.occurred_at AT TIME ZONE 'Asia/Shanghai' AS occurred, i.urgency,
           i.incident_class, i.category, i.state,
           CASE WHEN b.households >= 5 OR b.use NOT IN ('residential', 'unknown')
                THEN coalesce(b.name, e.name || b.number || '栋')
           END AS building,
           c.name AS cell, count(*) OVER () AS total
    FROM incident i
    LEFT JOIN building b ON b.id = i.building_id
    LEFT JOIN estate e ON e.id = b.estate_id
    LEFT JOIN grid_cell c ON c.id = i.cell_id
    WHERE i.community_id = :community_id AND i.urgency IN ('emergency', 'major')
      AND i.occurred_at >= :since AND i.occurred_at < :end
    ORDER BY i.urgency <> 'emergency', i.occurred_at LIMIT :most
""")


def _important(
    session: Session, community_id: int, first: date, until: date
) -> tuple[tuple[Important, ...], int]:
    rows = session.execute(
        _IMPORTANT,
        {
            "community_id": community_id, "since": local_midnight(first),
            "end": local_midnight(until), "most": NEVER_MORE,
        },
    ).all()  # fmt: skip
    found = tuple(
        Important(
            row.ticket_number, row.occurred.strftime("%m-%d %H:%M"), row.urgency,
            row.incident_class, row.category, row.building or row.cell or "", row.state,
        )
        for row in rows
    )  # fmt: skip
    return found, rows[0].total if rows else 0


_DUTY = text("""
    WITH walked AS (
        SELECT p.id, p.end_min - p.start_min AS minutes
        FROM patrol p JOIN roster_version v ON v.id = p.roster_version_id
        WHERE v.community_id = :community_id AND v.state IN ('published', 'locked')
          AND p.day >= :first AND p.day < :until
    ), seated AS (
        SELECT w.id, w.minutes, a.member_id FROM walked w JOIN assignment a ON a.patrol_id = w.id
    )
    SELECT (SELECT count(DISTINCT id) FROM seated) AS patrols,
           (SELECT coalesce(sum(minutes), 0) FROM seated) AS minutes,
           (SELECT count(DISTINCT member_id) FROM seated) AS members,
           (SELECT count(*) FROM check_in WHERE patrol_id IN (SELECT id FROM walked)) AS check_ins,
           (SELECT count(DISTINCT patrol_id) FROM check_in
            WHERE patrol_id IN (SELECT id FROM walked)) AS checked,
           (SELECT count(*) FROM incident WHERE community_id = :community_id AND source = 'patrol'
              AND occurred_at >= :since AND occurred_at < :end) AS found
""")


def _duty(session: Session, community_id: int, first: date, until: date) -> Duty:
    row = session.execute(
        _DUTY,
        {
            "community_id": community_id, "first": first, "until": until,
            "since": local_midnight(first), "end": local_midnight(until),
        },
    ).one()  # fmt: skip
    return Duty(
        row.patrols, round(row.minutes / 60, 1), row.members, row.check_ins, row.checked, row.found
    )


def _short(
    session: Session, community_id: int, held: Sequence[object], today: date
) -> tuple[tuple[str, int, int], ...]:
    monday = today + timedelta(7 - today.weekday())
    planned = planned_visits(session, community_id, monday)
    if not planned:
        return ()  # no roster of next week yet
    found = []
    for row in held:
        wanted, have = row.visits_per_week, len(planned.get(row.id, []))  # type: ignore[attr-defined]
        if row.valid_to > monday and have < wanted:  # type: ignore[attr-defined]
            found.append((_name(row), wanted, have))
    return tuple(found)


def _asked_for(hot: Finding, asked: Sequence[object], today: date) -> bool:
    """Say whether a requirement for the category holds in the hot place's zone."""
    return any(
        not row.withdrawn  # type: ignore[attr-defined]
        and row.valid_to > today  # type: ignore[attr-defined]
        and row.category == hot.category  # type: ignore[attr-defined]
        and row.zone == hot.place.zone  # type: ignore[attr-defined]
        for row in asked
    )
