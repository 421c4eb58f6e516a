"""The outcome of a requirement in sentences: for the page and the JSON alike."""

from math import isfinite, isnan

from api.hotspots.words import Translate
from api.requirements.outcome import RING_M, Outcome
from maps.effect import CONFIDENCE, Against, Effect, Verdict


def verdict_words(_: Translate) -> dict[str, str]:
    """Return the short word for each verdict."""
    return {
        Verdict.TOO_EARLY: _("还看不出"),
        Verdict.FELL: _("有效下降"),
        Verdict.FELL_AS_EXPECTED: _("下降，但属自然回落"),
        Verdict.ROSE: _("上升"),
        Verdict.UNCLEAR: _("没有可靠的变化"),
    }


def number(value: float) -> str:
    """Return a count as people read it: whole when large, one decimal when small."""
    if isnan(value):
        return "–"
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def change_words(found: Against, _: Translate) -> str:
    """Return the change against elsewhere with its interval, such as −60 % (−75 % to −36 %)."""
    if isnan(found.ratio):
        return _("没有可比的基数")
    high = f"{100 * (found.high - 1):+.0f}%" if isfinite(found.high) else _("无上限")
    return _(
        "%(change)s（95%% 区间 %(low)s 至 %(high)s）",
        change=f"{100 * (found.ratio - 1):+.0f}%",
        low=f"{100 * (found.low - 1):+.0f}%",
        high=high,
    )


def effect_sentences(outcome: Outcome, _: Translate) -> list[str]:
    """Return what can be said of an effect, the main thing first."""
    found = outcome.effect
    if found is None:
        if outcome.until <= outcome.requirement.valid_from:
            return [
                _("尚未开始：%(day)s 起生效，之后才能比较。", day=outcome.requirement.valid_from)
            ]
        return [_("此前的事件记录不足四周，无法比较前后。请导入更早的事件。")]
    told = [_main(found, _), _next_door(found.ring, _)]
    if not outcome.done:
        told.insert(1, _("还没有队员在这里打过卡：上面的变化不能算作巡逻的效果。"))
    return told


def _main(found: Effect, _: Translate) -> str:
    place = found.place
    told = {
        "after": place.counts.after,
        "expected": number(place.expected),
        "change": change_words(place, _),
        "anyway": number(found.anyway),
        "days": found.after_days,
    }
    if found.verdict is Verdict.FELL:
        return _(
            "%(days)s 天里 %(after)s 件；若与其他地方同样变化，应约 %(expected)s 件：%(change)s。"
            "热点即使不管也会自然回落到约 %(anyway)s 件，实际比这还少，难以用偶然解释。",
            **told,
        )
    if found.verdict is Verdict.FELL_AS_EXPECTED:
        return _(
            "%(days)s 天里 %(after)s 件，比其他地方降得多：%(change)s。但最热时被选中的地方，"
            "不管也会自然回落到约 %(anyway)s 件，不能算作巡逻的效果。",
            **told,
        )
    if found.verdict is Verdict.ROSE:
        return _(
            "%(days)s 天里 %(after)s 件；若与其他地方同样变化，应约 %(expected)s 件：%(change)s。"
            "比其他地方差，请检查巡逻是否到位，或换一种办法。",
            **told,
        )
    if found.verdict is Verdict.UNCLEAR:
        return _(
            "%(days)s 天里 %(after)s 件；若与其他地方同样变化，应约 %(expected)s 件：%(change)s，"
            "变好变差都不能排除。",
            **told,
        )
    if found.wait_days is None:
        return _(
            "以前只有 %(n)s 件，太少：两年之内即使一件都没有，也无法与偶然区分。",
            n=place.counts.before,
        )
    return _(
        "开始 %(days)s 天，%(after)s 件。即使一件都没有，也可能只是偶然；约在开始后 %(wait)s 天可以判断。",
        days=found.after_days,
        after=place.counts.after,
        wait=found.wait_days,
    )


def _next_door(ring: Against, _: Translate) -> str:
    within = int(RING_M)
    if ring.p <= 1 - CONFIDENCE and ring.ratio > 1:
        return _(
            "周边 %(m)s 米内同类事件比其他地方多：%(change)s，可能移到了旁边。",
            m=within,
            change=change_words(ring, _),
        )
    if ring.p <= 1 - CONFIDENCE and ring.ratio < 1:
        return _(
            "周边 %(m)s 米内也比其他地方少：%(change)s，没有移到旁边的迹象。",
            m=within,
            change=change_words(ring, _),
        )
    return _(
        "周边 %(m)s 米内 %(before)s 件变为 %(after)s 件，没有可靠的变化。",
        m=within,
        before=ring.counts.before,
        after=ring.counts.after,
    )
