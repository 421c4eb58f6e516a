"""What programs get of imports."""

from datetime import date

from pydantic import BaseModel, ConfigDict


class BatchOut(BaseModel):
    """One committed import."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: str
    filename: str
    source_crs: str
    rows: int
    warnings: int
    imported_on: date
    imported_by: str
    undone: bool


class BatchPage(BaseModel):
    """One page of imports, the latest first."""

    items: list[BatchOut]
    total: int
    page: int
    pages: int
