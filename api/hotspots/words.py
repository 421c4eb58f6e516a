"""Findings in sentences: for the page, the notes on the map, the CSV and the JSON alike."""

from collections.abc import Callable

from api.hotspots.findings import Finding
from grid.incident_counts import PlaceKind
from maps.change import Change

Translate = Callable[..., str]

MOST_TOLD_RATIO = 20
"""Beyond this a multiple says no more than “far above”."""


def class_words(_: Translate) -> dict[str, str]:
    """Return the words for the classes of incidents."""
    return {
        "police_call": _("警情"),
        "security_case": _("治安案件"),
        "hazard": _("隐患"),
        "request": _("诉求"),
        "dispute": _("矛盾纠纷"),
    }


def source_words(_: Translate) -> dict[str, str]:
    """Return the words for the sources of incidents."""
    return {
        "hotline": _("民情专线"),
        "wechat": _("微信群"),
        "h12345": _("12345热线"),
        "p110": _("110警情"),
        "superior": _("上级交办"),
        "patrol": _("巡逻发现"),
        "steward": _("小管家"),
        "device": _("感知设备"),
    }


def kind_words(_: Translate) -> dict[str, str]:
    """Return the words for the kinds of places."""
    return {"building": _("楼栋"), "key_place": _("重点部位"), "cell": _("网格")}


def weekday_words(weekdays: tuple[int, ...] | list[int], _: Translate) -> str:
    """Return ISO weekdays in words: 周一、周三, or 每天 for all seven."""
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return _("每天") if len(weekdays) == 7 else _("、").join(names[day - 1] for day in weekdays)


def clock(minutes: int, _: Translate) -> str:
    """Return minutes from midnight as a clock time; past midnight it says so."""
    told = f"{minutes % 1440 // 60:02d}:{minutes % 60:02d}"
    return told if minutes < 1440 else _("次日%(time)s", time=told)


def band_words(start_min: int, end_min: int, _: Translate) -> str:
    """Return hours of the day as start–end."""
    return f"{clock(start_min, _)}–{clock(end_min, _)}"


def percent_words(change: Change, _: Translate) -> str:
    """Return the change in per cent with its sign; from a base of 0 there is none."""
    if change.percent is None:
        return _("基数为 0，不计百分比")
    return f"{change.percent:+.0f}%".replace("-", "−")


def interval_words(change: Change, _: Translate) -> str:
    """Return the 95 % interval of the change; empty from a base of 0."""
    interval = change.percent_interval
    if interval is None:
        return ""
    low, high = (f"{end:+.0f}%".replace("-", "−") for end in interval)
    return _("95%% 区间 %(low)s 至 %(high)s", low=low, high=high)


def chance_words(finding: Finding, _: Translate) -> str:
    """Return how sure it is that a place is no chance."""
    if finding.n < 5:
        return _("n < 5，不作判断")
    if not finding.hot:
        return _("不能排除偶然")
    return _("极不可能是偶然（q < 0.001）") if finding.q < 0.001 else p_words("q", finding.q)


def p_words(name: str, value: float) -> str:
    """Return a p-value with three decimals, or that it is below them."""
    return f"{name} < 0.001" if value < 0.001 else f"{name} = {value:.3f}"


def usual_words(finding: Finding, _: Translate) -> str:
    """Return what the community's rate would give the place, and by what it is reckoned."""
    if finding.expected <= 0:
        return _("无住户，不作比较")
    told = f"{finding.expected:.1f}" if finding.expected >= 0.1 else "< 0.1"
    if finding.place.kind is PlaceKind.KEY_PLACE:
        return _("按步道长度应有 %(n)s 件", n=told)
    return _("按户数应有 %(n)s 件", n=told)


def ratio_words(finding: Finding, _: Translate) -> str:
    """Return how many times the community's rate a place has, with its interval."""
    if finding.expected <= 0:
        return ""
    if finding.low > MOST_TOLD_RATIO:
        return _("%(n)s 倍以上", n=MOST_TOLD_RATIO)
    return _(
        "%(ratio)s 倍（95%% 区间 %(low)s–%(high)s）",
        ratio=f"{finding.ratio:.1f}",
        low=f"{finding.low:.1f}",
        high=f"{finding.high:.1f}",
    )


def change_words(change: Change, _: Translate) -> str:
    """Return what happened since the year before, and whether it is more than chance."""
    if not change.base:
        return _("上年同期没有") if change.n else _("两年都没有")
    if not change.significant:
        return _("较上年同期 %(base)s 件变化不显著", base=change.base)
    if change.n > change.base:
        return _(
            "较上年同期 %(base)s 件上升（%(percent)s）",
            base=change.base,
            percent=percent_words(change, _),
        )
    return _(
        "较上年同期 %(base)s 件下降（%(percent)s）",
        base=change.base,
        percent=percent_words(change, _),
    )


def sentence(finding: Finding, _: Translate) -> str:
    """Return one plain sentence about a place: how many, how unusual, when, what changed."""
    parts = [
        _(
            "%(place)s %(category)s %(n)s 件",
            place=finding.place.label,
            category=finding.category,
            n=finding.n,
        ),
        usual_words(finding, _),
        ratio_words(finding, _),
        _(
            "%(inside)s 件在 %(band)s",
            inside=finding.band.n,
            band=band_words(finding.band.start_min, finding.band.end_min, _),
        ),
        change_words(finding.change, _),
        chance_words(finding, _),
    ]
    return _("，").join(part for part in parts if part) + _("。")
