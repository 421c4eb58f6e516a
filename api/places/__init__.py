"""What is where: estates, buildings, cells, zones, walkways, key places and checkpoints."""
