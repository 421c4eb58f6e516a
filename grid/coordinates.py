"""Coordinate systems at the border: whatever a file is in becomes WGS 84 here, or is refused.

Arrays are (n,) of float, x (longitude or easting) before y (latitude or northing). GCJ-02 and
BD-09 are undone by iterating their public forward formulas (``prcoords``, its ``*_bored``
inverses, and one step more): the worst of 20,000 random round trips was 0.2 mm. WGS 84 and CGCS2000 are taken as one; they agree
to centimetres. Beijing 1954 and Xi'an 1980 have no public exact transform and are refused.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
import prcoords
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from grid.database import GEOGRAPHIC_SRID
from grid.errors import DomainError

Floats = NDArray[np.float64]

CHINA_LON = (73.0, 136.0)
CHINA_LAT = (3.0, 54.0)
ZONE_WIDTH_M = 1_000_000
"""A zone-prefixed easting is zone × 1,000,000 + 500,000 + metres east of the central meridian."""
EASTING = (100_000.0, 900_000.0)
NORTHING = (300_000.0, 6_100_000.0)

SAMPLE = 400
"""How many points of a file are tried when its system is in doubt."""
CLEARLY = 0.1
"""By how much more of a file another system must bring inside the community to be suspected."""
TOUCHING_M = 10.0
"""How far outside the boundary a point still counts as on it."""


class CrsRefused(DomainError):
    """A datum without a public exact transform."""

    zh = "不能导入{name}坐标：北京54、西安80 到 CGCS2000 没有公开的精确转换参数。请让数据提供单位转换为 CGCS2000（EPSG:4490 或 3 度带）后再导入。"
    en = "{name} coordinates cannot be imported: no exact public transform leads from Beijing 1954 or Xi'an 1980 to CGCS2000. Ask whoever supplied the data to convert them to CGCS2000 (EPSG:4490 or a 3-degree zone)."


class CrsUnknown(DomainError):
    """Not a system of ours."""

    zh = "不支持坐标系“{name}”。请从列表中选择：WGS 84、CGCS2000（经纬度或分带投影）、Web 墨卡托、GCJ-02（高德、腾讯）、BD-09（百度）。"
    en = "The coordinate system “{name}” is not supported. Choose WGS 84, CGCS2000 (geographic or a projected zone), Web Mercator, GCJ-02 (Amap, Tencent) or BD-09 (Baidu)."


class CrsNotChosen(DomainError):
    """The file does not say its system and nobody has."""

    zh = "文件没有注明坐标系，请先选择（命令行用 --crs）。{hint}"
    en = "The file does not say its coordinate system: choose it (on the command line, --crs). {hint_en}"


class Family(StrEnum):
    """How a system's numbers look."""

    GEOGRAPHIC = "geographic"
    SHIFTED = "shifted"
    PREFIXED = "prefixed"
    """Metres, the zone number in front of the easting."""
    METRES = "metres"
    MERCATOR = "mercator"


@dataclass(frozen=True)
class SourceSystem:
    """A system that points may come in: ``code`` is what is stored with a batch."""

    code: str
    zh: str
    en: str
    family: Family

    @property
    def epsg(self) -> int | None:
        """Return the EPSG number; None for the shifted systems, which have none."""
        return int(self.code[5:]) if self.code.startswith("EPSG:") else None


WGS84 = SourceSystem(
    "EPSG:4326", "WGS 84 经纬度（GPS）", "WGS 84 longitude/latitude", Family.GEOGRAPHIC
)
CGCS2000 = SourceSystem(
    "EPSG:4490", "CGCS2000 国家大地坐标系经纬度", "CGCS2000 longitude/latitude", Family.GEOGRAPHIC
)
GCJ02 = SourceSystem("GCJ-02", "GCJ-02（高德、腾讯地图）", "GCJ-02 (Amap, Tencent)", Family.SHIFTED)
BD09 = SourceSystem("BD-09", "BD-09（百度地图）", "BD-09 (Baidu)", Family.SHIFTED)
MERCATOR = SourceSystem("EPSG:3857", "Web 墨卡托（米）", "Web Mercator (metres)", Family.MERCATOR)


