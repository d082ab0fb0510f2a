"""Every scheme has every property, and every property catches a scheme that was broken on purpose in one line."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import Phase, settings

from attacks.lab.runs import conformance
from attacks.null_eavesdropper import NullEavesdropper
from attacks.registry import attacks
from escrow import codec, crypto, registry, warrant
from escrow.derivation import derivation
from escrow.e2ee import contacts, membership, policing, prekeys, provider, ratchet, sessions
from escrow.e2ee.content import InGroup
from escrow.e2ee.device import Device
from escrow.e2ee.provider import Group, GroupOf
from escrow.e2ee.ratchet import MessageKey, Slot
from escrow.errors import EscrowError, Forged, Refused
from escrow.primitives import hpke
from escrow.principal import revive
from escrow.schemes import clipper, envelope, fair_keys, ghost, plain, plain_pq, split_key, threshold
from escrow.schemes.clipper.phone import ClipperDevice
from escrow.schemes.envelope import Envelope
from escrow.schemes.fair_keys import registration
from escrow.sharing import elgamal
from escrow.sharing.committee.broadcast import Board
from escrow.sharing.committee.speaking import Speaker
from escrow.testing import properties, world
from escrow.testing.harness import Step, playing
from escrow.warrant import Order, Request, Warrant, promises

ROOT = Path(__file__).parents[2]
SCHEMES = registry.schemes()
PROPERTY = {prop.name: prop for prop in properties.PROPERTIES}
PLAIN, ENVELOPE, GHOST, SPLIT = plain.SCHEME, envelope.SCHEME, ghost.SCHEME, split_key.SCHEME
FAIR, PQ, THRESHOLD, CLIPPER = fair_keys.SCHEME, plain_pq.SCHEME, threshold.SCHEME, clipper.SCHEME


@pytest.mark.parametrize("prop", PROPERTY)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_every_property(scheme, prop):
    PROPERTY[prop].test(SCHEMES[scheme], settings())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_scheme_has_every_property_in_a_play(scheme):
    every = tuple(attacks().values())
    tried = {prop: test() for prop, test in conformance.Trial(SCHEMES[scheme], every).tests() if prop not in PROPERTY}
    assert tried == dict.fromkeys(PLAYED, "")


@pytest.mark.parametrize("attack", [name for name, attack in attacks().items() if attack.derivations])
def test_an_attack_breaks_its_specimen_only_and_uses_its_own_rules(attack):
    every = tuple(attacks().values())
    assert {prop: test() for prop, test in conformance.of_attack(attacks()[attack], every)} == dict.fromkeys(STRUCK, "")


# --- specimens: (property, what its verdict names, scheme, and the one line that breaks it) ---

PLAYED = ("a play forgets nothing", "who only listens reads nothing", "every rule is used", "three adversaries agree")
STRUCK = ("it breaks its specimen and not the sound twin", "what only it computes is used on its specimen")


class LooseDevice(Device):
    seed: bytes = b""


class LooseScheme(plain.Plain, frozen=True):
    device = LooseDevice


class LingeringProvider(ghost.GhostProvider):
    def on_devices_of(self, sender, packet: provider.DevicesOf, wire):
        return provider.Provider.on_devices_of(self, sender, packet, wire)


class LingeringGhost(ghost.GhostScheme, frozen=True):
    provider = LingeringProvider


class HoardingAuthority(warrant.Authority):
    def on_serve(self, sender, packet: warrant.Serve, wire):
        self.warrants.append(packet.warrant)


class HoardingScheme(plain.Plain, frozen=True):
    authority = HoardingAuthority


class HastyDealer(split_key.Dealer):
    def deal(self, wire, agents, others):
        made, shares = elgamal.deal(self.t, self.n)
        for agent, share in zip(agents, shares, strict=True):
            sealed = hpke.seal(agent.transport.public, codec.encode(share), split_key._DEAL)
            wire.ask(self.name, agent.name, split_key.Dealt(made, sealed), type(None))
        for name in others:
            wire.ask(self.name, name, split_key.Published(made), type(None))


class HastyScheme(split_key.SplitKey, frozen=True):
    def cast(self, users, court):
        for party in super().cast(users, court):
            yield HastyDealer(party.name, party.t, party.n) if isinstance(party, split_key.Dealer) else party


class UnreadScheme(envelope.EnvelopeScheme, frozen=True):
    def access(self, authority, wire, warrant, intercepted):
        return super().access(authority, wire, warrant, intercepted[1:])


class RecordingEnvelope(envelope.EnvelopeScheme, frozen=True):
    """An access that also yields what was shown beside mail without a field."""

    def access(self, authority, wire, warrant, intercepted):
        yield from super().access(authority, wire, warrant, intercepted)
        yield from (each.text for each in wire.shown)


def without_mail(party):
    return codec.seal_bytes(codec.encode(msgspec.structs.replace(party, mailboxes={})))


def counter():
    met = []
    return lambda party, key, context: met.append(party) or Slot(b"", sum(each is party for each in met))


def unauthenticated(key, sealed, associated):
    """AES-GCM's keystream, its tag not looked at."""
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(15) + b"\x02")).decryptor()
    return stream.update(sealed[:-16])


