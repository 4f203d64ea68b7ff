"""What the old dialects had of each architecture."""
