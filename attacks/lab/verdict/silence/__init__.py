"""Silence sets: which checks must be left out, on whose devices, for a ghost to go unnoticed."""
