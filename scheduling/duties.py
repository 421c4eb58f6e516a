"""The duty matrix (巡逻职责清单): which force has which part in a duty, by kind of key place.

A patrol type carries duties. A force is required on it when one of them requires it at a kind of
place the community has (or along the way); it may come when one of them lets it; else it does not
take part. :mod:`scheduling.core.composition` makes the seats from that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import TypeAdapter
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from grid.database import Base, Key
from grid.errors import DomainError, NotFound
from grid.member_words import FORCES
from grid.people import Force
from grid.places import KeyPlace
from scheduling.core.composition import Part, compose
from scheduling.core.problem import Law, Seat
from scheduling.demand import PatrolType

ALONG = "along"
KINDS: Mapping[str, str] = {
    ALONG: "沿途（不限部位）",
    "gate": "出入口",
    "garage": "车库",
    "fire_lane": "消防通道",
    "roof": "楼顶",
    "riverside": "临河",
    "square": "广场",
    "warehouse": "仓库",
    "police_room": "警务室",
    "other": "其他",
}
PARTS: Mapping[Part, str] = {"required": "必须", "optional": "可以", "never": "不参加"}
SEATS_MAX = 12

_EVERYBODY = tuple(force.value for force in Force)
_HELPERS = tuple(f for f in _EVERYBODY if f != Force.OFFICER)
SEEDED: tuple[tuple[str, str, Mapping[str, Sequence[str]], Mapping[str, Sequence[str]]], ...] = (
    (
        "check",
        "盘查执法",
        {ALONG: ("officer",)},
        {
            ALONG: ("auxiliary", "grid_member"),
            "gate": ("officer", "auxiliary"),
            "square": ("officer", "auxiliary"),
            "riverside": ("officer", "auxiliary"),
        },
    ),
    (
        "order",
        "治安巡防",
        {},
        dict.fromkeys((ALONG, "gate", "garage", "riverside", "square", "warehouse"), _EVERYBODY),
    ),
    (
        "fire",
        "消防检查",
        {},
        {
            "fire_lane": _HELPERS,
            "roof": ("grid_member", "guard"),
            "garage": ("grid_member", "auxiliary", "guard"),
            "warehouse": ("grid_member", "auxiliary", "guard"),
        },
    ),
    (
        "hazard",
        "隐患排查",
        {},
        {
            ALONG: ("grid_member", "auxiliary", "guard", "group_leader", "volunteer"),
            "roof": ("grid_member", "guard"),
            "riverside": ("grid_member", "auxiliary", "volunteer"),
        },
    ),
    ("visit", "走访宣传", {}, {ALONG: ("officer", "grid_member", "group_leader", "volunteer")}),
    (
        "estate",
        "小区值守",
        {ALONG: ("guard",)},
        {"gate": ("guard",), "garage": ("guard",), "police_room": ("guard", "auxiliary")},
    ),
)
"""A new community's matrix: code, name, who must and who may, by kind of place."""
SEEDED_TYPES: Mapping[str, tuple[str, ...]] = {
    "joint": ("check", "order", "fire"),
    "round": ("order", "fire", "hazard", "visit"),
    "estate": ("estate", "fire"),
}


class Duty(Base):
    """A duty (职责) of patrols: what is done, told apart by kind of key place and force."""

    __tablename__ = "duty"
    __table_args__ = (UniqueConstraint("community_id", "code"),)

    id: Mapped[Key]
    community_id: Mapped[int] = mapped_column(ForeignKey("community.id", ondelete="CASCADE"))
    code: Mapped[str]
    name: Mapped[str]
    position: Mapped[int]


class DutyCell(Base):
    """A force's part in a duty at a kind of place; no row: it has none."""

    __tablename__ = "duty_cell"
    __table_args__ = (
        UniqueConstraint("duty_id", "kind", "force"),
        CheckConstraint("part IN ('required','optional')", name="part_known"),
    )

    id: Mapped[Key]
    duty_id: Mapped[int] = mapped_column(ForeignKey("duty.id", ondelete="CASCADE"))
    kind: Mapped[str]
    force: Mapped[str]
    part: Mapped[str]


