"""Run the command line with `python -m attacks`, which is the same as `escrow-lab`."""

from attacks.cli import main

raise SystemExit(main())
