"""Look at a file before anything is stored: what would come in, what is wrong, what is doubtful.

A :class:`Preview` is a value. It reads the ground (the boundary, what is there already) and writes
nothing; :func:`grid.imports.batches.commit` stores it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import shapely
from geoalchemy2.shape import to_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.cells import GridCell
from grid.communities import Community, Employer, Estate
from grid.coordinates import (
    CLEARLY,
    TOUCHING_M,
    WGS84,
    Family,
    SourceSystem,
    Suspicion,
    from_wgs84,
    geometries_to_wgs84,
    shares_inside,
    source_system,
    suspect,
)
from grid.errors import NotFound
from grid.imports.errors import NoBoundaryYet, NoSuchColumn, Note, PersonalColumn, RowError
from grid.imports.files import DEFAULT_LIMIT_MB, FileKind, check_size, kind_of
from grid.imports.layers import Feature, Layer
from grid.imports.osm import read_osm
from grid.imports.shapes import as_needed
from grid.imports.sources import read_layer
from grid.imports.tables import as_text
from grid.imports.targets import (
    OSM,
    SPECS,
    FieldSpec,
    Shape,
    Target,
    TargetSpec,
    guess_mapping,
    is_personal,
)
from grid.imports.values import BadValue
from grid.topology import Cell as CheckedCell
from grid.topology import check_cells

SAME_DEG = 2e-7
"""Two shapes nowhere further apart than this (2 cm) are the same shape."""
SMALLEST_BUILDING_M2 = 2.0
LARGEST_BUILDING_M2 = 60_000.0
SAMPLE_ROWS = 8
OVERLAP_SHARE = 0.1
FINDINGS_SHOWN = 12


@dataclass(frozen=True)
class Record:
    """One row ready to be stored: its field values, and its shape in WGS 84."""

    row: int
    values: dict[str, object]
    shape: BaseGeometry


@dataclass(frozen=True)
class Part:
    """What one layer of a file would do to one target.

    ``new`` would be stored; ``unchanged`` are there already just so; ``changed`` are rows whose key
    is there with other content, which an import leaves alone; ``outside`` rows of an OSM extract
    lie beyond the community and are passed over.
    """

    target: Target
    columns: tuple[str, ...]
    mapping: dict[str, str | None]
    total: int
    new: tuple[Record, ...] = ()
    unchanged: int = 0
    changed: tuple[int, ...] = ()
    outside: int = 0
    errors: tuple[RowError, ...] = ()
    sample: tuple[tuple[int, dict[str, str]], ...] = ()

    @property
    def spec(self) -> TargetSpec:
        """Return the target's words and fields."""
        return SPECS[self.target]


@dataclass(frozen=True)
class Preview:
    """A file as it would be imported; nothing of it is stored yet.

    ``system`` is what the coordinates are read as, None where nobody knows: then there are no
    records, and ``suggested`` is what they look like, None where the numbers do not tell.
    """

    kind: str
    filename: str
    community_id: int
    declared: SourceSystem | None
    system: SourceSystem | None
    swap: bool
    parts: tuple[Part, ...]
    notes: tuple[Note, ...] = ()
    doubts: tuple[Suspicion, ...] = ()
    suggested: SourceSystem | None = None
    suggested_swap: bool = False
    inside: tuple[tuple[SourceSystem, float], ...] = ()
    """Where the system is not known: the share of points in the community in each of degrees."""

    @property
    def new(self) -> int:
        """Return how many rows would be stored."""
        return sum(len(part.new) for part in self.parts)

    @property
    def unchanged(self) -> int:
        """Return how many rows are there already."""
        return sum(part.unchanged for part in self.parts)

    @property
    def errors(self) -> tuple[RowError, ...]:
        """Return every row error, in the order of rows."""
        return tuple(sorted((e for p in self.parts for e in p.errors), key=lambda e: e.row))

    @property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """Return west, south, east, north of what would come in, in degrees."""
        shapes = [record.shape for part in self.parts for record in part.new]
        if not shapes:
            return None
        west, south, east, north = shapely.total_bounds(shapes)
        return float(west), float(south), float(east), float(north)


