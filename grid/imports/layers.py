"""What every reader returns: features with their row, their values and their shape, unconverted."""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from grid.coordinates import SourceSystem
from grid.imports.errors import Note, RowError
from grid.imports.tables import Value


@dataclass(frozen=True)
class Feature:
    """One thing of a file: ``row`` as a person counts, ``shape`` in the file's own system.

    ``shape`` is None where the row has none; the reader has then said why in its errors.
    """

    row: int
    values: dict[str, Value]
    shape: BaseGeometry | None


@dataclass(frozen=True)
class Layer:
    """One layer of a file, as it stands there.

    ``declared`` is the system the file itself says, None where it says none; ``swap`` tells that
    it keeps latitude before longitude. ``shape_columns`` are columns that hold the coordinates.
    """

    columns: tuple[str, ...]
    features: tuple[Feature, ...]
    declared: SourceSystem | None = None
    name: str = ""
    shape_columns: tuple[str, ...] = ()
    errors: tuple[RowError, ...] = ()
    notes: tuple[Note, ...] = ()

    def shapes(self) -> NDArray[np.object_]:
        """Return the shapes (n,), None where a feature has none."""
        return np.array([f.shape for f in self.features], dtype=object)

    def points(self) -> NDArray[np.float64]:
        """Return every vertex (n, 2) in the file's own system, x before y."""
        shapes = [f.shape for f in self.features if f.shape is not None]
        return np.asarray(shapely.get_coordinates(shapes), dtype=float)

    def noting(self, *notes: Note) -> "Layer":
        """Return the layer with more notes."""
        return replace(self, notes=(*self.notes, *notes))