def unadvanced(party, mail, author):
    return honest_open(revive(party.state(), type(party)), mail, author)


honest_open, honest_signed, honest_signed_by = Device.open_pairwise, Request.signed, Warrant.signed_by


def but(check):
    """The promises of every official, without one."""
    return lambda *given: (each for each in promises(*given) if each[0] != check)


def by_any_court(paper, court):
    return paper.signature != bytes(64)


def whoever_is_named(paper, court):
    named = msgspec.structs.replace(paper.order, target="alice")
    return honest_signed_by(Warrant(named, paper.signature), court)


def insisting(request):
    if not honest_signed(request):
        raise Forged("a promise as mathematics")
    return True


def all_but(*names):
    """A context that leaves out these labels."""
    return lambda field: codec.encode(
        [getattr(field, name) for name in ("chain", "n", "people", "day", "header") if name not in names]
    )


def trusting(authority, warrant, intercepted, kind):
    return ((each, codec.decode(each.mail.field, kind)) for each in intercepted)


def yes(*_):
    return True


def one_after_another(party, wire, to, body, people):
    """The loop that ends at the first error."""
    for listed in (to := list(to)):
        party.mail_to(wire, listed, body, people)
    return to


def without_a_word(party, wire, to, body, people):
    reached = []
    for listed in to:
        with suppress(EscrowError):
            party.mail_to(wire, listed, body, people)
            reached.append(listed)
    return reached


def sealed_outside(party, wire, run, member, seal, value):
    to = run.transports.get(party.names[member - 1])
    return None if to is None else seal(to, value)


def nothing(*_):
    return iter(())


SAID = "what is said is checked or listed"
BAD_KEY = "a bad key stops nobody else"
LABEL, MISSING = "a false label is named", "a missing field is no success"
LATE_MAIL = "honest late mail is not blamed"
DISTURBED = "a disturbed step gives no weaker success"


def but_for(group):
    """The check of whose text it is, left out for a group, and for two users if the name is empty."""
    return lambda *given: given[-1].group == group or honest_check(*given)


def sender_keys_of_anybody(device, wire, mail, author, conversation):
    if conversation.group != "duo" or mail.group:
        honest_check(device, wire, mail, author, conversation)


def from_memory(device, wire, group):
    return device.known_groups.get(group) or membership.look_up(device, wire, group)


def in_silence(device, wire, group):
    return wire.ask(device.name, device.provider, GroupOf(group), Group)


def only_what_is_asked(device, wire, group):
    """Notices where the device sends, and none where it receives."""
    return (membership.look_up if not device.receiving else in_silence)(device, wire, group)


class OpenProvider(provider.Provider):
    def on_group(self, sender, packet: Group, wire):
        self.groups[packet.name] = packet


class OpenScheme(plain.Plain, frozen=True):
    provider = OpenProvider


class LoyalProvider(provider.Provider):
    """It lets whoever was a member once change a group."""

    ever: dict[str, list[str]] = {}

    def on_group(self, sender, packet: Group, wire):
        ever = self.ever.setdefault(packet.name, list(packet.members))
        self.insist(self.accounts.get(sender) in ever, "a member once")
        self.groups[packet.name] = packet


class LoyalScheme(plain.Plain, frozen=True):
    provider = LoyalProvider


honest_check = membership.check

BUSINESS = "who has no business is not heeded"
STRANGERS, CHANGES, JOINED = (
    "texts of strangers are not shown",
    "only members change a group",
    "a new member raises a notice",
)


