"""Read incidents from a CSV or Excel table as offices really keep them, and preview the import.

Headers, sources, classes and states may be Chinese or English; times may be written in a dozen
ways but must have a clock time, for a day without an hour would plant a hotspot at midnight.
"""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.coordinates import WGS84, CrsNotChosen, SourceSystem, suspect
from grid.errors import DomainError
from grid.imports.errors import Note, RowError
from grid.imports.files import DEFAULT_LIMIT_MB
from grid.imports.tables import Table, TableRow, Value, as_text, read_table
from grid.incident_words import CLASSES, SOURCES, STATES, URGENCIES, Word, read_word
from grid.incidents import IncidentClass, IncidentState, Source, Urgency
from grid.intake import LOCAL, Intake, NumberedReport, Report, prepare

HEADERS: Mapping[str, tuple[str, ...]] = {
    "source": ("来源", "信息来源", "事件来源", "渠道", "source"),
    "ticket_number": (
        "工单号", "工单编号", "编号", "事件编号", "警情编号", "案件编号", "受理编号", "单号", "流水号",
        "ticket", "ticket_number", "ticket number", "id",
    ),
    "incident_class": ("类别", "事件类别", "大类", "事件大类", "class", "incident_class"),
    "category": (
        "类型", "事件类型", "小类", "事项", "警情类型", "案由", "category", "type",
    ),
    "occurred_at": ("发生时间", "时间", "事发时间", "发案时间", "occurred_at", "occurred", "time"),
    "day": ("日期", "发生日期", "date", "day"),
    "clock": ("时刻", "钟点", "clock"),
    "reported_at": (
        "上报时间", "报警时间", "受理时间", "来电时间", "登记时间", "接报时间", "reported_at", "reported",
    ),
    "closed_at": ("办结时间", "结案时间", "closed_at", "closed"),
    "description": (
        "描述", "内容", "事件描述", "简要案情", "警情内容", "诉求内容", "情况", "description", "text",
    ),
    "address": ("地址", "地点", "发生地址", "发生地点", "事发地址", "位置", "标准地址", "address", "place"),
    "x": ("经度", "东坐标", "lon", "lng", "longitude", "x"),
    "y": ("纬度", "北坐标", "lat", "latitude", "y"),
    "urgency": ("轻重缓急", "紧急程度", "缓急", "urgency"),
    "state": ("状态", "办理状态", "处理状态", "state", "status"),
    "satisfied": ("满意", "是否满意", "满意度", "回访", "回访结果", "satisfied"),
}  # fmt: skip

FIELD_NAMES = {
    "source": "来源",
    "ticket_number": "工单号",
    "incident_class": "类别",
    "category": "类型",
    "occurred_at": "发生时间",
}

_TIME = re.compile(
    r"(?P<year>[0-9]{4})\s*[-/.年]\s*(?P<month>[0-9]{1,2})\s*[-/.月]\s*(?P<day>[0-9]{1,2})\s*日?"
    r"(?:[T\s]*(?P<half>凌晨|早上|上午|中午|下午|晚上|AM|PM)?\s*(?P<hour>[0-9]{1,2})\s*[:时点]\s*"
    r"(?P<minute>[0-9]{1,2})?\s*分?(?:[:\s]?(?P<second>[0-9]{1,2})(?:\.[0-9]+)?秒?)?"
    r"\s*(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_COMPACT = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})"
    r"(?P<second>[0-9]{2})?"
)
_CLOCK = re.compile(r"(?P<hour>[0-9]{1,2})\s*[:时点]\s*(?P<minute>[0-9]{1,2})?.*")
_EXCEL_DAYS = (20_000.0, 80_000.0)
"""Excel's day numbers from 1954 to 2119: a cell formatted as number where a date was meant."""


