"""Begin a scheme or an attack of one's own, and test it."""
