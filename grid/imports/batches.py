"""Store a preview as one batch, and undo a batch as one; the ground is never left half changed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import shapely
from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grid.cells import GridCell
from grid.codes import new_codes
from grid.communities import Building, Community, Employer, Estate, ImportBatch
from grid.coordinates import CrsNotChosen, from_wgs84
from grid.database import GEOGRAPHIC_SRID
from grid.errors import NotFound
from grid.imports.errors import BatchHeld, BatchUndone, ChangedSince, DoubtOpen, RowsWrong
from grid.imports.members import MEMBER_BATCH, take_back_changes
from grid.imports.preview import Part, Preview, Record, sort_out
from grid.imports.targets import SPECS, Target
from grid.incidents import Incident
from grid.people import Member
from grid.places import Checkpoint, KeyPlace
from grid.walkways import Walkway

CHUNK = 1000
FEW = 0.05
Progress = Callable[[float], None]

BATCHED: tuple[type[Any], ...] = (
    Incident, Checkpoint, KeyPlace, Walkway, GridCell, Building, Estate, Member, Employer,
)  # fmt: skip
"""Every table whose rows may belong to a batch, those that refer to others first."""

TABLE_NAMES = {
    "incident": ("事件", "incidents"),
    "building": ("楼栋", "buildings"),
    "steward": ("小管家", "stewards"),
    "estate": ("小区", "estates"),
    "patrol_zone": ("巡区", "patrol zones"),
    "patrol_zone_cell": ("巡区", "patrol zones"),
    "patrol_requirement": ("巡逻要求", "patrol requirements"),
    "key_place": ("重点部位", "key places"),
    "checkpoint": ("必到点", "checkpoints"),
    "check_in": ("打卡记录", "check-ins"),
    "member": ("队员", "members"),
    "member_before": ("以后批次的修改", "changes by later imports"),
    "member_request": ("排班意愿", "wishes"),
    "assignment": ("派班", "assignments"),
    "leave": ("请假", "leave"),
    "swap": ("换班", "swaps"),
    "account": ("账号", "accounts"),
    "mediation_case": ("调解案件", "mediation cases"),
}


def commit(
    session: Session,
    preview: Preview,
    *,
    today: date,
    by: str = "",
    skip_errors: bool = False,
    anyway: bool = False,
    progress: Progress | None = None,
) -> ImportBatch | None:
    """Store what is new in a preview as one batch; return it, or None where nothing was new.

    Storing the same file twice changes nothing. ``skip_errors`` leaves bad rows out, ``anyway``
    accepts coordinates that look wrong. Raises CrsNotChosen, RowsWrong, DoubtOpen or NotFound.
    """
    _refuse_open_questions(preview, skip_errors=skip_errors, anyway=anyway)
    assert preview.system is not None
    # One import at a time per community: codes are given out in turn, and twins are seen.
    community = session.get(Community, preview.community_id, with_for_update=True)
    if community is None:
        raise NotFound(thing="社区", name=preview.community_id)
    batch = ImportBatch(
        community_id=community.id,
        kind=preview.kind,
        filename=preview.filename,
        source_crs=preview.system.code,
        rows=0,
        warnings=len(preview.errors) + len(preview.doubts),
        imported_on=today,
        imported_by=by,
    )
    session.add(batch)
    session.flush()
    writer = _Writer(session, community, batch, today, progress, max(1, preview.new))
    for part in preview.parts:
        writer.write(sort_out(session, community.id, part))
    if not writer.stored:
        session.delete(batch)
        session.flush()
        return None
    batch.rows = writer.stored
    _assign_estates(session, batch, preview.parts)
    session.flush()
    return batch


def _refuse_open_questions(preview: Preview, *, skip_errors: bool, anyway: bool) -> None:
    if preview.system is None:
        hint, hint_en = hint_on_system(preview)
        raise CrsNotChosen(hint=hint, hint_en=hint_en)
    if preview.doubts and not anyway:
        doubt = preview.doubts[0]
        raise DoubtOpen(doubt=doubt.zh, doubt_en=doubt.en)
    if preview.errors and not skip_errors:
        first = preview.errors[0]
        raise RowsWrong(count=len(preview.errors), row=first.row, first=first.zh, first_en=first.en)


def hint_on_system(preview: Preview) -> tuple[str, str]:
    """Return what the numbers tell of a system that nobody has named."""
    if preview.doubts:
        return preview.doubts[0].zh, preview.doubts[0].en
    if not preview.inside:
        return (
            "从数字看不出坐标系，请向数据提供单位核实。",
            "The numbers do not tell; ask whoever supplied the data.",
        )
    shares = "，".join(f"按 {s.code} 读取 {share:.0%}" for s, share in preview.inside)
    shares_en = ", ".join(f"{share:.0%} read as {s.code}" for s, share in preview.inside)
    if max(share for _, share in preview.inside) < FEW:
        return (
            "无论按哪种坐标系读取，几乎没有点落在本社区内；请确认文件是否属于本社区。",
            "However they are read, hardly any point lies in the community; make sure that the file is of this community.",
        )
    if preview.suggested is None:
        return (
            f"落在本社区内的点：{shares}；相差不大，仅凭位置判断不了，请向数据提供单位核实。",
            f"Points in the community: {shares_en}. They are too alike to tell; ask the supplier.",
        )
    return (
        f"落在本社区内的点：{shares}；看来是 {preview.suggested.code}，请核对来源后选择。",
        f"Points in the community: {shares_en}. It looks like {preview.suggested.code}; check the source, then choose.",
    )


class _Writer:
    """Writes the parts of one batch, in bulk."""

    def __init__(
        self,
        session: Session,
        community: Community,
        batch: ImportBatch,
        today: date,
        progress: Progress | None,
        expected: int,
    ) -> None:
        self.session, self.community, self.batch, self.today = session, community, batch, today
        self.progress, self.expected = progress, expected
        self.stored = 0

    def write(self, part: Part) -> None:
        """Insert a part's new records; a row that another import stored meanwhile is left alone."""
        if not part.new:
            return
        spec = SPECS[part.target]
        rows = list(self._rows(part))
        for start in range(0, len(rows), CHUNK):
            made = self.session.scalars(
                insert(spec.table).on_conflict_do_nothing().returning(spec.table.id),
                rows[start : start + CHUNK],
            ).all()
            self.stored += len(made)
            if self.progress is not None:
                self.progress(min(1.0, self.stored / self.expected))

    def _rows(self, part: Part) -> Iterable[dict[str, object]]:
        """Return table rows; what a file leaves open gets its default, the same keys in every row."""
        spec = SPECS[part.target]
        records = self._coded(part)
        estates = self._estates() if "estate" in {f.name for f in spec.fields} else {}
        firms = self._employers(records) if part.target is Target.ESTATES else {}
        for record in records:
            row = {f.name: record.values.get(f.name) for f in spec.fields}
            if "estate" in row:
                row["estate_id"] = estates.get(str(row.pop("estate") or ""))
            if "employer" in row:
                row["employer_id"] = firms.get(str(row.pop("employer") or ""))
            if row.get("use", "") is None and (row["households"] or row["residents"]):
                row["use"] = "residential"
            for name, value in DEFAULTS[part.target].items():
                if row.get(name) is None:
                    row[name] = value
            if part.target is Target.CELLS:
                row["valid_from"] = self.today
                row["name"] = row.get("name") or f"网格{str(row['code'])[-3:]}"
            row[spec.shape_column] = _wkb(record.shape)
            yield {**row, "community_id": self.community.id, "batch_id": self.batch.id}

    def _coded(self, part: Part) -> list[Record]:
        """Give codes to cells and checkpoints that came without."""
        records = list(part.new)
        open_ones = [i for i, r in enumerate(records) if r.values.get("code") is None]
        if part.target not in {Target.CELLS, Target.CHECKPOINTS} or not open_ones:
            return records
        table = SPECS[part.target].table
        used = [
            *self.session.scalars(
                select(table.code).where(table.community_id == self.community.id)
            ),
            *(str(r.values["code"]) for r in records if r.values.get("code")),
        ]
        if part.target is Target.CELLS:
            middles = shapely.point_on_surface([records[i].shape for i in open_ones])
            xs, ys = from_wgs84(
                shapely.get_x(middles), shapely.get_y(middles), self.community.metric_srid
            )
            codes = new_codes(
                self.community.code, list(zip(xs.tolist(), ys.tolist(), strict=True)), used
            )
        else:
            last = max((int(c[1:]) for c in used if c[:1] == "C" and c[1:].isdigit()), default=0)
            codes = [f"C{last + n:02d}" for n in range(1, len(open_ones) + 1)]
        for i, code in zip(open_ones, codes, strict=True):
            records[i] = replace(records[i], values={**records[i].values, "code": code})
        return records

    def _estates(self) -> dict[str, int]:
        found = self.session.execute(
            select(Estate.name, Estate.id).where(Estate.community_id == self.community.id)
        )
        return {name: key for name, key in found}

    def _employers(self, records: list[Record]) -> dict[str, int]:
        """Return property firms by name; new ones come in with the batch and go with it."""
        named = {str(r.values["employer"]) for r in records if r.values.get("employer")}
        if named:
            self.session.execute(
                insert(Employer).on_conflict_do_nothing(),
                [
                    {"community_id": self.community.id, "name": name, "batch_id": self.batch.id}
                    for name in sorted(named)
                ],
            )
        found = self.session.execute(
            select(Employer.name, Employer.id).where(Employer.community_id == self.community.id)
        )
        return {name: key for name, key in found}


