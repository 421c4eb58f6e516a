"""To and fro between WGS 84, in which shapes are stored, and the metric system they are measured in."""

from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from grid.coordinates import from_wgs84, source_system, to_wgs84


class Metric:
    """A community's CGCS2000 3-degree zone, by its EPSG number (``Community.metric_srid``)."""

    def __init__(self, srid: int) -> None:
        self.srid = srid
        self._system = source_system(f"EPSG:{srid}")

    def to(self, shape: BaseGeometry) -> Any:  # noqa: ANN401 - the same kind as came in
        """Return a WGS 84 shape in metres."""
        return shapely.transform(
            shape, lambda c: np.column_stack(from_wgs84(c[:, 0], c[:, 1], self.srid))
        )

    def back(self, shape: BaseGeometry) -> Any:  # noqa: ANN401 - the same kind as came in
        """Return a shape in metres in WGS 84."""
        return shapely.transform(
            shape, lambda c: np.column_stack(to_wgs84(c[:, 0], c[:, 1], self._system))
        )