def _zones() -> list[SourceSystem]:
    found = []
    for width, first, numbered, plain in ((3, 25, 4513, 4534), (6, 13, 4491, 4502)):
        for zone in range(first, first + (21 if width == 3 else 11)):
            meridian = zone * 3 if width == 3 else zone * 6 - 3
            found.append(
                SourceSystem(
                    f"EPSG:{numbered + zone - first}",
                    f"CGCS2000 {width}度带 第{zone}带（东坐标带号 {zone}xxxxxx，中央经线 {meridian}°）",
                    f"CGCS2000 {width}-degree zone {zone} (eastings {zone}xxxxxx, meridian {meridian}°)",
                    Family.PREFIXED,
                )
            )
            found.append(
                SourceSystem(
                    f"EPSG:{plain + zone - first}",
                    f"CGCS2000 {width}度带 中央经线 {meridian}°（东坐标不带带号）",
                    f"CGCS2000 {width}-degree zone, meridian {meridian}° (eastings without zone)",
                    Family.METRES,
                )
            )
    return found


SYSTEMS: dict[str, SourceSystem] = {
    system.code: system for system in (WGS84, CGCS2000, GCJ02, BD09, *_zones(), MERCATOR)
}
"""Every system that can be imported, by code."""

_NAMES = {
    "WGS84": WGS84,
    "WGS-84": WGS84,
    "OGC:CRS84": WGS84,
    "CRS84": WGS84,
    "CGCS2000": CGCS2000,
    "国家2000": CGCS2000,
    "GCJ02": GCJ02,
    "火星": GCJ02,
    "高德": GCJ02,
    "腾讯": GCJ02,
    "BD09": BD09,
    "BD09LL": BD09,
    "百度": BD09,
}
_REFUSED_EPSG = {
    "北京54": {4214, *range(2401, 2443), *range(21413, 21424), *range(21453, 21464), 4555},
    "西安80": {4610, *range(2327, 2391)},
}


def source_system(name: str) -> SourceSystem:
    """Return a system by code or usual name: ``EPSG:4490``, ``4490``, ``gcj02``, ``百度``.

    Raises CrsRefused for Beijing 1954 and Xi'an 1980, CrsUnknown for anything else not ours.
    """
    wanted = name.strip().upper().replace("：", ":")
    number = re.fullmatch(r"(?:EPSG:+|URN:OGC:DEF:CRS:EPSG:[\d.]*:)?(\d{4,6})", wanted)
    if number:
        wanted = f"EPSG:{number.group(1)}"
        for datum, codes in _REFUSED_EPSG.items():
            if int(number.group(1)) in codes:
                raise CrsRefused(name=datum)
    if "CRS84" in wanted:
        return WGS84
    if wanted in SYSTEMS:
        return SYSTEMS[wanted]
    if wanted.replace(" ", "") in _NAMES:
        return _NAMES[wanted.replace(" ", "")]
    _refuse_datum(wanted)
    raise CrsUnknown(name=name)


def _refuse_datum(text: str) -> None:
    plain = re.sub(r"[^A-Z0-9\u4e00-\u9fff]", "", text.upper())
    if "BEIJING" in plain or "BJ54" in plain or "北京54" in plain or "北京1954" in plain:
        raise CrsRefused(name="北京54")
    if "XIAN" in plain or "西安80" in plain or "西安1980" in plain:
        raise CrsRefused(name="西安80")


def system_of_wkt(definition: str) -> SourceSystem:
    """Return the system a .prj or a layer declares, as WKT or as an authority's code.

    Raises CrsRefused or CrsUnknown.
    """
    if re.match(r"(?i)(epsg|ogc|urn)[:]", definition):
        return source_system(definition)
    try:
        crs = CRS.from_user_input(definition)
    except CRSError:
        _refuse_datum(definition[:400])
        raise CrsUnknown(name=definition[:60]) from None
    _refuse_datum(f"{crs.name} {crs.datum.name if crs.datum else ''} {definition[:400]}")
    epsg = crs.to_epsg(min_confidence=25)
    if epsg is not None and f"EPSG:{epsg}" in SYSTEMS:
        return SYSTEMS[f"EPSG:{epsg}"]
    if epsg is not None:
        return source_system(str(epsg))
    raise CrsUnknown(name=crs.name)


def metric_srid(lon: float) -> int:
    """Return the EPSG number of the CGCS2000 3° zone (without zone prefix) around a longitude.

    EPSG:4534 is centred on 75° E, EPSG:4544 on 105°, EPSG:4554 on 135°.
    """
    zone = min(45, max(25, round(lon / 3)))
    return 4534 + zone - 25


