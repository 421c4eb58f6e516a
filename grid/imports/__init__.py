"""Bring outside files onto the ground: read, check, preview, commit as one batch, undo as one."""
