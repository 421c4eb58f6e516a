"""What a week is asked for: shifts, patrol types and the usual cover, edited by the team lead."""
