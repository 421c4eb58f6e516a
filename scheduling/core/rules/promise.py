"""What a broken promise of a contract costs beside the spread of load."""

BROKEN = 10_000
"""A whole week's load, in basis points: no evenness is bought with a promise."""
MINUTE_SHORT = 40
"""Ten times what a minute weighs in the load of a full contract."""
