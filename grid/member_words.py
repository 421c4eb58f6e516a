"""The words in which people write of members: forces, contracts, qualifications, weekly hours."""

import re
from collections.abc import Iterable, Mapping, Sequence

from grid.people import Force

FORCES: Mapping[Force, str] = {
    Force.OFFICER: "民警",
    Force.AUXILIARY: "辅警",
    Force.GRID_MEMBER: "专职网格员",
    Force.GUARD: "物业保安",
    Force.GROUP_LEADER: "居民组长",
    Force.VOLUNTEER: "志愿者",
}
FORCE_ALIASES: Mapping[str, Force] = {
    "警察": Force.OFFICER, "社区民警": Force.OFFICER, "警务辅助人员": Force.AUXILIARY,
    "网格员": Force.GRID_MEMBER, "保安": Force.GUARD, "保安员": Force.GUARD,
    "组长": Force.GROUP_LEADER, "小管家": Force.VOLUNTEER, "志愿者/小管家": Force.VOLUNTEER,
}  # fmt: skip
CONTRACTS: Mapping[str, str] = {"full_time": "全日制", "part_time": "非全日制"}
CONTRACT_ALIASES: Mapping[str, str] = {"全职": "full_time", "兼职": "part_time"}
QUALIFICATIONS: Mapping[str, str] = {
    "leader": "可带班",
    "enforcement": "执法资格",
    "first_aid": "急救",
    "trainee": "见习",
}
QUALIFICATION_ALIASES: Mapping[str, str] = {
    "带班": "leader", "执法": "enforcement", "见习队员": "trainee", "实习": "trainee",
}  # fmt: skip
WEEKDAYS = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_APART = re.compile(r"[、,，;；/\s]+")
_EMPTY = {"无", "没有", "-", "—", "none"}
_RANGE = re.compile(r"(?:周|星期|礼拜)?([一二三四五六日天1-7])(?:至|到|-|~|—|–)(?:周|星期|礼拜)?([一二三四五六日天1-7])")  # fmt: skip
_WEEKDAYS_TAKEN = re.compile(r"(?:周|星期|礼拜)?([一二三四五六日天1-7])")
_HOURS = re.compile(
    r"(?P<days>.*?)\s*(?P<h1>[0-9]{1,2})[::](?P<m1>[0-9]{2})\s*(?:至|到|-|~|—|–)\s*"
    r"(?P<next>次日|next day)?\s*(?P<h2>[0-9]{1,2})[::](?P<m2>[0-9]{2})"
)


