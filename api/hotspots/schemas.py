"""Hotspots as programs read them. Every rate comes with its n; no percentage from a base of 0."""

from datetime import date, timedelta

from pydantic import BaseModel, Field

from api.hotspots.findings import Finding, Findings
from grid.incident_counts import PlaceKind
from maps.change import Change


class ChangeOut(BaseModel):
    """The period against the same days a year before."""

    n: int
    base: int
    difference: int
    percent: float | None = Field(description="null where the base is 0")
    percent_low: float | None
    percent_high: float | None
    p: float
    significant: bool

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        """Return a change as it is sent."""
        interval = change.percent_interval
        return cls(
            n=change.n,
            base=change.base,
            difference=change.difference,
            percent=None if change.percent is None else round(change.percent, 2),
            percent_low=None if interval is None else round(interval[0], 2),
            percent_high=None if interval is None else round(interval[1], 2),
            p=change.p,
            significant=change.significant,
        )


class PlaceOut(BaseModel):
    """A place; never a person."""

    kind: PlaceKind
    id: int
    label: str
    lon: float
    lat: float
    zone_id: int | None
    zone: str


class HotspotOut(BaseModel):
    """A place and a category with n ≥ 5."""

    place: PlaceOut
    category: str
    hot: bool
    change: ChangeOut
    expected: float = Field(description="what the community's rate gives the place")
    ratio: float | None = Field(description="null where nothing is expected")
    ratio_low: float | None
    ratio_high: float | None
    p: float
    q: float = Field(description="p after Benjamini–Hochberg over all places tested")
    band_start_min: int
    band_end_min: int
    in_band: int
    weekdays: list[int]

    @classmethod
    def of(cls, one: Finding) -> "HotspotOut":
        """Return a finding as it is sent."""
        expected = one.expected > 0
        return cls(
            place=PlaceOut(
                kind=one.place.kind,
                id=one.place.id,
                label=one.place.label,
                lon=round(one.place.lon, 6),
                lat=round(one.place.lat, 6),
                zone_id=one.place.zone_id,
                zone=one.place.zone,
            ),
            category=one.category,
            hot=one.hot,
            change=ChangeOut.of(one.change),
            expected=one.expected,
            ratio=one.ratio if expected else None,
            ratio_low=one.low if expected else None,
            ratio_high=one.high if expected else None,
            p=one.p,
            q=one.q,
            band_start_min=one.band.start_min,
            band_end_min=one.band.end_min,
            in_band=one.band.n,
            weekdays=list(one.weekdays),
        )


class HotspotsOut(BaseModel):
    """The answer to one question."""

    first: date
    last: date
    n: int
    base: int
    unplaced: int
    tested: int
    headlines: dict[str, ChangeOut]
    hour_by_weekday: list[list[int]] = Field(description="7 rows, Monday first, of 24 local hours")
    hotspots: list[HotspotOut]
    total: int
    page: int
    pages: int

    @classmethod
    def of(cls, found: Findings, hot_only: bool, page: int, per_page: int) -> "HotspotsOut":
        """Return one page of findings as it is sent."""
        wanted = found.hot if hot_only else found.findings
        return cls(
            first=found.question.first,
            last=found.question.until - timedelta(1),
            n=found.n,
            base=found.base,
            unplaced=found.unplaced,
            tested=found.tested,
            headlines={name: ChangeOut.of(change) for name, change in found.headlines.items()},
            hour_by_weekday=found.matrix.tolist(),
            hotspots=[
                HotspotOut.of(one) for one in wanted[(page - 1) * per_page : page * per_page]
            ],
            total=len(wanted),
            page=page,
            pages=max(1, -(-len(wanted) // per_page)),
        )
