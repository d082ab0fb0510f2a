"""Every property catches a scheme that was broken on purpose in one line."""

import os

import pytest
from hypothesis import Phase, settings
from kit import CLIPPER, ENVELOPE, FAIR, GHOST, NEVER, PLAIN, PQ, PROPERTY, SAID, SPLIT, THRESHOLD, plugin
from specimens import (
    EMPTY,
    UNSEALED,
    CopyingScheme,
    FlaggingScheme,
    HastyScheme,
    HoardingAgents,
    HoardingScheme,
    HopefulGhost,
    LastingGhost,
    LingeringGhost,
    LooseScheme,
    LoyalScheme,
    NamingScheme,
    OpenScheme,
    RecordingEnvelope,
    UnreadScheme,
    a_day_before,
    all_but,
    as_often_as_named,
    but,
    but_for,
    by_a_part_of_a_name,
    by_any_court,
    by_last_day,
    by_name,
    by_owner_alone,
    by_weekday,
    counter,
    from_memory,
    full_for_all,
    in_any_case,
    in_silence,
    in_the_clear,
    insisting,
    left_here,
    nothing,
    of_known_days,
    one_after_another,
    only_what_is_asked,
    over_one_key,
    sealed_outside,
    sender_keys_of_anybody,
    served_in_the_clear,
    trusting,
    unadvanced,
    unauthenticated,
    unmeasured,
    unnamed,
    up_to_the_first,
    whatever_it_holds,
    whoever_is_named,
    with_an_aside,
    without_a_word,
    without_mail,
    yes,
)

from escrow import crypto, warrant
from escrow.e2ee import contacts, membership, policing, prekeys, provider, ratchet, sessions
from escrow.e2ee.content import InGroup
from escrow.e2ee.device import Device
from escrow.schemes import envelope, ghost, layered, split_key
from escrow.schemes.clipper import field as clipper_field
from escrow.schemes.clipper.phone import ClipperDevice
from escrow.schemes.clipper.scheme import Clipper
from escrow.schemes.envelope import Envelope
from escrow.schemes.fair_keys import registration
from escrow.schemes.split_key import SplitKey
from escrow.schemes.threshold import Threshold
from escrow.sharing.accusations import Accusations
from escrow.sharing.committee.broadcast import Board
from escrow.sharing.committee.speaking import Speaker
from escrow.testing import world
from escrow.warrant import Order, Request, Warrant

PARTIAL = Clipper(partial=True, width=32)  # of its session keys 16 bits are searched for
BESIDE = "one bad field does not stop the rest"
BAD_KEY = "a bad key stops nobody else"
LABEL, MISSING = "a false label is named", "a missing field is no success"
LATE_MAIL = "honest late mail is not blamed"
DISTURBED = "a disturbed step gives no weaker success"
BUSINESS = "who has no business is not heeded"
STRANGERS, CHANGES, JOINED = (
    "texts of strangers are not shown",
    "only members change a group",
    "a new member raises a notice",
)


