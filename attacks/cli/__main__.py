"""`python -m attacks.cli`: the same as `escrow-lab`."""

from attacks.cli import main

raise SystemExit(main())
