"""The patrols people walk keep their rows when a week is published anew.

Walks planned, check-ins, reports and links on phones hang on a patrol's row. Whatever version is
published next takes the rows over; the version before keeps rows that look the same.
"""

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session, aliased

from scheduling.rosters import Assignment, Patrol


def hand_over_patrols(session: Session, old_id: int, new_id: int) -> None:
    """Give the living patrols to the new version, and the old one copies as they were."""
    living = session.execute(
        select(Patrol.__table__).where(Patrol.roster_version_id == old_id).order_by(Patrol.id)
    ).all()
    session.execute(
        update(Patrol).where(Patrol.roster_version_id == old_id).values(roster_version_id=new_id)
    )
    if not living:
        return
    copies = [
        {k: v for k, v in row._mapping.items() if k not in {"id", "roster_version_id"}}
        | {"roster_version_id": old_id}
        for row in living
    ]
    made = session.scalars(
        insert(Patrol).returning(Patrol.id, sort_by_parameter_order=True), copies
    ).all()
    copy_of = dict(zip((row.id for row in living), made, strict=True))
    seats = session.execute(
        select(Assignment.__table__).where(Assignment.patrol_id.in_(list(copy_of)))
    ).all()
    if seats:
        session.execute(
            insert(Assignment),
            [
                {k: v for k, v in row._mapping.items() if k not in {"id", "patrol_id"}}
                | {"patrol_id": copy_of[row.patrol_id]}
                for row in seats
            ],
        )


def exchange_patrols(session: Session, old_id: int, new_id: int) -> int:
    """Let two versions exchange the rows of the patrols that both have; return how many.

    A patrol is in both when key, day, zone, shift and type agree. Who walks it stays with the
    version: only the row itself changes hands.
    """
    theirs = aliased(Patrol)
    pairs = session.execute(
        select(Patrol.id, theirs.id)
        .join(
            theirs,
            (theirs.key == Patrol.key)
            & (theirs.day == Patrol.day)
            & (theirs.zone_id == Patrol.zone_id)
            & (theirs.shift_template_id == Patrol.shift_template_id)
            & (theirs.patrol_type_id == Patrol.patrol_type_id),
        )
        .where(Patrol.roster_version_id == old_id, theirs.roster_version_id == new_id)
    ).all()
    if not pairs:
        return 0
    twin = {a: b for one, other in pairs for a, b in ((one, other), (other, one))}
    rows = {
        row.id: row for row in session.execute(select(Patrol.__table__).where(Patrol.id.in_(twin)))
    }
    session.execute(
        update(Patrol),
        [
            {
                "id": key,
                "roster_version_id": rows[other].roster_version_id,
                "start_min": rows[other].start_min,
                "end_min": rows[other].end_min,
                "empty_seats": rows[other].empty_seats,
            }
            for key, other in twin.items()
        ],
    )
    seats = session.execute(
        select(Assignment.__table__).where(Assignment.patrol_id.in_(twin))
    ).all()
    # Taken out first: the same member may sit in both rows.
    session.execute(delete(Assignment).where(Assignment.patrol_id.in_(twin)))
    if seats:
        session.execute(
            insert(Assignment),
            [
                {
                    "patrol_id": twin[row.patrol_id],
                    "member_id": row.member_id,
                    "seat": row.seat,
                    "leader": row.leader,
                }
                for row in seats
            ],
        )
    session.expire_all()
    return len(pairs)
