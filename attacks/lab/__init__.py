"""The laboratory: plays, views, the closure adversary and what follows from it. It knows no attack by name."""
