"""A patroller's week, a patrol's walk on the phone, and checking in at its stops."""
