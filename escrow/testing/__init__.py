"""What the author of a scheme needs to try it: a small world to play on, and the properties of every scheme."""
