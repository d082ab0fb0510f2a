"""What a corrupted party had, and its place among the others."""