def by_name(device, wire, to):
    """The session with whoever has the name, under whatever key."""
    kept = device.sessions.get(to.device)
    return kept[0] if kept else honest_current(device, wire, to)


def over_one_key(device, user):
    return honest_number(msgspec.structs.replace(device, linked=device.linked[:1]), user)


class ChainsByName(Device):
    def send_by_chain(self, wire, people, said):
        names = [listed.device for own in self.sending.values() for listed in own.holders]
        for own in self.sending.values():
            own.holders = [listed for listed in self.recipients(wire, people) if listed.device in names]
        super().send_by_chain(wire, people, said)


class NamingScheme(plain.Plain, frozen=True):
    device = ChainsByName


class LastingClient(ghost.GhostClient):
    def keeps_quiet(self, wire, listed):
        """Hide a device as long as it is listed, once it was to be hidden."""
        return listed in self.quiet or super().keeps_quiet(wire, listed)


class LastingGhost(ghost.GhostScheme, frozen=True):
    device = LastingClient


honest_current, honest_number = sessions.current, Device.safety_number

LISTED = "no text under a key not listed and shown"
ROTATED = "a changed key rotates sender chains"
SPOKEN = "a text is shown under a listed key only"
ONCE = "a first message is shown once"
SILENT = "silence ends with its warrant"


def left_here(device, wire):
    return len(device.one_time)


def full_for_all(party, recipient, mail):
    waiting = party.mailboxes.setdefault(recipient, [])
    party.insist(len(waiting) < 1_000, f"{mail.sender} sends {recipient} too much")
    waiting.append(mail)


def unnamed(party, condition, reason):
    if not condition:
        raise Refused(party.name, "too much")


def in_the_clear(authority, wire, official, paper, subject, reply):
    return wire.ask(authority.name, official, authority.request(paper, codec.encode(subject)), reply)


def served_in_the_clear(court, wire, authority, paper):
    wire.tell(court.name, authority, warrant.Serve(paper))


def with_an_aside(authority, wire, official, paper, subject, reply):
    """The request is sealed; what is said beside it names the target."""
    wire.tell(authority.name, official, provider.DevicesOf(paper.order.target))
    return honest_put(authority, wire, official, paper, subject, reply)


honest_put = warrant.Authority.put
UNSEALED = SimpleNamespace(seal=lambda to, plain, info: plain, open_=lambda key, sealed, info: sealed)

OVERHEARD = "whom a warrant is about is not overheard"
DRAINED = "a drained stock is full again the next morning"
FLOODED = "a flood is refused by name and hurts nobody"

