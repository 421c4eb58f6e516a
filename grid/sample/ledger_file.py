"""Last year's incidents of the sample as the file an office would hand over, to be imported."""

import csv
import io
from datetime import date

from grid.incident_words import CLASSES, SOURCES, STATES, URGENCIES
from grid.incidents import Provenance
from grid.sample.ground import draw
from grid.sample.ledger import LOCAL, draw_incidents, periods

HEADERS = (
    "来源", "工单号", "类别", "类型", "轻重缓急", "状态", "发生时间", "上报时间", "结案时间", "回访",
    "地址", "经度", "纬度", "描述",
)  # fmt: skip
ANSWERS = {True: "满意", False: "不满意", None: ""}


def last_year_csv(seed: int, until: date) -> bytes:
    """Return the last year's incidents as CSV (UTF-8 with BOM); its coordinates are WGS 84."""
    first, last = periods(until)["last"]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(HEADERS)
    for i in draw_incidents(seed, draw(seed), until):
        if not first <= i.occurred_at.date() <= last:
            continue
        pointed = i.provenance is Provenance.GIVEN
        times = (
            "" if moment is None else moment.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
            for moment in (i.occurred_at, i.reported_at, i.closed_at)
        )
        writer.writerow(
            [
                SOURCES[i.source],
                i.ticket_number,
                CLASSES[i.incident_class],
                i.category,
                URGENCIES[i.urgency],
                STATES[i.state],
                *times,
                ANSWERS[i.satisfied],
                i.address,
                i.lon if pointed else "",
                i.lat if pointed else "",
                i.description,
            ]
        )
    return stream.getvalue().encode("utf-8-sig")