@lru_cache
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def to_wgs84(x: ArrayLike, y: ArrayLike, system: SourceSystem) -> tuple[Floats, Floats]:
    """Return WGS 84 longitude and latitude in degrees of points given in ``system``.

    ``x`` and ``y`` are (n,): degrees for geographic and shifted systems, metres for projected
    ones. Where a point does not fit the system (see :func:`fits`) the result is NaN.
    """
    xs, ys = np.array(x, dtype=float, ndmin=1), np.array(y, dtype=float, ndmin=1)
    wrong = ~fits(xs, ys, system)
    xs[wrong], ys[wrong] = np.nan, np.nan
    if system.family is Family.GEOGRAPHIC:
        return xs, ys
    if system.family is Family.SHIFTED:
        return _unshift(xs, ys, system)
    assert system.epsg is not None
    known = ~wrong
    if known.any():
        xs[known], ys[known] = _transformer(system.epsg, GEOGRAPHIC_SRID).transform(
            xs[known], ys[known]
        )
    return xs, ys


def from_wgs84(lon: ArrayLike, lat: ArrayLike, srid: int) -> tuple[Floats, Floats]:
    """Return points of WGS 84 (n,) degrees in another EPSG system, x before y."""
    xs, ys = _transformer(GEOGRAPHIC_SRID, srid).transform(
        np.array(lon, dtype=float, ndmin=1), np.array(lat, dtype=float, ndmin=1)
    )
    return xs, ys


def _unshift(xs: Floats, ys: Floats, system: SourceSystem) -> tuple[Floats, Floats]:
    # The inverses iterate point by point; rings close on themselves and neighbours share
    # corners, so each place is worked out once.
    places, where = np.unique(np.column_stack([xs, ys]), axis=0, return_inverse=True)
    found = np.array(
        [(np.nan, np.nan) if np.isnan(lon) else _undone(lon, lat, system) for lon, lat in places]
    ).reshape(-1, 2)[where.reshape(-1)]
    return found[:, 0], found[:, 1]


def _undone(lon: float, lat: float, system: SourceSystem) -> tuple[float, float]:
    """Return one shifted point's WGS 84 longitude and latitude."""
    forward, inverse = (
        (prcoords.wgs_gcj, prcoords.gcj_wgs_bored)
        if system is GCJ02
        else (prcoords.wgs_bd, prcoords.bd_wgs_bored)
    )
    # prcoords takes and gives latitude first. Its inverse stops a step early: up to 4.3 mm off
    # for GCJ-02 but 10.1 mm for BD-09 (at 106.21, 40.00); one step more leaves under a millimetre.
    found = inverse((lat, lon), False)
    again = forward(found, False)
    return found[1] - (again[1] - lon), found[0] - (again[0] - lat)