SPECIMENS = [
    (OVERHEARD, "a Request from authority to agent-1 lets", SPLIT, (warrant.Authority, "put", in_the_clear)),
    (OVERHEARD, "a Serve from court to authority lets", PLAIN, (warrant.Court, "serve", served_in_the_clear)),
    (OVERHEARD, "a Quiet from provider to bob-phone lets", GHOST, (ghost, "hpke", UNSEALED)),
    (OVERHEARD, "tells whom a warrant is about", ENVELOPE, (warrant.Authority, "put", with_an_aside)),
    ("a party is its fields", "provider", PLAIN, (provider.Provider, "state", without_mail)),
    ("nothing is kept elsewhere", "continue differently", PLAIN, (Device, "access_field", counter())),
    ("state is typed", "LooseDevice.seed is bytes", LooseScheme(), None),
    ("mail arrives", "is missing", PLAIN, (sessions, "SESSIONS_KEPT", 1)),
    ("mail arrives", "missing; the last", PLAIN, (ratchet, "_keep", lambda session, keys: None)),
    ("shown is what was sent", "without need", PLAIN, (Device, "open_pairwise", unadvanced)),
    ("shown is what was sent", "without need", PLAIN, (ratchet, "open_sealed", unauthenticated)),
    ("access yields what is in scope", "are missing", UnreadScheme(), None),
    ("access yields what is in scope", "outside it are yielded", LingeringGhost(), None),
    ("no valid warrant no text", "forged signature", ENVELOPE, (Warrant, "signed_by", yes)),
    ("no valid warrant no text", "another court", ENVELOPE, (Warrant, "signed_by", by_any_court)),
    ("no valid warrant no text", "did not sign", ENVELOPE, (Warrant, "signed_by", whoever_is_named)),
    ("no valid warrant no text", "expired", ENVELOPE, (warrant, "in_force", yes)),
    ("no valid warrant no text", "expired", SPLIT, (warrant, "in_force", yes)),
    (
        "no valid warrant no text",
        "not in force",
        ENVELOPE,
        (warrant, "in_force", lambda paper, day: day <= paper.order.expires),
    ),
    ("no valid warrant no text", "somebody else", ENVELOPE, (envelope, "promises", but("target"))),
    ("no valid warrant no text", "other days", ENVELOPE, (envelope, "promises", but("window"))),
    ("no valid warrant no text", "traffic data", ENVELOPE, (envelope, "promises", but("scope"))),
    ("no valid warrant no text", "traffic data", FAIR, (Order, "opens_content", True)),
    ("no valid warrant no text", "traffic data", GHOST, (Order, "opens_content", True)),
    ("no valid warrant no text", "another authority", GHOST, (Request, "signed", yes)),
    ("a field is bound", "people", ENVELOPE, (Envelope, "context", all_but("people"))),
    ("a field is bound", "day", ENVELOPE, (Envelope, "context", all_but("day"))),
    ("a field is bound", "header", ENVELOPE, (Envelope, "context", all_but("header"))),
    ("a field is bound", "n=", SPLIT, (split_key.SplitField, "context", all_but("n"))),
    ("a request is bound", "another person's warrant", ENVELOPE, (Envelope, "context", all_but("people"))),
    ("a request is bound", "a warrant for other days", ENVELOPE, (Envelope, "context", all_but("day"))),
    ("one bad field does not stop the rest", "Malformed", ENVELOPE, (envelope, "wanted", trusting)),
    ("promises are no mathematics", "agent with its promises off", ENVELOPE, (Request, "signed", insisting)),
    ("promises are no mathematics", "provider with its", GHOST, (Request, "signed", insisting)),
    (BUSINESS, "alice-phone heeds a packet of dealer", SPLIT, (split_key.SplitDevice, "insist", yes)),
    (BUSINESS, "authority heeds a packet of dealer", SPLIT, (split_key, "pinned", lambda *told: told[2].group)),
    (BUSINESS, "trustee-2 heeds a packet of alice-phone", FAIR, (registration.Holder, "insist", yes)),
    (BUSINESS, "authority heeds a packet of court", PLAIN, (warrant.Authority, "insist", yes)),
    (BUSINESS, "provider heeds a packet of alice-phone", PLAIN, (provider.Provider, "insist", yes)),
    (SAID, "another KeyShare.index in Dealt: agent-1 acts on it", SPLIT, (split_key.SplitAgent, "_fit", nothing)),
    (SAID, "Deal.group in Deal: trustee-1 acts", FAIR, (registration.Holder, "insist", yes)),
    (SAID, "SubShare.member in Dealing: agent-2 acts", THRESHOLD, (Speaker, "insist", yes)),
    (SAID, "Order.target in Confidential: agent acts", ENVELOPE, (warrant.Official, "insist_all", yes)),
    (SAID, "Request.signature in Confidential: agent acts", ENVELOPE, (Request, "signed", yes)),
    (SAID, "agent-2 is blamed", THRESHOLD, (Board, "_fault", lambda *_: "")),
    (BAD_KEY, "misses a text", PLAIN, (Device, "mail_each", one_after_another)),
    (BAD_KEY, "the set-up ended", HastyScheme(), None),
    (BAD_KEY, "agent-1 has a key that is missing: alice-phone misses", THRESHOLD, (Speaker, "_sealed", sealed_outside)),
    (BAD_KEY, "it is not named", PLAIN, (Device, "mail_each", without_a_word)),
    (DISTURBED, "centre keeps more", FAIR, (registration.Centre, "insist", yes)),
    (DISTURBED, "trustee-1 keeps more", FAIR, (registration.Holder, "insist", yes)),
    (DISTURBED, "authority keeps more", HoardingScheme(), None),
    (STRANGERS, "pairwise fan-out, of a user who never was", PLAIN, (membership, "check", but_for("pair"))),
    (STRANGERS, "sender keys of a user who never was", PLAIN, (membership, "check", sender_keys_of_anybody)),
    (STRANGERS, "Sender Keys, of a user who never was", PLAIN, (membership, "check", but_for("duo"))),
    (STRANGERS, "fan-out, of a user who was removed", PLAIN, (Device, "look_up_group", from_memory)),
    (STRANGERS, "a conversation of two others", PLAIN, (membership, "check", but_for(""))),
    (STRANGERS, "conversation of two users", PLAIN, (InGroup, "__str__", lambda conversation: conversation.group)),
    (CHANGES, "who never was a member changes", OpenScheme(), None),
    (CHANGES, "who was removed changes", LoyalScheme(), None),
    (JOINED, "by a member without a notice on alice-phone", PLAIN, (Device, "look_up_group", in_silence)),
    (JOINED, "without a notice on", PLAIN, (Device, "look_up_group", only_what_is_asked)),
    (LISTED, "a name of two users", PLAIN, (sessions, "current", by_name)),
    (LISTED, "one device more", PLAIN, (contacts, "is_vouched_for", yes)),
    (LISTED, "linked anew: under a key", NamingScheme(), None),
    (LISTED, "shows a number of other keys", PLAIN, (Device, "safety_number", over_one_key)),
    (ROTATED, "opens what bob-phone says since", NamingScheme(), None),
    (ROTATED, "nobody is told", PLAIN, (Device, "keeps_quiet", yes)),
    (SPOKEN, "an old chain", PLAIN, (contacts, "_insist_on_key", yes)),
    (SPOKEN, "a new session", PLAIN, (Device, "insist", yes)),
    (SPOKEN, "not linked", PLAIN, (contacts, "is_vouched_for", yes)),
    (ONCE, "with a one-time prekey are shown again", PLAIN, (Device, "spend", lambda own, initial: None)),
    (ONCE, "without a one-time prekey are shown again", PQ, (Device, "insist", yes)),
    (SILENT, "bob-phone sends in silence to a device after", LastingGhost(), None),
    (SILENT, "bob-phone sends in silence to a device of a key", GHOST, (ghost, "is_hushed", yes)),
    (DRAINED, "one_time are not new", PLAIN, (prekeys, "_left", left_here)),
    (DRAINED, "kem, one_time are not new", PQ, (prekeys, "_left", left_here)),
    (DRAINED, "pile up", PLAIN, (prekeys, "_handed_out", lambda device, left: [])),
    (FLOODED, "fetching keys without end is never", PLAIN, (provider.Provider, "FETCHES", 10**9)),
    (FLOODED, "publishing keys without end is never", PLAIN, (provider.Provider, "ONE_TIME", 10**9)),
    (FLOODED, "sending mail without end is never", PLAIN, (provider.Provider, "MAILS", 10**9)),
    (FLOODED, "after sending mail without end, texts of others", PLAIN, (provider.Provider, "queue", full_for_all)),
    (FLOODED, "founding groups without end is never", PLAIN, (provider.Provider, "GROUPS", 10**9)),
    (FLOODED, "filling a group without end is never", PLAIN, (provider.Provider, "MEMBERS", 10**9)),
    (FLOODED, "publishing long keys without end is never", PLAIN, (provider.Provider, "PACKET_BYTES", 10**9)),
    (FLOODED, "without the flooder's name", PLAIN, (provider.Provider, "insist", unnamed)),
    (LABEL, "none: a field with tomorrow as the day names nobody", ENVELOPE, (policing, "compare", lambda *_: None)),
    (LABEL, "with a bystander's name names nobody", SPLIT, (policing, "_of", yes)),
    (LABEL, "with a day that is long over names nobody", FAIR, (policing, "LATE", 99)),
    (
        LABEL,
        "relay: a field with tomorrow as the day is carried",
        ENVELOPE,
        (world, "relay", lambda party, kind: party),
    ),
    (LABEL, "an honest sender is named", ENVELOPE, (policing, "_of", lambda *_: False)),
    (MISSING, "relay: a text without a field names nobody", ENVELOPE, (world, "relay", lambda party, kind: party)),
    (MISSING, "recipient: a text without a field names nobody", ENVELOPE, (Device, "admit", lambda *_: None)),
    (MISSING, "recipient: a text without a field names nobody", CLIPPER, (ClipperDevice, "admit", lambda *_: None)),
    (MISSING, "a text without a field is yielded", RecordingEnvelope(), None),
    (LATE_MAIL, "mail that is late: an honest sender is named", ENVELOPE, (policing, "LATE", 0)),
    (
        LATE_MAIL,
        "recipient, mail that is now: an honest sender is named",
        ENVELOPE,
        (policing, "field_seed", lambda *_: os.urandom(32)),
    ),
    ("the seed decides", "same seed", PLAIN, (crypto, "random_bytes", os.urandom)),
    ("the seed decides", "another seed", PLAIN, (crypto.Run, "draw", lambda run, n: bytes(n))),
]