DEFAULTS: dict[Target, dict[str, object]] = {
    Target.BUILDINGS: {
        "use": "unknown",
        "units": 1,
        "households": 0,
        "residents": 0,
        "counts_estimated": False,
    },
    Target.ESTATES: {"kind": "other"},
    Target.CELLS: {},
    Target.WALKWAYS: {"kind": "footway"},
    Target.PLACES: {"kind": "other"},
    Target.CHECKPOINTS: {"dwell_min": 2},
}


def _wkb(shape: BaseGeometry) -> WKBElement:
    return from_shape(shape, srid=GEOGRAPHIC_SRID)


_ASSIGN = """
UPDATE {table} AS thing SET estate_id = estate.id
FROM estate
WHERE thing.batch_id = :batch AND thing.estate_id IS NULL
  AND estate.community_id = thing.community_id
  AND ST_Intersects(estate.boundary, {point})
"""


def _assign_estates(session: Session, batch: ImportBatch, parts: Iterable[Part]) -> None:
    """Give buildings and key places the estate they stand in, where no column says one.

    Where there is such a column, an empty cell says that the thing belongs to none.
    """
    points = {
        Target.BUILDINGS: ("building", "ST_PointOnSurface(thing.footprint)"),
        Target.PLACES: ("key_place", "thing.location"),
    }
    for part in parts:
        if part.target in points and part.mapping.get("estate") is None:
            table, point = points[part.target]
            statement = text(_ASSIGN.format(table=table, point=point))
            session.execute(statement, {"batch": batch.id})


