"""Byte strings by themselves: where they lie in each other, how else they are written, what they are as integers."""
