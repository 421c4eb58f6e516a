"""Accounts and programs' keys, for the administrator."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select

from api.accounts import Account, Role, ServiceToken
from api.permissions import Caller, allow
from api.users import service
from api.web import Db, page, see_other
from grid.communities import Community
from grid.errors import DomainError
from grid.people import Member

router = APIRouter()
AdminOnly = Annotated[Caller, allow(Role.ADMIN)]


@router.get("/users")
def users_page(request: Request, db: Db, caller: AdminOnly) -> Response:
    """List accounts and keys, with a form for each."""
    return _render(request, db, caller)


def _render(
    request: Request,
    db: Db,
    caller: Caller,
    *,
    error: DomainError | None = None,
    new_token: str = "",
) -> Response:
    accounts = db.execute(
        select(Account, Community.name, Member.name)
        .outerjoin(Community, Community.id == Account.community_id)
        .outerjoin(Member, Member.id == Account.member_id)
        .order_by(Account.role, Account.username)
    ).all()
    return page(
        request,
        caller,
        "users/users.html",
        status_code=error.status if error else 200,
        accounts=accounts,
        tokens=db.scalars(select(ServiceToken).order_by(ServiceToken.name)).all(),
        communities=db.scalars(select(Community).order_by(Community.code)).all(),
        roles=[role for role in Role if role is not Role.SERVICE],
        error=error.sentence(caller.locale) if error else None,
        new_token=new_token,
    )


@router.post("/users")
def create_user(
    request: Request,
    db: Db,
    caller: AdminOnly,
    username: Annotated[str, Form(min_length=2, max_length=64, pattern=r"^[\w.@-]+$")],
    password: Annotated[str, Form(max_length=256)],
    role: Annotated[Role, Form()],
    display_name: Annotated[str, Form(max_length=64)] = "",
    community_id: Annotated[int | None, Form()] = None,
    staff_number: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Make an account."""
    try:
        service.create_account(
            db,
            username=username,
            display_name=display_name,
            password=password,
            role=role,
            community_id=community_id,
            staff_number=staff_number,
            actor=caller.username,
        )
    except DomainError as refusal:
        return _render(request, db, caller, error=refusal)
    return see_other("/users")


@router.post("/users/{username}/password")
def reset_password(
    request: Request,
    db: Db,
    caller: AdminOnly,
    username: str,
    password: Annotated[str, Form(max_length=256)],
) -> Response:
    """Give an account a new password."""
    try:
        service.set_password(db, username, password, actor=caller.username)
    except DomainError as refusal:
        return _render(request, db, caller, error=refusal)
    return see_other("/users")


@router.post("/users/{username}/active")
def switch_user(
    db: Db, caller: AdminOnly, username: str, active: Annotated[bool, Form()]
) -> Response:
    """Let an account sign in, or stop it."""
    service.set_active(db, username, active, actor=caller.username)
    return see_other("/users")


@router.post("/users/{username}/unlock")
def unlock_user(db: Db, caller: AdminOnly, username: str) -> Response:
    """Lift a lockout."""
    service.unlock(db, username, actor=caller.username)
    return see_other("/users")


@router.post("/tokens")
def create_token(
    request: Request,
    db: Db,
    caller: AdminOnly,
    name: Annotated[str, Form(min_length=2, max_length=64)],
    community_id: Annotated[int, Form()],
) -> Response:
    """Make a program's key and show it this once."""
    try:
        token = service.create_token(db, name, community_id, actor=caller.username)
    except DomainError as refusal:
        return _render(request, db, caller, error=refusal)
    return _render(request, db, caller, new_token=token)


@router.post("/tokens/{name}/revoke")
def revoke_token(db: Db, caller: AdminOnly, name: str) -> Response:
    """End a program's key."""
    service.revoke_token(db, name, actor=caller.username)
    return see_other("/users")
