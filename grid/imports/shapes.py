"""Make a feature's shape what its target needs, or say what is wrong with it and where."""

import re

import shapely
from shapely.geometry.base import BaseGeometry

from grid.imports.targets import Shape
from grid.imports.values import BadValue

FAULTS = {
    "Self-intersection": ("边界自相交", "its border crosses itself"),
    "Ring Self-intersection": ("边界与自身相碰", "its border touches itself"),
    "Hole lies outside shell": ("内洞跑到了外边界以外", "a hole lies outside it"),
    "Holes are nested": ("内洞相互嵌套", "its holes are nested"),
    "Nested shells": ("多个面相互重叠", "its parts overlap"),
    "Duplicate Rings": ("有重复的环", "a ring is repeated"),
    "Too few points in geometry component": ("顶点太少，不成面", "it has too few points"),
    "Interior is disconnected": ("内部被边界切断", "its inside is cut apart"),
    "Invalid Coordinate": ("坐标不是有效数字", "a coordinate is no number"),
}
KIND_NAMES = {
    "Point": ("点", "a point"),
    "MultiPoint": ("多个点", "several points"),
    "LineString": ("线", "a line"),
    "LinearRing": ("线", "a line"),
    "MultiLineString": ("多条线", "several lines"),
    "Polygon": ("面", "an area"),
    "MultiPolygon": ("多个面", "several areas"),
    "GeometryCollection": ("混合图形", "a mixed collection"),
}
WANTED = {
    Shape.AREA: ("面", "an area"),
    Shape.LINE: ("线", "a line"),
    Shape.POINT: ("点", "a point"),
}


def fault(shape: BaseGeometry) -> tuple[str, str] | None:
    """Return why a WGS 84 shape is invalid and at which longitude and latitude, or None."""
    if shapely.is_valid(shape):
        return None
    reason = str(shapely.is_valid_reason(shape))
    found = re.match(r"(.*?)\[(\S+) (\S+)\]$", reason)
    words, at, at_en = reason, "", ""
    if found:
        words = found.group(1)
        place = f"{float(found.group(2)):.6f}, {float(found.group(3)):.6f}"
        at, at_en = f"（经纬度 {place} 处）", f" (at longitude, latitude {place})"
    zh, en = FAULTS.get(words, ("图形无效", f"its shape is invalid: {words}"))
    return f"{zh}{at}", f"{en}{at_en}"


def as_needed(
    shape: BaseGeometry, wanted: Shape, *, repair: bool
) -> tuple[list[BaseGeometry], str]:
    """Return the shape(s) a target stores, and a word on what was changed ("" for nothing).

    An area becomes one MultiPolygon, a line one LineString per part, a point one Point; an area
    where a point is needed gives a point inside it. ``repair`` mends an invalid area.
    Raises BadValue.
    """
    kind = shape.geom_type
    if not _fits(kind, wanted):
        is_zh, is_en = KIND_NAMES.get(kind, (kind, kind))
        zh, en = WANTED[wanted]
        raise BadValue(f"几何是{is_zh}，这里需要{zh}", f"its shape is {is_en}; {en} is needed")
    wrong = fault(shape)
    if wrong and not (repair and wanted is Shape.AREA):
        cure = "；请在地图软件里改正，或勾选“尝试修复”" if wanted is Shape.AREA else "；请改正"
        raise BadValue(
            wrong[0] + cure, wrong[1] + "; mend it in the map program, or choose to repair"
        )
    if wanted is Shape.AREA:
        return _area(shape, mend=wrong is not None)
    if wanted is Shape.LINE:
        parts = [p for p in shapely.get_parts(shape) if p.length > 0]
        if not parts:
            raise BadValue("线的长度为零", "the line has no length")
        return parts, ""
    if kind in {"Polygon", "MultiPolygon"}:
        return [shapely.point_on_surface(shape)], "inner_point"
    return [shapely.get_parts(shape)[0]], ""


def _fits(kind: str, wanted: Shape) -> bool:
    if wanted is Shape.AREA:
        return kind in {"Polygon", "MultiPolygon"}
    if wanted is Shape.LINE:
        return kind in {"LineString", "MultiLineString", "LinearRing"}
    return kind in {"Point", "Polygon", "MultiPolygon"}


def _area(shape: BaseGeometry, *, mend: bool) -> tuple[list[BaseGeometry], str]:
    if mend:
        shape = shapely.make_valid(shape)
    faces = [
        p
        for p in shapely.get_parts(shapely.get_parts(shape))
        if p.geom_type == "Polygon" and p.area
    ]
    if not faces:
        raise BadValue("面积为零", "it has no area")
    return [shapely.multipolygons(faces)], "repaired" if mend else ""
