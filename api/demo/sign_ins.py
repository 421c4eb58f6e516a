"""One account for each role, with passwords made on this machine and kept in its data folder."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account, Role
from api.users.service import create_account
from grid.people import Member

ROLES = (Role.TEAM_LEAD, Role.PATROLLER, Role.STREET_OFFICE, Role.ADMIN, Role.AUDITOR)
NAMES = {
    Role.TEAM_LEAD: ("lead", "队长"),
    Role.PATROLLER: ("patroller", "队员"),
    Role.STREET_OFFICE: ("street", "街道办"),
    Role.ADMIN: ("admin", "管理员"),
    Role.AUDITOR: ("auditor", "审计员"),
}
# Read aloud and typed on a phone: no characters that look alike.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class SignIn:
    """A user name and its password, as the demo prints them."""

    role: Role
    username: str
    password: str


def ensure_sign_ins(session: Session, community_id: int, kept_in: Path) -> list[SignIn]:
    """Return one sign-in for each role, making the accounts that do not exist yet.

    The second community of an installation gets accounts named after it (``lead2`` …).
    """
    passwords: dict[str, str] = json.loads(kept_in.read_text()) if kept_in.exists() else {}
    suffix = "" if community_id == 1 else str(community_id)
    found = []
    for role in ROLES:
        short, shown = NAMES[role]
        username = short + suffix
        account = session.scalar(select(Account).where(Account.username == username))
        if account is None:
            passwords[username] = _password()
            member = _a_member(session, community_id) if role is Role.PATROLLER else None
            create_account(
                session,
                username=username,
                display_name=member.name if member else shown,
                password=passwords[username],
                role=role,
                community_id=community_id,
                staff_number=member.staff_number if member else None,
                actor="demo",
            )
        found.append(SignIn(role, username, passwords.get(username, "（已改过 / changed）")))
    kept_in.parent.mkdir(parents=True, exist_ok=True)
    kept_in.touch(mode=0o600)
    kept_in.write_text(json.dumps(passwords, indent=1))
    return found


def _password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _a_member(session: Session, community_id: int) -> Member:
    """Return the grid member to show the phone page with: grid members walk every week."""
    return (
        session.scalars(
            select(Member)
            .where(Member.community_id == community_id, Member.force == "grid_member")
            .order_by(Member.staff_number)
        ).first()
        or session.scalars(
            select(Member).where(Member.community_id == community_id).order_by(Member.id)
        ).one()
    )
