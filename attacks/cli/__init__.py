"""The command line, `escrow-lab`: `app` starts it, `commands` holds one module for each command."""

from attacks.cli.app import main

__all__ = ["main"]
