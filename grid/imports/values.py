"""Read one cell's value as what a field needs, or say why it cannot be."""

import datetime as dt
import re
from collections.abc import Callable, Mapping

from grid.imports.tables import Value, as_text


class BadValue(Exception):
    """A value that does not fit its field; ``zh`` and ``en`` say why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh)
        self.zh, self.en = zh, en


Reader = Callable[[Value], object]


def text(limit: int = 80) -> Reader:
    """Return a reader of text of at most ``limit`` characters; nothing is None."""

    def read(value: Value) -> str | None:
        if isinstance(value, dt.datetime | dt.date):
            raise BadValue(
                f"“{as_text(value)[:10]}”是日期；若原来是“3-2”这样的编号，被 Excel 改成了日期，请把该列设为文本后重填",
                f"“{as_text(value)[:10]}” is a date; Excel turns numbers such as 3-2 into dates: set the column to text and enter it again",
            )
        found = as_text(value)
        if len(found) > limit:
            raise BadValue(f"超过 {limit} 个字", f"it is longer than {limit} characters")
        return found or None

    return read


def building_number(value: Value) -> str | None:
    """Return the 3 of 3, 3栋, 3号楼 or 第3幢."""
    found = text(20)(value)
    if not isinstance(found, str):
        return None
    return re.sub(r"^第?(.+?)(?:号楼|栋楼?|幢|座|号)$", r"\1", found)


def whole(low: int, high: int) -> Reader:
    """Return a reader of whole numbers, with or without a unit such as 户 or 层."""

    def read(value: Value) -> int | None:
        found = as_text(value)
        if not found:
            return None
        number = re.fullmatch(r"(-?\d+)(?:\.0*)?\s*[户人层个栋分钟]*", found.replace(",", ""))
        if number is None:
            raise BadValue(f"“{found[:20]}”不是整数", f"“{found[:20]}” is not a whole number")
        if not low <= int(number.group(1)) <= high:
            raise BadValue(
                f"{number.group(1)} 不在 {low} 到 {high} 之间",
                f"{number.group(1)} is not between {low} and {high}",
            )
        return int(number.group(1))

    return read


def digits(length: int) -> Reader:
    """Return a reader of a code of so many digits."""

    def read(value: Value) -> str | None:
        found = as_text(value)
        if isinstance(value, float) and abs(value) >= 1e15:
            raise BadValue(
                "编码被 Excel 当成数字丢了末位，请把该列设为文本后重填",
                "Excel lost its last digits: set the column to text and enter it again",
            )
        if found and not re.fullmatch(rf"[0-9]{{{length}}}", found):
            raise BadValue(
                f"“{found[:24]}”不是 {length} 位数字", f"“{found[:24]}” is not {length} digits"
            )
        return found or None

    return read


def choice(words: Mapping[str, tuple[str, ...]], otherwise: str) -> Reader:
    """Return a reader of a choice by its code or by a word within it; else ``otherwise``."""

    def read(value: Value) -> str | None:
        found = as_text(value).lower()
        if not found:
            return None
        if found in words:
            return found
        for code, names in words.items():
            if any(name in found for name in names):
                return code
        return otherwise

    return read


def yes_no(value: Value) -> bool | None:
    """Return whether a cell says yes; nothing is None."""
    found = as_text(value).lower()
    if not found:
        return None
    if found in {"是", "有", "true", "yes", "y", "t", "1", "√"}:
        return True
    if found in {"否", "无", "false", "no", "n", "f", "0", "×"}:
        return False
    raise BadValue(f"“{found[:20]}”不是“是”或“否”", f"“{found[:20]}” is neither yes nor no")