MISMADE = "what a sender made wrongly is blamed on no official"
TWICE = "who is named twice is sent one text"
LISTED = "no text under a key not listed and shown"
ROTATED = "a changed key rotates sender chains"
SPOKEN = "a text is shown under a listed key only"
ONCE = "a first message is shown once"
SILENT = "silence ends with its warrant"
NO_ANSWER = "no answer ends no day"
LATE_WORD = "a late word stops no mail"
LOOKS = "no device is hidden for its looks"
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
    ("no valid warrant no text", "somebody else, alic", ENVELOPE, (envelope, "promises", by_a_part_of_a_name)),
    ("no valid warrant no text", "somebody else, Alice", ENVELOPE, (envelope, "promises", in_any_case)),
    ("no valid warrant no text", "from tomorrow on", ENVELOPE, (envelope, "promises", a_day_before)),
    ("no valid warrant no text", "traffic data", ENVELOPE, (envelope, "promises", but("scope"))),
    ("no valid warrant no text", "traffic data", FAIR, (Order, "opens_content", True)),
    ("no valid warrant no text", "traffic data", GHOST, (Order, "opens_content", True)),
    ("no valid warrant no text", "another authority", GHOST, (Request, "signed", yes)),
    ("a field is bound", "with `people`", ENVELOPE, (Envelope, "context", all_but("people"))),
    ("a field is bound", "with `day`", ENVELOPE, (Envelope, "context", all_but("day"))),
    ("a field is bound", "with `header`", ENVELOPE, (Envelope, "context", all_but("header"))),
    ("a field is bound", "with `n`", SPLIT, (split_key.SplitField, "context", all_but("n"))),
    ("a request is bound", "another person's warrant", ENVELOPE, (Envelope, "context", all_but("people"))),
    ("a request is bound", "a warrant for other days", ENVELOPE, (Envelope, "context", all_but("day"))),
    ("a request is bound", "a day long after", ENVELOPE, (Envelope, "context", by_weekday)),
    (BESIDE, "Malformed", ENVELOPE, (envelope, "wanted", trusting)),
    (BESIDE, "OverflowError", PARTIAL, (clipper_field, "read_leaf", unmeasured)),
    (BESIDE, "beside a bad field", SPLIT, (SplitKey, "access", up_to_the_first(SplitKey.access))),
    (BESIDE, "beside a bad field", THRESHOLD, (Threshold, "access", up_to_the_first(Threshold.access))),
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
    (DISTURBED, "trustee-3 keeps more", FAIR, (registration.Holder, "insist", yes)),
    (DISTURBED, "authority keeps more", HoardingScheme(), None),
    (DISTURBED, "keeps more than without the disturbance: {'SealedShare': 1}", HoardingAgents(), None),
    (STRANGERS, "pairwise fan-out, of a user who never was", PLAIN, (membership, "check", but_for("pair"))),
    (STRANGERS, "sender keys of a user who never was", PLAIN, (membership, "check", sender_keys_of_anybody)),
    (STRANGERS, "Sender Keys, of a user who never was", PLAIN, (membership, "check", but_for("duo"))),
    (STRANGERS, "fan-out, of a user who was removed", PLAIN, (Device, "look_up_group", from_memory)),
    (STRANGERS, "a conversation of two others", PLAIN, (membership, "check", but_for(""))),
    (STRANGERS, "conversation of two users", PLAIN, (InGroup, "__str__", lambda conversation: conversation.group)),
    (CHANGES, "who never was a member changes", OpenScheme(), None),
    (CHANGES, "who was removed changes", LoyalScheme(), None),
    (TWICE, "where the provider names everybody twice", PLAIN, (Device, "recipients", as_often_as_named)),
    (MISMADE, "an official is blamed: layer-", layered.SCHEME, (layered, "_part", whatever_it_holds)),
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
    (SPOKEN, "in no list", PLAIN, (contacts, "author_of", by_owner_alone)),
    (ONCE, "with a one-time prekey are shown again", PLAIN, (Device, "spend", lambda own, initial: None)),
    (ONCE, "without a one-time prekey are shown again", PQ, (Device, "insist", yes)),
    (SILENT, "bob-phone sends in silence to a device after", LastingGhost(), None),
    (SILENT, "bob-phone sends in silence to a device after its warrant expired", GHOST, (ghost, "until", by_last_day)),
    (SILENT, "bob-phone sends in silence to a device of a key", GHOST, (ghost, "is_hushed", yes)),
    (LOOKS, "called '-monitor'", FlaggingScheme(), None),
    (LOOKS, "with the key 00", PLAIN, (Device, "keeps_quiet", lambda own, wire, device: device.identity[0] < 16)),
    (LATE_WORD, "agent-1 tells a late NoShare, a client sends nothing", SPLIT, (Accusations, "end", lambda _: None)),
    (NO_ANSWER, "provider answers nothing on day 2", HopefulGhost(), None),
    (
        LATE_WORD,
        "a late NoShare, a text has no access field",
        SplitKey(failed="unescrowed"),
        (Accusations, "end", lambda _: None),
    ),
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
    (FLOODED, "one long key after another without end is never", PLAIN, (provider, "codec", EMPTY)),
    (FLOODED, "names a recipient 100 times waits for it 100 times", CopyingScheme(), None),
    (FLOODED, "without the flooder's name", PLAIN, (provider.Provider, "insist", unnamed)),
    (LABEL, "a day before its reader knew", ENVELOPE, (policing, "_of", of_known_days)),
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


def test_where_lengths_are_checked_a_field_of_other_lengths_stops_nothing():
    assert PROPERTY[BESIDE].broken(PARTIAL) == ""


def test_unmarked_functions_are_caught(tmp_path):
    assert "more" in PROPERTY["rules are marked"].broken(plugin(tmp_path, "unmarked_rule", NEVER))


def test_every_property_has_a_specimen():
    in_files = {"rules are marked", "no key is told without a request"}  # above; test_told_without_a_request
    assert {prop for prop, *_ in SPECIMENS} | in_files == set(PROPERTY)
