"""What can be wrong with results that were read back."""


class NotComparable(Exception):
    """Two runs that differ in what was run: no difference between their results would mean anything."""
