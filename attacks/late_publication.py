"""The provider lists a device of the insider as one that is about to be published, and never publishes it.

  list     g is listed among the victim's devices, to everybody but the victim's own devices
  wait     the directory does not have it, today and in every later epoch
  read     g's keys open what the network heard

Where clients use a device before it is published, so that a new phone works at once, the provider's word is enough for
as long as nobody asks in the next epoch whether it was kept.
Source: Laurie, Langley and Kasper, "Certificate Transparency", RFC 6962, 2013, sections 3 and 7.3, on a log that does
not incorporate a certificate in time; here it is a device.
"""

from attacks.split_view import DirectoryLie
from escrow.scheme import Source


class LatePublication(DirectoryLie):
    """Corrupt the provider: its device is always about to be published."""

    name = "late-publication"
    title = "The provider promises to publish a device, and never does"
    source = Source("Laurie, Langley and Kasper", "Certificate Transparency", 2013, "3 and 7.3", "messages")
    specimen = "promised_lists"


ATTACK = LatePublication()
