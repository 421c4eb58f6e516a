"""Read members from an Excel or CSV table, preview what would change, store it as one batch.

A row is known again by its staff number. A cell that is empty, or whose column is not there,
leaves a member as they are and a new one with the usual; 无 says outright that there is none.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from grid.communities import Community, ImportBatch
from grid.errors import DomainError
from grid.imports.errors import Note, RowError
from grid.imports.files import DEFAULT_LIMIT_MB
from grid.imports.tables import Table, TableRow, as_text, read_table
from grid.member_words import (
    CONTRACTS,
    FORCES,
    NotUnderstood,
    masked_phone,
    read_contract,
    read_force,
    read_qualifications,
    read_weekdays,
    read_windows,
    says_none,
    write_qualifications,
    write_weekdays,
    write_windows,
)
from grid.people import Force, Member, MemberBefore
from grid.team import MemberFacts, employers, facts_of, misfits, zones_on

MEMBER_BATCH = "members"
ROWS_MAX = 2000
"""As many members as one roster may have."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "staff_number": ("编号", "队员编号", "工号", "staff_number", "number"),
    "name": ("姓名", "名字", "name"),
    "force": ("力量", "力量类别", "类别", "身份", "force"),
    "employer": ("物业公司", "所属单位", "单位", "公司", "employer"),
    "home_zone": ("责任巡区", "巡区", "home_zone", "zone"),
    "phone": ("电话", "手机", "手机号", "联系电话", "phone"),
    "qualifications": ("资格", "资质", "qualifications"),
    "contract": ("合同", "用工形式", "contract"),
    "hours_week": ("每周工时上限", "周工时", "hours_week"),
    "max_patrols_week": ("每周巡逻上限", "周巡逻次数", "patrols_week"),
    "max_nights_week": ("每周夜班上限", "周夜班次数", "nights_week"),
    "days_off": ("固定休息日", "休息日", "days_off"),
    "unavailable": ("不可排时段", "不可排", "unavailable"),
    "active_from": ("到岗日", "active_from"),
    "active_to": ("离队日", "active_to"),
}
"""Field → headers by which it is known; the first is the one we write."""

PART_TIME: Mapping[str, Any] = {
    "max_minutes_week": 720,
    "max_patrols_week": 3,
    "max_nights_week": 0,
}
"""What a part-time member's limits are where the file does not say: 非全日制 works a few evenings."""


class MemberColumnsMissing(DomainError):
    """Columns that every member needs are not there."""

    zh = "文件“{name}”缺少列：{missing}。认出的列有：{found}。请下载模板对照表头后重试。"
    en = "“{name}” lacks the columns {missing}. Recognised were: {found}. Compare it with the template."


class TooManyMembers(DomainError):
    """More rows than a community has members."""

    zh = "文件“{name}”有 {n} 行，超过一个社区 {limit} 名队员的上限。请确认文件属于本社区，或拆分后再导入。"
    en = "“{name}” has {n} rows; a community has at most {limit} members. Make sure that it is this community's, or split it."


@dataclass(frozen=True)
class Change:
    """A member in the file: new where ``member_id`` is None, else with what would change."""

    row: int
    facts: MemberFacts
    member_id: int | None = None
    revision: int = 0
    differences: tuple[tuple[str, str, str], ...] = ()
    """Header, what it is, what it becomes; telephone numbers are masked."""


@dataclass(frozen=True)
class Preview:
    """What importing a file would do."""

    filename: str
    new: tuple[Change, ...]
    changed: tuple[Change, ...]
    same: int
    errors: tuple[RowError, ...]
    notes: tuple[Note, ...]
    columns: tuple[str, ...]
    ignored: tuple[str, ...]


class _Unreadable(ValueError):
    def __init__(self, zh: str, en: str, column: str) -> None:
        super().__init__(zh)
        self.zh, self.en, self.column = zh, en, column


def _match(headers: Sequence[str]) -> dict[str, str]:
    plain = {re.sub(r"[\s*（(].*$", "", h.strip()).lower(): h for h in headers}
    plain |= {h.strip().lower(): h for h in headers}
    found: dict[str, str] = {}
    for field, names in COLUMNS.items():
        header = next((plain[name] for name in names if name in plain), None)
        if header is not None and header not in found.values():
            found[field] = header
    return found


