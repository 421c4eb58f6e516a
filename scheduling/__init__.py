"""Decisions: weekly rosters and patrol routes."""
