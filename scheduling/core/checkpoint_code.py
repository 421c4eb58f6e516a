"""The text of a checkpoint's QR code: which checkpoint, which print of it, and a signature."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

PREFIX = "XG1"
SIGNATURE_BYTES = 12
"""96 bits: guessing one takes longer than any key is in use, and the code stays coarse to scan."""


@dataclass(frozen=True)
class CodeText:
    """What a scanned text claims; only a signature made with the print's key makes it true."""

    checkpoint_id: int
    print_id: int
    signature: str


def sign(key: bytes, checkpoint_id: int, print_id: int) -> str:
    """Return the text of a code: ``XG1.<checkpoint>.<print>.<HMAC-SHA256, base64url>``."""
    return f"{PREFIX}.{checkpoint_id}.{print_id}.{_signature(key, checkpoint_id, print_id)}"


def read(text: str) -> CodeText | None:
    """Return what a scanned text claims, also out of an address that ends in it; else None."""
    parts = text.strip().rpartition("/")[2].split(".")
    if len(parts) != 4 or parts[0] != PREFIX:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in parts[1:3]):
        return None
    return CodeText(int(parts[1]), int(parts[2]), parts[3])


def holds(code: CodeText, key: bytes) -> bool:
    """Say whether the signature was made with this key for this checkpoint and print."""
    made = _signature(key, code.checkpoint_id, code.print_id)
    return hmac.compare_digest(made.encode(), code.signature.encode())


def _signature(key: bytes, checkpoint_id: int, print_id: int) -> str:
    said = f"{PREFIX}.{checkpoint_id}.{print_id}".encode()
    digest = hmac.new(key, said, hashlib.sha256).digest()[:SIGNATURE_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
