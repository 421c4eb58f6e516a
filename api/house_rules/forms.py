"""What the rules' form sends, read into rules: a blank asks for nothing."""

from collections.abc import Sequence
from typing import Literal, cast

from starlette.datastructures import FormData

from grid.errors import DomainError
from scheduling.core.house_rules import Pair, Succession
from scheduling.house_rules import HouseRules

NUMBERS = {
    "gap_max_min": ("空档上限", "longest gap", 0, 1440),
    "same_start_days": ("同一时刻出发的天数", "days of one start", 0, 7),
    "zone_week": ("同一巡区每周次数", "patrols in one zone", 1, 21),
    "weekends_row": ("连续上勤的周末", "weekends in a row", 0, 6),
    "weekends_in_four": ("四个周末中上勤的个数", "weekends in four", 0, 4),
    "rolling_days": ("滚动天数", "rolling days", 1, 14),
    "rolling_hours": ("滚动工时", "rolling hours", 0, 336),
}
WEIGHT = 50
"""What a ticked share counts: half of the load's own spread."""


class RuleUnfit(DomainError):
    """A field that cannot be meant."""

    zh = "规则没有保存：{what}。请更正后再保存。"
    en = "The rules were not saved: {what_en}. Correct this and save again."


def read_rules(form: FormData, members: set[str], shifts: set[str]) -> HouseRules:
    """Return the rules a form asks for. Raises RuleUnfit, or what the rules refuse themselves."""
    numbers = {name: _number(form, name) for name in NUMBERS}
    if (numbers["rolling_days"] is None) != (numbers["rolling_hours"] is None):
        raise RuleUnfit(
            what="滚动工时上限的天数和小时数要同时填写",
            what_en="a rolling limit needs its days and its hours",
        )
    return HouseRules(
        gap_max_min=numbers["gap_max_min"],
        same_start_days=numbers["same_start_days"],
        zone_week=numbers["zone_week"],
        weekends_row=numbers["weekends_row"],
        weekends_in_four=numbers["weekends_in_four"],
        rolling_days=numbers["rolling_days"],
        rolling_hours=numbers["rolling_hours"],
        familiar_team="familiar_team" in form,
        complete_weekends="complete_weekends" in form,
        nights=WEIGHT if "nights" in form else 0,
        weekends=WEIGHT if "weekends" in form else 0,
        holidays=WEIGHT if "holidays" in form else 0,
        successions=tuple(
            Succession(first=a, then=b)
            for a, b in _rows(
                form, ("succession_first", "succession_then"), shifts, "班次", "shift"
            )
        ),
        pairs=tuple(
            Pair(one=a, other=b, kind=_kind(form, n))
            for n, (a, b) in _numbered(form, ("pair_one", "pair_other"), members, "队员", "member")
        ),
    )


def _number(form: FormData, name: str) -> int | None:
    zh, en, low, high = NUMBERS[name]
    written = str(form.get(name, "")).strip()
    if not written:
        return None
    if not written.isascii() or not written.isdigit() or not low <= int(written[:6]) <= high:
        raise RuleUnfit(
            what=f"{zh}“{written[:12]}”应为 {low} 到 {high} 的整数，不要求就留空",
            what_en=f"{en} “{written[:12]}” must be a whole number from {low} to {high}, or blank",
        )
    return int(written)


def _kind(form: FormData, n: int) -> Literal["together", "apart"]:
    kinds = form.getlist("pair_kind")
    kind = str(kinds[n]) if n < len(kinds) else ""
    if kind not in {"together", "apart"}:
        raise RuleUnfit(what="请选择同组或不同组", what_en="choose together or apart")
    return cast(Literal["together", "apart"], kind)


def _rows(
    form: FormData, names: tuple[str, str], known: set[str], zh: str, en: str
) -> list[tuple[str, str]]:
    return [row for _, row in _numbered(form, names, known, zh, en)]


def _numbered(
    form: FormData, names: tuple[str, str], known: set[str], zh: str, en: str
) -> list[tuple[int, tuple[str, str]]]:
    """Return the rows that are filled, each with its number; a row half filled is a mistake."""
    columns: list[Sequence[object]] = [form.getlist(name) for name in names]
    found: list[tuple[int, tuple[str, str]]] = []
    for n, (one, other) in enumerate(zip(*columns, strict=False)):
        pair = (str(one), str(other))
        if pair == ("", ""):
            continue
        for key in pair:
            if key not in known:
                raise RuleUnfit(
                    what=f"第 {n + 1} 行没有选好{zh}", what_en=f"row {n + 1} lacks a {en}"
                )
        if pair not in [row for _, row in found]:
            found.append((n, pair))
    return found
