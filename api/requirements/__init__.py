"""Patrol requirements raised from hot places."""