def look(
    session: Session,
    path: Path,
    kind: str,
    community_id: int,
    *,
    source_crs: str | None = None,
    swap: bool = False,
    columns: Mapping[str, str] | None = None,
    layer: str | None = None,
    x_column: str | None = None,
    y_column: str | None = None,
    repair: bool = False,
    limit_mb: int = DEFAULT_LIMIT_MB,
) -> Preview:
    """Return what importing a file would do.

    ``kind`` is a :class:`Target`'s value or ``osm``. ``source_crs`` and ``swap`` are what a person
    chose; ``columns`` maps fields to columns where the guess is wrong ("" leaves a field out);
    ``repair`` mends invalid areas. Raises the readers' refusals, CrsRefused, CrsUnknown, NotFound,
    NoBoundaryYet or NoSuchColumn.
    """
    community = session.get(Community, community_id)
    if community is None:
        raise NotFound(thing="社区", name=community_id)
    if kind == OSM:
        return _look_at_osm(session, path, community, limit_mb)
    target = Target(kind)
    check_size(path, limit_mb)
    if kind_of(path) in {FileKind.OSM_XML, FileKind.OSM_PBF}:
        return _look_at_osm(session, path, community, limit_mb, only=target)
    found = read_layer(path, layer=layer, x_column=x_column, y_column=y_column, limit_mb=limit_mb)
    system = source_system(source_crs) if source_crs else found.declared
    boundary = _boundary(community)
    doubts = suspect(found.points(), boundary, chosen=system, swap=swap)
    notes = [*found.notes, *_about_system(found, system), *_about_columns(found, target, columns)]
    if boundary is None:
        notes.append(
            Note(
                f"社区“{community.name}”还没有边界，未检查数据是否在社区内。",
                f"Community “{community.name}” has no boundary: whether the data lie in it was not checked.",
            )
        )
    part = _read_rows(found, target, columns)
    preview = Preview(
        kind, path.name, community_id, found.declared, system, swap, (part.empty(),), tuple(notes),
        tuple(doubts),
    )  # fmt: skip
    if system is None:
        inside = shares_inside(found.points(), boundary, swap=swap)
        return replace(
            preview,
            suggested=doubts[0].likely if doubts else _only_fitting(inside),
            suggested_swap=doubts[0].swap if doubts else False,
            inside=tuple(inside),
        )
    done, more = part.placed(session, community, system, swap=swap, repair=repair)
    return replace(preview, parts=(done,), notes=(*preview.notes, *more))


def _only_fitting(inside: list[tuple[SourceSystem, float]]) -> SourceSystem | None:
    """Return the one system in which clearly most points lie inside, None where several would do."""
    ranked = sorted(inside, key=lambda pair: -pair[1])
    if not ranked or ranked[0][1] < 0.5:
        return None
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < CLEARLY:
        return None
    return ranked[0][0]


def _look_at_osm(
    session: Session, path: Path, community: Community, limit_mb: int, only: Target | None = None
) -> Preview:
    if community.boundary is None:
        raise NoBoundaryYet(name=community.name)
    extract = read_osm(path, limit_mb=limit_mb)
    layers = {
        Target.ESTATES: extract.estates,
        Target.BUILDINGS: extract.buildings,
        Target.WALKWAYS: extract.walkways,
        Target.PLACES: extract.gates,
    }
    if only is not None:
        layers = {target: found for target, found in layers.items() if target is only}
        if not layers:
            raise NoSuchColumn(column=SPECS[only].zh, columns="楼栋、步行道、小区、重点部位（OSM）")
    parts, notes = [], list(extract.buildings.notes)
    for target, found in layers.items():
        if not found.features:
            continue
        rows = _read_rows(
            found, target, {f.name: f.name for f in SPECS[target].fields if f.name in found.columns}
        )
        part, more = rows.placed(session, community, WGS84, clip=True)
        parts.append(part)
        notes += more
    outside = sum(part.outside for part in parts)
    if outside:
        notes.append(
            Note(
                f"{outside} 个要素在本社区以外，不导入。",
                f"{outside} things lie outside the community and are passed over.",
            )
        )
    if not any(part.total > part.outside for part in parts):
        notes.append(
            Note(
                "这份 OSM 数据里没有本社区范围内的内容，请下载覆盖本社区的范围。",
                "Nothing in this extract lies in the community: get one that covers it.",
            )
        )
    return Preview(
        only.value if only else OSM, path.name, community.id, WGS84, WGS84, False, tuple(parts),
        tuple(notes),
    )  # fmt: skip


