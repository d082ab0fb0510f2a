"""Searches that an attack makes many thousand steps of: many lanes at once, with numpy or without."""
