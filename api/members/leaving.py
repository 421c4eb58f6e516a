"""Whoever has left the team signs in no more."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account
from api.users.service import set_active
from grid.people import Member


def close_accounts(session: Session, member: Member, today: date, *, by: str) -> None:
    """Stop the accounts of a member who no longer serves today, on every browser."""
    if member.active_to is None or member.active_to > today:
        return
    for username in session.scalars(
        select(Account.username).where(Account.member_id == member.id, Account.active)
    ):
        set_active(session, username, False, actor=by)