def _boundary(community: Community) -> BaseGeometry | None:
    return to_shape(community.boundary) if community.boundary is not None else None


def _about_system(layer: Layer, system: SourceSystem | None) -> list[Note]:
    if system is None or layer.declared is None or system == layer.declared:
        return []
    if system.family is layer.declared.family is Family.GEOGRAPHIC:
        return []
    return [
        Note(
            f"文件注明的坐标系是{layer.declared.zh}，按您选择的{system.zh}读取。",
            f"The file says {layer.declared.en}; it is read as {system.en}, as chosen.",
        )
    ]


def _about_columns(layer: Layer, target: Target, chosen: Mapping[str, str] | None) -> list[Note]:
    for column in (chosen or {}).values():
        if column and column not in layer.columns:
            raise NoSuchColumn(column=column, columns="、".join(layer.columns))
        if is_personal(column):
            raise PersonalColumn(column=column)
    notes = []
    personal = [c for c in layer.columns if is_personal(c)]
    if personal:
        notes.append(
            Note(
                f"列“{'、'.join(personal)}”像是个人信息，不显示也不导入；本系统只记录地点，不记录个人。",
                f"The columns {', '.join(personal)} look personal; they are neither shown nor imported: only places are kept here, never persons.",
            )
        )
    mapping = guess_mapping(target, _free_columns(layer), chosen)
    used = {c for c in mapping.values() if c} | set(layer.shape_columns) | set(personal)
    unused = [c for c in layer.columns if c not in used]
    if unused:
        shown = "、".join(unused[:12]) + ("等" if len(unused) > 12 else "")
        notes.append(Note(f"未用到的列：{shown}。", f"Columns not used: {', '.join(unused[:12])}."))
    return notes


def _free_columns(layer: Layer) -> tuple[str, ...]:
    """Return the columns that may be stored: those of coordinates and of persons may not."""
    return tuple(c for c in layer.columns if c not in layer.shape_columns and not is_personal(c))


# --- Rows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """A layer's rows with their values read, not yet placed on the ground."""

    layer: Layer
    target: Target
    mapping: dict[str, str | None]
    read: tuple[tuple[Feature, dict[str, object]], ...]
    errors: tuple[RowError, ...]
    sample: tuple[tuple[int, dict[str, str]], ...]

    def empty(self) -> Part:
        """Return the part as far as it is known without coordinates."""
        return Part(
            self.target,
            _free_columns(self.layer),
            self.mapping,
            len(self.layer.features),
            errors=self.errors,
            sample=self.sample,
        )

    def placed(
        self,
        session: Session,
        community: Community,
        system: SourceSystem,
        *,
        swap: bool = False,
        repair: bool = False,
        clip: bool = False,
    ) -> tuple[Part, list[Note]]:
        """Return the part with its records, sorted against the ground; ``clip`` drops what is outside."""
        placing = _Placing(community, self.target, system, repair=repair, clip=clip)
        known = [(f, v) for f, v in self.read if f.shape is not None]
        shapes = geometries_to_wgs84(
            np.array([f.shape for f, _ in known], dtype=object), system, swap=swap
        )
        for (feature, values), shape in zip(known, shapes, strict=True):
            placing.take(feature.row, values, shape)
        errors = [*self.errors, *placing.errors]
        records, repeated = _with_keys(self.target, placing.records)
        records, unknown = _of_known_estates(session, community.id, self.target, records)
        foreign = _codes_not_free(session, community, self.target, records)
        errors += [*repeated, *unknown, *foreign]
        bad = {error.row for error in [*repeated, *unknown, *foreign]}
        part = replace(
            self.empty(),
            new=tuple(r for r in records if r.row not in bad),
            outside=placing.outside,
            errors=tuple(errors),
        )
        part = sort_out(session, community.id, part)
        return part, [
            *placing.notes(),
            *_about_changed(part),
            *_about_overlaps(session, community.id, part),
            *_about_cells(session, community, part),
        ]