class _Reader:
    """Reads rows against what the community has."""

    def __init__(
        self, session: Session, community_id: int, columns: Mapping[str, str], today: dt.date
    ) -> None:
        self.columns = columns
        self.firms = {firm.name: firm.id for firm in employers(session, community_id)}
        zones = zones_on(session, community_id, today)
        self.zones = {z.name: z.id for z in zones} | {z.code: z.id for z in zones}
        self.zone_names = [z.name for z in zones]
        self.known = {
            m.staff_number: m
            for m in session.scalars(select(Member).where(Member.community_id == community_id))
        }

    def row(self, row: TableRow) -> Change:
        """Return what one row says. Raises _Unreadable."""
        number = self._said(row, "staff_number")
        if not number:
            raise _Unreadable(
                "没有编号：再次导入时会认不出这一行", "no staff number: it names the row", "编号"
            )
        member = self.known.get(number)
        was = facts_of(member) if member else None
        facts = self._facts(row, number, was)
        wrong = misfits(facts)
        if wrong:
            raise _Unreadable(
                "；".join(m.zh for m in wrong),
                "; ".join(m.en for m in wrong),
                COLUMNS.get(wrong[0].field, ("",))[0],
            )
        if member is None or was is None:
            return Change(row.number, facts)
        return Change(row.number, facts, member.id, member.revision, self._differences(was, facts))

    def _said(self, row: TableRow, field: str) -> str:
        return row.text(self.columns.get(field))

    def _facts(self, row: TableRow, number: str, was: MemberFacts | None) -> MemberFacts:
        name, written = self._said(row, "name"), self._said(row, "force")
        force = read_force(written) if written else was.force if was else None
        if force is None:
            raise _Unreadable(
                f"力量“{written}”不认识，可填：{'、'.join(FORCES.values())}"
                if written
                else f"没有填写力量，可填：{'、'.join(FORCES.values())}",
                f"“{written}” is no force; it may be {', '.join(f.value for f in Force)}",
                "力量",
            )
        if was is None and not name:
            raise _Unreadable("没有姓名", "no name", "姓名")
        facts = was or MemberFacts(staff_number=number, name=name, force=force)
        contract = self._word(row, "contract", read_contract, CONTRACTS)
        if was is None and (
            contract == "part_time" or (contract is None and force == Force.GROUP_LEADER)
        ):
            facts = replace(facts, **PART_TIME)
            contract = "part_time"
        given: dict[str, Any] = {
            "name": name or None,
            "force": force,
            "contract": contract,
            "employer_id": self._key(row, "employer", self.firms, list(self.firms)),
            "home_zone_id": self._key(row, "home_zone", self.zones, self.zone_names),
            "max_minutes_week": self._minutes(row),
            "max_patrols_week": self._number(row, "max_patrols_week"),
            "max_nights_week": self._number(row, "max_nights_week"),
            "active_from": self._day(row, "active_from"),
            "active_to": self._day(row, "active_to"),
            "phone": self._phone(row),
            "qualifications": self._read(row, "qualifications", read_qualifications),
            "days_off": self._read(row, "days_off", read_weekdays),
            "unavailable": self._read(row, "unavailable", lambda w: tuple(read_windows(w))),
        }
        said: dict[str, Any] = {
            field: None if value is _NONE else value
            for field, value in given.items()
            if value is not None
        }
        return replace(facts, **said)

    def _read(self, row: TableRow, field: str, reader: Callable[[str], Any]) -> Any:  # noqa: ANN401
        written = self._said(row, field)
        if not written:
            return None
        try:
            return reader(written)
        except NotUnderstood as cell:
            raise _Unreadable(cell.zh, cell.en, COLUMNS[field][0]) from None

    def _word(
        self,
        row: TableRow,
        field: str,
        reader: Callable[[str], str | None],
        names: Mapping[str, str],
    ) -> str | None:
        written = self._said(row, field)
        found = reader(written) if written else None
        if written and found is None:
            title = COLUMNS[field][0]
            raise _Unreadable(
                f"{title}“{written[:20]}”不认识，可填：{'、'.join(names.values())}",
                f"“{written[:20]}” is no {field}; it may be {', '.join(names)}",
                title,
            )
        return found

    def _key(self, row: TableRow, field: str, keys: Mapping[str, int], names: Sequence[str]) -> Any:  # noqa: ANN401 - an id, nothing, or outright none
        written = self._said(row, field)
        if not written:
            return None
        if says_none(written):
            return _NONE
        if written not in keys:
            title = COLUMNS[field][0]
            raise _Unreadable(
                f"没有名为“{written[:20]}”的{title}，现有：{'、'.join(names) or '（无）'}",
                f"there is no {field} “{written[:20]}”; there are: {', '.join(names) or '(none)'}",
                title,
            )
        return keys[written]

    def _number(self, row: TableRow, field: str) -> int | None:
        written = self._said(row, field)
        if not written:
            return None
        found = re.fullmatch(r"([0-9]{1,4})(?:\.0+)?\s*次?", written)
        if found is None:
            title = COLUMNS[field][0]
            raise _Unreadable(
                f"{title}“{written[:20]}”不是整数", f"“{written[:20]}” is no whole number", title
            )
        return int(found[1])

    def _minutes(self, row: TableRow) -> int | None:
        written = self._said(row, "hours_week")
        if not written:
            return None
        found = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*(?:小时|h)?", written)
        if found is None:
            title = COLUMNS["hours_week"][0]
            raise _Unreadable(
                f"{title}“{written[:20]}”不是小时数", f"“{written[:20]}” are no hours", title
            )
        return round(float(found[1]) * 60)

    def _phone(self, row: TableRow) -> Any:  # noqa: ANN401 - a number, nothing, or outright none
        written = self._said(row, "phone")
        # A masked number comes from our own export: it says nothing new.
        if not written or "*" in written:
            return None
        return _NONE if says_none(written) else written

    def _day(self, row: TableRow, field: str) -> Any:  # noqa: ANN401 - a day, nothing, or none
        value = row.values.get(self.columns.get(field, ""))
        written = as_text(value)
        if not written:
            return None
        if says_none(written):
            return _NONE
        if isinstance(value, dt.datetime):
            return value.date()
        if isinstance(value, dt.date):
            return value
        found = re.fullmatch(r"([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?", written)
        try:
            if found is None:
                raise ValueError
            return dt.date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            title = COLUMNS[field][0]
            raise _Unreadable(
                f"{title}“{written[:20]}”不是日期，请写成 2026-11-30 的样子",
                f"“{written[:20]}” is no date; write it like 2026-11-30",
                title,
            ) from None

    def _differences(self, was: MemberFacts, now: MemberFacts) -> tuple[tuple[str, str, str], ...]:
        before, after = self._shown(was), self._shown(now)
        raw = [(f, was.columns()[c] != now.columns()[c]) for f, c in _COLUMN_OF.items()]
        return tuple((COLUMNS[f][0], before[f], after[f]) for f, differs in raw if differs)

    def _shown(self, facts: MemberFacts) -> dict[str, str]:
        firms = {key: name for name, key in self.firms.items()}
        zones = {key: name for name, key in self.zones.items()}
        return written(
            facts,
            firms.get(facts.employer_id or 0, ""),
            zones.get(facts.home_zone_id or 0, ""),
            masked_phone(facts.phone),
        )


