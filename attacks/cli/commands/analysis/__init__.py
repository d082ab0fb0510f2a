"""Play attacks, measure who can open what, and compare the results."""
