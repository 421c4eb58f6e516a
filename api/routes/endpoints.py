"""Patrols' walks for programs: GeoJSON in WGS 84."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.accounts import Role
from api.permissions import Caller, allow
from api.routes.walk import find_walk, line_of
from api.web import Db

router = APIRouter()


class RouteOut(BaseModel):
    """A GeoJSON FeatureCollection: the line first, then the stops in order."""

    type: str = "FeatureCollection"
    features: list[dict[str, Any]]


@router.get("/patrols/{patrol_id}/route")
def read_route(
    db: Db,
    patrol_id: int,
    caller: Annotated[Caller, allow(Role.TEAM_LEAD, Role.PATROLLER, Role.SERVICE)],
) -> RouteOut:
    """Return a published patrol's walk."""
    walk = find_walk(db, caller, patrol_id)
    features: list[dict[str, Any]] = []
    if walk.route is not None:
        facts: dict[str, Any] = {
            "length_m": walk.route.length_m,
            "minutes": walk.route.minutes,
            "unreached": walk.route.unreached,
        }
        features.append(
            {"type": "Feature", "geometry": line_of(db, walk.route), "properties": facts}
        )
        for number, stop in enumerate(walk.route.stops, start=1):
            spot = {"type": "Point", "coordinates": [stop["lon"], stop["lat"]]}
            properties = {k: v for k, v in stop.items() if k not in {"lon", "lat"}}
            features.append(
                {
                    "type": "Feature",
                    "geometry": spot,
                    "properties": {"number": number, **properties},
                }
            )
    return RouteOut(features=features)
