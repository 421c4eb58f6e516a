"""What came of a requirement: planned and done week by week, and whether the place got better.

Counted are incidents that people reported: what patrols find themselves grows with the patrols.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.incident_counts import (
    IncidentArrays,
    PlaceKind,
    load_incidents,
    load_places,
    local_midnight,
)
from maps.effect import Against, Counts, Effect, against, effect
from maps.hours import in_minutes
from scheduling.demand import PatrolRequirement
from scheduling.requirements import planned_visits

BEFORE_DAYS = 365
RING_M = 150.0
"""How far around the place is looked for what moved: two or three buildings."""
WEEKS_SHOWN = 12
SPAN_DAYS = 28
"""One bar of the chart: four weeks, so that every bar has the same weekdays."""
LEAST_BEFORE_DAYS = 28

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Week:
    """One week of a requirement."""

    start: date
    wanted: int
    planned: int
    done: int


@dataclass(frozen=True, slots=True)
class Span:
    """A bar of the chart: the place's incidents of four weeks."""

    start: date
    n: int
    after: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; ``effect`` is None before its first day or without a past to compare with."""

    requirement: PatrolRequirement
    kind: PlaceKind
    place_id: int
    first: date
    """The first day of the days before."""
    until: date
    """The day after the last one counted."""
    effect: Effect | None
    other_hours: Against | None
    """The same place outside the hours: whether it moved to another time."""
    spans: tuple[Span, ...]
    weeks: tuple[Week, ...]
    done: int
    """Visits done since the first day."""


def place_of(row: PatrolRequirement) -> tuple[PlaceKind, int]:
    """Return the kind and id of a requirement's place."""
    if row.building_id is not None:
        return PlaceKind.BUILDING, row.building_id
    if row.key_place_id is not None:
        return PlaceKind.KEY_PLACE, row.key_place_id
    return PlaceKind.CELL, row.cell_id or 0


def outcome(session: Session, row: PatrolRequirement, today: date) -> Outcome:
    """Return what came of a requirement by a day."""
    kind, place_id = place_of(row)
    first = max(row.valid_from - timedelta(BEFORE_DAYS), _history(session, row) or row.valid_from)
    until = min(today, row.valid_to)
    incidents = load_incidents(
        session,
        row.community_id,
        first,
        max(until, first),
        day=today,
        category=row.category,
        found_by_patrols=False,
    )
    measured = _Measured(session, row, kind, place_id, incidents, today)
    before_days, after_days = (row.valid_from - first).days, (until - row.valid_from).days
    found = other = None
    if after_days > 0 and before_days >= LEAST_BEFORE_DAYS:
        found = effect(
            measured.counts(measured.at & measured.hours),
            measured.counts(measured.ring & measured.hours),
            measured.counts(measured.elsewhere & measured.hours),
            before_days=before_days,
            after_days=after_days,
            others_before=measured.others_before(),
        )
        other = against(
            measured.counts(measured.at & ~measured.hours),
            measured.counts(measured.elsewhere & ~measured.hours),
        )
    return Outcome(
        requirement=row,
        kind=kind,
        place_id=place_id,
        first=first,
        until=until,
        effect=found,
        other_hours=other,
        spans=measured.spans(first, row.valid_from, until),
        weeks=_weeks(session, row, today),
        done=sum(_done(session, row, row.valid_from, today + timedelta(1)).values()),
    )


_HISTORY = text("""
    SELECT (min(occurred_at) AT TIME ZONE 'Asia/Shanghai')::date FROM incident
    WHERE community_id = :community_id
""")


def _history(session: Session, row: PatrolRequirement) -> date | None:
    """Return the day the ledger begins: before it nothing is known, which is not nothing."""
    found: date | None = session.scalar(_HISTORY, {"community_id": row.community_id})
    return found


_SHAPE = text("""
    SELECT ST_AsBinary(ST_Transform(s.shape, m.metric_srid))
    FROM community m, LATERAL (
        SELECT footprint AS shape FROM building WHERE :kind = 'building' AND id = :place_id
        UNION ALL SELECT location FROM key_place WHERE :kind = 'key_place' AND id = :place_id
        UNION ALL SELECT boundary FROM grid_cell WHERE :kind = 'cell' AND id = :place_id
    ) s
    WHERE m.id = :community_id
""")

_OTHERS = text("""
    SELECT building_id, key_place_id, cell_id FROM patrol_requirement
    WHERE community_id = :community_id AND category = :category AND id <> :id
      AND valid_from < :until AND valid_to > :valid_from
""")


