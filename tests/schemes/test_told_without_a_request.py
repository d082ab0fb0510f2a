"""An official that tells the key of a message to whoever asks for it without a warrant, and sound twins."""

import pytest
from official_checks import forget_schemes, scheme_with

from escrow.testing.properties import PROPERTIES

PROPERTY = next(each for each in PROPERTIES if each.name == "no key is told without a request")
PACKETS = '''
class Lookup(codec.Packet, frozen=True):
    """The provider asks about a field, to look into a delivery."""

    user: str
    field: Public


class Found(codec.Packet, frozen=True):
    """The answer."""

    value: Public
'''
HELD = '''        """Return the secret that answers about the field."""
        return self.key
'''
HANDLER = '''
    def on_lookup(self, sender: str, packet: Lookup, wire: Wire) -> Found:
        """Answer the provider."""
        self.insist(sender == "provider", "the provider looks into a delivery")
        field = codec.decode(packet.field, {field})
        return Found({found})
'''
GRANT = 'Grant("custodian", "everything"), '
CLEAR = "open_sealed_key(field, self.key).value"


@pytest.fixture(autouse=True)
def fresh():
    yield
    forget_schemes()


def asked(tmp_path, found, grants=""):
    """The template's scheme whose custodian answers the provider."""
    named = HANDLER.format(field="MineField", found=found)
    checks = "return promises(key.court, warrant, field.people, field.day)"
    return scheme_with(tmp_path, "mine", checks, PACKETS, {HELD: HELD + named, GRANT: GRANT + grants})


@pytest.mark.parametrize(
    "found",
    [CLEAR, f"hpke.seal(self.key.public, {CLEAR})", f"codec.encode([1, {CLEAR}])"],
    ids=["clear", "sealed", "in"],
)
def test_an_official_that_tells_the_provider_a_key_is_named(tmp_path, found):
    broken = PROPERTY.broken(asked(tmp_path, found))
    assert broken == (
        "custodian tells provider the key of a message in answer to a Lookup, which is no request under a warrant"
    )


@pytest.mark.parametrize("found", ["self.key.public", "crypto.sha256(field.sealed)"])
def test_an_official_that_tells_what_is_no_key_is_not_blamed(tmp_path, found):
    assert PROPERTY.broken(asked(tmp_path, found)) == ""


def test_who_is_granted_everything_may_be_told(tmp_path):
    assert PROPERTY.broken(asked(tmp_path, CLEAR, 'Grant("provider", "everything"), ')) == ""
