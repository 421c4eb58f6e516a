"""The sign-in page, signing out, the language switch, and each role's first page."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accounts import Account, Role, SignedInSession
from api.audit import record
from api.i18n import LOCALES
from api.permissions import (
    LOCALE_COOKIE,
    SESSION_COOKIE,
    SIGNED_IN,
    Caller,
    allow,
    anyone,
    hash_token,
    new_token,
)
from api.settings import Settings
from api.sign_in.passwords import verify
from api.web import Db, page, see_other
from grid.errors import DomainError

router = APIRouter()

FIRST_PAGE = {
    Role.TEAM_LEAD: "/rosters",
    Role.PATROLLER: "/my",
    Role.STREET_OFFICE: "/hotspots",
    Role.ADMIN: "/users",
    Role.AUDITOR: "/audit",
}


def client_address(request: Request) -> str:
    """Return the address a request came from."""
    return request.client.host if request.client else ""


def _own_path(target: str) -> str:
    """Keep a redirect on this site: a path, never ``//elsewhere`` or a scheme."""
    safe = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if safe else "/"


@router.get("/")
def home(caller: Annotated[Caller, allow(*SIGNED_IN)]) -> Response:
    """Send each role to where its work is."""
    assert caller.role is not None
    return see_other(FIRST_PAGE[caller.role])


@router.get("/sign-in")
def sign_in_page(
    request: Request, caller: Annotated[Caller, anyone()], next: str = "/"
) -> Response:
    """Show the sign-in form, or go on where somebody is signed in already."""
    if caller.role is not None:
        return see_other(_own_path(next))
    return page(request, caller, "sign_in/sign_in.html", next=next, error=None, username="")


@router.post("/sign-in")
def sign_in(
    request: Request,
    db: Db,
    caller: Annotated[Caller, anyone()],
    username: Annotated[str, Form(max_length=64)],
    password: Annotated[str, Form(max_length=256)],
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Sign in, or say why not."""
    settings: Settings = request.app.state.settings
    address = client_address(request)
    found = verify(db, settings, username.strip(), password, address)
    if isinstance(found, DomainError):
        record(
            db,
            actor=username.strip()[:64],
            action="sign_in.refused",
            target=type(found).__name__,
            address=address,
        )
        return page(
            request,
            caller,
            "sign_in/sign_in.html",
            status_code=found.status,
            next=next,
            error=found.sentence(caller.locale),
            username=username,
        )
    token = open_session(db, found, hours=settings.session_hours)
    record(
        db,
        actor=found.username,
        action="sign_in.ok",
        target=found.username,
        address=address,
        community_id=found.community_id,
    )
    response = see_other(_own_path(next))
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_hours * 3600,
        httponly=True,
        samesite="lax",
        secure=settings.secure_cookies,
    )
    return response


def open_session(db: Db, account: Account, *, hours: int) -> str:
    """Store a new session and return the cookie's token, which is stored nowhere."""
    token, now = new_token(), datetime.now(UTC)
    db.add(
        SignedInSession(
            token_hash=hash_token(token),
            account_id=account.id,
            csrf_token=new_token(),
            created_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    return token


@router.post("/sign-out")
def sign_out(request: Request, db: Db, caller: Annotated[Caller, allow(*SIGNED_IN)]) -> Response:
    """End this browser's session."""
    row = db.get(SignedInSession, hash_token(request.cookies.get(SESSION_COOKIE, "")))
    if row is not None:
        db.delete(row)
    record(
        db,
        actor=caller.username,
        action="sign_out",
        target=caller.username,
        address=client_address(request),
        community_id=caller.community_id or None,
    )
    response = see_other("/sign-in")
    response.delete_cookie(SESSION_COOKIE)
    return response


@router.post("/language")
def choose_language(
    request: Request,
    db: Db,
    caller: Annotated[Caller, anyone()],
    locale: Annotated[str, Form()],
    next: Annotated[str, Form(max_length=500)] = "/",
) -> Response:
    """Switch between Chinese and English on this browser, and for the account."""
    chosen = locale if locale in LOCALES else "zh"
    if caller.account_id is not None:
        db.get_one(Account, caller.account_id).locale = chosen
    response = see_other(_own_path(next))
    response.set_cookie(LOCALE_COOKIE, chosen, max_age=365 * 86400, samesite="lax")
    return response
