"""The report in words: sections of sentences and tables, the same for the page and the Word file.

A report (研判报告) is a Chinese document whatever the reader's language is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from api.i18n import translate
from api.reports.figures import Counted, Report
from api.requirements.words import effect_sentences, verdict_words
from grid.incident_words import CLASSES, STATES, URGENCIES
from grid.incidents import IncidentClass, IncidentState, Urgency
from maps.change import Change

_zh = partial(translate, "zh")


@dataclass(frozen=True)
class Section:
    """A numbered part: paragraphs, then a table, then pictures by name."""

    title: str
    paragraphs: Sequence[str] = ()
    heads: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()
    pictures: tuple[str, ...] = ()


def title(report: Report) -> str:
    """Return the report's title."""
    if report.kind == "month":
        return f"{report.community}{report.first.year}年{report.first.month}月治安巡防研判报告"
    year, week, _ = report.first.isocalendar()
    return f"{report.community}{year}年第{week}周治安巡防研判报告"


def period(report: Report) -> str:
    """Return the days it is about, and that it is not over where it is not."""
    last = report.until - timedelta(1)
    told = f"{report.first:%Y年%m月%d日}至{last:%m月%d日}"
    return told + ("（截至报告日，未满整期）" if report.until > report.made_on else "")


def change_sentence(found: Change, against: str) -> str:
    """Return a change with its base, and whether chance alone could have made it."""
    if found.difference == 0:
        return f"与{against}（{found.base}件）持平"
    way = "增加" if found.difference > 0 else "减少"
    percent = f"（{abs(found.percent):.0f}%）" if found.percent is not None else ""
    sure = "，变化显著" if found.significant else "，可能只是波动"
    return f"比{against}（{found.base}件）{way}{abs(found.difference)}件{percent}{sure}"


def _row(name: str, one: Counted) -> tuple[str, ...]:
    cells = (name, str(one.n), str(one.before.base), _difference(one.before))
    if one.year is None:
        return cells
    return (*cells, str(one.year.base), _difference(one.year))


def _difference(found: Change) -> str:
    return f"{found.difference:+d}{' ＊' if found.significant else ''}"


def sections(report: Report) -> list[Section]:
    """Return the whole report."""
    days = (report.until - report.first).days
    previous = "上一周" if report.kind == "week" and days == 7 else f"前{days}天"
    parts = [
        _overview(report, previous), _where_and_when(report), _kinds(report, previous),
        _important(report), _duty(report), _effect(report), _advice(report),
    ]  # fmt: skip
    numbers = "一二三四五六七"
    return [
        Section(f"{numbers[n]}、{s.title}", s.paragraphs, s.heads, s.rows, s.pictures)
        for n, s in enumerate(parts)
    ]


def _overview(report: Report, previous: str) -> Section:
    total = report.total
    told = [
        f"{period(report)}，共接报{total.n}件，{change_sentence(total.before, previous)}；"
        + (change_sentence(total.year, "去年同期") if total.year else "")
        + "。"
    ]
    if report.unplaced:
        told.append(f"其中{report.unplaced}件没有落到网格，计入总数，不在图上。")
    told.append("表中＊表示变化显著（精确检验，5%水平）；没有＊的变化可能只是波动。")
    return Section(
        "概况", told, ("类别", "本期", previous, "环比", "去年同期", "同比"),
        [_row(CLASSES[IncidentClass(c.name)], c) for c in report.classes],
    )  # fmt: skip


def _where_and_when(report: Report) -> Section:
    told = []
    if report.total.n:
        start, end, n = max(report.bands, key=lambda band: band[2])
        share = 100 * n / report.total.n
        told.append(f"{start}时至{end}时最多，{n}件，占{share:.0f}%。")
    if report.hot:
        named = "；".join(
            f"{one.place.label}{one.category}（近一年{one.n}件，上年同期{one.change.base}件）"
            for one in report.hot[:6]
        )
        told.append(
            f"近一年显著高于全社区水平的热点有{len(report.hot)}处：{named}"
            f"{'等' if len(report.hot) > 6 else ''}。单独一周的件数太少，不据此认定热点。"
        )
    else:
        told.append("近一年没有显著高于全社区水平的地点。")
    return Section(
        "时空分布", told, ("地点", "本期件数"), [(name, str(n)) for name, n in report.places],
        ("weeks", "hours", "map"),
    )  # fmt: skip


def _kinds(report: Report, previous: str) -> Section:
    if not report.categories:
        return Section("类型", ["本期没有事件。"])
    first = report.categories[0]
    told = [f"最多的是{first.name}，{first.n}件，{change_sentence(first.before, previous)}。"]
    return Section(
        "类型", told, ("类型", "本期", previous, "环比"),
        [_row(one.name, one) for one in report.categories],
    )  # fmt: skip


def _important(report: Report) -> Section:
    if not report.important:
        return Section("重要事件", ["本期没有急事和大事。"])
    told = [f"急事和大事共{report.important_total}件。"]
    if report.important_total > len(report.important):
        told.append(f"下表列出前{len(report.important)}件，其余见事件台账。")
    rows = [
        (
            one.number, one.occurred, URGENCIES[Urgency(one.urgency)],
            f"{CLASSES[IncidentClass(one.incident_class)]}·{one.category}", one.place or "未定位",
            STATES[IncidentState(one.state)],
        )
        for one in report.important
    ]  # fmt: skip
    return Section("重要事件", told, ("编号", "时间", "级别", "类型", "地点", "状态"), rows)


def _duty(report: Report) -> Section:
    duty = report.duty
    if not duty.patrols:
        return Section("勤务投入", ["本期没有已发布的巡逻。"])
    return Section(
        "勤务投入",
        [
            f"已发布巡逻{duty.patrols}次，{duty.members}名队员参加，共{duty.person_hours:g}人时；"
            f"其中{duty.checked}次有打卡，共打卡{duty.check_ins}次；巡逻发现{duty.found}件。"
        ],
    )


def _effect(report: Report) -> Section:
    if not report.outcomes:
        return Section("效果", ["本期没有生效的巡逻要求。"])
    verdicts = verdict_words(_zh)
    rows = []
    for name, came in report.outcomes:
        word = verdicts[came.effect.verdict] if came.effect else "尚未开始"
        if came.effect is not None and not came.done:
            word += "（无打卡记录，不能归因于巡逻）"
        rows.append((name, str(came.done), word, effect_sentences(came, _zh)[0]))
    return Section("效果", [], ("巡逻要求", "已完成次数", "结论", "依据"), rows)


def _advice(report: Report) -> Section:
    told = [
        f"{one.place.label}{one.category}近一年{one.n}件，显著高于全社区水平，尚无巡逻要求："
        "建议提出，或说明不宜用巡逻解决的理由。"
        for one in report.bare[:5]
    ]
    told += [
        f"{name}：每周要求{wanted}次，下周排班只能完成{have}次，建议调整排班或减少次数。"
        for name, wanted, have in report.short
    ]
    for name, came in report.outcomes:
        if came.requirement.valid_from <= report.made_on and not came.done:
            told.append(f"{name}：生效以来没有打卡记录，建议核对是否到位。")
        elif came.effect is not None and came.effect.verdict == "rose":
            told.append(f"{name}：开始后比其他地方上升，建议检查到位情况或换一种办法。")
        elif came.effect is not None and came.effect.verdict == "fell":
            told.append(f"{name}：有效下降，到期后可减少次数，观察是否反弹。")
    return Section("建议", told or ["没有需要调整的事项，按现有勤务执行。"])