class ColumnsMissing(DomainError):
    """Columns that every incident needs are not there."""

    zh = "文件“{name}”缺少列：{missing}。认出的列有：{found}。请补上这些列，表头可用中文，例如“来源、工单号、类别、类型、发生时间、地址”。"
    en = "“{name}” lacks the columns {missing}. Recognised were: {found}. Add them; headers may be Chinese or English, such as source, ticket_number, class, category, occurred_at, address."


class _Unreadable(ValueError):
    """One cell cannot be read."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh, self.en = zh, en


def _moment(found: Mapping[str, str | None], written: str) -> dt.datetime:
    try:
        hour = int(found["hour"] or 0)
        half = found.get("half")
        if half in {"下午", "晚上", "PM"} and hour < 12:
            hour += 12
        if half in {"凌晨", "AM"} and hour == 12:
            hour = 0
        zone = found.get("zone")
        where: dt.tzinfo = LOCAL
        if zone:
            hours = 0 if zone == "Z" else int(zone[1:3]) * 60 + int(zone[-2:])
            where = dt.timezone(dt.timedelta(minutes=-hours if zone.startswith("-") else hours))
        return dt.datetime(
            int(found["year"] or 0),
            int(found["month"] or 0),
            int(found["day"] or 0),
            hour,
            int(found["minute"] or 0),
            int(found.get("second") or 0),
            tzinfo=where,
        )
    except ValueError:
        raise _Unreadable(
            f"时间“{written}”不存在，请检查日期和钟点", f"there is no such time as “{written}”"
        ) from None


def read_time(value: Value, clock: Value = None) -> dt.datetime:
    """Return the moment a cell names, community-local unless it says its zone.

    ``clock`` is a second cell where day and time stand apart. Raises ValueError with a sentence.
    """
    written = as_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if _EXCEL_DAYS[0] <= value < _EXCEL_DAYS[1]:
            minutes = round(float(value) * 24 * 60)
            naive = dt.datetime(1899, 12, 30) + dt.timedelta(minutes=minutes)  # noqa: DTZ001
            return _with_clock(naive, clock, written, exact=minutes % 1440 != 0)
        value = written
    if isinstance(value, dt.datetime):
        if value.tzinfo:
            return value
        return _with_clock(value, clock, written, exact=value.time() != dt.time())
    if isinstance(value, dt.date):
        return _with_clock(
            dt.datetime.combine(value, dt.time()),
            clock,
            written,
            exact=False,
        )
    text = written.upper()
    found = _COMPACT.fullmatch(text) or _TIME.fullmatch(text)
    if found is None:
        raise _Unreadable(
            f"看不懂时间“{written}”，请写成 2026-11-01 20:15 的样子",
            f"“{written}” is no time; write it like 2026-11-01 20:15",
        )
    moment = _moment(found.groupdict(), written)
    if found["hour"] is None:
        return _with_clock(moment.replace(tzinfo=None), clock, written, exact=False)
    return moment


def _with_clock(day: dt.datetime, clock: Value, written: str, *, exact: bool) -> dt.datetime:
    """Join a day with the clock time beside it; a day alone will not do."""
    local = day.replace(tzinfo=LOCAL)
    if clock is None or as_text(clock) == "":
        if exact:
            return local
        raise _Unreadable(
            f"时间“{written}”只有日期没有钟点，请补上几点几分（确为零点请写 00:01）",
            f"“{written}” has no clock time; add hour and minute (for midnight write 00:01)",
        )
    if isinstance(clock, dt.datetime):
        clock = clock.time()
    if isinstance(clock, dt.time):
        return local.replace(hour=clock.hour, minute=clock.minute, second=clock.second)
    if isinstance(clock, float) and 0 <= clock < 1:
        return local.replace(hour=0, minute=0) + dt.timedelta(minutes=round(clock * 1440))
    found = _CLOCK.fullmatch(as_text(clock))
    if found is None or int(found["hour"]) > 23 or int(found["minute"] or 0) > 59:
        raise _Unreadable(
            f"看不懂钟点“{as_text(clock)}”，请写成 20:15 的样子",
            f"“{as_text(clock)}” is no clock time; write it like 20:15",
        )
    return local.replace(hour=int(found["hour"]), minute=int(found["minute"] or 0))


@dataclass(frozen=True)
class Reading:
    """The reports in a table, what could not be read, and which header was taken for what."""

    reports: tuple[NumberedReport, ...]
    errors: tuple[RowError, ...]
    notes: tuple[Note, ...]
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    """Headers that mean nothing to us; their cells are left behind."""


def match_columns(headers: Sequence[str]) -> dict[str, str]:
    """Return field → header, taking the first header that names each field."""
    plain = {re.sub(r"[\s*（(].*$", "", header.strip()).lower(): header for header in headers}
    plain |= {header.strip().lower(): header for header in headers}
    found: dict[str, str] = {}
    for field, names in HEADERS.items():
        header = next((plain[name] for name in names if name in plain), None)
        if header is not None and header not in found.values():
            found[field] = header
    return found


def _number(row: TableRow, header: str | None, field: str) -> float | None:
    if header is None or row.text(header) == "":
        return None
    try:
        return float(row.text(header))
    except ValueError:
        raise _Unreadable(
            f"{field}“{row.text(header)}”不是数字", f"“{row.text(header)}” is no number"
        ) from None


def _truth(written: str) -> bool | None:
    if not written:
        return None
    if written in {"满意", "非常满意", "基本满意", "是", "1", "true", "True", "TRUE", "yes", "Yes"}:
        return True
    if written in {"不满意", "否", "0", "false", "False", "FALSE", "no", "No"}:
        return False
    if written in {"未回访", "未评价", "无法联系", "-", "/"}:
        return None
    raise _Unreadable(
        f"看不懂回访结果“{written}”，请写“满意”或“不满意”，没有回访就留空",
        f"“{written}” is no callback result; write 满意/yes, 不满意/no or leave it empty",
    )


def _report(
    row: TableRow,
    columns: Mapping[str, str],
    system: SourceSystem,
    source: Source | None,
    incident_class: IncidentClass | None,
) -> Report:
    """Read one row. Raises _Unreadable with the cell's sentence."""

    def said(field: str) -> str:
        return row.text(columns.get(field))

    def words(field: str) -> str:
        # Free text keeps its full-width punctuation; codes and numbers are narrowed.
        value = row.values.get(columns.get(field, ""))
        return value.strip() if isinstance(value, str) else said(field)

    def word(field: str, kind: type[Word], names: Mapping[Word, str], absent: Word | None) -> Word:
        written = said(field)
        if not written and absent is not None:
            return absent
        found = read_word(kind, names, written)
        if found is None:
            title = columns.get(field, FIELD_NAMES.get(field, field))
            choices, codes = "、".join(names.values()), ", ".join(m.value for m in names)
            if written:
                raise _Unreadable(
                    f"{title}“{written}”不认识，可填：{choices}",
                    f"“{written}” is no {field}; it may be {codes}",
                )
            raise _Unreadable(
                f"{title}没有填写，可填：{choices}", f"{field} is empty; it may be {codes}"
            )
        return found

    if not said("ticket_number"):
        raise _Unreadable(
            "没有工单号：再次导入时会认不出这一行", "no ticket number: it names the row"
        )
    when, clock = columns.get("occurred_at"), columns.get("clock")
    if "day" in columns and (when is None or row.values.get(columns["day"]) is not None):
        when, clock = columns["day"], columns.get("clock") or columns.get("occurred_at")
    if when is None or row.text(when) == "":
        raise _Unreadable("没有发生时间", "no time of occurrence")
    reported, closed = columns.get("reported_at"), columns.get("closed_at")
    return Report(
        source=word("source", Source, SOURCES, source),
        ticket_number=said("ticket_number"),
        incident_class=word("incident_class", IncidentClass, CLASSES, incident_class),
        category=said("category"),
        occurred_at=read_time(row.values.get(when), row.values.get(clock) if clock else None),
        reported_at=read_time(row.values[reported]) if reported and row.text(reported) else None,
        closed_at=read_time(row.values[closed]) if closed and row.text(closed) else None,
        description=words("description"),
        address=words("address"),
        x=_number(row, columns.get("x"), "经度"),
        y=_number(row, columns.get("y"), "纬度"),
        system=system,
        urgency=word("urgency", Urgency, URGENCIES, Urgency.ROUTINE),
        state=word(
            "state",
            IncidentState,
            STATES,
            IncidentState.CLOSED if closed and row.text(closed) else IncidentState.REPORTED,
        ),
        satisfied=_truth(said("satisfied")),
    )


