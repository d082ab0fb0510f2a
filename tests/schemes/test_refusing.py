"""A party that refuses every packet of the set-up stops nothing between the others, and is named."""

from collections import Counter

import pytest

from escrow import registry
from escrow.e2ee.device import Device
from escrow.errors import Refused
from escrow.scheme import User
from escrow.warrant import Authority
from escrow.wire import Wire

USERS = tuple(User(name, (f"{name}-phone",)) for name in ("alice", "bob", "carol"))


class RefusingWire(Wire):
    """A wire to a party, `refuses`, that refuses every packet."""

    refuses = ""

    def handed(self, packet):
        if packet.dst == self.refuses:
            raise Refused(packet.dst, "it refuses all")
        return super().handed(packet)


def set_up(scheme, refuses=""):
    """Return the wire after a set-up in which one party refuses every packet."""
    wire = RefusingWire(scheme.cast(USERS, bytes(32)))
    wire.refuses = refuses
    scheme.setup(wire)
    return wire


def told(wire, without):
    """Return how many packets each party sent to each other, without those from and to one of them."""
    return Counter((each.src, each.dst) for each in wire.heard if without not in (each.src, each.dst))


def of_several(scheme, parties):
    """Yield the parties that others can do without: devices, the authority, and one of several officials of a kind."""
    kinds = Counter(map(type, parties.values()))
    for name, party in parties.items():
        if isinstance(party, Device | Authority) or (kinds[type(party)] > 1 and not scheme.all_needed):
            yield name


@pytest.mark.parametrize("scheme", registry.schemes().values(), ids=lambda scheme: scheme.name)
def test_who_refuses_every_packet_of_the_set_up_stops_nothing_between_the_others(scheme):
    honest = set_up(scheme)
    for name in of_several(scheme, honest.parties):
        wire = set_up(scheme, name)
        assert told(honest, name).keys() <= told(wire, name).keys(), name
        asked = any(each.dst == name for each in honest.heard)
        assert (name in {who for _, who, _ in wire.refusals}) == asked, name


def test_some_set_up_tells_something_to_every_kind_of_party():
    """The cases above are about something: agents, devices and the authority are told what the others do."""
    wire = set_up(registry.schemes()["threshold"])
    assert {"agent-1", "alice-phone", "authority"} <= {each.dst for each in wire.heard}