def _read_rows(layer: Layer, target: Target, chosen: Mapping[str, str] | None) -> _Rows:
    spec = SPECS[target]
    mapping = guess_mapping(target, _free_columns(layer), chosen)
    wrong = {error.row for error in layer.errors}
    errors, read = list(layer.errors), []
    sample: list[tuple[int, dict[str, str]]] = []
    for feature in layer.features:
        if len(sample) < SAMPLE_ROWS:
            shown = {
                name: as_text(feature.values.get(column))
                for name, column in mapping.items()
                if column
            }
            sample.append((feature.row, shown))
        if feature.row in wrong:
            continue
        values: dict[str, object] = {}
        faults = []
        for field in spec.fields:
            column = mapping[field.name]
            try:
                value = field.read(feature.values.get(column)) if column else None
                if value is None and field.required:
                    raise BadValue("没有填写", "it is empty")
                values[field.name] = value
            except BadValue as bad:
                faults.append(
                    RowError(
                        feature.row,
                        f"{field.zh}{f'（列“{column}”）' if column else ''}：{bad.zh}",
                        f"{field.en}{f' (column “{column}”)' if column else ''}: {bad.en}",
                        column,
                    )
                )
        errors += faults
        if not faults:
            read.append((feature, values))
    return _Rows(layer, target, mapping, tuple(read), tuple(errors), tuple(sample))


