"""Rosters by columns: one line of work is one member's whole horizon; see :mod:`search`."""
