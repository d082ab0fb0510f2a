"""Write a proof that a stranger can re-execute, and re-execute it."""
