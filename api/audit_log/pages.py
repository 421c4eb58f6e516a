"""The audit log, newest first, for the auditor and the administrator."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import func, select

from api.accounts import Role
from api.audit import AuditEntry
from api.permissions import Caller, allow
from api.web import Db, page

router = APIRouter()
PER_PAGE = 100


@router.get("/audit")
def audit_page(
    request: Request,
    db: Db,
    caller: Annotated[Caller, allow(Role.AUDITOR, Role.ADMIN)],
    actor: str = "",
    action: str = "",
    number: Annotated[int, Query(ge=1, le=10_000, alias="page")] = 1,
) -> Response:
    """Show entries, filtered by who and by what."""
    wanted = select(AuditEntry)
    if actor:
        wanted = wanted.where(AuditEntry.actor == actor)
    if action:
        wanted = wanted.where(AuditEntry.action.startswith(action, autoescape=True))
    total = db.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    rows = db.scalars(
        wanted.order_by(AuditEntry.id.desc()).limit(PER_PAGE).offset((number - 1) * PER_PAGE)
    ).all()
    return page(
        request,
        caller,
        "audit_log/audit.html",
        rows=rows,
        total=total,
        number=number,
        pages=max(1, -(-total // PER_PAGE)),
        actor=actor,
        action=action,
    )
