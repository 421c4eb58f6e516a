"""Grid cells: proposed, taken, merged and split, on a page and from a shell."""
