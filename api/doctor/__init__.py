"""Say what is missing or wrong with an installation, and the cure."""
