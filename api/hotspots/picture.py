"""The hotspot map of some findings, in the caller's language: for the page's frame and for a file."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import shapely
from pyproj import Transformer
from sqlalchemy.orm import Session

from api.hotspots.findings import Finding, Findings, Question, investigate, last_year
from api.hotspots.words import class_words, source_words
from api.i18n import translate
from api.settings import settings
from api.today import today
from grid.basemap import load_basemap
from grid.incident_counts import PlaceKind
from grid.shapes import Basemap
from maps.folium_page import configure_assets, render
from maps.hotspot_map import (
    Caption,
    CountedCell,
    DensityPicture,
    Layers,
    Spot,
    hotspot_map,
    sample_density,
)

Translate = Callable[..., str]
NAMED_CATEGORIES = 4
"""How many categories a place's note names."""


def period_words(question: Question) -> str:
    """Return the days asked about, first and last included."""
    return f"{question.first:%Y-%m-%d} – {question.until - timedelta(1):%Y-%m-%d}"


def filter_words(question: Question, _: Translate) -> str:
    """Return the filters as one line, empty where there are none."""
    parts = [
        class_words(_).get(question.incident_class or "", ""),
        question.category or "",
        source_words(_).get(question.source or "", ""),
    ]
    if question.from_hour != question.to_hour:
        parts.append(f"{question.from_hour:02d}:00–{question.to_hour:02d}:00")
    return " · ".join(part for part in parts if part) or _("全部事件")


def picture(
    findings: Findings,
    base: Basemap,
    day: date,
    *,
    locale: str = "zh",
    night: bool = False,
    with_links: bool = False,
) -> str:
    """Return the map as one HTML text. ``with_links`` lets a place lead to raising a requirement."""
    _: Translate = partial(translate, locale)
    caption = Caption(
        title=_("%(community)s热点图", community=findings.community),
        paragraphs=(
            period_words(findings.question),
            filter_words(findings.question, _),
            _("共 %(n)s 件（上年同期 %(base)s 件）", n=findings.n, base=findings.base),
        ),
        hot=_("热点（显著高于全社区水平，n ≥ 5）"),
        usual=_("其他地点，圆面积与件数成正比"),
        density=_("密度，最深处每平方公里 %(n)s 件", n="{}"),
        source=_("来源：本社区事件台账；底图：本社区数据；绘制 %(day)s", day=day.isoformat()),
    )
    layers = Layers(
        spots_name=_("地点件数"),
        cells_name=_("网格件数"),
        density_name=_("密度"),
        spots=_spots(findings, _, with_links=with_links),
        cells=_cells(findings, base, _),
        density=_density(findings, base),
    )
    return render(hotspot_map(base, layers, caption, night=night, locale=locale))


def _by_place(findings: Findings) -> dict[tuple[PlaceKind, int], list[Finding]]:
    found: dict[tuple[PlaceKind, int], list[Finding]] = {}
    for one in findings.findings:
        found.setdefault((one.place.kind, one.place.id), []).append(one)
    return found


def _lines(n: int, base: int, mine: list[Finding], _: Translate) -> list[str]:
    told = [_("%(n)s 件（上年同期 %(base)s 件）", n=n, base=base)]
    for one in mine[:NAMED_CATEGORIES]:
        told.append(f"{one.category} {one.n}" + (f" · {_('热点')}" if one.hot else ""))
    return told


def _spots(findings: Findings, _: Translate, *, with_links: bool) -> list[Spot]:
    of_place = _by_place(findings)
    spots = []
    for count in findings.counts:
        if count.place.kind is PlaceKind.CELL or not count.n:
            continue
        mine = of_place.get((count.place.kind, count.place.id), [])
        url = ""
        if with_links and count.place.zone_id is not None:
            wanted = {"place": f"{count.place.kind.value}:{count.place.id}"}
            if mine:
                wanted["category"] = mine[0].category
            url = f"/requirements/new?{urlencode(wanted)}"
        spots.append(
            Spot(
                lat=round(count.place.lat, 6),
                lon=round(count.place.lon, 6),
                n=count.n,
                hot=any(one.hot for one in mine),
                words=(count.place.label, *_lines(count.n, count.base, mine, _)),
                url=url,
                url_words=_("提出巡逻要求"),
            )
        )
    return spots


def _cells(findings: Findings, base: Basemap, _: Translate) -> list[CountedCell]:
    shapes = {shape.id: shape for shape in base.cells}
    of_place = _by_place(findings)
    return [
        CountedCell(
            shape=shapes[count.place.id],
            n=count.n,
            words=(
                count.place.label,
                *_lines(count.n, count.base, of_place.get((PlaceKind.CELL, count.place.id), []), _),
            ),
        )
        for count in findings.counts
        if count.place.kind is PlaceKind.CELL and count.place.id in shapes
    ]


def _density(findings: Findings, base: Basemap) -> DensityPicture | None:
    density = findings.density
    if density is None or base.boundary is None:
        return None
    to_metric = Transformer.from_crs(4326, findings.metric_srid, always_xy=True)
    outline = shapely.geometry.shape(base.boundary.geometry)
    return sample_density(density.at, to_metric.transform, outline.bounds)


def write_hotspot_map(
    session: Session,
    community_id: int,
    out_path: Path,
    *,
    day: date | None = None,
    question: Question | None = None,
    locale: str = "zh",
) -> Findings:
    """Write the hotspot map of the last year as one file that needs no network."""
    chosen = settings()
    configure_assets(chosen.offline_assets)
    day = day or today(chosen)
    findings = investigate(session, community_id, question or last_year(day), day)
    html = picture(findings, load_basemap(session, community_id, day), day, locale=locale)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    out_path.write_text(html, encoding="utf-8")
    return findings
