"""The sample's last year of incidents, brought in as anybody's ledger is: by importing a file."""

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit import record
from grid.communities import ImportBatch
from grid.coordinates import WGS84
from grid.incident_table import preview_incidents
from grid.intake import commit
from grid.sample import SEED, last_year_csv

FILENAME = "去年事件.csv"
ACTOR = "demo"


def import_last_year(session: Session, community_id: int, day: date) -> str:
    """Import the file unless it was imported before; return what to tell."""
    known = session.scalar(
        select(ImportBatch.rows).where(
            ImportBatch.community_id == community_id,
            ImportBatch.filename == FILENAME,
            ImportBatch.undone.is_(False),
        )
    )
    if known is not None:
        return f"去年事件已导入（{known} 条）"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / FILENAME
        file.write_bytes(last_year_csv(SEED, day))
        preview = preview_incidents(
            session, community_id, file, now=datetime.now(UTC), system=WGS84
        )
        batch = commit(
            session,
            community_id,
            preview.intake,
            filename=FILENAME,
            system=preview.system,
            today=day,
            by=ACTOR,
        )
    assert batch is not None, "a fresh sample has none of last year's incidents"
    record(
        session,
        actor=ACTOR,
        action="incident.import",
        target=f"batch:{batch.id}",
        community_id=community_id,
        details={"filename": FILENAME, "rows": batch.rows},
    )
    return (
        f"从文件导入去年事件 {batch.rows} 条，其中 {preview.intake.placed} 条已定位，"
        f"{len(preview.intake.errors)} 行有误"
    )