class _Placing:
    """Takes rows one by one onto the ground of a community, and counts what is odd."""

    def __init__(
        self,
        community: Community,
        target: Target,
        system: SourceSystem,
        *,
        repair: bool,
        clip: bool,
    ) -> None:
        self.community, self.target, self.system = community, target, system
        self.spec = SPECS[target]
        self.repair, self.clip = repair, clip
        boundary = _boundary(community)
        self.near = shapely.buffer(boundary, TOUCHING_M / 111_000) if boundary is not None else None
        if self.near is not None:
            shapely.prepare(self.near)
        self.records: list[Record] = []
        self.errors: list[RowError] = []
        self.outside = 0
        self.crossing: list[int] = []
        self.repaired: list[int] = []
        self.inner: list[int] = []
        self.odd_size: list[int] = []

    def take(self, row: int, values: dict[str, object], shape: BaseGeometry | None) -> None:
        """Place one row, or note why it cannot be; no shape means that it did not fit the system."""
        if shape is None:
            self.errors.append(
                RowError(
                    row,
                    f"坐标不是有效的{self.system.zh}坐标（或不在中国境内）",
                    f"its coordinates are not valid as {self.system.en}, or not in China",
                )
            )
            return
        try:
            shapes, changed = as_needed(shape, self.spec.shape, repair=self.repair)
        except BadValue as bad:
            if self.clip and self.near is not None and not self.near.intersects(shape):
                self.outside += 1
            else:
                self.errors.append(RowError(row, bad.zh, bad.en))
            return
        if self.near is not None and not any(self.near.intersects(s) for s in shapes):
            self._is_outside(row, shapes[0])
            return
        if changed == "repaired":
            self.repaired.append(row)
        elif changed:
            self.inner.append(row)
        if self.spec.shape is Shape.AREA:
            self._look_at_area(row, shapes[0])
        for number, one in enumerate(shapes):
            # Parts of a line are stored one by one, each under a key of its own.
            self.records.append(Record(row, {**values, "_part": number}, one))

    def _is_outside(self, row: int, shape: BaseGeometry) -> None:
        if self.clip:
            self.outside += 1
            return
        boundary = _boundary(self.community)
        assert boundary is not None
        metres = shapely.distance(*(self._metric(s) for s in (shape, boundary)))
        self.errors.append(
            RowError(
                row,
                f"不在本社区内，离边界 {metres:,.0f} 米；请核对坐标或坐标系",
                f"it lies outside the community, {metres:,.0f} m from the boundary; check the coordinates and their system",
            )
        )

    def _look_at_area(self, row: int, shape: BaseGeometry) -> None:
        if self.near is not None and not self.near.covers(shape):
            self.crossing.append(row)
        if self.target is Target.BUILDINGS:
            area = float(self._metric(shape).area)
            if not SMALLEST_BUILDING_M2 <= area <= LARGEST_BUILDING_M2:
                self.odd_size.append(row)

    def _metric(self, shape: BaseGeometry) -> BaseGeometry:
        def move(points: np.ndarray) -> np.ndarray:
            return np.column_stack(
                from_wgs84(points[:, 0], points[:, 1], self.community.metric_srid)
            )

        return shapely.transform(shape, move)

    def notes(self) -> list[Note]:
        """Return what a person should know of the rows taken."""
        said = [
            (self.crossing, "跨越社区边界，照原样导入", "cross the community's boundary and are imported as they are"),
            (self.repaired, "图形无效，已尝试修复，请在地图上核对", "were invalid and have been repaired: check them on the map"),
            (self.inner, "是面，取面内一点作为位置", "are areas; a point inside was taken"),
            (self.odd_size, "面积不像楼栋（小于 2 或大于 60,000 平方米），请核对", "are under 2 or over 60,000 m², unlike a building: check them"),
        ]  # fmt: skip
        return [
            Note(
                f"{len(rows)} 行{zh}（{_rows(rows)}）。",
                f"{len(rows)} rows {en} ({_rows_en(rows)}).",
            )
            for rows, zh, en in said
            if rows and not (self.clip and rows is self.crossing)
        ]


def _rows(rows: list[int]) -> str:
    return "第 " + "、".join(str(r) for r in rows[:6]) + (" 行等" if len(rows) > 6 else " 行")


def _rows_en(rows: list[int]) -> str:
    return "rows " + ", ".join(str(r) for r in rows[:6]) + (" …" if len(rows) > 6 else "")


# --- Keys and what is there already -------------------------------------------------------------


def _with_keys(target: Target, records: list[Record]) -> tuple[list[Record], list[RowError]]:
    """Give every record its key; report rows that repeat one. Codes may stay open until commit."""
    key = SPECS[target].key
    made, errors = [], []
    first_row: dict[object, int] = {}
    parts_of: dict[int, int] = {}
    for record in records:
        parts_of[record.row] = parts_of.get(record.row, 0) + 1
    for record in records:
        values = dict(record.values)
        part = values.pop("_part", 0)
        if key == "source_key":
            named = values.get(key) or _key_of_shape(record, values)
            values[key] = f"{named}#{int(str(part)) + 1}" if parts_of[record.row] > 1 else named
        name = values.get(key)
        if name is not None and name in first_row:
            errors.append(
                RowError(
                    record.row,
                    f"与第 {first_row[name]} 行重复（{_field(target, key).zh}“{name}”）",
                    f"it repeats row {first_row[name]} ({_field(target, key).en} “{name}”)",
                )
            )
            continue
        if name is not None:
            first_row[name] = record.row
        made.append(replace(record, values=values))
    # A repeated row must not take its twin with it: only the repeat is an error.
    repeated = {e.row for e in errors}
    return [r for r in made if r.row not in repeated], errors


