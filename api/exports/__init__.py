"""Giving the ground out as files."""
