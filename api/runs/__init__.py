"""Watching background jobs."""
