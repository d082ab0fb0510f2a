"""Conversations in groups of MLS: what a device keeps as facts, the delivery service, and the credential authority."""
