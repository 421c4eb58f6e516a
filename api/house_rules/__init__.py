"""The team's own rules beside the law, on a page of the lead."""
