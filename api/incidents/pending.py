"""Uploads between preview and commit: kept an hour, for whoever uploaded them, on this machine."""

import json
import os
import secrets
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from api.permissions import Caller
from grid.errors import DomainError

KEPT_S = 3600


class UploadGone(DomainError):
    """The uploaded file is no longer there, or belongs to someone else."""

    zh = "上传的文件已过期或不是您上传的。请重新选择文件。"
    en = "The uploaded file has expired or is not yours. Choose the file again."
    status = 410


@dataclass(frozen=True, slots=True)
class Pending:
    """An upload awaiting its commit, and what was chosen for it."""

    owner: str
    community_id: int
    filename: str
    crs: str
    source: str
    incident_class: str


def _folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"xunge-uploads-{os.geteuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid() or folder.is_symlink():
        raise PermissionError(f"{folder} belongs to someone else; remove it")
    return folder


def keep(content: bytes, pending: Pending) -> tuple[str, Path]:
    """Store an upload; return its token and its file, and drop what is older than an hour."""
    folder = _folder()
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S:
            old.unlink(missing_ok=True)
    token = secrets.token_hex(16)
    suffix = Path(pending.filename).suffix.lower()[:8]
    path = folder / f"{token}{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
    path.write_bytes(content)
    (folder / f"{token}.about").write_text(json.dumps(asdict(pending) | {"path": path.name}))
    return token, path


def find(token: str, caller: Caller) -> tuple[Pending, Path]:
    """Return an upload of this caller. Raises UploadGone."""
    if not (len(token) == 32 and token.isalnum() and token.isascii()):
        raise UploadGone()
    about = _folder() / f"{token}.about"
    try:
        stored = json.loads(about.read_text())
        path = _folder() / stored.pop("path")
        pending = Pending(**stored)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UploadGone() from error
    if (
        pending.owner != caller.username
        or pending.community_id != caller.community_id
        or time.time() - about.stat().st_mtime > KEPT_S
        or not path.is_file()
    ):
        raise UploadGone()
    return pending, path


def drop(token: str, path: Path) -> None:
    """Forget an upload."""
    path.unlink(missing_ok=True)
    (_folder() / f"{token}.about").unlink(missing_ok=True)
