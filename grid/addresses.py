"""Standard addresses (标准地址): estate + building + unit, read from what people write.

``铸钢花园 3号楼2单元501`` and ``四川省自贡市大安区铸钢花园三栋二单元`` both name 铸钢花园3栋2单元.
A household is a person's: room numbers are read over and never kept. What is ambiguous or not
known is said, never guessed.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from grid.errors import DomainError

LONGEST_ADDRESS = 200

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_NUMERAL = "[零〇一二两三四五六七八九十百]{1,6}"
_NUMBER = rf"(?:[0-9]{{1,4}}[A-Z]?|[A-Z][0-9]{{0,3}}|{_NUMERAL})"
_BUILDING = re.compile(
    rf"(?P<number>{_NUMBER})(?:栋|幢|号楼|#楼|#|座|号(?=(?:[0-9]{{1,2}}|{_NUMERAL})单元))"
)
_UNIT = re.compile(rf"(?P<number>[0-9]{{1,2}}|{_NUMERAL})单元")
_HYPHENS = re.compile(r"^(?P<building>[0-9]{1,3})-(?P<unit>[0-9]{1,2})-[0-9]{1,4}")
_PHASE = re.compile(rf"^(?:小区)?(?:\([^()]*\))?(?:(?:[0-9]{{1,2}}|{_NUMERAL})期)?(?:小区)?")
_JOINTS = re.compile(r"[\s,，。、;；]+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―－−~", "-"))

_HOUSEHOLDS = (
    re.compile(
        rf"(?<=单元)(?:-?[0-9]{{1,4}}(?:-[0-9]{{1,4}})?|{_NUMERAL}(?:楼|层).*)(?:室|号|房|户)?"
    ),
    re.compile(r"(?<=[栋幢楼座])-?[0-9]{3,4}(?:室|号|房|户)?(?![0-9栋幢])"),
    re.compile(r"[0-9]{1,4}(?:-[0-9]{1,4})?(?:室|号房|房间|户)"),
    re.compile(r"(?<=[0-9])-[0-9]{1,2}-[0-9]{1,4}"),
    re.compile(r"(?<=[栋幢楼元座])-?(?:[0-9]{1,2})(?:楼|层)[0-9]{0,2}(?:号|室)?"),
)


class AddressTooLong(DomainError):
    """Nobody's address is that long."""

    zh = "地址超过 200 个字。请只写小区、楼栋和单元，例如“铸钢花园3栋2单元”。"
    en = "The address is over 200 characters. Write estate, building and unit only, such as 铸钢花园3栋2单元."


class EstateUnknown(DomainError):
    """No estate and no known place is named."""

    zh = "地址“{address}”里没有本社区的小区或地点。本社区的小区有：{known}。请写成“{example}3栋2单元”的样子，或在地图上选点。"
    en = "“{address}” names no estate or place of this community. Its estates are: {known}. Write it like {example}3栋2单元, or pick the point on the map."


class EstateAmbiguous(DomainError):
    """Two estates are named."""

    zh = "地址“{address}”里写了不止一个小区：{found}。请只写一个。"
    en = "“{address}” names more than one estate: {found}. Write one only."


class BuildingMissing(DomainError):
    """An estate without a building."""

    zh = "地址“{address}”只到小区“{estate}”，没有楼栋。请补上楼栋号，例如“{estate}3栋”，或在地图上选点。"
    en = "“{address}” names the estate {estate} but no building. Add its number, such as {estate}3栋, or pick the point on the map."


class BuildingAmbiguous(DomainError):
    """The words fit two buildings."""

    zh = "地址“{address}”可以是不止一栋楼：{found}。请写明是哪一栋。"
    en = "“{address}” could be more than one building: {found}. Say which one."


class BuildingUnknown(DomainError):
    """The estate has no such building."""

    zh = "“{estate}”没有{number}栋，现有楼栋：{known}。请核对楼栋号。"
    en = "{estate} has no building {number}; it has {known}. Check the number."


class UnitUnknown(DomainError):
    """The building has no such unit."""

    zh = "“{estate}{number}栋”没有{unit}单元，只有 {units} 个单元。请核对单元号。"
    en = "{estate}{number}栋 has no unit {unit}, only {units}. Check the unit."