@pytest.mark.parametrize(("prop", "names", "scheme", "line"), SPECIMENS, ids=[f"{s[0]}: {s[1]}" for s in SPECIMENS])
def test_each_property_catches_a_specimen(prop, names, scheme, line, monkeypatch):
    if line:
        monkeypatch.setattr(*line)
    assert names in PROPERTY[prop].broken(scheme, settings(settings(), phases=[Phase.generate]))


def plugin(tmp_path, name, lines):
    path = tmp_path / f"{name}.py"
    head = "from escrow.codec import Fact\nfrom escrow.derivation import derivation\n"
    head += "from escrow.schemes.plain import Plain\n\n"
    path.write_text(head + lines + "\n\nclass Mine(Plain, frozen=True):\n    name = 'mine'\n\n\nSCHEME = Mine()\n")
    return registry.load_file(path).SCHEME


NEVER = (
    "class Never(Fact, frozen=True):\n    n: int\n\n\ndef more(never: Never) -> Never:\n    return Never(never.n + 1)"
)


@pytest.mark.parametrize(
    ("name", "lines", "names"),
    [
        ("unmarked_rule", NEVER, "more"),
        ("twice_a_slot", "class Slot(Fact, frozen=True):\n    n: int", "types are called Slot"),
    ],
)
def test_unmarked_functions_and_ambiguous_names_are_caught(name, lines, names, tmp_path):
    assert names in PROPERTY["rules are marked"].broken(plugin(tmp_path, name, lines))


