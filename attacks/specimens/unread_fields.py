"""The relay looks at the labels of a field, and nobody at what it holds; in the sound twin recipients make it again."""

from attacks.specimens._box import BoxScheme
from escrow.e2ee.policing import Policing


class UnreadFields(BoxScheme, frozen=True, kw_only=True):
    """A box whose relay carries any field with true labels."""

    name = "unread-fields"
    title = "Specimen: the relay looks at the labels of a field alone"
    policing: Policing = "relay"


class FieldsMadeAgain(BoxScheme, frozen=True, kw_only=True):
    """A box whose recipients show no text beside a field that is not its own."""

    name = "fields-made-again"
    title = "Twin: recipients make the field again"
    policing: Policing = "recipient"


SPECIMEN, TWIN = UnreadFields(), FieldsMadeAgain()