@dataclass(frozen=True, slots=True)
class StandardAddress:
    """Estate, building and unit as written; the household is already gone."""

    estate: str
    building: str
    unit: int | None = None

    def __str__(self) -> str:
        return f"{self.estate}{self.building}栋" + (f"{self.unit}单元" if self.unit else "")


@dataclass(frozen=True, slots=True)
class KnownBuilding:
    """What the address book knows of a building: its point lies on its footprint, in WGS 84."""

    building_id: int
    units: int
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class PlacedAddress:
    """An address found on the ground: a building's point, or a named place's."""

    address: str
    lon: float
    lat: float
    building_id: int | None


def tidy(address: str) -> str:
    """Return an address with full-width signs narrowed, capitals, plain dashes and no gaps."""
    plain = unicodedata.normalize("NFKC", address).upper().translate(_DASHES)
    return _JOINTS.sub("", plain)


def numeral(word: str) -> int:
    """Return the number a Chinese numeral under 1,000 names: 二十三 → 23, 一〇三 → 103."""
    if not any(mark in word for mark in "十百"):
        return int("".join(str(_DIGITS[c]) for c in word))
    total = held = 0
    for c in word:
        if c == "百":
            total += (held or 1) * 100
            held = 0
        elif c == "十":
            total += (held or 1) * 10
            held = 0
        else:
            held = _DIGITS[c]
    return total + held


def building_number(word: str) -> str:
    """Return a building's number as it is compared: ``03``, ``３号楼`` and ``三`` are all ``3``."""
    found = tidy(word)
    for tail in ("号楼", "#楼", "栋", "幢", "座", "#", "楼", "号"):
        found = found.removesuffix(tail)
    if found and all(c in "零〇一二两三四五六七八九十百" for c in found):
        return str(numeral(found))
    return found.lstrip("0") or found


def without_household(address: str) -> str:
    """Return an address with every room or household number taken out, else as it was written."""
    written = found = tidy(address)
    for pattern in _HOUSEHOLDS:
        found = pattern.sub("", found)
    return address.strip() if found == written else found


def _estate_named(found: str, address: str, estates: Iterable[str]) -> tuple[str, str] | None:
    """Return the one estate named in a tidy address, and what follows it."""
    taken: list[tuple[int, int, str]] = []
    for estate in sorted(set(estates), key=lambda name: (-len(name), name)):
        key = tidy(estate)
        start = found.find(key) if key else -1
        end = start + len(key)
        # 铸钢花园二期 is not also 铸钢花园: the longer name has taken these words.
        if start >= 0 and not any(a < end and start < b for a, b, _ in taken):
            taken.append((start, end, estate))
    if not taken:
        return None
    if len(taken) > 1:
        names = "、".join(estate for _, _, estate in sorted(taken))
        raise EstateAmbiguous(address=without_household(address), found=names)
    _, end, estate = taken[0]
    return estate, found[end:]


def parse(address: str, estates: Sequence[str]) -> StandardAddress | None:
    """Return the standard address that words name among these estates, or None without an estate.

    Raises
    ------
    AddressTooLong, EstateAmbiguous, BuildingMissing, BuildingAmbiguous
    """
    if len(address) > LONGEST_ADDRESS:
        raise AddressTooLong()
    named = _estate_named(tidy(address), address, estates)
    if named is None:
        return None
    estate, rest = named
    rest = _PHASE.sub("", rest, count=1)
    hyphens = _HYPHENS.match(rest)
    if hyphens:
        building = building_number(hyphens["building"])
        return StandardAddress(estate, building, int(hyphens["unit"]) or None)
    buildings = dict.fromkeys(building_number(m["number"]) for m in _BUILDING.finditer(rest))
    if not buildings:
        raise BuildingMissing(address=without_household(address), estate=estate)
    if len(buildings) > 1:
        found = "、".join(f"{estate}{number}栋" for number in buildings)
        raise BuildingAmbiguous(address=without_household(address), found=found)
    units = dict.fromkeys(
        int(word) if word.isdecimal() else numeral(word)
        for word in (m["number"] for m in _UNIT.finditer(rest))
    )
    unit = next(iter(units)) if len(units) == 1 else None
    return StandardAddress(estate, next(iter(buildings)), unit or None)


