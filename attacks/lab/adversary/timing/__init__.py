"""Time in the adversary: evenings, when officials answer, and labels cut at an evening."""