class _None:
    """A cell that says outright that there is none."""


_NONE = _None()
_COLUMN_OF = {f: f for f in COLUMNS} | {
    "employer": "employer_id",
    "home_zone": "home_zone_id",
    "hours_week": "max_minutes_week",
}


def written(facts: MemberFacts, employer: str, zone: str, phone: str) -> dict[str, str]:
    """Return a member's cells by field, as :func:`preview_members` reads them back."""
    return {
        "staff_number": facts.staff_number,
        "name": facts.name,
        "force": FORCES[Force(facts.force)],
        "employer": employer,
        "home_zone": zone,
        "phone": phone,
        "qualifications": write_qualifications(facts.qualifications),
        "contract": CONTRACTS.get(facts.contract, facts.contract),
        "hours_week": f"{facts.max_minutes_week / 60:g}",
        "max_patrols_week": str(facts.max_patrols_week),
        "max_nights_week": str(facts.max_nights_week),
        "days_off": write_weekdays(facts.days_off),
        "unavailable": write_windows(facts.unavailable),
        "active_from": facts.active_from.isoformat() if facts.active_from else "",
        "active_to": facts.active_to.isoformat() if facts.active_to else "",
    }


def preview_members(
    session: Session,
    community_id: int,
    path: Path,
    *,
    today: dt.date,
    limit_mb: int = DEFAULT_LIMIT_MB,
) -> Preview:
    """Read a file of members and say what would come of it; nothing is stored.

    Raises the refusals of ``grid.imports.tables.read_table``, MemberColumnsMissing or
    TooManyMembers.
    """
    table = read_table(path, limit_mb=limit_mb)
    columns = _match(table.columns)
    missing = [COLUMNS[f][0] for f in ("staff_number", "name", "force") if f not in columns]
    if missing:
        raise MemberColumnsMissing(
            name=path.name,
            missing="、".join(missing),
            found="、".join(columns.values()) or "（无）",
        )
    if len(table.rows) > ROWS_MAX:
        raise TooManyMembers(name=path.name, n=len(table.rows), limit=ROWS_MAX)
    return _sorted_out(_Reader(session, community_id, columns, today), table, path.name)


