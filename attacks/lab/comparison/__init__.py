"""Two runs beside each other: what got worse, what got better, what is new, and what is gone."""
