"""Put a question about hotspots to the community's incidents: load, count, test, compare.

The statistics are ``maps``'s, the rows ``grid``'s; here they meet. Everything shown on the page,
the map, the table, the JSON and the requirements comes from one :class:`Findings`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from grid.errors import DomainError
from grid.incident_counts import (
    IncidentArrays,
    Place,
    PlaceKind,
    load_incidents,
    load_places,
    local_midnight,
    metric_boundary,
    walkway_metres,
)
from grid.incidents import IncidentClass
from maps.change import Change, change
from maps.counts import LEAST_FOR_HOT, count_by_category, shown_alone
from maps.density import Density, Raster, kernel_density
from maps.hot import FALSE_DISCOVERIES, expectation, measure_heat
from maps.hours import (
    Band,
    busiest_band,
    busiest_weekdays,
    hour_weekday_matrix,
    in_band,
)
from scheduling.requirements import HotPlace

YEAR_DAYS = 365
LONGEST_DAYS = 366
ANALYSIS_CELL_M = 10.0
BANDWIDTH_M = 50.0
"""Chosen for a community of 1–2 km²: wide enough to join a building's sides, narrow enough to
keep two estates apart."""

Ints = NDArray[np.int64]


class PeriodUnfit(DomainError):
    """The days asked for cannot be compared with the year before."""

    zh = "时间范围不对：{first} 至 {last}。开始应不晚于结束，且最长一年。请重新选择日期。"
    en = "The period {first} to {last} does not fit: it starts before it ends and is at most a year long. Choose the days again."


@dataclass(frozen=True, slots=True)
class Question:
    """Which incidents, of which days: first ≤ day < until, hours [from, to), all if equal."""

    first: date
    until: date
    incident_class: str | None = None
    category: str | None = None
    source: str | None = None
    from_hour: int = 0
    to_hour: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.days <= LONGEST_DAYS:
            raise PeriodUnfit(first=self.first, last=self.until - timedelta(1))

    @property
    def days(self) -> int:
        """How many days are asked about."""
        return (self.until - self.first).days

    @property
    def base_first(self) -> date:
        """The first day of the base: the same days one year (365 days) earlier."""
        return self.first - timedelta(max(YEAR_DAYS, self.days))

    @property
    def base_until(self) -> date:
        """The day after the base's last."""
        return self.until - timedelta(max(YEAR_DAYS, self.days))


def last_year(today: date, **filters: object) -> Question:
    """Return the question about the 365 days before today."""
    return Question(today - timedelta(YEAR_DAYS), today, **filters)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Finding:
    """A place and a category: how many, against what is usual and against the year before."""

    place: Place
    category: str
    change: Change
    expected: float
    low: float
    high: float
    """The 95 % interval of the place's rate ÷ the community's."""
    p: float
    q: float
    band: Band
    weekdays: tuple[int, ...]

    @property
    def n(self) -> int:
        """Incidents in the period."""
        return self.change.n

    @property
    def hot(self) -> bool:
        """Whether it is called hot: significant after all tests, and n large enough."""
        return self.q <= FALSE_DISCOVERIES and self.n >= LEAST_FOR_HOT

    @property
    def ratio(self) -> float:
        """Count ÷ expectation; infinite where nothing was to be expected."""
        return self.n / self.expected if self.expected else float("inf")

    def as_hot_place(self, question: Question) -> HotPlace:
        """Return it as the plain data a requirement is raised from."""
        return HotPlace(
            kind=self.place.kind,
            place_id=self.place.id,
            label=self.place.label,
            category=self.category,
            n=self.n,
            base=self.change.base,
            expected=round(self.expected, 2),
            p=self.p,
            q=self.q,
            first=question.first,
            until=question.until,
            band_start_min=self.band.start_min,
            band_end_min=self.band.end_min,
            in_band=self.band.n,
            weekdays=self.weekdays,
            households=self.place.households,
        )


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """A place and what was counted there, all categories of the question together."""

    place: Place
    n: int
    base: int