class CellUnknown(DomainError):
    """A cell that is not in the matrix."""

    zh = "职责清单里没有“{cell}”这一格。请在页面上重新选择。"
    en = "The duty matrix has no cell “{cell}”. Choose it on the page again."


class CannotGo(DomainError):
    """With this matrix a patrol type could no longer set out."""

    status: ClassVar[int] = 422
    zh = "这样改之后，巡逻类型“{type}”{why}，无法成行，因此没有保存。请保留一支能{cure}的力量，或先调整该类型的编组。"
    en = "With this change the patrol type “{type}” {why_en} and could not set out, so nothing was saved. Keep a force that can {cure_en}, or change the type's seats first."


Cells = Mapping[tuple[str, str], Part]
"""Kind of place and force → part; what is not named is ``never``."""

_SEATS = TypeAdapter(tuple[Seat, ...])


@dataclass(frozen=True)
class Matrix:
    """A community's whole matrix, and the kinds of place it has."""

    duties: tuple[Duty, ...]
    cells: Mapping[str, Cells]
    """By duty code."""
    kinds: frozenset[str]
    """Kinds of place that count: those there are in the community, and along the way."""

    def part(self, duty: str, kind: str, force: str) -> Part:
        """Return a force's part in a duty at a kind of place."""
        return self.cells.get(duty, {}).get((kind, force), "never")

    def parts(self, duties: Iterable[str]) -> dict[str, Part]:
        """Return every force's part in a patrol that carries these duties."""
        found: dict[str, Part] = {}
        for force in Force:
            said = {
                part
                for duty in duties
                for (kind, whose), part in self.cells.get(duty, {}).items()
                if whose == force and kind in self.kinds
            }
            found[force.value] = (
                "required" if "required" in said else "optional" if "optional" in said else "never"
            )
        return found

    def seats(self, kind: PatrolType) -> tuple[Seat, ...]:
        """Return the seats of a patrol type as the matrix shapes them."""
        own = _SEATS.validate_python(kind.composition)
        known = [d for d in kind.duties if d in self.cells]
        return compose(own, self.parts(known)) if known else own


def load_matrix(session: Session, community_id: int) -> Matrix:
    """Return a community's matrix."""
    duties = session.scalars(
        select(Duty).where(Duty.community_id == community_id).order_by(Duty.position, Duty.code)
    ).all()
    cells: dict[str, dict[tuple[str, str], Part]] = {duty.code: {} for duty in duties}
    code = {duty.id: duty.code for duty in duties}
    for cell in session.scalars(select(DutyCell).where(DutyCell.duty_id.in_(code))):
        part: Part = "required" if cell.part == "required" else "optional"
        cells[code[cell.duty_id]][cell.kind, cell.force] = part
    kinds = session.scalars(
        select(KeyPlace.kind).where(KeyPlace.community_id == community_id).distinct()
    )
    return Matrix(tuple(duties), cells, frozenset({ALONG, *kinds}))


def seed_duties(session: Session, community_id: int) -> bool:
    """Give a community without a matrix the usual one; return whether it is new.

    The types it was founded with carry their duties from then on; others are left alone.
    """
    if session.scalar(select(Duty.id).where(Duty.community_id == community_id).limit(1)):
        return False
    for position, (code, name, required, optional) in enumerate(SEEDED):
        duty = Duty(community_id=community_id, code=code, name=name, position=position)
        session.add(duty)
        session.flush()
        cells = {(k, f): "optional" for k, forces in optional.items() for f in forces}
        cells |= {(k, f): "required" for k, forces in required.items() for f in forces}
        session.add_all(
            DutyCell(duty_id=duty.id, kind=kind, force=force, part=part)
            for (kind, force), part in sorted(cells.items())
        )
    for row in session.scalars(select(PatrolType).where(PatrolType.community_id == community_id)):
        if not row.duties:
            row.duties = list(SEEDED_TYPES.get(row.code, ()))
    session.flush()
    return True


