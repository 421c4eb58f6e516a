"""Who is calling, and whether they may: every endpoint declares its roles with :func:`allow`."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account, Role, ServiceToken, SignedInSession
from api.database import Db
from api.i18n import LOCALES
from api.today import today
from grid.errors import DomainError
from grid.people import Member

SESSION_COOKIE = "xunge_session"
LOCALE_COOKIE = "xunge_locale"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(DomainError):
    """Nobody is signed in, or the session has ended."""

    zh = "请先登录：没有登录，或登录已过期。"
    en = "Please sign in: you are not signed in, or the session has ended."
    status = 401


class NotAllowed(DomainError):
    """The caller's role does not include this."""

    zh = "您的角色不能执行此操作。如确有需要，请联系队长或管理员。"
    en = "Your role may not do this. Ask the team lead or the administrator if you need it."
    status = 403


class ForgedForm(DomainError):
    """An unsafe request did not come from one of our own pages."""

    zh = "表单已失效或不是从本站提交的。请刷新页面后重试，已填内容可先复制。"
    en = "The form has expired or did not come from this site. Reload the page and try again."
    status = 403


@dataclass(frozen=True)
class Caller:
    """Whoever stands behind a request."""

    username: str
    display_name: str
    role: Role | None
    community_id: int
    locale: str
    account_id: int | None = None
    member_id: int | None = None
    csrf_token: str = ""

    def is_(self, *roles: Role) -> bool:
        """Say whether the caller has one of these roles."""
        return self.role in roles


def hash_token(token: str) -> str:
    """Return what is stored of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_token() -> str:
    """Return 256 random bits for a cookie or a program's key."""
    return secrets.token_urlsafe(32)


def locale_of(request: Request, fallback: str = "zh") -> str:
    """Return the language chosen on this browser."""
    chosen = request.cookies.get(LOCALE_COOKIE, fallback)
    return chosen if chosen in LOCALES else "zh"


def find_session(session: Session, token: str, today: date | None = None) -> SignedInSession | None:
    """Return the live session of a cookie; none of a member who has left by ``today``."""
    row = session.get(SignedInSession, hash_token(token))
    if row is None or row.expires_at < datetime.now(UTC) or not row.account.active:
        return None
    if today is not None and row.account.member_id is not None:
        leaves = session.scalar(select(Member.active_to).where(Member.id == row.account.member_id))
        if leaves is not None and leaves <= today:
            return None
    return row


def _service_caller(session: Session, token: str, locale: str) -> Caller:
    row = session.scalar(
        select(ServiceToken).where(
            ServiceToken.token_hash == hash_token(token), ServiceToken.revoked_at.is_(None)
        )
    )
    if row is None:
        raise NotSignedIn()
    return Caller(
        username=f"service:{row.name}",
        display_name=row.name,
        role=Role.SERVICE,
        community_id=row.community_id,
        locale=locale,
    )


def account_caller(account: Account, csrf_token: str, locale: str) -> Caller:
    """Return the caller a signed-in account is."""
    return Caller(
        username=account.username,
        display_name=account.display_name,
        role=Role(account.role),
        community_id=account.community_id or 0,
        locale=locale,
        account_id=account.id,
        member_id=account.member_id,
        csrf_token=csrf_token,
    )


def refuse_other_sites(request: Request) -> None:
    """Refuse an unsafe request that a browser says was started by another site."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise ForgedForm()
    origin = request.headers.get("origin")
    if origin and origin != "null" and urlsplit(origin).netloc != request.headers.get("host"):
        raise ForgedForm()


async def _sent_csrf_token(request: Request) -> str:
    header = request.headers.get("x-csrf-token")
    if header:
        return header
    if request.headers.get("content-type", "").startswith(
        ("application/x-www-form-urlencoded", "multipart/form-data")
    ):
        value = (await request.form()).get("csrf_token")
        return value if isinstance(value, str) else ""
    return ""


def _identify(request: Request, db: Session, sent_csrf_token: str) -> Caller:
    locale = locale_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        # A program sends its key on purpose with every request: no cookie, so no forgery.
        return _service_caller(db, token.strip(), locale)
    cookie = request.cookies.get(SESSION_COOKIE)
    day = today(request.app.state.settings)
    found = find_session(db, cookie, day) if cookie else None
    if request.method not in SAFE_METHODS:
        refuse_other_sites(request)
        if found is not None and not hmac.compare_digest(sent_csrf_token, found.csrf_token):
            raise ForgedForm()
    if found is None:
        return Caller("", "", None, 0, locale)
    return account_caller(found.account, found.csrf_token, locale_of(request, found.account.locale))


class Gate:
    """A dependency that lets some roles through and yields the :class:`Caller`."""

    def __init__(self, roles: frozenset[Role], *, anyone: bool = False) -> None:
        self.roles = roles
        self.anyone = anyone

    async def __call__(self, request: Request, db: Db) -> Caller:
        """Return the caller, or refuse with 401 or 403."""
        sent = "" if request.method in SAFE_METHODS else await _sent_csrf_token(request)
        caller = await run_in_threadpool(_identify, request, db, sent)
        request.state.caller = caller
        if self.anyone:
            return caller
        if caller.role is None:
            raise NotSignedIn()
        if caller.role not in self.roles:
            raise NotAllowed()
        return caller


def allow(*roles: Role) -> Any:  # noqa: ANN401 - fastapi.Depends is typed as Any
    """Declare the roles an endpoint is for, inside the ``Annotated`` of its caller."""
    if not roles:
        raise ValueError("name at least one role; use anyone() for a public endpoint")
    return Depends(Gate(frozenset(roles)))


def anyone() -> Any:  # noqa: ANN401 - fastapi.Depends is typed as Any
    """Declare an endpoint public: the caller may be nobody."""
    return Depends(Gate(frozenset(), anyone=True))


SIGNED_IN = (Role.TEAM_LEAD, Role.PATROLLER, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)
"""Every role a person can have."""
