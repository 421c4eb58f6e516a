"""Give the ground out again: GeoPackage, GeoJSON or Excel, with the coordinate system stated.

What is written can be imported again and is then found unchanged. A count of 1 to 4 residents is
left out everywhere: so few could be recognised.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import openpyxl
import pandas as pd
import shapely
from geoalchemy2.shape import to_shape
from numpy.typing import NDArray
from openpyxl.styles import Font
from shapely.geometry import mapping
from sqlalchemy import Integer, Select, func, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from grid.cells import GridCell, PatrolZone, PatrolZoneCell
from grid.communities import Building, Community, Employer, Estate
from grid.coordinates import from_wgs84
from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError, NotFound
from grid.places import Checkpoint, KeyPlace
from grid.walkways import Walkway

FEWEST_RESIDENTS = 5
EXCEL_CELL_LIMIT = 32_000


class Kind(StrEnum):
    """What can be given out."""

    BUILDINGS = "buildings"
    ESTATES = "estates"
    CELLS = "cells"
    ZONES = "zones"
    WALKWAYS = "walkways"
    PLACES = "places"
    CHECKPOINTS = "checkpoints"


class Format(StrEnum):
    """A file format, by its extension."""

    GPKG = "gpkg"
    GEOJSON = "geojson"
    XLSX = "xlsx"


WORDS = {
    Kind.BUILDINGS: ("楼栋", "buildings"),
    Kind.ESTATES: ("小区", "estates"),
    Kind.CELLS: ("网格", "grid cells"),
    Kind.ZONES: ("巡区", "patrol zones"),
    Kind.WALKWAYS: ("步行道", "walkways"),
    Kind.PLACES: ("重点部位", "key places"),
    Kind.CHECKPOINTS: ("必到点", "checkpoints"),
}

LABELS: dict[str, dict[Any, str]] = {
    "yes_no": {True: "是", False: "否"},
    "use": {
        "residential": "住宅", "school": "学校", "industrial": "厂房", "commercial": "商业",
        "public": "公共", "unknown": "未知", "other": "其他",
    },
    "estate_kind": {
        "public_rental": "公租房", "resettlement": "安置房", "factory_quarter": "厂区家属院",
        "commercial": "商品房", "other": "其他",
    },
    "place_kind": {
        "garage": "车库", "fire_lane": "消防通道", "roof": "楼顶", "gate": "出入口",
        "riverside": "河边", "square": "广场", "warehouse": "仓库", "police_room": "警务室",
        "other": "其他",
    },
}  # fmt: skip
"""What stored codes are called in Chinese; an import reads these words back."""


class NothingToExport(DomainError):
    """There is nothing of the kind."""

    zh = "本社区还没有{what}，没有可导出的内容。请先导入或登记。"
    en = "The community has no {what_en} yet: nothing to export. Import or enter some first."
    status = 409


class OneKindPerFile(DomainError):
    """A format that holds one layer only."""

    zh = "GeoJSON 一个文件只放一类内容。请逐类导出，或改用 GeoPackage 一次导出全部。"
    en = "A GeoJSON file holds one kind. Export each kind, or use GeoPackage for all at once."


class ExportCrsUnknown(DomainError):
    """A system we do not write."""

    zh = "不能按“{name}”导出。请选择 EPSG:4326、EPSG:4490 或本社区的 EPSG:{metric}。"
    en = "Exports are not written in “{name}”. Choose EPSG:4326, EPSG:4490 or the community's EPSG:{metric}."


@dataclass(frozen=True)
class Field:
    """A column of an extract: its name in files and its heading in Chinese."""

    name: str
    zh: str
    whole: bool = False
    labels: str | None = None


@dataclass(frozen=True)
class Extract:
    """Things of one kind: their fields, their rows (id first), and their shapes in WGS 84 (n,)."""

    kind: Kind
    fields: tuple[Field, ...]
    ids: tuple[int, ...]
    rows: tuple[tuple[Any, ...], ...]
    shapes: NDArray[np.object_]

    def features(self) -> list[dict[str, Any]]:
        """Return GeoJSON features, with the row's id."""
        return [
            {
                "type": "Feature",
                "id": key,
                "properties": {
                    f.name: v.isoformat() if isinstance(v, date) else v
                    for f, v in zip(self.fields, row, strict=True)
                },
                "geometry": mapping(shape) if shape is not None else None,
            }
            for key, row, shape in zip(self.ids, self.rows, self.shapes, strict=True)
        ]