def _field(target: Target, name: str) -> FieldSpec:
    return next(f for f in SPECS[target].fields if f.name == name)


def _key_of_shape(record: Record, values: dict[str, object]) -> str:
    """Name a row without a key after its place and words, so that importing it again finds it."""
    place = shapely.to_wkt(shapely.normalize(record.shape), rounding_precision=6)
    words = "|".join(str(values.get(n) or "") for n in ("estate", "number", "name", "kind"))
    return "shape:" + hashlib.sha256(f"{place}|{words}".encode()).hexdigest()[:16]


def _of_known_estates(
    session: Session, community_id: int, target: Target, records: list[Record]
) -> tuple[list[Record], list[RowError]]:
    if "estate" not in {f.name for f in SPECS[target].fields}:
        return records, []
    known = set(session.scalars(select(Estate.name).where(Estate.community_id == community_id)))
    errors = {
        r.row: RowError(
            r.row,
            f"小区“{r.values['estate']}”还没有登记；请先导入小区，或改正名称",
            f"estate “{r.values['estate']}” is not known; import estates first, or mend the name",
        )
        for r in records
        if r.values.get("estate") and r.values["estate"] not in known
    }
    return records, list(errors.values())


def _codes_not_free(
    session: Session, community: Community, target: Target, records: list[Record]
) -> list[RowError]:
    """Report cell codes of another community, and codes retired for good."""
    if target is not Target.CELLS:
        return []
    ever = set(session.scalars(select(GridCell.code).where(GridCell.community_id == community.id)))
    current = set(
        session.scalars(
            select(GridCell.code).where(
                GridCell.community_id == community.id, GridCell.valid_to.is_(None)
            )
        )
    )
    errors = []
    for record in records:
        code = str(record.values.get("code") or "")
        if code and not code.startswith(community.code):
            errors.append(
                RowError(
                    record.row,
                    f"网格编码 {code} 的前 12 位不是本社区代码 {community.code}",
                    f"cell code {code} does not begin with the community's {community.code}",
                )
            )
        elif code in ever - current:
            errors.append(
                RowError(
                    record.row,
                    f"网格编码 {code} 已停用，停用的编码不再使用；请去掉编码，由系统编新号",
                    f"cell code {code} is retired for good; leave it out and a new one is given",
                )
            )
    return errors


def sort_out(session: Session, community_id: int, part: Part) -> Part:
    """Return the part with only what is truly new in ``new``, as the ground stands now."""
    spec = part.spec
    there = _there(session, community_id, part.target)
    by_key = {values[spec.key]: (values, shape) for values, shape in there}
    tree = shapely.STRtree([shape for _, shape in there])
    new, unchanged, changed = [], part.unchanged, list(part.changed)
    for record in part.new:
        key = record.values.get(spec.key)
        if key is None:
            # No code given: the same shape under any code is the same thing.
            near = tree.query(record.shape)
            twin = any(_same_shape(record.shape, there[i][1]) for i in near.tolist())
            if twin:
                unchanged += 1
            else:
                new.append(record)
        elif key not in by_key:
            new.append(record)
        elif _same(record, *by_key[key]):
            unchanged += 1
        else:
            changed.append(record.row)
    return replace(part, new=tuple(new), unchanged=unchanged, changed=tuple(changed))


def _there(
    session: Session, community_id: int, target: Target
) -> list[tuple[dict[str, object], BaseGeometry]]:
    """Return the fields and shapes of what a community has of a target."""
    spec = SPECS[target]
    table = spec.table
    names = [f.name for f in spec.fields if f.name not in {"estate", "employer"}]
    columns = [getattr(table, name) for name in names]
    query = select(getattr(table, spec.shape_column), *columns).where(
        table.community_id == community_id
    )
    if target is Target.CELLS:
        query = query.where(GridCell.valid_to.is_(None))
    if "estate" in {f.name for f in spec.fields}:
        names.append("estate")
        query = query.add_columns(Estate.name).outerjoin(Estate, Estate.id == table.estate_id)
    if "employer" in {f.name for f in spec.fields}:
        names.append("employer")
        query = query.add_columns(Employer.name).outerjoin(
            Employer, Employer.id == table.employer_id
        )
    found = []
    for shape, *values in session.execute(query):
        geometry = to_shape(shape) if shape is not None else shapely.Point()
        found.append((dict(zip(names, values, strict=True)), geometry))
    return found


