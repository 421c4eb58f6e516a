"""Why a seat is empty: who could have sat there, and which rule stopped each."""

from collections import Counter

from scheduling.core.plan import EmptySeat, Stopped
from scheduling.core.problem import Member
from scheduling.core.roll import Roll
from scheduling.core.rules import HARD, Stop
from scheduling.core.slots import Slot

FREE = Stop("free", "本人可上，但该巡逻其他席位缺人", "could go, but the patrol lacks others")
FREE_ALONE = Stop(
    "free",
    "本人可上；搜索结束前未找到不影响他处的排法",
    "could go; the search ended before it found a way that harms nothing else",
)
FORCES = {
    "officer": ("民警", "officer"),
    "auxiliary": ("辅警", "auxiliary"),
    "grid_member": ("专职网格员", "grid member"),
    "guard": ("物业保安", "guard"),
    "group_leader": ("居民组长", "group leader"),
    "volunteer": ("志愿者", "volunteer"),
}
NAMED = {rule.key: rule.counts_as for rule in HARD} | {"free": ("可上", "free")}
LISTED_MAX = 60
"""Candidates spelled out for one seat; the sentence counts all of them."""


def empty_seats(roll: Roll) -> tuple[EmptySeat, ...]:
    """Return every empty seat of the minimum and ideal cover, the most important first."""
    found: list[EmptySeat] = []
    for slot in roll.agenda.slots:
        if slot.tier == "extra":
            continue
        empty = [n for n in range(len(slot.type.seats)) if (slot.index, n) not in roll.seated]
        said = {n: _candidates(roll, slot, n) for n in empty}
        required = [n for n in empty if slot.type.seats[n].required]
        for n in empty:
            others = [k for k in required if k != n and not any(s.rule == "free" for s in said[k])]
            alone = not others and not (len(required) > 1 and n in required)
            zh, en = _sentence(roll, slot, n, said[n], others)
            found.append(
                EmptySeat(
                    rank=0,
                    patrol=slot.key,
                    seat=n,
                    tier=slot.tier,
                    required=slot.type.seats[n].required,
                    importance=slot.importance,
                    zh=zh,
                    en=en,
                    candidates=tuple(
                        Stopped(member=s.member, rule="free", zh=FREE_ALONE.zh, en=FREE_ALONE.en)
                        if s.rule == "free" and alone
                        else s
                        for s in said[n][:LISTED_MAX]
                    ),
                )
            )
    tiers = {"minimum": 0, "ideal": 1}
    found.sort(key=lambda e: (tiers[e.tier], not e.required, -e.importance, e.patrol, e.seat))
    return tuple(
        EmptySeat(
            rank=rank, patrol=e.patrol, seat=e.seat, tier=e.tier, required=e.required,
            importance=e.importance, zh=e.zh, en=e.en, candidates=e.candidates,
        )
        for rank, e in enumerate(found, start=1)
    )  # fmt: skip


def _stop(roll: Roll, member: Member, slot: Slot, seat: int) -> Stop:
    for rule in HARD:
        stop = rule.stops(roll, member, slot, seat)
        if stop is not None:
            return stop
    roll.put(slot, seat, member.key)
    try:
        if roll.walked(slot):
            for rule in HARD:
                stop = rule.refuses_team(roll, slot)
                if stop is not None:
                    return stop
    finally:
        roll.take_away(slot, seat)
    return FREE


def _candidates(roll: Roll, slot: Slot, seat: int) -> list[Stopped]:
    """Everybody of a force the seat is for, with the first rule that stops each."""
    found = []
    for member in roll.problem.members:
        if (
            member.force in slot.type.seats[seat].forces
            and member.key not in roll.team(slot).values()
        ):
            stop = _stop(roll, member, slot, seat)
            found.append(Stopped(member=member.key, rule=stop.rule, zh=stop.zh, en=stop.en))
    return found


def _sentence(
    roll: Roll, slot: Slot, seat: int, said: list[Stopped], others: list[int]
) -> tuple[str, str]:
    def force_names(n: int) -> tuple[str, str]:
        names = [FORCES.get(f, (f, f)) for f in slot.type.seats[n].forces]
        return "或".join(zh for zh, _ in names), " or ".join(en for _, en in names)

    zh, en = force_names(seat)
    if not said:
        return f"队伍中没有{zh}", f"there is no {en} in the team"
    counts = Counter(s.rule for s in said)
    free = counts.pop("free", 0)
    if free and others:
        missing = [force_names(n) for n in others]
        return (
            f"{zh}有{free}人可上，但同一巡逻缺{'、'.join(z for z, _ in missing)}，无法成队",
            f"{free} could go, but the patrol lacks its {', '.join(e for _, e in missing)}",
        )
    why_zh = "，".join(f"{NAMED.get(r, (r, r))[0]}{n}人" for r, n in counts.most_common())
    why_en = ", ".join(f"{n} {NAMED.get(r, (r, r))[1]}" for r, n in counts.most_common())
    if free:
        because = "人手须先保更重要的岗位" if slot.tier == "minimum" else "人手已用于更重要的岗位"
        return (
            f"{zh}{len(said)}人中尚有{free}人未被规则限制，{because}"
            + (f"；其余{why_zh}" if why_zh else ""),
            f"{free} of {len(said)} are stopped by no rule alone; hands go to what matters more"
            + (f"; the others: {why_en}" if why_en else ""),
        )
    return f"{zh}共{len(said)}人：{why_zh}", f"of {len(said)}: {why_en}"
