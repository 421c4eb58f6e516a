"""Which community, which coordinate system: what a person chooses before an import."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from grid.communities import Community
from grid.coordinates import BD09, CGCS2000, GCJ02, SYSTEMS, WGS84, SourceSystem
from grid.errors import DomainError, NotFound


class CommunityNotChosen(DomainError):
    """There are several communities, or none, and none was named."""

    zh = "请用 --community 指明社区（12 位代码）。现有：{communities}。"
    en = "Name the community with --community (12 digits). There are: {communities}."


def community_of(session: Session, code: str | None) -> Community:
    """Return the community of a code; without one, the only one there is.

    Raises NotFound or CommunityNotChosen.
    """
    if code is not None:
        found = session.scalar(select(Community).where(Community.code == code))
        if found is None:
            raise NotFound(thing="社区", name=code)
        return found
    every = session.scalars(select(Community).order_by(Community.code)).all()
    if len(every) != 1:
        listed = "、".join(f"{c.code} {c.name}" for c in every[:8]) or "（无 / none）"
        raise CommunityNotChosen(communities=listed)
    return every[0]


def systems_for(community: Community) -> tuple[list[SourceSystem], list[SourceSystem]]:
    """Return the systems a file of this community is likely in, and all others."""
    zone = community.metric_srid
    here = [SYSTEMS[code] for code in (f"EPSG:{zone - 21}", f"EPSG:{zone}") if code in SYSTEMS]
    usual = [WGS84, CGCS2000, GCJ02, BD09, *here]
    return usual, [system for system in SYSTEMS.values() if system not in usual]