def _same(record: Record, values: dict[str, object], shape: BaseGeometry) -> bool:
    """Say whether what a row says is already so; what it leaves open it does not contradict."""
    if any(v is not None and v != values.get(name) for name, v in record.values.items()):
        return False
    return _same_shape(record.shape, shape)


def _same_shape(one: BaseGeometry, other: BaseGeometry) -> bool:
    if one.is_empty or other.is_empty:
        return bool(one.is_empty and other.is_empty)
    return bool(shapely.hausdorff_distance(one, other) <= SAME_DEG)


def _about_changed(part: Part) -> list[Note]:
    if not part.changed:
        return []
    return [
        Note(
            f"{len(part.changed)} 行的{_field(part.target, part.spec.key).zh}已在库中但内容不同，不会改动库里的{part.spec.zh}（{_rows(list(part.changed))}）。要以文件为准，请先撤销原来的批次。",
            f"{len(part.changed)} rows are there already with other content; the {part.spec.en} stored are left alone ({_rows_en(list(part.changed))}). To prefer the file, undo the earlier batch first.",
        )
    ]


def _about_overlaps(session: Session, community_id: int, part: Part) -> list[Note]:
    """Say which new buildings stand where one stands already: a shift, or a second copy."""
    if part.target is not Target.BUILDINGS or not part.new:
        return []
    there = [shape for _, shape in _there(session, community_id, Target.BUILDINGS)]
    if not there:
        return []
    new = np.array([record.shape for record in part.new], dtype=object)
    old = np.array(there, dtype=object)
    mine, theirs = shapely.STRtree(old).query(new, predicate="intersects")
    shared = shapely.area(shapely.intersection(new[mine], old[theirs]))
    hit = np.unique(mine[shared > OVERLAP_SHARE * shapely.area(new[mine])])
    rows = [part.new[i].row for i in hit.tolist()]
    if not rows:
        return []
    return [
        Note(
            f"{len(rows)} 栋与库中已有的楼栋重叠（{_rows(rows)}）：可能是坐标偏移，或同一栋楼重复导入，请在地图上核对。",
            f"{len(rows)} buildings overlap some stored already ({_rows_en(rows)}): the coordinates may be shifted, or a building come twice. Check the map.",
        )
    ]


def _about_cells(session: Session, community: Community, part: Part) -> list[Note]:
    """Say what the partition would look like with the new cells in it."""
    boundary = _boundary(community)
    if part.target is not Target.CELLS or boundary is None or not part.new:
        return []
    new = [
        CheckedCell(str(r.values.get("code") or f"（第 {r.row} 行）"), r.shape) for r in part.new
    ]
    held = [
        CheckedCell(code, to_shape(shape))
        for code, shape in session.execute(
            select(GridCell.code, GridCell.boundary).where(
                GridCell.community_id == community.id, GridCell.valid_to.is_(None)
            )
        )
    ]
    report = check_cells(
        session,
        boundary,
        [*held, *new],
        srid=community.metric_srid,
        community_id=community.id,
    )
    notes = [Note(f.sentence("zh"), f.sentence("en")) for f in report.findings[:FINDINGS_SHOWN]]
    if len(report.findings) > FINDINGS_SHOWN:
        more = len(report.findings) - FINDINGS_SHOWN
        notes.append(
            Note(
                f"网格检查另有 {more} 处问题，导入后可在“地点与网格”页查看。",
                f"The check of the cells found {more} more; see them on the places page.",
            )
        )
    return notes