@dataclass(frozen=True)
class Findings:
    """The answer to a question."""

    question: Question
    community: str
    n: int
    base: int
    unplaced: int
    """Incidents of the period that lie in no grid cell: counted, on no map."""
    headlines: dict[str, Change]
    """Per class, all hours."""
    matrix: Ints
    """Shape (7, 24): all hours, so that a narrowed band is seen in its day."""
    tested: int
    """How many place × category pairs were looked at."""
    findings: tuple[Finding, ...]
    """Every place × category with n ≥ 5, hot ones first, then by n."""
    counts: tuple[PlaceCount, ...]
    """Every place that may be shown, with its count."""
    hidden: int
    """Incidents at dwellings too small to be shown alone: they count in their cells."""
    incidents: IncidentArrays
    outline: bytes | None
    metric_srid: int

    @property
    def hot(self) -> tuple[Finding, ...]:
        """The hot ones."""
        return tuple(one for one in self.findings if one.hot)

    @cached_property
    def density(self) -> Density | None:
        """The kernel density of the period; None without a boundary."""
        if self.outline is None:
            return None
        area = shapely.from_wkb(self.outline)
        raster = Raster.over(area.bounds, ANALYSIS_CELL_M)
        placed = ~np.isnan(self.incidents.x)
        return kernel_density(
            self.incidents.x[placed],
            self.incidents.y[placed],
            raster,
            raster.inside(area),
            BANDWIDTH_M,
        )

    @property
    def zones_missing(self) -> bool:
        """Whether some hot place lies in no patrol zone."""
        return any(one.place.zone_id is None for one in self.hot)


def investigate(session: Session, community_id: int, question: Question, today: date) -> Findings:
    """Answer a question about one community's incidents."""
    places = load_places(session, community_id, today)
    walk_m = walkway_metres(session, community_id)
    everything = load_incidents(
        session,
        community_id,
        question.base_first,
        question.until,
        day=today,
        incident_class=question.incident_class,
        category=question.category,
        source=question.source,
    )
    outline, srid, name = metric_boundary(session, community_id)
    starts = [
        int(local_midnight(day).timestamp())
        for day in (question.base_first, question.base_until, question.first, question.until)
    ]
    in_base = (everything.epoch_s >= starts[0]) & (everything.epoch_s < starts[1])
    in_period = (everything.epoch_s >= starts[2]) & (everything.epoch_s < starts[3])
    in_hours = in_band(everything.epoch_s, question.from_hour, question.to_hour)
    now, base = in_period & in_hours, in_base & in_hours

    findings: list[Finding] = []
    counts: list[PlaceCount] = []
    tested = hidden = 0
    looked_at: list[_Looked] = []
    for kind in PlaceKind:
        looked = _look(kind, places, everything, now, base, walk_m)
        counts += looked.counts
        hidden += looked.hidden
        looked_at.append(looked)
    findings, tested = _judge(looked_at, everything, now)
    return Findings(
        question=question,
        community=name,
        n=int(now.sum()),
        base=int(base.sum()),
        unplaced=int((now & (everything.cell_id < 0)).sum()),
        headlines=_headlines(everything, now, base, question),
        matrix=hour_weekday_matrix(everything.epoch_s[in_period]),
        tested=tested,
        findings=tuple(findings),
        counts=tuple(counts),
        hidden=hidden,
        incidents=_only(everything, now),
        outline=outline,
        metric_srid=srid,
    )


@dataclass(frozen=True, slots=True)
class _Looked:
    """One kind of place, counted: rows are categories, columns places."""

    places: list[Place]
    index: Ints
    """Per incident, the column of its place, or -1."""
    n: Ints
    base: Ints
    expected: NDArray[np.float64]
    shown: NDArray[np.bool_]
    counts: list[PlaceCount]
    hidden: int


