"""Passwords and guessing: argon2 hashes, an account's lockout, an address's throttle."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.accounts import Account, SignInThrottle
from api.settings import Settings
from grid.errors import DomainError

ADDRESS_WINDOW = timedelta(minutes=15)
ADDRESS_ATTEMPTS = 30
"""Failures from one address within the window: a whole station may sit behind one address."""
MIN_LENGTH = 10


class WrongPassword(DomainError):
    """Name and password do not fit together; which of them is wrong is not said."""

    zh = "用户名或密码不对。还可以再试 {left} 次，之后账号将锁定 {minutes} 分钟。"
    en = "User name or password is wrong. {left} more tries before the account is locked for {minutes} minutes."
    status = 401


class AccountLocked(DomainError):
    """Too many wrong passwords in a row."""

    zh = (
        "密码连续输错，账号已锁定，请 {minutes} 分钟后再试，或请管理员用 ./xunge user unlock 解锁。"
    )
    en = "Too many wrong passwords: the account is locked. Try again in {minutes} minutes, or ask the administrator to unlock it (./xunge user unlock)."
    status = 429


class TooManyAttempts(DomainError):
    """Too many failures from one address."""

    zh = "本网络地址登录失败次数过多，请 {minutes} 分钟后再试。"
    en = "Too many failed sign-ins from this address. Try again in {minutes} minutes."
    status = 429


class WeakPassword(DomainError):
    """A password too easy to guess."""

    zh = "密码至少 {length} 位，且不能与用户名相同。请换一个密码。"
    en = "A password needs at least {length} characters and may not be the user name. Choose another."


@lru_cache
def _hasher() -> PasswordHash:
    return PasswordHash.recommended()


@lru_cache
def _nobody() -> str:
    return _hasher().hash("nobody has this password")


def hash_password(password: str, *, username: str = "") -> str:
    """Return the argon2 hash of an acceptable password."""
    if len(password) < MIN_LENGTH or password == username:
        raise WeakPassword(length=MIN_LENGTH)
    return _hasher().hash(password)


def _minutes_left(until: datetime, now: datetime) -> int:
    return max(1, round((until - now).total_seconds() / 60))


def verify(
    session: Session, settings: Settings, username: str, password: str, address: str
) -> Account | DomainError:
    """Return the account, or the refusal; either way what was counted is left for commit.

    A refusal is returned, not raised: raising would undo the count of the failure.
    """
    now = datetime.now(UTC)
    throttle = _throttle(session, address, now)
    if throttle.failures >= ADDRESS_ATTEMPTS:
        until = throttle.window_started_at + ADDRESS_WINDOW
        return TooManyAttempts(minutes=_minutes_left(until, now))
    account = session.scalar(select(Account).where(Account.username == username).with_for_update())
    if account is not None and account.locked_until is not None:
        if account.locked_until > now:
            return AccountLocked(minutes=_minutes_left(account.locked_until, now))
        account.locked_until, account.failures = None, 0
    # An unknown name costs the same time as a known one.
    fits = _hasher().verify(password, account.password_hash if account else _nobody())
    if account is not None and account.active and fits:
        account.failures = 0
        return account
    throttle.failures += 1
    if account is None:
        return WrongPassword(
            left=max(settings.sign_in_attempts - 1, 1), minutes=settings.lockout_minutes
        )
    account.failures += 1
    left = settings.sign_in_attempts - account.failures
    if left <= 0:
        account.locked_until = now + timedelta(minutes=settings.lockout_minutes)
        return AccountLocked(minutes=settings.lockout_minutes)
    return WrongPassword(left=left, minutes=settings.lockout_minutes)


def _throttle(session: Session, address: str, now: datetime) -> SignInThrottle:
    row = session.get(SignInThrottle, address, with_for_update=True)
    if row is None:
        row = SignInThrottle(address=address, failures=0, window_started_at=now)
        session.add(row)
    elif row.window_started_at + ADDRESS_WINDOW < now:
        row.failures, row.window_started_at = 0, now
    return row