def fits(x: ArrayLike, y: ArrayLike, system: SourceSystem) -> NDArray[np.bool_]:
    """Say of each point whether its numbers can be coordinates in China in this system."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if system.family in {Family.GEOGRAPHIC, Family.SHIFTED}:
        return _within(xs, CHINA_LON) & _within(ys, CHINA_LAT)
    if system.family is Family.MERCATOR:
        return _within(xs, (8.0e6, 15.3e6)) & _within(ys, (3.0e5, 7.3e6))
    if system.family is Family.METRES:
        return _within(xs, EASTING) & _within(ys, NORTHING)
    assert system.epsg is not None
    zone = system.epsg - (4513 - 25 if system.epsg >= 4513 else 4491 - 13)
    start = zone * ZONE_WIDTH_M
    return _within(xs, (start + EASTING[0], start + EASTING[1])) & _within(ys, NORTHING)


def _within(values: Floats, span: tuple[float, float]) -> NDArray[np.bool_]:
    # NaN compares false: a missing number fits nowhere.
    return np.asarray((values >= span[0]) & (values <= span[1]))


def geometries_to_wgs84(
    shapes: NDArray[np.object_], system: SourceSystem, *, swap: bool = False
) -> NDArray[np.object_]:
    """Return flat geometries (n,) with every vertex in WGS 84, worked out in one pass.

    ``swap`` reads y before x. A geometry with a vertex that does not fit the system becomes None.
    """
    flat = np.array(shapely.force_2d(shapes), dtype=object, ndmin=1)
    points, owner = shapely.get_coordinates(flat, return_index=True)
    x, y = (points[:, 1], points[:, 0]) if swap else (points[:, 0], points[:, 1])
    flat[np.unique(owner[~fits(x, y, system)])] = None

    def move(points: Floats) -> Floats:
        x, y = (points[:, 1], points[:, 0]) if swap else (points[:, 0], points[:, 1])
        return np.column_stack(to_wgs84(x, y, system))

    return np.asarray(shapely.transform(flat, move), dtype=object)


def geometry_to_wgs84(shape: BaseGeometry, system: SourceSystem) -> BaseGeometry | None:
    """Return one flat geometry in WGS 84, None where it does not fit the system."""
    found: BaseGeometry | None = geometries_to_wgs84(np.array([shape], dtype=object), system)[0]
    return found


# --- Doubt --------------------------------------------------------------------------------------


class Doubt(StrEnum):
    """What may be wrong with a file's coordinates."""

    SHIFTED = "shifted"
    SWAPPED = "swapped"
    PREFIXED = "prefixed"
    METRES = "metres"
    NOT_IN_CHINA = "not_in_china"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Suspicion:
    """A doubt about a file's coordinates: what it looks like, and how sure; never acted on alone.

    ``likely`` is the system they seem to be in, None where nothing fits; ``inside`` and
    ``inside_if`` are the shares (0..1) of points in the community as read, and if it were so.
    """

    doubt: Doubt
    zh: str
    en: str
    likely: SourceSystem | None = None
    swap: bool = False
    inside: float | None = None
    inside_if: float | None = None

    def sentence(self, locale: str = "zh") -> str:
        """Return the sentence in ``zh`` or ``en``."""
        return self.en if locale.startswith("en") else self.zh


def suspect(
    points: ArrayLike,
    boundary: BaseGeometry | None,
    *,
    chosen: SourceSystem | None = None,
    swap: bool = False,
) -> list[Suspicion]:
    """Return what is suspicious about points as they stand in a file.

    ``points`` are (n, 2), x before y, unconverted; ``boundary`` is the community in WGS 84, None
    where it has none. ``chosen`` is the system the file declares or a person chose, with ``swap``
    for y before x; without it geographic numbers are first read as WGS 84.
    """
    table = _sampled(points)
    if not len(table):
        return []
    given = _Reading(table, chosen or WGS84, swap)
    home = _Home(boundary)
    readings = [given, *(r for r in _readings(table, home) if r != given)]
    possible = [r for r in readings if r.fitting >= 0.9]
    if given not in possible:
        return [_numbers_unlike(given, chosen, possible, home)]
    if boundary is None:
        return []
    inside = home.share(given)
    # The order of the readings is the order of belief: a later one must be clearly better.
    best = max(possible, key=lambda r: (round(home.share(r), 2), -readings.index(r)))
    gain = home.share(best) - inside
    if best != given and gain >= CLEARLY and home.share(best) >= 0.5:
        return [_better(given, chosen, best, inside, home.share(best))]
    if inside == 0:
        return [_elsewhere(home.distance_km(given))]
    return []


def shares_inside(
    points: ArrayLike, boundary: BaseGeometry | None, *, swap: bool = False
) -> list[tuple[SourceSystem, float]]:
    """Return what share (0..1) of degrees would lie in the community in each system of degrees.

    A small cluster in the middle lies inside however it is read: then the shares are alike, and
    the numbers decide nothing. Empty where there is no boundary, or no degrees.
    """
    table = _sampled(points)
    if boundary is None or not len(table):
        return []
    home = _Home(boundary)
    readings = [_Reading(table, system, swap) for system in (WGS84, GCJ02, BD09)]
    return [(r.system, home.share(r)) for r in readings if r.fitting >= 0.9]


def _sampled(points: ArrayLike) -> Floats:
    table: Floats = np.asarray(points, dtype=float).reshape(-1, 2)
    # Beyond any system's numbers: such values would only overflow a median.
    table = table[np.isfinite(table).all(axis=1)].clip(-1e12, 1e12)
    if len(table) > SAMPLE:
        table = table[np.linspace(0, len(table) - 1, SAMPLE).astype(int)]
    return table