@dataclass(frozen=True)
class AddressBook:
    """Everything addresses of one community can name. Plain data: look-ups touch no database."""

    estates: Mapping[str, Mapping[str, tuple[KnownBuilding, ...]]]
    """Estate → building number → the buildings that carry it (more than one is ambiguous)."""
    places: Mapping[str, tuple[PlacedAddress, ...]]
    """Tidy name of a key place or a named building → where it is."""

    def find(self, address: str) -> PlacedAddress:
        """Return where an address is.

        Raises
        ------
        DomainError
            One of this module's sentences: what is missing, unknown or ambiguous.
        """
        found = parse(address, tuple(self.estates))
        if found is None:
            return self._find_place(address)
        known = self.estates[found.estate]
        candidates = known.get(found.building, ())
        if not candidates:
            raise BuildingUnknown(estate=found.estate, number=found.building, known=_ranges(known))
        if len(candidates) > 1:
            twice = f"{len(candidates)}×{found.estate}{found.building}栋"
            raise BuildingAmbiguous(address=str(found), found=twice)
        (building,) = candidates
        if found.unit is not None and found.unit > building.units:
            raise UnitUnknown(
                estate=found.estate, number=found.building, unit=found.unit, units=building.units
            )
        return PlacedAddress(str(found), building.lon, building.lat, building.building_id)

    def _find_place(self, address: str) -> PlacedAddress:
        words = tidy(address)
        names = [name for name in self.places if words.endswith(name)]
        if names:
            name = max(names, key=len)
            where = self.places[name]
            if len(where) > 1:
                raise BuildingAmbiguous(
                    address=without_household(address), found=f"{len(where)}×{name}"
                )
            return where[0]
        known = tuple(self.estates)
        raise EstateUnknown(
            address=without_household(address),
            known="、".join(known) or "（无）",
            example=known[0] if known else "小区名",
        )


def _ranges(numbers: Iterable[str]) -> str:
    """Return building numbers in short: ``1–17、19、A``."""
    digits = sorted({int(n) for n in numbers if n.isdecimal()})
    parts: list[str] = []
    while digits:
        first = last = digits.pop(0)
        while digits and digits[0] == last + 1:
            last = digits.pop(0)
        parts.append(str(first) if first == last else f"{first}–{last}")
    return "、".join(parts + sorted(n for n in numbers if not n.isdecimal())) or "（无）"


BUILDINGS_BY_ADDRESS = text("""
    SELECT e.name AS estate, b.number, b.name, b.id, b.units,
           ST_X(p.point) AS lon, ST_Y(p.point) AS lat
    FROM building AS b
    LEFT JOIN estate AS e ON e.id = b.estate_id
    CROSS JOIN LATERAL (SELECT ST_PointOnSurface(b.footprint) AS point) AS p
    WHERE b.community_id = :community
      AND ((b.number IS NOT NULL AND e.id IS NOT NULL) OR b.name IS NOT NULL)
    ORDER BY b.id
""")

KEY_PLACES_BY_NAME = text("""
    SELECT name, ST_X(location) AS lon, ST_Y(location) AS lat
    FROM key_place WHERE community_id = :community ORDER BY id
""")

ESTATE_NAMES = text("SELECT name FROM estate WHERE community_id = :community ORDER BY id")


def load_address_book(session: Session, community_id: int) -> AddressBook:
    """Read a community's address book: one query per kind of thing, for any number of look-ups."""
    community = {"community": community_id}
    estates: dict[str, dict[str, tuple[KnownBuilding, ...]]] = {
        name: {} for name in session.scalars(ESTATE_NAMES, community)
    }
    places: dict[str, tuple[PlacedAddress, ...]] = {}
    for row in session.execute(BUILDINGS_BY_ADDRESS, community):
        if row.estate is not None and row.number:
            known = KnownBuilding(row.id, row.units, row.lon, row.lat)
            numbers = estates[row.estate]
            key = building_number(row.number)
            numbers[key] = (*numbers.get(key, ()), known)
        if row.name:
            placed = PlacedAddress(row.name, row.lon, row.lat, row.id)
            places[tidy(row.name)] = (*places.get(tidy(row.name), ()), placed)
    buildings = set(places)
    for row in session.execute(KEY_PLACES_BY_NAME, community):
        name = tidy(row.name)
        # A building and the key place in it share a name: the building is the finer answer.
        if name not in buildings:
            placed = PlacedAddress(row.name, row.lon, row.lat, None)
            places[name] = (*places.get(name, ()), placed)
    return AddressBook(estates, places)
