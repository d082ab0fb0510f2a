"""The laboratory: plays, views, the closure adversary and the verdicts. It knows no attack by name."""
