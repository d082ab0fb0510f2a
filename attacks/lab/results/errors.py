"""Errors in results that were read back."""


class NotComparable(Exception):
    """Two runs that differ in what was run, so no difference between their results has a meaning."""
