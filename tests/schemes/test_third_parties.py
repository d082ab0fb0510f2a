"""What third parties write in one file: faults in it are found, and sound schemes of other shapes are not blamed."""

from itertools import count

import pytest
import two_custodians
from two_custodians import SealedTo, TwofoldDevice, TwofoldField

from escrow import hpke, registry
from escrow.scheme import AccessField
from escrow.testing import properties, templates
from escrow.testing.trying import QUICK

NUMBERS = count()
PROPERTY = {each.name: each for each in properties.PROPERTIES}
BOUND, ASKED, OVERHEARD = "a field is bound", "a request is bound", "whom a warrant is about is not overheard"
BAD_KEY, STEPS = "a bad key stops nobody else", "a disturbed step gives no weaker success"
LABEL, SAID = "a false label is named", "what is said is checked or listed"


def written(tmp_path, *changes):
    """Return the scheme that a file makes: the template with these changes."""
    text = templates.scheme("mine")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"mine_{next(NUMBERS)}.py"  # a file of each name is loaded once
    path.write_text(text)
    return registry.load_file(path).SCHEME


def instead(first, last, text):
    """Return the change of the template that puts a text in place of what stands between two others."""
    whole = templates.scheme("mine")
    return whole[whole.index(first) : whole.index(last)], text


# --- what is asked about ---

ASK = '''
@derivation("any field, any key")
def open_sealed_key(field: MineField, key: MineKey) -> MessageKey:
    """Return the message key."""
    return MessageKey(field.chain, field.n, hpke.open_(key, field.sealed, field.labels()))


class MineAsk(AccessField, frozen=True):
    """What is asked about: a field, and beside it whom and which day it is said to be about."""

    field: MineField


@derivation("any ask, any key")
def open_asked(ask: MineAsk, key: MineKey) -> MessageKey:
    """Return the message key in the field."""
    return open_sealed_key(ask.field, key)


@service(open_asked, holder="key")
def custodian_checks(key: MineKey, warrant: Warrant, ask: MineAsk) -> Checks:
    """Yield what the custodian promises to check."""
    return promises(key.court, warrant, CHECKED.people, CHECKED.day)


'''


def asking(tmp_path, checked):
    subject = "MineAsk(field.chain, field.n, field.people, field.day, field)"
    return written(
        tmp_path,
        instead('@derivation("field.custodian', '@derivation("answer.to', ASK.replace("CHECKED", checked)),
        ('"custodian", warrant, field)', f'"custodian", warrant, {subject})'),
        ("subject: MineField", "subject: MineAsk"),
    )


def test_labels_beside_a_field_must_not_make_a_warrant_fit(tmp_path):
    broken = PROPERTY[ASKED].broken(asking(tmp_path, "ask"))
    assert "under another person's warrant, 4 texts are yielded if asked about a MineAsk" in broken
    sound = asking(tmp_path, "ask.field")
    assert {name: PROPERTY[name].broken(sound) for name in (ASKED, BOUND, SAID)} == {ASKED: "", BOUND: "", SAID: ""}


# --- what the network reads ---

HINT = '''
class Hint(Packet, frozen=True):
    """What the authority says before it asks."""

    unchecked = {"what": "a hint"}
    what: KIND


class MineCustodian(Official):
    """The custodian."""

    def on_hint(self, sender: str, packet: Hint, wire: Wire) -> None:
        """Take no notice."""
        self.insist(sender == "authority", "the authority hints")
'''
HINTS = {
    "a hash of the target's name": ("Public", "crypto.sha256(warrant.order.target.encode())"),
    "the number of the target": ("int", "('alice', 'bob', 'carol').index(warrant.order.target)"),
    "random bytes": ("Public", "crypto.random_bytes(32)"),
}


@pytest.mark.parametrize("what", HINTS)
def test_a_value_that_follows_from_the_target_tells_whom_a_warrant_is_about(what, tmp_path):
    kind, value = HINTS[what]
    asks = "for intercept, field in wanted("
    scheme = written(
        tmp_path,
        ("from escrow.codec import Public", "from escrow.codec import Packet, Public"),
        instead("class MineCustodian", "    key: MineKey\n    promise", HINT.replace("KIND", kind)),
        (asks, f'wire.tell(authority.name, "custodian", Hint({value}))\n        {asks}'),
    )
    broken = PROPERTY[OVERHEARD].broken(scheme)
    assert ("a Hint from authority to custodian tells whom" in broken) == (what != "random bytes")
    assert not broken or broken.endswith("for another, in every play")


# --- officials that write down what they are asked ---

LOG = '''    log: list[Line] = []
    promise = custodian_checks

    def give(self, secret, warrant, subject):
        """Write the request down, and answer it."""
        self.log.append(Line(crypto.sha256(codec.encode(subject))))
        return super().give(secret, warrant, subject)
'''
LINE = '''class Line(Fact, frozen=True):
    """A line of a log: the hash of what was asked about."""

    what: Public


class MineCustodian'''


def test_an_official_that_writes_each_request_down_is_not_blamed(tmp_path):
    scheme = written(
        tmp_path,
        ("from escrow.codec import Public", "from escrow.codec import Fact, Public"),
        ("    promise = custodian_checks\n", LOG),
        ("class MineCustodian", LINE),
    )
    assert {name: PROPERTY[name].broken(scheme) for name in (STEPS, SAID)} == {STEPS: "", SAID: ""}


