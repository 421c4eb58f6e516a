"""The weekly roster: generated, read, reviewed, published, taken along."""