def read(
    session: Session,
    community_id: int,
    kind: Kind,
    day: date,
    *,
    matching: str = "",
    estate: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> Extract:
    """Return what a community has of a kind; cells and zones are those valid on ``day``.

    ``matching`` keeps what has these characters in a name, number or code, ``estate`` what belongs
    to the estate of that name.
    """
    fields, query = _QUERIES[kind](community_id, day)
    query = _narrowed(query, kind, matching, estate)
    found: list[Any] = list(session.execute(query.limit(limit).offset(offset)))
    ids = tuple(int(row[0]) for row in found)
    shapes = np.array(
        [to_shape(r[1]) if r[1] is not None else None for r in found], dtype=np.object_
    )
    rows = [
        tuple(
            None if f.name == "residents" and v is not None and 0 < v < FEWEST_RESIDENTS else v
            for f, v in zip(fields, row[2:], strict=True)
        )
        for row in found
    ]
    return Extract(kind, fields, ids, tuple(rows), shapes)


def count(
    session: Session,
    community_id: int,
    kind: Kind,
    day: date,
    *,
    matching: str = "",
    estate: str = "",
) -> int:
    """Return how many things :func:`read` would give without a limit."""
    _, query = _QUERIES[kind](community_id, day)
    query = _narrowed(query, kind, matching, estate)
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def _narrowed(query: Select[Any], kind: Kind, matching: str, estate: str) -> Select[Any]:
    if matching:
        query = query.where(
            or_(*(column.icontains(matching, autoescape=True) for column in _SEARCHED[kind]))
        )
    if estate and kind in OF_ESTATES:
        query = query.where(Estate.name == estate)
    return query


_SEARCHED: dict[Kind, tuple[Any, ...]] = {
    Kind.BUILDINGS: (Building.number, Building.name, Building.source_key, Estate.name),
    Kind.ESTATES: (Estate.name, Employer.name),
    Kind.CELLS: (GridCell.code, GridCell.name),
    Kind.ZONES: (PatrolZone.code, PatrolZone.name),
    Kind.WALKWAYS: (Walkway.name, Walkway.kind, Walkway.source_key),
    Kind.PLACES: (KeyPlace.name, KeyPlace.kind, Estate.name),
    Kind.CHECKPOINTS: (Checkpoint.code, Checkpoint.name),
}
OF_ESTATES = frozenset({Kind.BUILDINGS, Kind.ZONES, Kind.PLACES})
"""The kinds that belong to an estate."""


def write(
    session: Session,
    community_id: int,
    kinds: Sequence[Kind],
    path: Path,
    *,
    day: date,
    srid: int = GEOGRAPHIC_SRID,
) -> dict[Kind, int]:
    """Write things of one or several kinds to a .gpkg, .geojson or .xlsx file; return how many.

    Coordinates are in ``srid``: 4326, 4490 or the community's metric zone. Raises NotFound,
    NothingToExport, OneKindPerFile or ExportCrsUnknown.
    """
    community = session.get(Community, community_id)
    if community is None:
        raise NotFound(thing="社区", name=community_id)
    if srid not in {GEOGRAPHIC_SRID, 4490, community.metric_srid}:
        raise ExportCrsUnknown(name=f"EPSG:{srid}", metric=community.metric_srid)
    form = Format(path.suffix.lstrip(".").lower())
    if form is Format.GEOJSON and len(kinds) > 1:
        raise OneKindPerFile()
    extracts = [read(session, community_id, kind, day) for kind in kinds]
    filled = [e for e in extracts if e.rows]
    if not filled:
        raise NothingToExport(
            what="、".join(WORDS[k][0] for k in kinds),
            what_en=" or ".join(WORDS[k][1] for k in kinds),
        )
    {
        Format.GPKG: _write_geopackage,
        Format.GEOJSON: _write_geojson,
        Format.XLSX: _write_excel,
    }[form](filled, path, srid, f"{community.name}（{community.code}）", day)
    return {e.kind: len(e.rows) for e in filled}


# --- What is read -------------------------------------------------------------------------------

Query = tuple[tuple[Field, ...], Select[Any]]


def _buildings(community_id: int, day: date) -> Query:
    fields = (
        Field("source_key", "唯一编码"),
        Field("estate", "小区"),
        Field("number", "楼号"),
        Field("name", "名称"),
        Field("use", "用途", labels="use"),
        Field("floors", "层数", whole=True),
        Field("units", "单元数", whole=True),
        Field("households", "户数", whole=True),
        Field("residents", "人数", whole=True),
        Field("counts_estimated", "户数人数为估算", labels="yes_no"),
    )
    b = Building
    return fields, (
        select(
            b.id, b.footprint, b.source_key, Estate.name, b.number, b.name, b.use, b.floors, b.units,
            b.households, b.residents, b.counts_estimated,
        )
        .outerjoin(Estate, Estate.id == b.estate_id)
        .where(b.community_id == community_id)
        .order_by(Estate.name, func.length(b.number), b.number, b.source_key)
    )  # fmt: skip


def _estates(community_id: int, day: date) -> Query:
    fields = (
        Field("name", "小区名称"),
        Field("kind", "类型", labels="estate_kind"),
        Field("employer", "物业公司"),
    )
    return fields, (
        select(Estate.id, Estate.boundary, Estate.name, Estate.kind, Employer.name)
        .outerjoin(Employer, Employer.id == Estate.employer_id)
        .where(Estate.community_id == community_id)
        .order_by(Estate.name)
    )


def _valid(table: Any, day: date) -> Any:  # noqa: ANN401 - a column expression
    return (table.valid_from <= day) & or_(table.valid_to.is_(None), table.valid_to > day)


def _cells(community_id: int, day: date) -> Query:
    fields = (
        Field("code", "网格编码"),
        Field("name", "网格名称"),
        Field("valid_from", "启用日期"),
        Field("area_m2", "面积（平方米）", whole=True),
        Field("buildings", "楼栋数", whole=True),
        Field("households", "户数", whole=True),
        Field("residents", "人数", whole=True),
    )
    standing = (
        select(
            func.count(Building.id).label("buildings"),
            func.coalesce(func.sum(Building.households), 0).label("households"),
            func.coalesce(func.sum(Building.residents), 0).label("residents"),
        )
        .where(
            Building.community_id == GridCell.community_id,
            func.ST_Intersects(GridCell.boundary, func.ST_PointOnSurface(Building.footprint)),
        )
        .lateral("standing")
    )
    area = func.round(
        func.ST_Area(func.ST_Transform(GridCell.boundary, Community.metric_srid))
    ).cast(Integer)
    return fields, (
        select(
            GridCell.id, GridCell.boundary, GridCell.code, GridCell.name, GridCell.valid_from, area,
            standing.c.buildings, standing.c.households, standing.c.residents,
        )
        .join(Community, Community.id == GridCell.community_id)
        .join(standing, true())
        .where(GridCell.community_id == community_id, _valid(GridCell, day))
        .order_by(GridCell.code)
    )  # fmt: skip


def _zones(community_id: int, day: date) -> Query:
    fields = (
        Field("code", "巡区编号"),
        Field("name", "巡区名称"),
        Field("estate", "小区"),
        Field("cells", "网格"),
        Field("valid_from", "启用日期"),
    )
    z = PatrolZone
    return fields, (
        select(
            z.id,
            func.ST_Multi(func.ST_Union(GridCell.boundary)),
            z.code,
            z.name,
            Estate.name,
            func.string_agg(
                GridCell.code, aggregate_order_by(literal_column("'、'"), GridCell.code)
            ),
            z.valid_from,
        )
        .outerjoin(Estate, Estate.id == z.estate_id)
        .outerjoin(PatrolZoneCell, PatrolZoneCell.zone_id == z.id)
        .outerjoin(GridCell, (GridCell.id == PatrolZoneCell.cell_id) & _valid(GridCell, day))
        .where(z.community_id == community_id, _valid(z, day))
        .group_by(z.id, Estate.name)
        .order_by(z.code)
    )


def _walkways(community_id: int, day: date) -> Query:
    fields = (Field("source_key", "唯一编码"), Field("kind", "类型"), Field("name", "名称"))
    return fields, (
        select(Walkway.id, Walkway.line, Walkway.source_key, Walkway.kind, Walkway.name)
        .where(Walkway.community_id == community_id)
        .order_by(Walkway.source_key)
    )


def _places(community_id: int, day: date) -> Query:
    fields = (
        Field("source_key", "唯一编码"),
        Field("name", "名称"),
        Field("kind", "类别", labels="place_kind"),
        Field("estate", "小区"),
    )
    p = KeyPlace
    return fields, (
        select(p.id, p.location, p.source_key, p.name, p.kind, Estate.name)
        .outerjoin(Estate, Estate.id == p.estate_id)
        .where(p.community_id == community_id)
        .order_by(p.kind, p.name, p.id)
    )


def _checkpoints(community_id: int, day: date) -> Query:
    fields = (
        Field("code", "编号"),
        Field("name", "名称"),
        Field("dwell_min", "停留分钟", whole=True),
    )
    c = Checkpoint
    return fields, (
        select(c.id, c.location, c.code, c.name, c.dwell_min)
        .where(c.community_id == community_id, c.active)
        .order_by(c.code)
    )


_QUERIES: dict[Kind, Callable[[int, date], Query]] = {
    Kind.BUILDINGS: _buildings,
    Kind.ESTATES: _estates,
    Kind.CELLS: _cells,
    Kind.ZONES: _zones,
    Kind.WALKWAYS: _walkways,
    Kind.PLACES: _places,
    Kind.CHECKPOINTS: _checkpoints,
}


# --- What is written ----------------------------------------------------------------------------


def moved(shapes: NDArray[np.object_], srid: int) -> NDArray[np.object_]:
    """Return WGS 84 shapes (n,) in another system."""
    if srid == GEOGRAPHIC_SRID:
        return shapes
    return np.asarray(
        shapely.transform(shapes, lambda p: np.column_stack(from_wgs84(p[:, 0], p[:, 1], srid))),
        dtype=object,
    )


def _write_geopackage(
    extracts: Sequence[Extract], path: Path, srid: int, community: str, day: date
) -> None:
    path.unlink(missing_ok=True)
    for extract in extracts:
        columns = {}
        for i, field in enumerate(extract.fields):
            values = [row[i] for row in extract.rows]
            if field.whole:
                columns[field.name] = pd.array(values, dtype="Int64")
            else:
                texts = [v.isoformat() if isinstance(v, date) else v for v in values]
                columns[field.name] = pd.Series(texts, dtype=object)
        frame = geopandas.GeoDataFrame(
            columns, geometry=list(moved(extract.shapes, srid)), crs=f"EPSG:{srid}"
        )
        frame.to_file(path, driver="GPKG", layer=extract.kind.value)


def _write_geojson(
    extracts: Sequence[Extract], path: Path, srid: int, community: str, day: date
) -> None:
    (extract,) = extracts
    name = "OGC:1.3:CRS84" if srid == GEOGRAPHIC_SRID else f"EPSG::{srid}"
    content = {
        "type": "FeatureCollection",
        "name": extract.kind.value,
        # RFC 7946 dropped "crs", but a file without it leaves every reader in China guessing.
        "crs": {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{name}"}},
        "features": Extract(
            extract.kind, extract.fields, extract.ids, extract.rows, moved(extract.shapes, srid)
        ).features(),
    }
    path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def _write_excel(
    extracts: Sequence[Extract], path: Path, srid: int, community: str, day: date
) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    geographic = srid in {GEOGRAPHIC_SRID, 4490}
    x_zh, y_zh = ("经度", "纬度") if geographic else ("东坐标", "北坐标")
    for extract in extracts:
        sheet = book.create_sheet(WORDS[extract.kind][0])
        headings = [f.zh for f in extract.fields]
        headings += [f"{x_zh}(EPSG:{srid})", f"{y_zh}(EPSG:{srid})", f"几何(WKT, EPSG:{srid})"]
        _append(sheet, headings)
        shapes = moved(extract.shapes, srid)
        for row, shape in zip(extract.rows, shapes, strict=True):
            values = [
                LABELS[f.labels].get(v, v) if f.labels else v
                for f, v in zip(extract.fields, row, strict=True)
            ]
            _append(sheet, [*values, *_placed(shape, 7 if geographic else 2)])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
        for column, heading in zip(sheet.columns, headings, strict=True):
            longest = max([len(str(c.value or "")) for c in list(column)[:200]], default=8)
            sheet.column_dimensions[column[0].column_letter].width = (
                18 if "WKT" in heading else min(40, max(8, 2 * len(heading), longest + 2))
            )
    about = book.create_sheet("说明")
    for line in (
        ("社区", community),
        ("内容截至", day.isoformat()),
        ("坐标系", f"EPSG:{srid}"),
        ("人数", f"1 至 {FEWEST_RESIDENTS - 1} 人的不列出，以免识别到个人"),
        ("几何", f"超过 {EXCEL_CELL_LIMIT} 字符的几何放不进 Excel，请改用 GeoPackage"),
    ):
        _append(about, list(line))
    about.column_dimensions["A"].width, about.column_dimensions["B"].width = 12, 60
    book.save(path)


def _placed(shape: Any, decimals: int) -> list[Any]:  # noqa: ANN401 - a shapely geometry or None
    if shape is None:
        return [None, None, None]
    point = shapely.point_on_surface(shape)
    wkt = shapely.to_wkt(shape, rounding_precision=9 if decimals == 7 else 4)
    return [
        round(point.x, decimals),
        round(point.y, decimals),
        wkt if len(wkt) <= EXCEL_CELL_LIMIT else None,
    ]


def _append(sheet: Any, values: Sequence[Any]) -> None:  # noqa: ANN401 - openpyxl is untyped
    sheet.append(list(values))
    for cell in sheet[sheet.max_row]:
        # A name that begins with = must stay a name and not become a formula.
        if isinstance(cell.value, str):
            cell.data_type = "s"
