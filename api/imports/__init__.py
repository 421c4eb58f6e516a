"""Bringing files in: look, choose, commit as one, undo as one."""
