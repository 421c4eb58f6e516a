"""Personal calendars to subscribe to."""
