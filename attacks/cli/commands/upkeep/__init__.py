"""Measure costs, compute published figures again, and test an installation."""
