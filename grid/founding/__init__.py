"""Found a community on a foreign OpenStreetMap extract, for a trial of everything else.

What the extract holds is taken as it is; what it does not hold (households, a team, incidents) is
estimated or invented, and says so.
"""

from grid.founding.found import Founded, found_from_osm

__all__ = ["Founded", "found_from_osm"]
