"""What cannot be meant in a roster problem: each error says what is wrong and what to do."""

from collections.abc import Iterable

from grid.errors import DomainError


class RosterProblemError(DomainError):
    """What is asked cannot be meant."""


class TwiceTheSame(RosterProblemError):
    """Two things of one kind with one key."""

    zh = "{thing}“{key}”出现了两次。请改掉其中一个的编号。"
    en = "The {thing_en} “{key}” is there twice. Give one of them another key."


class NoSuchKey(RosterProblemError):
    """Something points at a thing that is not in the problem."""

    zh = "{where} 提到的{thing}“{key}”不存在。请补上它，或改正这一处。"
    en = "{where} names the {thing_en} “{key}”, which is not there. Add it or correct the place."


class OutOfRange(RosterProblemError):
    """A number that makes no sense."""

    zh = "{where} 的 {what} 是 {value}，应在 {low} 到 {high} 之间。请更正。"
    en = "{what} of {where} is {value}; it must lie between {low} and {high}. Correct it."


class WeekMustStartOnMonday(RosterProblemError):
    """A roster week is an ISO week."""

    zh = "“{value}”不是星期一的日期。排班周从星期一开始，请填写形如 2026-11-30 的日期。"
    en = "“{value}” is not the date of a Monday. A roster week starts on Monday: write it like 2026-11-30."


class NobodyNeeded(RosterProblemError):
    """A patrol type without seats."""

    zh = "巡逻类型“{key}”没有任何席位，或没有必到席位。请至少写明一个必到席位。"
    en = "The patrol type “{key}” has no seat, or none that must be filled. Name at least one."


class TooLarge(RosterProblemError):
    """More than one community's team."""

    zh = "{what}有 {n} 个，超过上限 {limit}。一个社区一张排班表，请按社区拆分。"
    en = "There are {n} {what_en}, more than {limit}. One roster is one community's: divide it."


class UnreadableFile(RosterProblemError):
    """A file that is not what it should be."""

    zh = "读不懂“{name}”：{where} {what}。请对照 docs/schemas/ 中的格式更正。"
    en = "Cannot read “{name}”: {where} {what}. Compare it with the schemas in docs/schemas/."


class AtOdds(RosterProblemError):
    """A least above its most."""

    zh = "{least}（{low}）大于 {most}（{high}），没有排法能同时满足。请改其中一个。"
    en = "{least} ({low}) is above {most} ({high}): nothing can meet both. Change one of them."


class SamePerson(RosterProblemError):
    """A pair of one person."""

    zh = "结对中的两个人都是“{key}”。请填写两名不同的队员。"
    en = "Both of a pair are “{key}”. Name two different members."


class TogetherAndApart(RosterProblemError):
    """Two members who must and must not walk together."""

    zh = "“{one}”和“{other}”既要求同组（直接或经由他人），又要求不同组。请取消其中一条。"
    en = "“{one}” and “{other}” must walk together (by themselves or through others) and must not. Drop one of the two."


class CyclicOrder(RosterProblemError):
    """Shifts that may each only come after one another: none can ever be the first."""

    zh = "班次衔接规则成了环：{cycle}。环中的班次都无法开始，请去掉其中一条。"
    en = "The rules on which shift comes after which go in a circle: {cycle}. None of them can ever begin: drop one."


class NoOrderLeft(RosterProblemError):
    """Forbidden successions that leave no run as long as a contract promises."""

    zh = "“{key}”至少要连上{least}天，但禁止的班次衔接和休息时间最多只允许连上{longest}天。请放宽其中一项。"
    en = "“{key}” is to work at least {least} days in a row, but forbidden successions and rest leave {longest} at most. Relax one of them."


def between(where: str, low: int, high: int, **values: int) -> None:
    """Raise OutOfRange for a value that makes no sense."""
    for what, value in values.items():
        if not low <= value <= high:
            raise OutOfRange(where=where, what=what, value=value, low=low, high=high)


def unique(thing: str, thing_en: str, keys: Iterable[str]) -> None:
    """Raise TwiceTheSame for a key that is there twice."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise TwiceTheSame(thing=thing, thing_en=thing_en, key=key)
        seen.add(key)