class _Reading:
    """Points of a file read as one system."""

    def __init__(self, table: Floats, system: SourceSystem, swap: bool) -> None:
        self.system, self.swap = system, swap
        self.x, self.y = (table[:, 1], table[:, 0]) if swap else (table[:, 0], table[:, 1])
        self.fitting = float(fits(self.x, self.y, system).mean())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Reading):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, bool]:
        # WGS 84 and CGCS2000 are one reading.
        return (WGS84.code if self.system is CGCS2000 else self.system.code), self.swap

    def points(self) -> NDArray[np.object_]:
        lon, lat = to_wgs84(self.x, self.y, self.system)
        known = np.isfinite(lon)
        return np.asarray(shapely.points(lon[known], lat[known]), dtype=object)


class _Home:
    """The community a file should lie in."""

    def __init__(self, boundary: BaseGeometry | None) -> None:
        self.boundary = boundary
        self.lon = boundary.centroid.x if boundary is not None else None
        self._wide = (
            shapely.buffer(boundary, TOUCHING_M / 111_000) if boundary is not None else None
        )
        self._known: dict[_Reading, float] = {}

    def share(self, reading: _Reading) -> float:
        if self._wide is None:
            return 0.0
        if reading not in self._known:
            inside = shapely.intersects(self._wide, reading.points()).sum()
            self._known[reading] = float(inside) / len(reading.x)
        return self._known[reading]

    def distance_km(self, reading: _Reading) -> float:
        lon = float(np.nanmedian(to_wgs84(reading.x, reading.y, reading.system)[0]))
        lat = float(np.nanmedian(to_wgs84(reading.x, reading.y, reading.system)[1]))
        assert self.boundary is not None
        here = self.boundary.centroid
        x, y = from_wgs84([lon, here.x], [lat, here.y], metric_srid(here.x))
        return float(np.hypot(x[0] - x[1], y[0] - y[1]) / 1000)


