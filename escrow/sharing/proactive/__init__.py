"""Proactive sharing: shares are refreshed every epoch, and a lost share is recovered."""
