"""What programs get of the ground."""

from typing import Any

from pydantic import BaseModel, Field


class Link(BaseModel):
    """Where more of the collection is."""

    rel: str
    href: str


class PlaceFeature(BaseModel):
    """One thing as GeoJSON (RFC 7946): WGS 84, longitude before latitude."""

    type: str = "Feature"
    id: int
    properties: dict[str, Any]
    geometry: dict[str, Any] | None


class PlaceCollection(BaseModel):
    """One page of things; ``numberMatched`` counts all pages."""

    type: str = "FeatureCollection"
    features: list[PlaceFeature]
    number_matched: int = Field(serialization_alias="numberMatched")
    number_returned: int = Field(serialization_alias="numberReturned")
    links: list[Link]


class FindingOut(BaseModel):
    """One thing that is wrong with the partition."""

    kind: str
    codes: list[str]
    amount: float
    sentence: str
    lon: float | None
    lat: float | None


class PartitionOut(BaseModel):
    """What the check of the partition found; areas in m²."""

    sound: bool
    cells: int
    cells_m2: float
    boundary_m2: float
    ignored_m2: float
    findings: list[FindingOut]