def _readings(table: Floats, home: _Home) -> list[_Reading]:
    """Return the ways a file is worth reading, the usual ones first."""
    found = []
    for swap in (False, True):
        for system in (WGS84, GCJ02, BD09):
            found.append(_Reading(table, system, swap))
        easting = float(np.median(table[:, 1] if swap else table[:, 0]))
        zone = int(easting // ZONE_WIDTH_M)
        if 25 <= zone <= 45:
            found.append(_Reading(table, SYSTEMS[f"EPSG:{4513 + zone - 25}"], swap))
        if 13 <= zone <= 23:
            found.append(_Reading(table, SYSTEMS[f"EPSG:{4491 + zone - 13}"], swap))
        if home.lon is not None:
            found.append(_Reading(table, SYSTEMS[f"EPSG:{metric_srid(home.lon)}"], swap))
            zone6 = int(home.lon // 6) + 1
            found.append(_Reading(table, SYSTEMS[f"EPSG:{4502 + zone6 - 13}"], swap))
        elif EASTING[0] <= easting <= EASTING[1]:
            found.append(_Reading(table, SYSTEMS["EPSG:4544"], swap))
        found.append(_Reading(table, MERCATOR, swap))
    return found


def _pct(share: float) -> str:
    return f"{share * 100:.0f} %"


def _better(
    given: _Reading,
    chosen: SourceSystem | None,
    best: _Reading,
    inside: float,
    inside_if: float,
) -> Suspicion:
    said = "按所选的" if chosen else "按 WGS 84"
    figures = (
        f"{said}读取只有 {_pct(inside)} 的点在本社区内，按{best.system.zh}"
        f"{'并对调两列' if best.swap != given.swap else ''}读取有 {_pct(inside_if)}"
    )
    figures_en = (
        f"read as {(chosen or WGS84).en}, {_pct(inside)} of the points lie in the community; as "
        f"{best.system.en}{' with the axes swapped' if best.swap != given.swap else ''}, "
        f"{_pct(inside_if)}"
    )
    doubt, zh, en = (
        Doubt.SHIFTED,
        f"坐标很可能是{best.system.zh}",
        f"The coordinates are probably {best.system.en}",
    )
    if best.swap != given.swap:
        doubt, zh, en = (
            Doubt.SWAPPED,
            "经度和纬度（或东坐标和北坐标）很可能放反了",
            "The axes are probably swapped",
        )
    elif best.system.family is Family.PREFIXED:
        doubt = Doubt.PREFIXED
    elif best.system.family in {Family.METRES, Family.MERCATOR}:
        doubt = Doubt.METRES
    return Suspicion(
        doubt,
        f"{zh}：{figures}。请核对来源后选择坐标系。",
        f"{en}: {figures_en}. Check the source, then choose the system.",
        best.system,
        best.swap,
        inside,
        inside_if,
    )


def _numbers_unlike(
    given: _Reading, chosen: SourceSystem | None, possible: list[_Reading], home: _Home
) -> Suspicion:
    """Say what numbers look like that cannot be what they were taken for."""
    sample = (
        f"{given.x[0]:.7g}, {given.y[0]:.7g}"
        if not given.swap
        else f"{given.y[0]:.7g}, {given.x[0]:.7g}"
    )
    taken = (chosen or WGS84).zh if chosen else "经纬度"
    taken_en = chosen.en if chosen else "longitude/latitude"
    if not possible:
        return Suspicion(
            Doubt.NOT_IN_CHINA,
            f"坐标（如 {sample}）不是{taken}，也认不出是哪种坐标系。请向数据提供单位询问坐标系，或检查坐标列是否选错。",
            f"The coordinates (such as {sample}) are not {taken_en}, nor of any system known here. Ask the supplier for the system, or check which columns hold the coordinates.",
        )
    best = max(possible, key=lambda r: (round(home.share(r), 2), -possible.index(r)))
    share = home.share(best) if home.boundary is not None else None
    sure = "" if share is None else f"，按此读取有 {_pct(share)} 的点在本社区内"
    sure_en = (
        "" if share is None else f"; read so, {_pct(share)} of the points lie in the community"
    )
    family = best.system.family
    if best.swap != given.swap and family in {Family.GEOGRAPHIC, Family.SHIFTED}:
        return Suspicion(
            Doubt.SWAPPED,
            f"经度和纬度很可能放反了：坐标（如 {sample}）的第一列像纬度、第二列像经度{sure}。请勾选“对调两列”。",
            f"Longitude and latitude are probably swapped: in {sample} the first looks like a latitude{sure_en}. Choose to swap them.",
            best.system,
            best.swap,
            None,
            share,
        )
    order = "，且北坐标在前（请勾选“对调两列”）" if best.swap else ""
    order_en = ", northing first (choose to swap)" if best.swap else ""
    if family is Family.PREFIXED:
        zone = int(float(np.median(best.x)) // ZONE_WIDTH_M)
        return Suspicion(
            Doubt.PREFIXED,
            f"坐标（如 {sample}）是带带号的投影坐标，带号 {zone}{order}{sure}。请选择 {best.system.code}（{best.system.zh}）。",
            f"The coordinates (such as {sample}) are projected metres with zone {zone} in front of the easting{order_en}{sure_en}. Choose {best.system.code} ({best.system.en}).",
            best.system,
            best.swap,
            None,
            share,
        )
    if family in {Family.METRES, Family.MERCATOR}:
        guess = (
            f"若是 {best.system.code}（{best.system.zh}）{sure.lstrip('，')}"
            if share
            else "所用的投影带无法从数字判断"
        )
        guess_en = (
            f"If it is {best.system.code} ({best.system.en}){sure_en}"
            if share
            else "The zone cannot be told from the numbers"
        )
        return Suspicion(
            Doubt.METRES,
            f"坐标（如 {sample}）是以米为单位的投影坐标，不是{taken}{order}。{guess}；请向数据提供单位核实后选择。",
            f"The coordinates (such as {sample}) are projected metres, not {taken_en}{order_en}. {guess_en}. Check with the supplier, then choose.",
            best.system if share else None,
            best.swap,
            None,
            share,
        )
    return Suspicion(
        Doubt.METRES,
        f"坐标（如 {sample}）是经纬度，不是所选的{taken}{sure}。请改选经纬度坐标系。",
        f"The coordinates (such as {sample}) are degrees, not {taken_en}{sure_en}. Choose a geographic system.",
        best.system,
        best.swap,
        None,
        share,
    )


def _elsewhere(distance_km: float) -> Suspicion:
    return Suspicion(
        Doubt.ELSEWHERE,
        f"全部坐标都不在本社区，中心相距约 {distance_km:,.1f} 公里。请确认文件属于本社区、坐标系选择正确。",
        f"None of the coordinates lies in the community; their middle is about {distance_km:,.1f} km away. Make sure that the file is of this community and its system is right.",
        inside=0.0,
    )
