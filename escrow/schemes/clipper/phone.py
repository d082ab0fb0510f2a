"""A device with a Clipper chip: it sends a LEAF beside each text, and refuses a text whose LEAF is not valid.

That is policing by the recipient (escrow.e2ee.policing), with the chip's check in place of making the field again.
"""

from __future__ import annotations

from escrow import codec
from escrow.crypto import random_bytes, sha256
from escrow.e2ee import device
from escrow.e2ee.device import FieldContext
from escrow.e2ee.policing import ComputedKey, of_pairwise
from escrow.e2ee.provider import Mail
from escrow.e2ee.ratchet import MessageKey
from escrow.errors import Forged, Malformed, Refused
from escrow.primitives.skipjack import KEY
from escrow.scheme import AccessField
from escrow.schemes.clipper.chip import Chip
from escrow.schemes.clipper.field import ClipperField, agreed_key, derived_key, make_field


class ClipperDevice(device.Device):
    """A device with a chip. If it `derives`, session keys follow from message keys, else its software chooses them."""

    unrepeatable = "the unit key that makes a LEAF is in the sender's chip"

    chip: Chip | None = None
    derives: bool = False

    def access_field(self, key: MessageKey, context: FieldContext) -> ClipperField:
        """Return the chip's LEAF and the wrapped keys for a message."""
        ks = derived_key(key) if self.derives else random_bytes(KEY)
        labels = AccessField(key.chain, key.n, context.people, context.day)
        transcript = sha256(context.header)[:8]
        return self.field_for(key, labels, transcript, ks)

    def field_for(self, key: MessageKey, labels: AccessField, transcript: bytes, ks: bytes) -> ClipperField:
        """Return the field under a session key, with the LEAF that the chip makes for it."""
        return make_field(key, labels, transcript, ks, self.unit.generate_iv(ks, transcript))

    @property
    def unit(self) -> Chip:
        """The chip. Raises Refused if none is built in."""
        if self.chip is None:
            raise Refused(self.name, "there is no chip in it")
        return self.chip

    def admit(self, mail: Mail, found: ComputedKey) -> None:
        """Raise Refused, naming the sender, if a text's field is not what the sender's chip should have made."""
        try:
            said = codec.decode(mail.field, ClipperField)
            ks = agreed_key(said, found.key)
            self.insist(not (self.derives and said.agreed), f"{mail.sender} chose the session key")
        except (Malformed, Forged) as error:
            self.insist(False, f"{mail.sender} sent no LEAF for this message: {error}")
            return
        transcript = sha256(found.header)[:8]
        valid = self.unit.load_iv(ks, said.iv + said.leaf, transcript)
        self.insist(valid, f"the LEAF that {mail.sender} sent is not valid for this session key and IV")
        again = make_field(found.key, said, transcript, ks, said.iv + said.leaf)
        self.insist(again == said, f"what {mail.sender} sent beside the LEAF is not this message's")


__all__ = ["ClipperDevice", "ComputedKey", "of_pairwise"]
