"""Places, never persons: find what names a person in words or fields, and keep it out.

Descriptions are masked where they carry identity-card numbers, mobile phones, bank cards or
number plates. A device event that carries an identity *field* is refused altogether.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from grid.errors import DomainError

MASK = "*"

_EDGE_BEFORE, _EDGE_AFTER = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_GAP = r"[ \-]?"
_PATTERNS = (
    (
        "id_number",
        re.compile(
            _EDGE_BEFORE
            + rf"[1-9][0-9]{{5}}{_GAP}(?:18|19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
            + rf"{_GAP}[0-9]{{3}}[0-9Xx]"
            + _EDGE_AFTER
        ),
    ),
    (
        "id_number",
        re.compile(
            _EDGE_BEFORE
            + r"[1-9][0-9]{5}[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}"
            + _EDGE_AFTER
        ),
    ),
    ("bank_card", re.compile(_EDGE_BEFORE + rf"[1-9][0-9]{{3}}(?:{_GAP}[0-9]{{4}}){{3}}[0-9]{{0,3}}" + _EDGE_AFTER)),
    (
        "phone",
        re.compile(
            r"(?<![0-9])(?:\+?86" + _GAP + r")?1[3-9][0-9]" + _GAP + r"[0-9]{4}" + _GAP + r"[0-9]{4}(?![0-9])"
        ),
    ),
    (
        "plate",
        re.compile(
            r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
            r"[A-HJ-NP-Z][ ·•]?[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳]" + _EDGE_AFTER
        ),
    ),
)  # fmt: skip

KINDS = {
    "id_number": ("身份证号", "identity-card numbers"),
    "bank_card": ("银行卡号", "bank-card numbers"),
    "phone": ("手机号", "mobile numbers"),
    "plate": ("车牌号", "number plates"),
}

IDENTITY_FIELDS = frozenset(
    """
    face face_id face_image face_feature faces facial person person_id person_name name real_name
    full_name id_card idcard id_no id_number identity identity_number passport plate plate_no
    plate_number license_plate licence_plate vehicle_plate car_number mobile phone phone_number tel
    telephone imei imsi mac mac_address gait fingerprint iris voiceprint biometric gender sex age
    ethnicity snapshot face_url target_id track_id watchlist
    人脸 面部 姓名 身份证 身份证号 车牌 车牌号 手机 手机号 电话 性别 年龄 民族 指纹 虹膜 轨迹
    """.split()  # noqa: SIM905 - a list of words reads best as words
)


class IdentityRefused(DomainError):
    """A device event carries fields that name a person."""

    zh = "设备事件带有身份信息字段（{fields}），已拒绝，未保存任何内容。巡格只收地点和事件，请在设备端去掉这些字段后重发。"
    en = "The event carries identity fields ({fields}); it was refused and nothing was stored. Xunge takes places and events only: drop these fields at the device and send again."


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with what names a person masked, and how many of each kind there were."""

    text: str
    found: tuple[tuple[str, int], ...] = ()

    def note(self, locale: str = "zh") -> str:
        """Return the sentence that says what was masked, or nothing."""
        if not self.found:
            return ""
        english = locale.startswith("en")
        kinds = [f"{KINDS[kind][english]} ×{count}" for kind, count in self.found]
        if english:
            return (
                f"Masked in the text, as Xunge keeps places and never persons: {', '.join(kinds)}."
            )
        return f"文字中的{'、'.join(kinds)} 已打码：巡格只记地点，不记个人。"


def mask(text: str) -> Masked:
    """Return a text with every identity number, phone, card and plate masked."""
    # Full-width digits name a person as well as narrow ones; the text's other signs stay.
    masked = "".join(
        unicodedata.normalize("NFKC", c) if "！" <= c <= "～" and c.isalnum() else c for c in text
    )
    counts: dict[str, int] = {}
    for kind, pattern in _PATTERNS:
        masked, n = pattern.subn(lambda m: MASK * min(len(m.group()), 6), masked)
        if n:
            counts[kind] = counts.get(kind, 0) + n
    return Masked(masked if counts else text, tuple(counts.items()))


def identity_fields(event: object) -> Iterator[str]:
    """Yield the names of fields, at any depth, that carry an identity."""
    waiting = [event]
    while waiting:  # no recursion: a hostile event may be nested deeper than the stack
        part = waiting.pop()
        if isinstance(part, dict):
            for key, value in part.items():
                plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", str(key)).lower().replace("-", "_")
                if plain.strip() in IDENTITY_FIELDS or plain.split("_")[0] == "face":
                    yield str(key)
                else:
                    waiting.append(value)
        elif isinstance(part, list):
            waiting.extend(part)


def refuse_identity(event: object) -> None:
    """Refuse an event that carries an identity field anywhere.

    Raises IdentityRefused.
    """
    fields = sorted(set(identity_fields(event)))
    if fields:
        raise IdentityRefused(fields="、".join(fields[:10]))