def _look(
    kind: PlaceKind,
    places: Sequence[Place],
    incidents: IncidentArrays,
    now: NDArray[np.bool_],
    base: NDArray[np.bool_],
    walk_m: float,
) -> _Looked:
    mine = [place for place in places if place.kind is kind]
    ids = {
        PlaceKind.BUILDING: incidents.building_id,
        PlaceKind.KEY_PLACE: incidents.key_place_id,
        PlaceKind.CELL: incidents.cell_id,
    }[kind]
    known = np.array([place.id for place in mine], np.int64)
    order = np.argsort(known)
    position = np.searchsorted(known[order], ids)
    position = np.minimum(position, max(0, known.size - 1))
    index = np.full(ids.shape, -1, np.int64)
    if known.size:
        found = known[order][position] == ids
        index[found] = order[position[found]]
    categories = len(incidents.categories)
    n, before = (
        count_by_category(np.where(taken, index, -1), incidents.category, known.size, categories)
        for taken in (now, base)
    )
    households = np.array([place.households for place in mine], np.int64)
    dwelling = np.array([place.dwelling for place in mine], bool)
    shown = np.ones(known.size, bool)
    exposure = households.astype(np.float64)
    if kind is PlaceKind.BUILDING:
        shown = shown_alone(households, dwelling)
    expected = expectation(n, exposure)
    if kind is PlaceKind.KEY_PLACE:
        expected = _in_the_open(mine, incidents, now, walk_m)
    totals, totals_before = n.sum(axis=0), before.sum(axis=0)
    counts = [
        PlaceCount(place, int(totals[column]), int(totals_before[column]))
        for column, place in enumerate(mine)
        if shown[column]
    ]
    return _Looked(mine, index, n, before, expected, shown, counts, int(totals[~shown].sum()))


def _in_the_open(
    places: Sequence[Place], incidents: IncidentArrays, now: NDArray[np.bool_], walk_m: float
) -> NDArray[np.float64]:
    """Return what key places would have if incidents in the open fell by metres of walkway."""
    outdoors = now & (incidents.building_id < 0) & (incidents.cell_id >= 0)
    of_category = np.bincount(incidents.category[outdoors], minlength=len(incidents.categories))
    metres = np.array([place.walk_m for place in places], np.float64)
    share = metres / max(walk_m, metres.sum(), 1.0)
    return np.asarray(of_category[:, None] * share[None, :], np.float64)


def _judge(
    looked_at: Sequence[_Looked], incidents: IncidentArrays, now: NDArray[np.bool_]
) -> tuple[list[Finding], int]:
    """Test every shown place × category that has incidents, all kinds as one family."""
    columns = [np.flatnonzero(looked.shown) for looked in looked_at]
    n = np.concatenate(
        [looked.n[:, kept].ravel() for looked, kept in zip(looked_at, columns, strict=True)]
    )
    expected = np.concatenate(
        [looked.expected[:, kept].ravel() for looked, kept in zip(looked_at, columns, strict=True)]
    )
    heat = measure_heat(n, expected)
    found: list[Finding] = []
    offset = 0
    for looked, kept in zip(looked_at, columns, strict=True):
        for row, category in enumerate(incidents.categories):
            for position, column in enumerate(kept):
                at = offset + row * kept.size + position
                if heat.n[at] < LEAST_FOR_HOT:
                    continue
                mine = now & (looked.index == column) & (incidents.category == row)
                matrix = hour_weekday_matrix(incidents.epoch_s[mine])
                found.append(
                    Finding(
                        place=looked.places[column],
                        category=category,
                        change=change(int(looked.base[row, column]), int(heat.n[at])),
                        expected=float(heat.expected[at]),
                        low=float(heat.low[at]),
                        high=float(heat.high[at]),
                        p=float(heat.p[at]),
                        q=float(heat.q[at]),
                        band=busiest_band(matrix.sum(axis=0)),
                        weekdays=tuple(busiest_weekdays(matrix.sum(axis=1))),
                    )
                )
        offset += len(incidents.categories) * kept.size
    found.sort(key=lambda one: (not one.hot, -one.n, one.q, one.place.label, one.category))
    return found, int(heat.n.size)


def _headlines(
    incidents: IncidentArrays,
    now: NDArray[np.bool_],
    base: NDArray[np.bool_],
    question: Question,
) -> dict[str, Change]:
    asked = (
        [question.incident_class] if question.incident_class else [c.value for c in IncidentClass]
    )
    found = {}
    for name in asked:
        row = incidents.classes.index(name) if name in incidents.classes else -1
        mine = incidents.incident_class == row
        found[name] = change(int((base & mine).sum()), int((now & mine).sum()))
    return found


def _only(incidents: IncidentArrays, kept: NDArray[np.bool_]) -> IncidentArrays:
    return replace(
        incidents,
        **{
            name: getattr(incidents, name)[kept]
            for name in (
                "epoch_s", "x", "y", "building_id", "key_place_id", "cell_id", "category",
                "incident_class",
            )
        },
    )  # fmt: skip
