"""Special events: a zone that needs more patrols on some days."""
