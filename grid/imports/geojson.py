"""Read GeoJSON. A file that names no system is asked about: in China it is often GCJ-02."""

import json
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape as shape_of
from shapely.geometry.base import BaseGeometry

from grid.coordinates import SourceSystem, system_of_wkt
from grid.imports.errors import FileBroken, FileEmpty, Note, NotSpatial, RowError
from grid.imports.layers import Feature, Layer
from grid.imports.tables import Value, decode

GEOMETRIES = frozenset(
    {
        "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon",
        "GeometryCollection",
    }
)  # fmt: skip


def read_geojson(path: Path) -> Layer:
    """Return the features of a FeatureCollection, a Feature or a bare geometry.

    Raises FileBroken, FileEmpty, NotSpatial, TextUnreadable, CrsRefused or CrsUnknown.
    """
    text, encoding = decode(path.read_bytes(), path.name)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"第 {error.lineno} 行第 {error.colno} 列 / line {error.lineno}"
        raise FileBroken(name=path.name, where=where) from error
    except RecursionError as error:
        raise FileBroken(name=path.name, where="嵌套过深 / nested too deep") from error
    found = _features(content)
    if found is None:
        raise NotSpatial(name=path.name)
    if not found:
        raise FileEmpty(name=path.name)
    features, errors = [], []
    columns: dict[str, None] = {}
    for row, item in enumerate(found, start=1):
        values = _values(item)
        columns.update(dict.fromkeys(values))
        shape, why = _shape(item)
        if why:
            errors.append(RowError(row, *why))
        features.append(Feature(row, values, shape))
    notes = (
        [Note("文字按 GBK 编码读取。", "The text was read as GBK.")] if encoding == "gbk" else []
    )
    return Layer(
        tuple(columns),
        tuple(features),
        _declared(content),
        path.stem,
        errors=tuple(errors),
        notes=tuple(notes),
    )


def _features(content: Any) -> list[Any] | None:  # noqa: ANN401 - parsed JSON
    if not isinstance(content, dict):
        return None
    if content.get("type") == "FeatureCollection" and isinstance(content.get("features"), list):
        return list(content["features"])
    if content.get("type") == "Feature":
        return [content]
    if content.get("type") in GEOMETRIES:
        return [{"type": "Feature", "properties": {}, "geometry": content}]
    return None


def _declared(content: dict[str, Any]) -> SourceSystem | None:
    """Return the system of the old "crs" member, which GIS programs still write."""
    crs = content.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    return system_of_wkt(name) if isinstance(name, str) and name.strip() else None


def _values(item: Any) -> dict[str, Value]:  # noqa: ANN401
    properties = item.get("properties") if isinstance(item, dict) else None
    if not isinstance(properties, dict):
        properties = {}
    values = {str(k): _value(v) for k, v in properties.items()}
    if isinstance(item, dict) and isinstance(item.get("id"), str | int) and "id" not in values:
        values["id"] = item["id"]
    return values


def _value(value: Any) -> Value:  # noqa: ANN401
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value if isinstance(value, str | int | float | bool) else None


def _shape(item: Any) -> tuple[BaseGeometry | None, tuple[str, str] | None]:  # noqa: ANN401
    geometry = item.get("geometry") if isinstance(item, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in GEOMETRIES:
        return None, ("没有几何图形", "it has no geometry")
    try:
        shape = shape_of(geometry)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.GEOSException):
        return None, (
            "几何坐标写得不对（应为数字，环至少 4 点且首尾相同）",
            "its coordinates are malformed (numbers; rings of 4 points or more that close)",
        )
    if shape.is_empty:
        return None, ("几何图形是空的", "its geometry is empty")
    return shape, None
