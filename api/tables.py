"""Every table of the product, in one import, for migrations and tests."""

import api.accounts
import api.audit
import api.job_runs
import grid.calendar
import grid.cells
import grid.communities
import grid.incident_photos
import grid.incidents
import grid.people
import grid.places
import grid.walkways
import scheduling.availability
import scheduling.checkpoint_codes
import scheduling.demand
import scheduling.duties
import scheduling.events
import scheduling.feeds
import scheduling.house_rules
import scheduling.leave
import scheduling.phone_items
import scheduling.rosters
import scheduling.swaps
import scheduling.tracks
from grid.database import Base

__all__ = ["metadata"]

_ROOMS = (api, grid, scheduling)

metadata = Base.metadata
