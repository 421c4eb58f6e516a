"""Give the rows of a table their shapes, from coordinate columns or from one of WKT."""

import re
from collections.abc import Sequence

import shapely
from shapely.geometry.base import BaseGeometry

from grid.coordinates import SourceSystem, source_system
from grid.imports.errors import CoordinateColumnsUnknown, NoSuchColumn, RowError
from grid.imports.layers import Feature, Layer
from grid.imports.tables import Table, TableRow, as_text

X_NAMES = (
    "经度", "lon", "lng", "long", "longitude", "东经", "x", "x坐标", "坐标x", "横坐标", "东坐标", "e",
    "经度坐标", "gcj02经度", "bd09经度", "wgs84经度", "point_x", "easting",
)  # fmt: skip
Y_NAMES = (
    "纬度", "lat", "latitude", "北纬", "y", "y坐标", "坐标y", "纵坐标", "北坐标", "n",
    "纬度坐标", "gcj02纬度", "bd09纬度", "wgs84纬度", "point_y", "northing",
)  # fmt: skip
PAIR_NAMES = (
    "坐标",
    "经纬度",
    "位置坐标",
    "lonlat",
    "lnglat",
    "location",
    "coordinates",
    "坐标位置",
)
WKT_NAMES = ("wkt", "几何", "几何(wkt)", "geometry", "geom", "the_geom", "边界", "范围", "轮廓")
STATED = re.compile(r"EPSG[:：]\d{4,5}|GCJ-?02|BD-?09|WGS-?84|CGCS2000", re.IGNORECASE)
# Half-width normalising turns ″ into two ′.
DEGREES = re.compile(
    r"""^[东北EN]?[经纬]?\s*(\d{1,3})\s*[°度]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′分]\s*)?"""
    r"""(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″秒]|['′]{2}))?\s*[EN]?$""",
    re.IGNORECASE,
)


def plain_name(column: str) -> str:
    """Return a column's name as names are compared: lower case, no spaces, half-width brackets."""
    return re.sub(r"[\s_\-]+", "", column.lower()).replace("（", "(").replace("）", ")")


def find_column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """Return the first column that is called one of ``names``, tried in their order."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain_name(column), column)
        # 经度(°), 面积（平方米）: what stands in brackets is mostly a unit.
        by_name.setdefault(re.sub(r"\(.*\)$", "", plain_name(column)), column)
    for name in names:
        if plain_name(name) in by_name:
            return by_name[plain_name(name)]
    return None


def coordinate(text: str) -> float:
    """Return a coordinate from text: a plain number, or degrees, minutes and seconds.

    Raises ValueError.
    """
    found = DEGREES.match(text)
    if found:
        degrees, minutes, seconds = (float(part or 0) for part in found.groups())
        if minutes >= 60 or seconds >= 60:
            raise ValueError(text)
        return degrees + minutes / 60 + seconds / 3600
    return float(text.replace(" ", "").rstrip("°度"))


def with_shapes(
    table: Table, name: str, *, x_column: str | None = None, y_column: str | None = None
) -> Layer:
    """Return a table's rows as features; ``x_column`` and ``y_column`` override what is found.

    Looked for in turn: a WKT column, a pair of columns, one column of "lon,lat".
    Raises CoordinateColumnsUnknown or NoSuchColumn.
    """
    for column in (x_column, y_column):
        if column and column not in table.columns:
            raise NoSuchColumn(column=column, columns="、".join(table.columns))
    x = x_column or find_column(table.columns, X_NAMES)
    y = y_column or find_column(table.columns, Y_NAMES)
    wkt = None if x_column else find_column(table.columns, WKT_NAMES)
    if wkt and any(_looks_like_wkt(row.text(wkt)) for row in table.rows):
        used: tuple[str, ...] = (wkt,)
    elif x and y and x != y:
        used = (x, y)
    elif pair := find_column(table.columns, PAIR_NAMES):
        used = (pair,)
    else:
        raise CoordinateColumnsUnknown(name=name, columns="、".join(table.columns))
    features, errors = [], list(table.errors)
    for row in table.rows:
        shape, why = _shape(row, used)
        if why:
            errors.append(RowError(row.number, *why, column=used[0]))
        features.append(Feature(row.number, row.values, shape))
    return Layer(
        table.columns,
        tuple(features),
        _declared(used),
        name=name,
        shape_columns=used,
        errors=tuple(errors),
        notes=table.notes,
    )


def _declared(columns: tuple[str, ...]) -> SourceSystem | None:
    """Return the system a heading names: 经度(EPSG:4490), gcj02经度, 几何(WKT, EPSG:4326)."""
    found = STATED.search(" ".join(columns))
    return source_system(found.group(0)) if found else None


def _looks_like_wkt(text: str) -> bool:
    return bool(re.match(r"(?i)(SRID=\d+;)?\s*(MULTI)?(POINT|LINESTRING|POLYGON)\b", text))


def _shape(
    row: TableRow, columns: tuple[str, ...]
) -> tuple[BaseGeometry | None, tuple[str, str] | None]:
    texts = [as_text(row.values.get(column)) for column in columns]
    if not all(texts):
        return None, ("没有坐标", "it has no coordinates")
    if _looks_like_wkt(texts[0]):
        try:
            return shapely.from_wkt(texts[0].partition(";")[2] or texts[0]), None
        except shapely.GEOSException:
            return None, ("WKT 几何写得不对", "its WKT is malformed")
    if len(columns) == 1:
        texts = [part for part in re.split(r"[,;，；\s]+", texts[0].strip("()[]（）")) if part]
    try:
        x, y = (coordinate(text) for text in texts)
        point = shapely.Point(x, y)
    except (ValueError, shapely.GEOSException):
        given = "，".join(texts)[:60]
        return None, (f"坐标“{given}”不是数字", f"its coordinates “{given}” are not numbers")
    return point, None
