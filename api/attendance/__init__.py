"""Planned against done: per member for the team lead, per zone for the street office."""
