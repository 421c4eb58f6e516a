"""The sample's joint service team and stewards, under plainly invented names.

A name is the next of the Hundred Surnames with the next of the sixty stem-branch pairs (赵甲子,
钱乙丑, …): nobody is called so, and no two are called alike. Phone numbers start with 100, which
no mobile number does.
"""

import random
from dataclasses import dataclass, field
from itertools import count

from grid.people import Force
from grid.sample.buildings import GARDEN, IMPRESSION, WORKS
from grid.sample.ground import Ground

SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛"
    "奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康"
    "伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁"
)
STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"


@dataclass(frozen=True, slots=True)
class SampleMember:
    """A member: contract limits in minutes and patrols a week, days off as ISO weekdays."""

    staff_number: str
    name: str
    force: Force
    phone: str
    zone: str | None
    employer: str | None = None
    qualifications: tuple[str, ...] = ()
    contract: str = "full_time"
    max_minutes_week: int = 2400
    max_patrols_week: int = 5
    max_nights_week: int = 2
    days_off: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleSteward:
    """A resident steward and the key of the building they look after."""

    number: str
    name: str
    phone: str
    building: str
    points: int


@dataclass
class _Names:
    serial: "count[int]" = field(default_factory=count)

    def next(self) -> tuple[str, str]:
        """Return the next name and phone number."""
        n = next(self.serial)
        return SURNAMES[n] + STEMS[n % 10] + BRANCHES[n % 12], f"100{n + 1:08d}"


def members(seed: int) -> list[SampleMember]:
    """Return the 55 members: 2 officers, 6 auxiliaries, 9 grid members, 20 guards, 18 leaders."""
    rng = random.Random(f"team {seed}")  # noqa: S311 - a drawing, no secret
    names = _Names()
    team: list[SampleMember] = []

    def join(prefix: str, n: int, force: Force, zone: str | None, **more: object) -> None:
        name, phone = names.next()
        team.append(
            SampleMember(f"{prefix}{n:02d}", name, force, phone, zone, **more)  # type: ignore[arg-type]
        )

    for n, zone in enumerate(("Z2", "Z4"), start=1):
        join(
            "P", n, Force.OFFICER, zone,
            qualifications=("leader", "enforcement", "first_aid"), max_nights_week=2,
        )  # fmt: skip
    for n, zone in enumerate(("Z1", "Z2", "Z3", "Z4", "Z5", "Z7"), start=1):
        join(
            "A", n, Force.AUXILIARY, zone,
            qualifications=("leader", "first_aid") if n <= 2 else ("first_aid",), max_nights_week=3,
        )  # fmt: skip
    for n, zone in enumerate(("Z1", "Z4", "Z5", "Z2", "Z3", "Z2", "Z3", "Z6", "Z7"), start=1):
        join(
            "G", n, Force.GRID_MEMBER, zone,
            qualifications=("leader",) if n % 2 else (), max_nights_week=2,
            days_off=(rng.choice((6, 7)),),
        )  # fmt: skip
    for n in range(1, 13):
        join(
            "B", n, Force.GUARD, f"Z{(n - 1) % 3 + 1}", employer="嘉通物业",
            max_minutes_week=2880, max_patrols_week=6, max_nights_week=3,
            days_off=((n - 1) % 7 + 1,),
        )  # fmt: skip
    for n in range(13, 21):
        join(
            "B", n, Force.GUARD, f"Z{4 + n % 2}", employer="嘉汇物业",
            max_minutes_week=2880, max_patrols_week=6, max_nights_week=3,
            days_off=((n - 1) % 7 + 1,),
        )  # fmt: skip
    homes = ("Z1", "Z2", "Z3", "Z2", "Z3", "Z1", "Z4", "Z5", "Z6", "Z7") * 2
    for n in range(1, 19):
        join(
            "L", n, Force.GROUP_LEADER, homes[n - 1], contract="part_time",
            max_minutes_week=720, max_patrols_week=3, max_nights_week=0,
            days_off=tuple(sorted(rng.sample(range(1, 6), 2))),
        )  # fmt: skip
    return team


def stewards(seed: int, ground: Ground) -> list[SampleSteward]:
    """Return the 65 stewards, spread over the estates' residential buildings by their size."""
    rng = random.Random(f"stewards {seed}")  # noqa: S311 - a drawing, no secret
    names = _Names(count(55))
    found: list[SampleSteward] = []
    for estate, wanted in ((GARDEN, 39), (IMPRESSION, 13), (WORKS, 13)):
        homes = [b for b in ground.buildings if b.estate == estate and b.households]
        for home in sorted(rng.sample(homes, wanted), key=lambda b: int(b.number or 0)):
            name, phone = names.next()
            points = rng.randrange(0, 900, 10)
            found.append(SampleSteward(f"S{len(found) + 1:03d}", name, phone, home.key, points))
    return found
