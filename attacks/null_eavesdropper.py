"""No party is corrupted: the adversary hears every packet, those of the lawful access included.

  take     nothing
  hear     mail, bundles, device lists, warrants, requests, answers

A text that opens here is open to everyone. This measures the scheme's wire formats, and the laboratory itself.
Source: Dolev and Yao, "On the Security of Public Key Protocols", IEEE Transactions on Information Theory 29(2), 1983,
section I: the passive eavesdropper.
"""

from attacks.lab.simulation.attack import Attack, Column
from escrow.scheme import Source


class NullEavesdropper(Attack):
    """Listen to every packet and corrupt no party."""

    name = "null-eavesdropper"
    title = "Nobody is corrupted; everything is heard"
    source = Source("Dolev and Yao", "On the Security of Public Key Protocols", 1983, "I", "messages")
    in_pages = True
    column = Column(1, "lawful", "lawful", of="entitled", meaning="the law reads them, and nobody cheats")
    specimen = "key_in_clear"


ATTACK = NullEavesdropper()