def read_reports(
    table: Table,
    name: str,
    *,
    system: SourceSystem | None,
    source: Source | None = None,
    incident_class: IncidentClass | None = None,
) -> Reading:
    """Read every row of a table; ``source`` and ``incident_class`` stand in for absent columns.

    Raises ColumnsMissing, or CrsNotChosen where there are coordinates and no system was chosen.
    """
    columns = match_columns(table.columns)
    needed = {"ticket_number", "category", "occurred_at"}
    if "day" in columns:
        needed.discard("occurred_at")
    if source is None:
        needed.add("source")
    if incident_class is None:
        needed.add("incident_class")
    missing = [FIELD_NAMES[field] for field in FIELD_NAMES if field in needed - set(columns)]
    if missing:
        raise ColumnsMissing(
            name=name,
            missing="、".join(missing),
            found="、".join(columns.values()) or "（无）",
        )
    if system is None and {"x", "y"} & set(columns):
        raise CrsNotChosen(
            hint="GPS 或国家 2000 选 WGS 84 / CGCS2000；高德、腾讯地图选 GCJ-02；百度地图选 BD-09。",
            hint_en="GPS: WGS 84; Amap and Tencent: GCJ-02; Baidu: BD-09.",
        )
    reports: list[NumberedReport] = []
    errors = list(table.errors)
    for row in table.rows:
        try:
            report = _report(row, columns, system or WGS84, source, incident_class)
        except _Unreadable as cell:
            errors.append(RowError(row.number, cell.zh, cell.en))
        else:
            reports.append(NumberedReport(row.number, report))
    ignored = tuple(c for c in table.columns if c not in columns.values())
    return Reading(tuple(reports), tuple(errors), table.notes, columns, ignored)


