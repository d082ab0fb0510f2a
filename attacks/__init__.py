"""The adversaries: one file is one attack; attacks.lab plays them and computes who can read what."""
