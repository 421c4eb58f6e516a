"""Whose ground a caller stands on, and the map of it."""

from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse
from shapely.geometry import mapping
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.i18n import translate
from api.permissions import Caller
from grid.basemap import load_basemap
from grid.communities import Community
from grid.errors import DomainError
from grid.export import LABELS, WORDS, Extract, Kind, read
from maps.folium_page import FRAME_POLICY, configure_assets
from maps.ground_map import Thing, ThingLayer, ground_map


class NoCommunity(DomainError):
    """The account belongs to no community, and there is not just one to take."""

    zh = "当前账号没有所属社区，无法操作地点数据。请管理员在“账号”页为该账号选择社区。"
    en = "This account belongs to no community, so it has no places to work on. Ask the administrator to choose one for it."
    status = 409


def own_community(session: Session, caller: Caller) -> Community:
    """Return the caller's community; where there is only one, an account without one has that.

    Raises NoCommunity.
    """
    found = session.get(Community, caller.community_id) if caller.community_id else None
    if found is None:
        every = session.scalars(select(Community).limit(2)).all()
        if caller.community_id or len(every) != 1:
            raise NoCommunity()
        found = every[0]
    return found


def as_shown(extract: Extract, locale: str) -> list[dict[str, str]]:
    """Return rows as a person reads them: words for codes, ``<5`` for a count left out."""
    rows = []
    for row in extract.rows:
        shown = {}
        for field, value in zip(extract.fields, row, strict=True):
            if field.labels and locale != "en":
                value = LABELS[field.labels].get(value, value)
            elif field.labels:
                value = {True: "yes", False: "no"}.get(value, str(value).replace("_", " "))
            if value is None:
                value = "<5" if field.name == "residents" else ""
            shown[field.name] = (
                f"{value:,}" if field.whole and value not in ("", "<5") else str(value)
            )
        rows.append(shown)
    return rows


def map_of(
    session: Session, community: Community, kinds: list[Kind], day: date, locale: str
) -> list[ThingLayer]:
    """Return layers of everything of some kinds, each thing with its words."""
    layers = []
    for kind in kinds:
        extract = read(session, community.id, kind, day)
        things = [
            Thing(
                mapping(shape),
                tuple(
                    f"{translate(locale, field.zh)}：{row[field.name]}"
                    for field in extract.fields
                    if row[field.name] and field.name not in HIDDEN
                ),
                group=number if kind is Kind.ZONES else 0,
            )
            for number, (row, shape) in enumerate(
                zip(as_shown(extract, locale), extract.shapes, strict=True)
            )
            if shape is not None
        ]
        layers.append(ThingLayer(WORDS[kind][1 if locale == "en" else 0], things))
    return layers


HIDDEN = frozenset({"source_key", "counts_estimated", "valid_from"})
"""Fields that say little on a map."""


def map_response(
    request: Request,
    session: Session,
    community: Community,
    layers: list[ThingLayer],
    *,
    day: date,
    locale: str,
    cells: bool = True,
    bounds: tuple[float, float, float, float] | None = None,
) -> HTMLResponse:
    """Return a map page for a sandboxed frame."""
    configure_assets(request.app.state.settings.offline_assets)
    html = ground_map(
        load_basemap(session, community.id, day),
        layers,
        title=community.name,
        locale=locale,
        bounds=bounds,
        cells=cells,
    )
    return HTMLResponse(html, headers={"content-security-policy": FRAME_POLICY})
