"""Take a report in for a caller, and record it: the act and its audit entry stand together."""

from datetime import datetime

from sqlalchemy.orm import Session

from api.audit import record
from api.permissions import Caller
from grid.incidents import Incident
from grid.intake import Report, TakenIn, take_in


def report_incident(
    db: Session,
    caller: Caller,
    report: Report,
    *,
    now: datetime,
    address: str,
    patrol_id: int | None = None,
    picked_on_map: bool = False,
    unplaced: bool = False,
) -> TakenIn:
    """Take in one report under the caller's name; what was there already is not recorded again."""
    taken = take_in(
        db,
        caller.community_id,
        report,
        now=now,
        reported_by=caller.username,
        patrol_id=patrol_id,
        picked_on_map=picked_on_map,
        unplaced=unplaced,
    )
    if taken.created:
        record_act(
            db,
            caller,
            "incident.report",
            taken.incident,
            address,
            source=report.source.value,
            ticket_number=taken.incident.ticket_number,
        )
    return taken


def record_act(
    db: Session, caller: Caller, action: str, incident: Incident, address: str, **details: object
) -> None:
    """Record what a caller did to one incident."""
    record(
        db,
        actor=caller.username,
        action=action,
        target=f"incident:{incident.id}",
        address=address,
        community_id=caller.community_id,
        details=details,
    )
