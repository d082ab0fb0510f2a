"""The commands: module NAME defines `NAME_command` (attacks.cli.app imports it when the command is chosen)."""