@dataclass(frozen=True)
class Preview:
    """What importing a file would do. ``suspicions`` are doubts about its coordinate system."""

    filename: str
    reading: Reading
    intake: Intake
    notes: tuple[Note, ...]
    system: SourceSystem | None


def preview_incidents(
    session: Session,
    community_id: int,
    path: Path,
    *,
    now: dt.datetime,
    filename: str | None = None,
    system: SourceSystem | None = None,
    source: Source | None = None,
    incident_class: IncidentClass | None = None,
    limit_mb: int = DEFAULT_LIMIT_MB,
) -> Preview:
    """Read a CSV or Excel file of incidents and say what would come of it; nothing is stored.

    Raises the refusals of ``grid.imports.tables.read_table`` and :func:`read_reports`.
    """
    name = filename or path.name
    table = read_table(path, limit_mb=limit_mb)
    reading = read_reports(table, name, system=system, source=source, incident_class=incident_class)
    intake = prepare(session, community_id, reading.reports, now=now, errors=reading.errors)
    notes = list(reading.notes)
    points = [
        (item.report.x, item.report.y)
        for item in reading.reports
        if item.report.x is not None and item.report.y is not None
    ]
    if points:
        stored = session.get_one(Community, community_id).boundary
        boundary = None if stored is None else to_shape(stored)
        if boundary is not None:
            shapely.prepare(boundary)
        notes += [Note(doubt.zh, doubt.en) for doubt in suspect(points, boundary, chosen=system)]
    return Preview(name, reading, intake, tuple(notes), system)
