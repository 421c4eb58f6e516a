"""What is where and what happened there: the community's ground truth in PostGIS."""
