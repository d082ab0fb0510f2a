"""Searches of many thousand steps for an attack: many lanes at once, with numpy or without."""