# --- Undo ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Reference:
    """A foreign key that points at a batched table."""

    table: str
    column: str


def undo(session: Session, batch_id: int, community_id: int) -> int:
    """Take a batch's rows away again, all of them or none; return how many.

    Raises NotFound, BatchUndone, BatchHeld where something outside the batch refers to them, or
    ChangedSince where what the batch changed was changed again.
    """
    batch = session.get(ImportBatch, batch_id, with_for_update=True)
    if batch is None or batch.community_id != community_id:
        raise NotFound(thing="导入批次", name=batch_id)
    if batch.undone:
        raise BatchUndone(batch=batch_id)
    for table in BATCHED:
        # Locked first: a reference made while we look has to wait, and then finds nothing.
        session.execute(select(table.id).where(table.batch_id == batch_id).with_for_update())
    held = {
        TABLE_NAMES.get(reference.table, (reference.table, reference.table)): count
        for table in BATCHED
        for reference in _references(session, table.__tablename__)
        if (count := _users(session, table.__tablename__, reference, batch_id))
    }
    if held:
        raise BatchHeld(
            batch=batch_id,
            users="、".join(f" {count} 条{zh}" for (zh, _), count in held.items()).strip(),
            users_en=", ".join(f"{count} {en}" for (_, en), count in held.items()),
        )
    gone = _restored(session, batch)
    for table in BATCHED:
        done = session.execute(delete(table).where(table.batch_id == batch_id))
        gone += 0 if table is Employer else int(getattr(done, "rowcount", 0))
    session.execute(update(ImportBatch).where(ImportBatch.id == batch_id).values(undone=True))
    session.refresh(batch)
    return gone


def _restored(session: Session, batch: ImportBatch) -> int:
    """Give what a batch changed, rather than brought, back as it was; return how many rows."""
    if batch.kind != MEMBER_BATCH:
        return 0
    restored, refusing = take_back_changes(session, batch)
    if refusing:
        raise ChangedSince(
            batch=batch.id, names="、".join(refusing[:5]), names_en=", ".join(refusing[:5])
        )
    return restored


_FOREIGN_KEYS = text(
    """
    SELECT referrer.relname AS table, attribute.attname AS column
    FROM pg_constraint AS rule
    JOIN pg_class AS referrer ON referrer.oid = rule.conrelid
    JOIN pg_attribute AS attribute
      ON attribute.attrelid = rule.conrelid AND attribute.attnum = rule.conkey[1]
    WHERE rule.contype = 'f' AND rule.confrelid = to_regclass(:table)
    ORDER BY 1, 2
    """
)


def _references(session: Session, table: str) -> list[_Reference]:
    """Ask the database itself who may refer to a table: tables of rooms above are found too."""
    return [_Reference(*row) for row in session.execute(_FOREIGN_KEYS, {"table": table})]


def _users(session: Session, table: str, reference: _Reference, batch_id: int) -> int:
    own = reference.table in {t.__tablename__ for t in BATCHED}
    # The names come from the database's own catalogue, never from a person.
    query = (
        f'SELECT count(*) FROM "{reference.table}" AS other '  # noqa: S608
        f'JOIN "{table}" AS ours ON other."{reference.column}" = ours.id '
        "WHERE ours.batch_id = :batch"
        + (" AND other.batch_id IS DISTINCT FROM :batch" if own else "")
    )
    return int(session.scalar(text(query), {"batch": batch_id}) or 0)


def batches(session: Session, community_id: int) -> list[ImportBatch]:
    """Return a community's batches, the latest first."""
    return list(
        session.scalars(
            select(ImportBatch)
            .where(ImportBatch.community_id == community_id)
            .order_by(ImportBatch.id.desc())
        )
    )