def set_cells(
    session: Session, community_id: int, duty_id: int, cells: Cells
) -> dict[str, list[Part]]:
    """Set every cell of one duty; return what changed: ``kind:force`` → part before and now.

    Raises NotFound, CellUnknown, or CannotGo where a patrol type would have nobody left to go or
    to lead; then nothing is changed.
    """
    duty = session.scalar(
        select(Duty).where(Duty.id == duty_id, Duty.community_id == community_id).with_for_update()
    )
    if duty is None:
        raise NotFound(thing="职责", name=duty_id)
    for (kind, force), part in cells.items():
        if kind not in KINDS or force not in _EVERYBODY or part not in PARTS:
            raise CellUnknown(cell=f"{kind}/{force}/{part}"[:60])
    before = load_matrix(session, community_id)
    changed = {
        f"{kind}:{force}": [was, now]
        for kind in KINDS
        for force in _EVERYBODY
        for was in [before.part(duty.code, kind, force)]
        for now in [cells.get((kind, force), "never")]
        if was != now
    }
    if not changed:
        return {}
    after = Matrix(before.duties, {**before.cells, duty.code: cells}, before.kinds)
    refuse_unable(
        after,
        session.scalars(
            select(PatrolType).where(
                PatrolType.community_id == community_id,
                PatrolType.active,
                PatrolType.duties.contains([duty.code]),
            )
        ),
    )
    session.execute(delete(DutyCell).where(DutyCell.duty_id == duty.id))
    session.add_all(
        DutyCell(duty_id=duty.id, kind=kind, force=force, part=part)
        for (kind, force), part in cells.items()
        if part != "never"
    )
    session.flush()
    return changed


def refuse_unable(matrix: Matrix, types: Iterable[PatrolType]) -> None:
    """Raise CannotGo for the first of these types that could not set out."""
    law = Law()
    for row in types:
        seats = matrix.seats(row)
        if not any(seat.required for seat in seats) or len(seats) > SEATS_MAX:
            raise CannotGo(
                type=row.name,
                why="就没有必到席位了" if len(seats) <= SEATS_MAX else "席位超过 12 个",
                why_en="has no seat that must be filled" if len(seats) <= SEATS_MAX else "has more than 12 seats",
                cure="参加",
                cure_en="take part",
            )  # fmt: skip
        own = _SEATS.validate_python(row.composition)
        led = any(seat.leader for seat in own)
        leaders = [seat for seat in seats if seat.leader]
        lawful = not row.enforcement or any(
            set(seat.forces) & set(law.enforcement_leaders) for seat in leaders
        )
        if (led and not leaders) or not lawful:
            raise CannotGo(
                type=row.name,
                why="就没有人可以带班了",
                why_en="has nobody left to lead it",
                cure="带班",
                cure_en="lead it",
            )


def duties_at(
    matrix: Matrix, duties: Iterable[str], kind: str
) -> list[tuple[str, str, list[tuple[str, Part]]]]:
    """Return what a patrol does at a kind of place: duty code, its name, and who has which part."""
    wanted = set(duties)
    found = []
    for duty in matrix.duties:
        whose: list[tuple[str, Part]] = [
            (force.value, part)
            for force in Force
            for part in [matrix.part(duty.code, kind, force.value)]
            if part != "never"
        ]
        if duty.code in wanted and whose:
            found.append((duty.code, duty.name, whose))
    return found


def seats_in_words(seats: Iterable[Seat]) -> str:
    """Return a composition in words: 民警（带班）＋网格员/辅警＋［物业保安］."""
    words = []
    for seat in seats:
        forces = "/".join(FORCES[Force(f)] for f in seat.forces)
        text = f"{forces}（带班）" if seat.leader else forces
        words.append(text if seat.required else f"［{text}］")
    return "＋".join(words)
