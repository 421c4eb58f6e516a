"""What the installation does for itself every day."""
