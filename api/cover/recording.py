"""Record an edit of what a week is asked for, in the transaction that makes it."""

from fastapi import Request
from sqlalchemy.orm import Session

from api.audit import record
from api.permissions import Caller
from api.sign_in.pages import client_address


def record_edit(
    request: Request, db: Session, caller: Caller, action: str, target: str, **details: object
) -> None:
    """Append who did what to which thing, with what it was before and is now."""
    record(
        db,
        actor=caller.username,
        action=action,
        target=target,
        address=client_address(request),
        community_id=caller.community_id,
        details=details,
    )
