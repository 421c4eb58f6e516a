"""The ledger as a workbook or a CSV file, with Chinese headers and community-local times."""

import csv
import io
from collections.abc import Iterator

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from sqlalchemy.orm import Session

from api.web import local_time
from grid.incident_words import CLASSES, SOURCES, STATES, URGENCIES
from grid.incidents import IncidentClass, IncidentState, Source, Urgency
from grid.ledger import Filters, read_all

COLUMNS = (
    ("来源", 12), ("工单号", 18), ("类别", 10), ("类型", 14), ("轻重缓急", 10), ("状态", 10),
    ("发生时间", 17), ("上报时间", 17), ("结案时间", 17), ("回访", 9), ("地址", 26), ("楼栋", 16),
    ("网格编码", 18), ("网格", 16), ("巡区", 14), ("经度", 12), ("纬度", 12), ("描述", 50),
)  # fmt: skip
"""Header and width; what can be read back in is read back in by the same names (WGS 84)."""

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet runs as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def ledger_rows(db: Session, community_id: int, filters: Filters) -> Iterator[list[object]]:
    """Yield the matching incidents as rows under ``COLUMNS``."""
    answers = {True: "满意", False: "不满意", None: ""}
    for row in read_all(db, community_id, filters):
        cells = [
            SOURCES[Source(row.source)],
            row.ticket_number,
            CLASSES[IncidentClass(row.incident_class)],
            row.category,
            URGENCIES[Urgency(row.urgency)],
            STATES[IncidentState(row.state)],
            local_time(row.occurred_at),
            local_time(row.reported_at),
            local_time(row.closed_at),
            answers[row.satisfied],
            row.address,
            row.building or "",
            row.cell_code or "",
            row.cell or "",
            row.zone or "",
            None if row.lon is None else round(row.lon, 7),
            None if row.lat is None else round(row.lat, 7),
            row.description,
        ]
        yield [harmless(cell) for cell in cells]


def as_workbook(rows: Iterator[list[object]]) -> bytes:
    """Return an .xlsx file with a frozen, filtered header."""
    book = Workbook()
    sheet = book.active
    sheet.title = "事件台账"
    sheet.append([title for title, _ in COLUMNS])
    for row in rows:
        sheet.append(row)
    for n, (_, width) in enumerate(COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(n)].width = width
        head = sheet.cell(row=1, column=n)
        head.font = Font(bold=True)
        head.fill = PatternFill("solid", fgColor="E5EEF7")
        head.alignment = Alignment(horizontal="center")
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def as_csv(rows: Iterator[list[object]]) -> bytes:
    """Return a CSV file in UTF-8 with BOM, which Excel and WPS open without asking."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([title for title, _ in COLUMNS])
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8-sig")