def test_every_law_has_a_specimen():
    assert {prop for prop, *_ in SPECIMENS} | {"rules are marked"} == set(PROPERTY)


# --- specimens of the properties that need a play ---


def played(scheme, prop):
    return dict(conformance.Trial(scheme, ()).tests())[prop]()


def test_a_party_that_remembers_outside_its_fields_plays_another_play(monkeypatch):
    monkeypatch.setattr(Device, "access_field", counter())
    assert "another play" in played(PLAIN, "a play forgets nothing")


class UnseedableScheme(plain.Plain, frozen=True):
    seedable = "its field is the operating system's"


@pytest.mark.parametrize("admitted", [True, False])
def test_a_scheme_that_is_not_seedable_must_say_so(admitted, monkeypatch):
    monkeypatch.setattr(Device, "access_field", lambda party, key, context: Slot(os.urandom(8), 0))
    scheme = UnseedableScheme() if admitted else PLAIN
    tried = dict(conformance.Trial(scheme, ()).tests())
    broken = {prop for prop in ("nothing is kept elsewhere", "the seed decides", PLAYED[0]) if tried[prop]()}
    assert broken == (set() if admitted else {"nothing is kept elsewhere", "the seed decides", PLAYED[0]})


def test_a_key_beside_its_message_is_read_by_whoever_listens(monkeypatch):
    monkeypatch.setattr(Device, "access_field", lambda party, key, context: key)
    assert "24 of 24 texts are open" in played(PLAIN, "who only listens reads nothing")


def test_a_rule_that_never_fires_is_named(tmp_path):
    scheme = plugin(tmp_path, "idle_rule", NEVER.replace("def more", "@derivation()\ndef more"))
    assert played(scheme, "every rule is used") == "never used: plugin_idle_rule.more"


def test_a_secret_that_no_type_tells_is_found(monkeypatch):
    hidden = lambda party, key, context: Slot(key.value, 0)  # noqa: E731 (one line, as each specimen)
    monkeypatch.setattr(Device, "access_field", hidden)
    assert "where the closure did not find it" in played(PLAIN, "three adversaries agree")


@derivation()
def never_needed(slot: Slot) -> MessageKey:
    raise Forged("for no slot at all")


class Blunt(NullEavesdropper):
    specimen = "toy.control"
    derivations = (never_needed,)