class NotUnderstood(ValueError):
    """Words that cannot be read; ``zh`` and ``en`` say how to write them."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh, self.en = zh, en


def says_none(written: str) -> bool:
    """Say whether a cell says outright that there is none."""
    return written.strip().lower() in _EMPTY


def read_force(written: str) -> str | None:
    """Return the force a word names: its code, its name, or what people call it."""
    names = {name: force for force, name in FORCES.items()} | dict(FORCE_ALIASES)
    found = names.get(written) or next((f for f in Force if f.value == written.lower()), None)
    return found.value if found else None


def read_contract(written: str) -> str | None:
    """Return full_time or part_time."""
    names = {name: code for code, name in CONTRACTS.items()} | dict(CONTRACT_ALIASES)
    return names.get(written) or (written.lower() if written.lower() in CONTRACTS else None)


def read_qualifications(written: str) -> tuple[str, ...]:
    """Return qualifications in a fixed order: known ones by code, others as they are written."""
    if says_none(written):
        return ()
    names = {name: code for code, name in QUALIFICATIONS.items()} | dict(QUALIFICATION_ALIASES)
    found = [names.get(word, word) for word in _APART.split(written) if word]
    return ordered(found)


def ordered(qualifications: Iterable[str]) -> tuple[str, ...]:
    """Return qualifications without repetition: the known ones first."""
    rank = {code: n for n, code in enumerate(QUALIFICATIONS)}
    return tuple(sorted(set(qualifications), key=lambda q: (rank.get(q, len(rank)), q)))


def write_qualifications(qualifications: Sequence[str]) -> str:
    """Return qualifications as people read them."""
    return "、".join(QUALIFICATIONS.get(q, q) for q in qualifications)


def _weekday(sign: str) -> int:
    return int(sign) if sign.isdigit() else "一二三四五六日".find(sign.replace("天", "日")) + 1


def read_weekdays(written: str) -> tuple[int, ...]:
    """Return ISO weekdays from 周六、周日, 周一至周五, 每天, 六日 or 6,7. Raises NotUnderstood."""
    text = written.strip()
    if not text or says_none(text):
        return ()
    for n, name in enumerate(WEEKDAYS_EN, start=1):
        text = re.sub(rf"{name}[a-z]*", str(n), text, flags=re.IGNORECASE)
    if text in {"每天", "每日", "天天", "daily"}:
        return tuple(range(1, 8))
    found: set[int] = set()
    for part in _APART.split(text.replace("周末", "周六、周日")):
        if not part:
            continue
        span = _RANGE.fullmatch(part)
        if span:
            first, last = _weekday(span[1]), _weekday(span[2])
            found.update((n - 1) % 7 + 1 for n in range(first, last + 1 + 7 * (last < first)))
            continue
        signs = re.sub("周|星期|礼拜", "", part)
        if not signs or not all(_WEEKDAYS_TAKEN.fullmatch(sign) for sign in signs):
            raise NotUnderstood(
                f"看不懂星期“{written[:20]}”，请写成“周六、周日”或“周一至周五”",
                f"“{written[:20]}” are no weekdays; write 周六、周日, 周一至周五 or 6,7",
            )
        found.update(_weekday(sign) for sign in signs)
    return tuple(sorted(found))


def write_weekdays(weekdays: Iterable[int], locale: str = "zh") -> str:
    """Return 周一至周五, 周六、周日, 每天, or nothing; in English Mon-Fri, Sat, Sun or daily."""
    days = sorted(set(weekdays))
    if locale == "en":
        names = [WEEKDAYS_EN[day - 1] for day in days]
        if len(days) == 7:
            return "daily"
        if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
            return f"{names[0]}-{names[-1]}"
        return ", ".join(names)
    if len(days) == 7:
        return "每天"
    if len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        return f"周{WEEKDAYS[days[0] - 1]}至周{WEEKDAYS[days[-1] - 1]}"
    return "、".join(f"周{WEEKDAYS[day - 1]}" for day in days)


def read_windows(written: str) -> list[dict[str, object]]:
    """Return closed hours from lines such as 周一至周五 08:00-12:00 or 周六 22:00-次日06:00.

    An end at or before the start lies in the next day. Raises NotUnderstood.
    """
    if says_none(written):
        return []
    found: list[dict[str, object]] = []
    for line in re.split(r"[;；\n\r]+", written):
        text = line.strip()
        if not text:
            continue
        hours = _HOURS.fullmatch(text)
        if hours is None:
            raise NotUnderstood(
                f"看不懂时段“{text[:30]}”，请写成“周一至周五 08:00-12:00”，多段用分号隔开",
                f"“{text[:30]}” are no hours; write 周一至周五 08:00-12:00, several with semicolons",
            )
        start = int(hours["h1"]) * 60 + int(hours["m1"])
        end = int(hours["h2"]) * 60 + int(hours["m2"])
        if int(hours["m1"]) > 59 or int(hours["m2"]) > 59 or start >= 1440 or end > 1440:
            raise NotUnderstood(
                f"时段“{text[:30]}”里没有这样的钟点，请写 00:00 到 24:00 之间",
                f"“{text[:30]}” has no such clock time; write 00:00 to 24:00",
            )
        if hours["next"] or end <= start:
            end += 1440
        weekdays = read_weekdays(hours["days"]) or tuple(range(1, 8))
        found.append({"weekdays": list(weekdays), "start_min": start, "end_min": end})
    return sorted(found, key=lambda w: (str(w["weekdays"]), str(w["start_min"])))


def write_windows(
    windows: Iterable[Mapping[str, object]], joint: str = "；", locale: str = "zh"
) -> str:
    """Return closed hours as :func:`read_windows` reads them."""

    def clock(minutes: int) -> str:
        later = minutes > 1440
        shown = minutes - 1440 if later else minutes
        mark = "next day " if locale == "en" else "次日"
        return f"{mark if later else ''}{shown // 60:02d}:{shown % 60:02d}"

    lines = []
    for window in windows:
        weekdays, start, end = window["weekdays"], window["start_min"], window["end_min"]
        assert isinstance(weekdays, list)
        assert isinstance(start, int)
        assert isinstance(end, int)
        lines.append(f"{write_weekdays(weekdays, locale)} {clock(start)}-{clock(end)}")
    return joint.join(lines)


def masked_phone(phone: str | None) -> str:
    """Return a telephone number of which enough is hidden that nobody can call it."""
    if not phone:
        return ""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 9 else f"{phone[:1]}****"
