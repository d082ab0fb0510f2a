"""For study; not for protecting anyone.

The library of the escrow lab: plain end-to-end encryption, and lawful-access schemes as deltas on it.
"""

__version__ = "0.1.0"