class _Measured:
    """The incidents of one category, told apart by where and when they happened."""

    def __init__(
        self,
        session: Session,
        row: PatrolRequirement,
        kind: PlaceKind,
        place_id: int,
        incidents: IncidentArrays,
        today: date,
    ) -> None:
        self.incidents = incidents
        self.kind = kind
        self.ids = {
            PlaceKind.BUILDING: incidents.building_id,
            PlaceKind.KEY_PLACE: incidents.key_place_id,
            PlaceKind.CELL: incidents.cell_id,
        }
        self.at: Mask = self.ids[kind] == place_id
        self.after: Mask = incidents.epoch_s >= int(local_midnight(row.valid_from).timestamp())
        self.hours = in_minutes(incidents.epoch_s, row.band_start_min, row.band_end_min)
        shape = session.scalar(
            _SHAPE,
            {"kind": kind.value, "place_id": place_id, "community_id": row.community_id},
        )
        self.ring: Mask = np.zeros(len(incidents), bool)
        if shape is not None and len(incidents):
            placed = ~np.isnan(incidents.x)
            spots = shapely.points(incidents.x[placed], incidents.y[placed])
            self.ring[placed] = shapely.distance(shapely.from_wkb(bytes(shape)), spots) <= RING_M
            self.ring &= ~self.at
        self.elsewhere: Mask = ~self.at & ~self.ring & ~self._asked_for_too(session, row, today)
        self.places = [
            p.id for p in load_places(session, row.community_id, today) if p.kind is kind
        ]

    def _asked_for_too(self, session: Session, row: PatrolRequirement, today: date) -> Mask:
        """Return the incidents of other places with such a requirement: they compare with nothing."""
        found: Mask = np.zeros(len(self.incidents), bool)
        others = session.execute(
            _OTHERS,
            {
                "community_id": row.community_id,
                "category": row.category,
                "id": row.id,
                "valid_from": row.valid_from,
                "until": today,
            },
        )
        for other in others:
            for kind, of in (
                (PlaceKind.BUILDING, other.building_id),
                (PlaceKind.KEY_PLACE, other.key_place_id),
                (PlaceKind.CELL, other.cell_id),
            ):
                if of is not None:
                    found |= self.ids[kind] == of
        return found

    def counts(self, mask: Mask) -> Counts:
        """Return how many of the incidents lie before and after."""
        return Counts(int((mask & ~self.after).sum()), int((mask & self.after).sum()))

    def others_before(self) -> NDArray[np.int64]:
        """Return the count before of every place of this kind, in the hours."""
        ids = self.ids[self.kind][~self.after & self.hours]
        order = np.sort(np.array(self.places, np.int64))
        at = np.searchsorted(order, ids[np.isin(ids, order)])
        return np.bincount(at, minlength=len(order)).astype(np.int64)

    def spans(self, first: date, start: date, until: date) -> tuple[Span, ...]:
        """Return the place's incidents in the hours, four weeks a bar, split at the first day."""
        begins = [(start, True)]
        while begins[0][0] - timedelta(SPAN_DAYS) >= first:
            begins.insert(0, (begins[0][0] - timedelta(SPAN_DAYS), False))
        while begins[-1][0] + timedelta(SPAN_DAYS) < until:
            begins.append((begins[-1][0] + timedelta(SPAN_DAYS), True))
        when = np.sort(self.incidents.epoch_s[self.at & self.hours])
        found = []
        for begin, after in begins:
            if begin >= until:
                break
            edges = [begin, min(begin + timedelta(SPAN_DAYS), until)]
            low, high = (int(local_midnight(day).timestamp()) for day in edges)
            n = int(np.searchsorted(when, high) - np.searchsorted(when, low))
            found.append(Span(begin, n, after))
        return tuple(found)


_DONE = text("""
    SELECT p.day, count(DISTINCT (p.day, p.start_min, p.zone_id, p.shift_template_id)) AS n
    FROM check_in c JOIN patrol p ON p.id = c.patrol_id
    WHERE c.stop = :stop AND p.day >= :first AND p.day < :until
    GROUP BY p.day
""")


def _done(session: Session, row: PatrolRequirement, first: date, until: date) -> dict[date, int]:
    """Return how many patrols of each day checked in at the requirement's stop."""
    asked = {"stop": f"requirement:{row.id}", "first": first, "until": until}
    return {day: n for day, n in session.execute(_DONE, asked)}


def _weeks(session: Session, row: PatrolRequirement, today: date) -> tuple[Week, ...]:
    last = min(row.valid_to - timedelta(1), today + timedelta(7))
    monday = last - timedelta(last.weekday())
    first = row.valid_from - timedelta(row.valid_from.weekday())
    starts: list[date] = []
    while monday >= first and len(starts) < WEEKS_SHOWN:
        starts.append(monday)
        monday -= timedelta(7)
    if not starts:
        return ()
    done: dict[date, int] = {}
    for day, n in _done(session, row, starts[-1], starts[0] + timedelta(7)).items():
        week = day - timedelta(day.weekday())
        done[week] = done.get(week, 0) + n
    return tuple(
        Week(
            start,
            row.visits_per_week,
            len(planned_visits(session, row.community_id, start).get(row.id, [])),
            done.get(start, 0),
        )
        for start in reversed(starts)
    )