def test_an_attack_without_a_specimen_that_it_breaks_is_caught(monkeypatch, tmp_path):
    (tmp_path / "toy.py").write_text("# what the key of a control is of")
    monkeypatch.syspath_prepend(tmp_path)
    control = ModuleType("toy.control")
    control.SPECIMEN, control.TWIN, control.SCENARIO = PLAIN, PLAIN, conformance.small()
    monkeypatch.setitem(sys.modules, "toy.control", control)
    found = {prop: (holds, broken) for prop, holds, broken in conformance.check([], [Blunt()])}
    assert found[f"null-eavesdropper, {STRUCK[0]}"] == (
        False,
        f"it did not break plain (HELD: {found_reason(control)})",
    )
    assert found[f"null-eavesdropper, {STRUCK[1]}"] == (False, f"never used: {__name__}.never_needed")


def found_reason(control):
    evaluation = conformance.controlled.__globals__["Evaluation"](control.SPECIMEN, (Blunt(),), control.SCENARIO)
    return evaluation.cell(Blunt())[0].reason


class UncastScheme(plain.Plain, frozen=True):
    def cast(self, users, court):
        raise ZeroDivisionError("a defect")


def test_a_scheme_that_cannot_be_played_breaks_laws_and_stops_nothing():
    found = list(conformance.check([UncastScheme()], []))
    broken = {name.removeprefix("plain, ") for name, holds, why in found if not holds and "a defect" in why}
    of_fields = {"one bad field does not stop the rest", "a false label is named", "a missing field is no success"}
    of_fields.add("honest late mail is not blamed")  # plain has no fields
    assert broken == {*PROPERTY, *PLAYED} - {"rules are marked"} - of_fields


def test_progress_counts_every_law():
    told = []
    laws_tried = list(conformance.check([], [NullEavesdropper()], progress=lambda *said: told.append(said)))
    assert [(done, of) for done, of, _ in told] == [(at, len(laws_tried)) for at in range(len(laws_tried))]
    assert [name for _, _, name in told] == [name for name, _, _ in laws_tried]


def test_without_hypothesis_the_properties_say_what_to_install_and_the_rest_of_conformance_loads():
    code = """
import sys
sys.modules["hypothesis"] = None
from attacks.lab.runs import conformance
from escrow.schemes.plain import SCHEME
try:
    list(conformance.check([SCHEME], []))
except ModuleNotFoundError as error:
    print(error.name, error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "hypothesis the properties need the extra `test`: pip install 'escrow-lab[test]'\n"


# --- the harness itself ---


def test_the_stage_does_with_mail_what_it_is_told():
    say = Step("say", "bob-phone", "carol")
    for fate, shown, harmed in (("now", 1, 0), ("late", 1, 0), ("twice", 1, 0), ("lost", 0, 1), ("damaged", 0, 1)):
        with playing(PLAIN, [fate]) as harness:
            harness.take(say)
            assert len(harness.late) == (fate == "late")
            harness.play([])
            assert (harness.shown.total(), len(harness.harmed)) == (shown, harmed)
            assert harness.meant == {("carol-phone", "bob", "bob+carol", harness.said[0].body): 1}


def test_altered_values_differ_in_one_place_and_reach_every_field():
    field = Envelope(b"c", 3, ("a", "b"), 5, b"agent", b"h", b"sealed")
    found = list(properties.altered(field))
    assert field not in found
    assert len(set(found)) == len(found)
    for name in field.__struct_fields__:
        assert any(getattr(other, name) != getattr(field, name) for other in found)
    for other in found:
        assert sum(getattr(other, name) != getattr(field, name) for name in field.__struct_fields__) == 1


@pytest.mark.parametrize("scheme", ["clipper", "fair-keys", "ghost", "plain", "threshold"])
def test_nothing_stands_in_the_list_without_need(scheme):
    """What a scheme's own types declare as unchecked makes a difference somewhere; long runs try all values."""
    assert PROPERTY[SAID].broken(SCHEMES[scheme], settings(settings(), max_examples=120)) == ""


def test_what_decides_who_reads_may_not_be_listed(monkeypatch):
    monkeypatch.setattr(split_key.SplitField, "unchecked", {"day": "no matter"}, raising=False)
    assert "SplitField.day is listed as unchecked, and decides who reads" in PROPERTY[SAID].broken(SPLIT)


def test_a_list_that_is_too_long_is_found(monkeypatch):
    monkeypatch.setattr(split_key.Dealt, "unchecked", {"sealed": "no matter"}, raising=False)
    broken = PROPERTY[SAID].broken(SPLIT, settings(settings(), max_examples=120))
    assert broken == "Dealt.sealed is listed as unchecked, and no other value of it goes unnoticed"
