"""Make, change and end accounts and programs' keys."""

from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from api.accounts import Account, Role, ServiceToken, SignedInSession
from api.audit import record
from api.permissions import hash_token, new_token
from api.sign_in.passwords import hash_password
from grid.errors import Conflict, DomainError, NotFound
from grid.people import Member


class PatrollerNeedsMember(DomainError):
    """A patroller's account without a member behind it."""

    zh = "队员账号必须对应一名队员。请填写该队员的编号（{staff_number} 不存在）。"
    en = "A patroller's account must belong to a member. Give the member's staff number ({staff_number} does not exist)."


def find_account(session: Session, username: str) -> Account:
    """Return an account by name."""
    row = session.scalar(select(Account).where(Account.username == username))
    if row is None:
        raise NotFound(thing="账号", name=username)
    return row


def create_account(
    session: Session,
    *,
    username: str,
    display_name: str,
    password: str,
    role: Role,
    community_id: int | None,
    staff_number: str | None,
    actor: str,
) -> Account:
    """Make an account; a patroller's belongs to a member of the community."""
    if session.scalar(select(Account.id).where(Account.username == username)) is not None:
        raise Conflict(
            what=f"用户名“{username}”已被使用",
            cure="换一个用户名",
            what_en=f"The user name “{username}” is taken",
            cure_en="choose another",
        )
    member_id = None
    if role is Role.PATROLLER:
        member_id = session.scalar(
            select(Member.id).where(
                Member.community_id == community_id, Member.staff_number == (staff_number or "")
            )
        )
        if member_id is None:
            raise PatrollerNeedsMember(staff_number=staff_number or "—")
    account = Account(
        username=username,
        display_name=display_name or username,
        password_hash=hash_password(password, username=username),
        role=role,
        community_id=community_id,
        member_id=member_id,
    )
    session.add(account)
    record(
        session,
        actor=actor,
        action="user.create",
        target=username,
        community_id=community_id,
        details={"role": role.value},
    )
    session.flush()
    return account


def set_password(session: Session, username: str, password: str, *, actor: str) -> None:
    """Give an account a new password, unlock it, and end its sessions."""
    account = find_account(session, username)
    account.password_hash = hash_password(password, username=username)
    account.failures, account.locked_until = 0, None
    _end_sessions(session, account)
    record(session, actor=actor, action="user.password", target=username)


def unlock(session: Session, username: str, *, actor: str) -> None:
    """Lift an account's lockout."""
    account = find_account(session, username)
    account.failures, account.locked_until = 0, None
    record(session, actor=actor, action="user.unlock", target=username)


def set_active(session: Session, username: str, active: bool, *, actor: str) -> None:
    """Let an account sign in, or stop it at once on every browser."""
    account = find_account(session, username)
    account.active = active
    if not active:
        _end_sessions(session, account)
    record(
        session, actor=actor, action="user.enable" if active else "user.disable", target=username
    )


def _end_sessions(session: Session, account: Account) -> None:
    session.execute(delete(SignedInSession).where(SignedInSession.account_id == account.id))


def create_token(session: Session, name: str, community_id: int, *, actor: str) -> str:
    """Make a program's key and return it: it is shown this once and stored nowhere."""
    if session.scalar(select(ServiceToken.id).where(ServiceToken.name == name)) is not None:
        raise Conflict(
            what=f"令牌“{name}”已存在",
            cure="换一个名称或先吊销旧令牌",
            what_en=f"A token named “{name}” exists",
            cure_en="choose another name or revoke the old one",
        )
    token = new_token()
    session.add(
        ServiceToken(
            name=name,
            token_hash=hash_token(token),
            community_id=community_id,
            created_at=datetime.now(UTC),
        )
    )
    record(session, actor=actor, action="token.create", target=name, community_id=community_id)
    return token


def revoke_token(session: Session, name: str, *, actor: str) -> None:
    """End a program's key."""
    row = session.scalar(select(ServiceToken).where(ServiceToken.name == name))
    if row is None:
        raise NotFound(thing="令牌", name=name)
    row.revoked_at = row.revoked_at or datetime.now(UTC)
    record(session, actor=actor, action="token.revoke", target=name)
