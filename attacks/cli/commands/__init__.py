"""The commands, in groups: module NAME of a group defines `NAME_command` (attacks.cli.app imports it when chosen)."""
