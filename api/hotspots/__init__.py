"""Hotspots: where, when and what, whether it is chance, and what changed."""