def _sorted_out(reader: _Reader, table: Table, name: str) -> Preview:
    errors = list(table.errors)
    bad_rows = {e.row for e in table.errors}
    first_at: dict[str, int] = {}
    new, changed, same = [], [], 0
    for row in table.rows:
        if row.number in bad_rows:
            continue
        try:
            found = reader.row(row)
        except _Unreadable as cell:
            errors.append(RowError(row.number, cell.zh, cell.en, cell.column))
            continue
        number = found.facts.staff_number
        if number in first_at:
            errors.append(
                RowError(
                    row.number,
                    f"编号“{number}”在第 {first_at[number]} 行已出现过",
                    f"staff number “{number}” is in row {first_at[number]} already",
                    "编号",
                )
            )
            continue
        first_at[number] = row.number
        if found.member_id is None:
            new.append(found)
        elif found.differences:
            changed.append(found)
        else:
            same += 1
    return Preview(
        filename=name,
        new=tuple(new),
        changed=tuple(changed),
        same=same,
        errors=tuple(sorted(errors, key=lambda e: e.row)),
        notes=table.notes,
        columns=tuple(reader.columns.values()),
        ignored=tuple(c for c in table.columns if c not in reader.columns.values()),
    )


def lock_team(session: Session, community_id: int) -> None:
    """Let one change of a community's team as a whole go on at a time."""
    session.execute(select(Community.id).where(Community.id == community_id).with_for_update())
    session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended("members", community_id)))
    )


def commit_members(
    session: Session, community_id: int, preview: Preview, *, today: dt.date, by: str
) -> ImportBatch | None:
    """Store a preview's new and changed members as one batch; None where nothing is new.

    The preview must have been made in this transaction after :func:`lock_team`.
    """
    if not preview.new and not preview.changed:
        return None
    batch = ImportBatch(
        community_id=community_id,
        kind=MEMBER_BATCH,
        filename=preview.filename,
        source_crs="–",
        rows=len(preview.new) + len(preview.changed),
        warnings=len(preview.errors),
        imported_on=today,
        imported_by=by,
    )
    session.add(batch)
    session.flush()
    for item in preview.new:
        session.add(Member(community_id=community_id, batch_id=batch.id, **item.facts.columns()))
    for item in preview.changed:
        member = session.get_one(Member, item.member_id, with_for_update=True)
        before = _storable(facts_of(member))
        for column, value in item.facts.columns().items():
            setattr(member, column, value)
        member.revision += 1
        session.add(
            MemberBefore(
                batch_id=batch.id, member_id=member.id, before=before, revision=member.revision
            )
        )
    session.flush()
    return batch


def _storable(facts: MemberFacts) -> dict[str, object]:
    return {k: v.isoformat() if isinstance(v, dt.date) else v for k, v in facts.columns().items()}


def take_back_changes(session: Session, batch: ImportBatch) -> tuple[int, list[str]]:
    """Give members that a batch changed back what they were; return how many, and who refuses.

    A member changed again since refuses: what somebody did later is not thrown away unseen.
    """
    rows = session.execute(
        select(MemberBefore, Member)
        .join(Member, Member.id == MemberBefore.member_id)
        .where(MemberBefore.batch_id == batch.id)
        .with_for_update()
    ).all()
    refusing = [member.name for kept, member in rows if member.revision != kept.revision]
    if refusing:
        return 0, refusing
    for kept, member in rows:
        for column, value in kept.before.items():
            if column in {"active_from", "active_to"} and isinstance(value, str):
                setattr(member, column, dt.date.fromisoformat(value))
            else:
                setattr(member, column, value)
        member.revision += 1
    session.flush()
    session.execute(delete(MemberBefore).where(MemberBefore.batch_id == batch.id))
    return len(rows), []