def test_an_official_that_loses_what_it_has_by_a_false_request_is_found(tmp_path):
    """It erases the keys of earlier days before it looks at the field, whose day is not true."""
    erasing = LOG.replace("log: list[Line]", "days: list[Line]").replace(
        "self.log.append(Line(crypto.sha256(codec.encode(subject))))",
        "self.days = self.days[subject.day :] or [Line(bytes(32)) for _ in range(9)]",
    )
    scheme = written(
        tmp_path,
        ("from escrow.codec import Public", "from escrow.codec import Fact, Public"),
        ("    promise = custodian_checks\n", erasing),
        ("class MineCustodian", LINE),
    )
    assert "tells custodian another MineField.day in Confidential: custodian acts" in PROPERTY[SAID].broken(scheme)


# --- keys that change ---

NEW_KEY = '''class NewKey(Packet, frozen=True):
    """The custodian's key from a day on."""

    day: int
    key: Public


class MineDevice(device.Device):
    """A client that seals each message key to the newest key that the custodian told."""

    unrepeatable = "the custodian's key changes every day"
    since: int = -1

    def on_new_key(self, sender: str, packet: NewKey, wire: Wire) -> None:
        """Take a newer key."""
        self.insist(sender == "custodian", "the custodian tells its key")
        if (packet.day, packet.key) != (self.since, self.custodian):
            self.insist(NEWER, "a newer key")
            self.custodian, self.since = packet.key, packet.day

'''
EACH_DAY = '''    def each_day(self, wire: Wire, day: int) -> None:
        """Let the custodian make a new key, and tell every device."""
        own = wire.party("custodian", MineCustodian)
        with crypto.acting("custodian"):
            made = new_private()
        own.old, own.key = [*own.old, own.key], MineKey(made.public, made.raw, own.key.court)
        for name, party in wire.parties.items():
            if isinstance(party, MineDevice):
                try:
                    wire.ask("custodian", name, NewKey(day, made.public), type(None))
                except EscrowError as error:
                    wire.complain(name, error)

    def access(
'''


@pytest.mark.parametrize(("newer", "broken"), [("packet.day > self.since", False), ("True", True)])
def test_an_old_packet_that_comes_again_on_another_day_does_not_replace_the_newest(newer, broken, tmp_path):
    scheme = written(
        tmp_path,
        ("from escrow.codec import Public", "from escrow.codec import Packet, Public"),
        instead("class MineDevice", '    custodian: Public = b""', NEW_KEY.replace("NEWER", newer)),
        ("    key: MineKey\n", "    key: MineKey\n    old: list[MineKey] = []\n"),
        (
            "        return self.key\n",
            "        return {each.public: each for each in (*self.old, self.key)}[subject.custodian]\n",
        ),
        ("    def access(\n", EACH_DAY),
    )
    found = {name: PROPERTY[name].broken(scheme) for name in (STEPS, "honest late mail is not blamed")}
    assert found["honest late mail is not blamed"] == ""
    assert found[STEPS].endswith("alice-phone takes an older packet for the newest") == broken
    assert bool(found[STEPS]) == broken


# --- a cast of its own ---

CAST = """        yield MineCustodian("custodian", MineKey(made.public, made.raw, court))
        users = list(users)
        yield Provider("provider", accounts={name: user.name for user in users for name in user.devices})
        yield Authority("authority", key=crypto.new_signing_key(AuthorityKey))
        for user in users:
            yield from device.new_devices(MineDevice, user.name, user.devices, custodian=made.public)

"""


@pytest.mark.parametrize("committing", [False, True])
def test_a_cast_that_knows_no_parameters_is_committing_and_policed_all_the_same(committing, tmp_path):
    scheme = written(
        tmp_path,
        instead("        yield MineCustodian(", "    def access(\n", CAST),
        ("import Answer,", "import Answer, AuthorityKey,"),
        ("from escrow.errors", "from escrow.e2ee.provider import Provider\nfrom escrow.errors"),
    )
    scheme = type(scheme)(committing=committing)
    named = (
        "mail arrives",
        "access yields what is in scope",
        "a false label is named",
        "a missing field is no success",
    )
    assert {name: PROPERTY[name].broken(scheme) for name in named} == dict.fromkeys(named, "")


# --- several officials, each of which opens everything ---


def test_two_custodians_one_of_which_suffices_are_not_blamed():
    assert [each.name for each in properties.PROPERTIES if each.broken(two_custodians.SCHEME, QUICK)] == []


def sealed_to_all(party, key, context):
    """Make no field at all if one custodian has no key."""
    labels = (key.chain, key.n, context.people, context.day)
    blank = TwofoldField(*labels, ())
    told = [party.keys[name] for name in two_custodians.NAMES]
    return TwofoldField(*labels, tuple(SealedTo(to, hpke.seal(to, key.value, blank.labels(to))) for to in told))


def test_one_of_two_custodians_without_a_key_stops_no_text(monkeypatch):
    monkeypatch.setattr(TwofoldDevice, "access_field", sealed_to_all)
    assert "KeyError: 'left'" in PROPERTY[BAD_KEY].broken(two_custodians.SCHEME)


@pytest.mark.parametrize("name", [name for name in AccessField.__struct_fields__ if name != "chain"])
def test_a_spare_part_excuses_no_label(name, monkeypatch):
    kept = [each for each in AccessField.__struct_fields__ if each != name]

    def labels(field, to):
        return two_custodians.codec.encode((*(getattr(field, each) for each in kept), to))

    monkeypatch.setattr(TwofoldField, "labels", labels)
    assert "a text is yielded with" in PROPERTY[BOUND].broken(two_custodians.SCHEME)
