"""A member's form: what was entered, as text, and the facts it says."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Annotated

from fastapi import Depends, Form

from grid.member_words import (
    QUALIFICATIONS,
    NotUnderstood,
    ordered,
    read_windows,
    write_windows,
)
from grid.people import Member
from grid.team import MemberFacts, MemberUnfit, misfits

Short = Annotated[str, Form(max_length=64)]


@dataclass(frozen=True)
class Entered:
    """The fields of the form as they were typed."""

    staff_number: Short = ""
    name: Short = ""
    force: Short = ""
    employer_id: Short = ""
    home_zone_id: Short = ""
    phone: Short = ""
    no_phone: Short = ""
    """Ticked: the stored number is taken out."""
    contract: Short = "full_time"
    hours_week: Short = "40"
    max_patrols_week: Short = "5"
    max_nights_week: Short = "2"
    other_qualifications: Annotated[str, Form(max_length=200)] = ""
    unavailable: Annotated[str, Form(max_length=2000)] = ""
    active_from: Short = ""
    active_to: Short = ""
    revision: Short = "1"
    qualifications: tuple[str, ...] = ()
    days_off: tuple[str, ...] = ()


def read_entered(
    text: Annotated[Entered, Depends()],
    has: Annotated[list[str] | None, Form(max_length=12)] = None,
    off: Annotated[list[str] | None, Form(max_length=7)] = None,
) -> Entered:
    """Return the form with its ticks: ``has`` are qualifications, ``off`` weekdays."""
    values = {f.name: getattr(text, f.name) for f in fields(Entered)}
    return Entered(**values | {"qualifications": tuple(has or ()), "days_off": tuple(off or ())})


def entered_of(member: Member, locale: str = "zh") -> Entered:
    """Return a stored member as the form shows them; the telephone number stays hidden."""
    return Entered(
        staff_number=member.staff_number,
        name=member.name,
        force=member.force,
        employer_id=str(member.employer_id or ""),
        home_zone_id=str(member.home_zone_id or ""),
        contract=member.contract,
        hours_week=f"{member.max_minutes_week / 60:g}",
        max_patrols_week=str(member.max_patrols_week),
        max_nights_week=str(member.max_nights_week),
        other_qualifications="、".join(q for q in member.qualifications if q not in QUALIFICATIONS),
        unavailable=write_windows(member.unavailable, "\n", locale),
        active_from=member.active_from.isoformat() if member.active_from else "",
        active_to=member.active_to.isoformat() if member.active_to else "",
        revision=str(member.revision),
        qualifications=tuple(q for q in member.qualifications if q in QUALIFICATIONS),
        days_off=tuple(str(day) for day in member.days_off),
    )


class _Wrong:
    """Collects what cannot be read, so that all of it is said at once."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def whole(self, text: str, zh: str, en: str, times: int = 1) -> int:
        try:
            return round(float(text) * times)
        except (ValueError, OverflowError):
            self.said.append((f"{zh}“{text[:20]}”不是数字", f"{en} “{text[:20]}” is no number"))
            return 0

    def key(self, text: str) -> int | None:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None

    def day(self, text: str, zh: str, en: str) -> date | None:
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.said.append((f"{zh}“{text[:20]}”不是日期", f"{en} “{text[:20]}” is no date"))
            return None

    def windows(self, text: str) -> tuple[dict[str, object], ...]:
        try:
            return tuple(read_windows(text))
        except NotUnderstood as wrong:
            self.said.append((wrong.zh, wrong.en))
            return ()


def facts_entered(form: Entered, was: Member | None = None) -> MemberFacts:
    """Return the facts a form says. Raises MemberUnfit with everything that is wrong.

    An empty telephone number leaves the stored one, for the form never shows it.
    """
    wrong = _Wrong()
    others = [q.strip() for q in form.other_qualifications.replace("，", "、").split("、")]
    phone = form.phone.strip() or (was.phone if was and not form.no_phone else None)
    facts = MemberFacts(
        staff_number=was.staff_number if was else form.staff_number.strip(),
        name=form.name.strip(),
        force=form.force,
        employer_id=wrong.key(form.employer_id),
        home_zone_id=wrong.key(form.home_zone_id),
        phone=phone,
        qualifications=ordered(q for q in (*form.qualifications, *others) if q),
        contract=form.contract,
        max_minutes_week=wrong.whole(form.hours_week, "每周工时上限", "hours a week", 60),
        max_patrols_week=wrong.whole(form.max_patrols_week, "每周巡逻上限", "patrols a week"),
        max_nights_week=wrong.whole(form.max_nights_week, "每周夜班上限", "nights a week"),
        days_off=tuple(sorted({int(d) for d in form.days_off if d in set("1234567")})),
        unavailable=wrong.windows(form.unavailable),
        active_from=wrong.day(form.active_from, "到岗日", "the first day"),
        active_to=wrong.day(form.active_to, "离队日", "the day of leaving"),
    )
    said = [*wrong.said, *((m.zh, m.en) for m in misfits(facts))]
    if said:
        raise MemberUnfit(
            what="；".join(zh for zh, _ in said), what_en="; ".join(en for _, en in said)
        )
    return facts
