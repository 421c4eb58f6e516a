"""Files between upload and commit: kept a day in the data folder, for whoever sent them."""

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from api.settings import Settings
from grid.errors import DomainError
from grid.imports.errors import FileTooLarge

KEPT_S = 24 * 3600
BLOCK = 1 << 20
ABOUT = "about.json"


class UploadGone(DomainError):
    """The uploaded file has expired, was committed, or is somebody else's."""

    zh = "上传的文件已过期、已导入，或不是您上传的。请重新上传。"
    en = "The uploaded file has expired, was imported already, or is not yours. Upload it again."
    status = 410


class NoFileChosen(DomainError):
    """The form came without a file."""

    zh = "没有选择文件。请先选择要导入的文件。"
    en = "No file was chosen. Choose the file to import."


@dataclass(frozen=True)
class Upload:
    """A file that waits: who sent it, for which community, to become what."""

    token: str
    owner: str
    community_id: int
    kind: str
    path: Path


def _folder(settings: Settings) -> Path:
    folder = settings.data / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def safe_name(filename: str) -> str:
    """Return a file name without folders or odd characters, at most 120 long, its ending kept."""
    name = re.sub(r"[\x00-\x1f/\\:*?\"<>|]", "_", PureWindowsPath(filename).name).strip(". ")
    return (name[-120:] or "upload").lstrip(".")


def keep(
    settings: Settings, stream: BinaryIO, filename: str, *, owner: str, community_id: int, kind: str
) -> Upload:
    """Copy an upload block by block into a folder of its own; drop what is older than a day.

    Raises NoFileChosen or FileTooLarge.
    """
    if not filename:
        raise NoFileChosen()
    folder = _folder(settings)
    _drop(old for old in folder.iterdir() if time.time() - old.stat().st_mtime > KEPT_S)
    token = secrets.token_hex(16)
    own = folder / token
    own.mkdir(mode=0o700)
    upload = Upload(token, owner, community_id, kind, own / safe_name(filename))
    left = settings.upload_limit_mb * BLOCK
    with upload.path.open("wb") as sink:
        while block := stream.read(BLOCK):
            left -= len(block)
            if left < 0:
                forget(upload)
                raise FileTooLarge(
                    name=upload.path.name,
                    size_mb=f">{settings.upload_limit_mb}",
                    limit_mb=settings.upload_limit_mb,
                )
            sink.write(block)
    about = {**asdict(upload), "path": upload.path.name}
    (own / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    return upload


def find(settings: Settings, token: str, *, owner: str, community_id: int) -> Upload:
    """Return an upload of this owner and community. Raises UploadGone."""
    if not re.fullmatch(r"[0-9a-f]{32}", token):
        raise UploadGone()
    own = settings.data / "uploads" / token
    try:
        about = json.loads((own / ABOUT).read_text("utf-8"))
        upload = Upload(**{**about, "path": own / about["path"]})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UploadGone() from error
    if (upload.owner, upload.community_id) != (owner, community_id) or not upload.path.is_file():
        raise UploadGone()
    return upload


def forget(upload: Upload) -> None:
    """Delete an upload's folder."""
    _drop([upload.path.parent])


def _drop(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
