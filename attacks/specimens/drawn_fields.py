"""Clients draw what is random in a field; in the sound twin it follows from the text's own key, and nothing is chosen.

Who opens a text in the twin, a recipient or the law, can make its field again and see another one.
"""

from attacks.lab.simulation.scenario import OneWay, Scenario, WarrantSpec
from attacks.specimens._box import BoxScheme
from escrow.e2ee.policing import Policing
from escrow.scheme import User


class DrawnFields(BoxScheme, frozen=True, kw_only=True):
    """A box whose clients seal each field with an ephemeral key that they draw."""

    name = "drawn-fields"
    title = "Specimen: a field's random bytes are the client's to draw"


class DerivedFields(BoxScheme, frozen=True, kw_only=True):
    """A box whose fields have one value for each text, which recipients compare."""

    name = "derived-fields"
    title = "Twin: a field's random bytes follow from the text's key"
    policing: Policing = "recipient"


SPECIMEN, TWIN = DrawnFields(), DerivedFields()
SCENARIO = Scenario(  # one user writes most texts, to another with four devices: each text has four fields
    days=2,
    messages=24,
    users=(
        User("alice", ("alice-phone",)),
        User("bob", ("bob-phone", "bob-laptop", "bob-tablet", "bob-desktop")),
        User("carol", ("carol-phone",)),
    ),
    one_way=(OneWay("alice", "bob", 0, 1),),
    one_way_percent=90,
    warrants=(WarrantSpec("bob", first=0, last=1, issued=0, expires=1),),
    attack_day=0,
).check()
