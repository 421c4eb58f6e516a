"""The sample community (示例社区): drawn from one seed, at the site's true place and size.

Nothing here is copied from anywhere; the names of people are plainly invented, and so are the
digits after 510304 in its codes.
"""

from grid.sample.ledger_file import last_year_csv
from grid.sample.load import COMMUNITY_CODE, SEED, load_sample

__all__ = ["COMMUNITY_CODE", "SEED", "last_year_csv", "load_sample"]
