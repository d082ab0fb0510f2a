"""Properties of keys under names: a name may come to stand for another key, and a first message may come again.

  listed, shown   who opens a text has a key that the directory lists today and that its author's safety number covers
  rotated         a device that is linked anew under an old name reads on; the one that had the name reads nothing more
  spoken          what a device says under a key that is no longer listed, or was never linked, or is listed only for
                  whoever asks whose device it is, is not shown
  once            first messages told again, however many sessions were begun since, show nothing again
  silent          a device that was added under a warrant is hidden while the warrant lasts, and under its key only; it
                  says nothing, changes no group, and is given nothing once the warrant expired
  looks           while no warrant was served no device is hidden, whatever its name or key

Who can open a text is found by trying: a copy of each device's state, its promises off, is given the mail.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from escrow import crypto
from escrow.codec import walk
from escrow.crypto import montgomery
from escrow.e2ee.device import Device
from escrow.e2ee.fingerprint import safety_number
from escrow.e2ee.provider import DeviceList, DevicesOf, Listed, Provider
from escrow.e2ee.sessions import SESSIONS_KEPT
from escrow.errors import EscrowError
from escrow.principal import corrupted, revive
from escrow.scheme import Scheme
from escrow.testing.harness import Harness, Said, Step, playing
from escrow.testing.trying import Broken, require, settings
from escrow.testing.world import mails_in
from escrow.warrant import issue
from escrow.wire import Wire

BEFORE = (
    Step("say", "bob-phone", "alice"),
    Step("say", "alice-phone", "bob"),
    Step("say", "bob-phone", "choir"),
    Step("say", "alice-phone", "choir"),
)
PLANTED = b"planted"
UNNOTICED = "a device that is in no list"
AFTER = (*BEFORE, Step("say", "carol-phone", "club"))


def no_text_under_a_key_not_listed_and_shown(scheme: Scheme, how: settings) -> None:
    """Require that a text opens only under keys that are in its author's list of the day and in the safety number."""
    for lie in (_one_device_more, _a_name_of_two_users, _linked_anew, _another_key):
        with playing(scheme) as harness:
            others = lie(harness)
            harness.settle()
            since = len(harness.wire.heard)
            for step in AFTER:
                harness.take(step)
                _opened_as_shown(harness, harness.said[-1], since, others, lie.__name__[1:].replace("_", " "))


def _another_key(harness: Harness) -> list[Device]:
    """Have the directory list another key under a device's name. Return its holder."""
    harness.play(BEFORE)
    return [harness.listed("alice", "alice-laptop")]


def _one_device_more(harness: Harness) -> list[Device]:
    """Have the directory list a device that its user did not link. Return it."""
    harness.play(BEFORE)
    return [harness.listed("alice", "alice-tablet")]


def _linked_anew(harness: Harness) -> list[Device]:
    """Unlink a device, and link a new one under its name. Return the old one."""
    harness.play(BEFORE)
    gone = harness.unlink("alice-laptop")
    harness.link("alice", "alice-laptop")
    return [gone]


def _a_name_of_two_users(harness: Harness) -> list[Device]:
    """Have the directory list a device of carol's under the name of one of alice's, until bob has written to carol."""
    directory, accounts = harness.provider.directory, harness.provider.accounts
    true = directory["alice-phone"]
    other = harness.listed("carol", "alice-phone")
    harness.take(Step("say", "bob-phone", "carol"))
    directory["alice-phone"], accounts["alice-phone"] = true, "alice"
    return [other]


def _opened_as_shown(harness: Harness, said: Said, since: int, others: list[Device], when: str) -> None:
    """Raise Broken if a text opens under a key that its author's list or safety number lacks."""
    author = harness.device(said.device)
    for reader in (*(harness.device(name) for name in harness.owner if name != said.device), *others):
        listed = _list_of(harness, author, reader.user)
        shown = author.linked if reader.user == author.user else [each.identity for each in listed]
        hidden = [each.identity for each in author.quiet]
        key = reader.identity.public
        fits = any(each.identity == key for each in listed) and (key in shown or key in hidden)
        if not fits and said.body in _opened(harness, reader, author, since):
            raise Broken(f"{when}: under a key not listed and shown, {reader.name} opens a text of {author.name}")
    for user in said.people:
        if user != author.user:
            theirs = [montgomery(each.identity) for each in _list_of(harness, author, user)]
            number = safety_number(author.user, map(montgomery, author.linked), user, theirs)
            require(author.safety_number(user) == number, f"{when}: {author.name} shows a number of other keys")


def _list_of(harness: Harness, asker: Device, user: str) -> tuple[Listed, ...]:
    """Return the devices of a user as the directory lists them today."""
    return harness.provider.on_devices_of(asker.name, DevicesOf(user), harness.wire).devices


def _opened(harness: Harness, reader: Device, author: Device, since: int) -> set[bytes]:
    """Return the texts of an author, heard since some packet, that a device opens with its promises off."""
    copy: Any = corrupted(revive(reader.state(), type(reader)))
    copy.contacts = {author.user: [Listed(author.user, author.name, author.identity.public)]}
    wire = Wire([copy, harness.provider])
    wire.day = harness.wire.day
    for packet in harness.wire.heard[since:]:
        for mail in mails_in(packet) if packet.src == author.name else ():
            if reader.name in mail.recipients or mail.group:
                with suppress(EscrowError):
                    copy.receive(wire, mail)
    return {shown.text for shown in wire.shown}


def a_changed_key_rotates_sender_chains(scheme: Scheme, how: settings) -> None:
    """Require that a device linked anew under an old name reads on in a group, and the one before it nothing more."""
    with playing(scheme) as harness:
        (gone,) = _linked_anew(harness)
        harness.settle()
        since = len(harness.wire.heard)
        for name in ("bob-phone", "alice-phone"):
            harness.play([Step("say", name, "choir")])
            opened = _opened(harness, gone, harness.device(name), 0)
            require(harness.said[-1].body not in opened, f"who had the name opens what {name} says since")
        missing = harness.meant - harness.shown
        require(not missing, f"{missing.total()} texts said since are not shown on the devices that they are for")
        noticed = {alarm.who for alarm in harness.wire.alarms if alarm.packets >= since}
        same = gone.identity == harness.device(gone.name).identity  # one key a user: none is new
        require(same or "bob-phone" in noticed, "nobody is told of the new key under an old name")


def a_text_is_shown_under_a_listed_key_only(scheme: Scheme, how: settings) -> None:
    """Require that no text is shown of an earlier holder of a name, or of a device of one's own that was not linked."""
    with playing(scheme) as harness:
        harness.play([*BEFORE, Step("say", "alice-laptop", "bob"), Step("say", "alice-laptop", "choir")])
        gone = harness.unlink("alice-laptop")
        harness.link("alice", "alice-laptop")
        harness.play(BEFORE)
        for how_said in ("an old session", "a new session", "an old chain"):
            if how_said == "a new session":
                gone.sessions.clear()
                if gone.identity == harness.device(gone.name).identity:
                    continue  # one key a user: whoever has it can begin a session
            _not_shown(harness, gone, how_said, "choir" if how_said == "an old chain" else "")
    with playing(scheme) as harness:
        harness.play(BEFORE)
        stranger = harness.listed("alice", "alice-tablet")
        stranger.linked = [*harness.device("alice-phone").linked, stranger.identity.public]
        _not_shown(harness, stranger, "a device that was not linked", "")
    with playing(scheme) as harness:
        harness.play(BEFORE)
        stranger = harness.listed("alice", "alice-tablet")
        harness.wire.parties[harness.provider.name] = _in_part(harness.provider, stranger.name)
        _not_shown(harness, stranger, UNNOTICED, "")


def _in_part(honest: Provider, hidden: str) -> Provider:
    """Return a provider that leaves one device out of its user's list, and still says whose it is."""

    def on_devices_of(party: Provider, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        listed = type(honest).on_devices_of(party, sender, packet, wire).devices
        return DeviceList(tuple(each for each in listed if each.device != hidden or sender == hidden))

    return corrupted(honest, on_devices_of=on_devices_of)


def _not_shown(harness: Harness, speaker: Device, how_said: str, group: str) -> None:
    """Raise Broken if a text of this device to bob, or to a group, is shown by a device that could know better."""
    text, others = how_said.encode(), [name for name, user in harness.owner.items() if user == speaker.user]
    with crypto.acting(speaker.name), suppress(EscrowError):
        if group:
            speaker.send_to_group(harness.wire, group, text)
        else:
            speaker.send(harness.wire, "bob", text)
    harness.play([])
    to_bob = speaker.name in harness.owner or how_said == UNNOTICED
    aware = {"bob-phone", *others} if to_bob else set(others)
    shown = sorted({each.device for each in harness.wire.shown if each.text == text and each.device in aware})
    require(
        not shown,
        f"a text of {how_said}, under another key than those listed and linked, is shown on {', '.join(shown)}",
    )


def a_first_message_is_shown_once(scheme: Scheme, how: settings) -> None:
    """Require that first messages told again show nothing, with and without one-time prekeys, on any day."""
    for without in (False, True):
        with playing(scheme) as harness:
            for _ in range(SESSIONS_KEPT + 2):
                if without:
                    _drain(harness)
                harness.device("alice-phone").sessions.clear()
                harness.play([Step("say", "alice-phone", "bob")])
            require(harness.shown == harness.meant, "a first message is not shown")
            for _ in range(2):
                for packet in list(harness.wire.heard):
                    if packet.src == "alice-phone" and any(mail.initial for mail in mails_in(packet)):
                        harness.wire.deliver(packet)
                harness.play([])
                again = harness.shown - harness.meant
                prekey = "without" if without else "with"
                require(not again, f"{again.total()} first messages {prekey} a one-time prekey are shown again")
                harness.take(Step("day"))


def silence_ends_with_its_warrant(scheme: Scheme, how: settings) -> None:
    """Require that a client hides a device that was added under a warrant for its days only, and under its key only.

    The provider goes on listing the device after the last day that the warrant covers, or on which it may be used; or
    it lists another key under its name. A client whose user was told of the device when it came hides nothing then.
    What the device writes is not shown, not even by a provider that carries it.
    """
    short, expired = "after its warrant's last day", "after its warrant expired"
    for reason in (short, expired, "of a key that no warrant names"):
        with playing(scheme) as harness:
            harness.play(AFTER)
            days = {"expires": 1} if reason == expired else {"last": 1}
            harness.serve(issue(harness.court.key, harness.order("alice", **days)))
            added, over = set(harness.provider.directory) - set(harness.owner), len(harness.wire.heard)
            late = reason.startswith("after")
            lists = _still_listing(harness.provider, added) if late else Provider.on_devices_of
            lingering = corrupted(harness.provider, on_devices_of=lists)
            harness.wire.parties[lingering.name] = lingering
            harness.play(AFTER)
            if late:
                harness.play([Step("day"), Step("day")])
            else:
                over = len(harness.wire.heard)
                for name in added:
                    harness.listed("alice", name)
            _nothing_in_silence(harness, added, over, reason)
    _only_reads(scheme)


def _still_listing(provider: Provider, names: set[str]) -> Callable[..., DeviceList]:
    """Return how a provider lists devices that forgets nothing of what it has now about some of them."""
    tables = {name: getattr(provider, name) for name in provider.__struct_fields__}
    had = {
        field: {name: table[name] for name in names & table.keys()}
        for field, table in tables.items()
        if isinstance(table, dict)
    }

    def on_devices_of(self: Provider, sender: str, packet: DevicesOf, wire: Wire) -> DeviceList:
        for field, entries in had.items():
            getattr(self, field).update(entries)
        return Provider.on_devices_of(self, sender, packet, wire)

    return on_devices_of


def _only_reads(scheme: Scheme) -> None:
    """Raise Broken if a silent device, which the authority runs, speaks as its target, or reads after its warrant."""
    for carries in (False, True):
        with playing(scheme) as harness:
            harness.play(AFTER)
            warrant = issue(harness.court.key, harness.order("alice", expires=1))
            harness.serve(warrant)
            harness.play([*AFTER, Step("day"), *AFTER])
            before = harness.provider.groups["choir"]
            if carries:
                harness.wire.parties[harness.provider.name] = corrupted(harness.provider)
            for silent in list(walk(harness.authority, Device)):
                with crypto.acting(silent.name), suppress(EscrowError):
                    silent.send(harness.wire, "bob", PLANTED)
                if not carries:
                    with crypto.acting(silent.name), suppress(EscrowError):
                        silent.change_group(harness.wire, replace(before, members=before.members[:-1]))
            harness.play([])
            require(all(each.text != PLANTED for each in harness.wire.shown), "a silent device speaks as its target")
            require(harness.provider.groups["choir"] == before, "a silent device changes a group")
            if not carries:
                harness.play([Step("day")])
                late = harness.access(warrant, harness.intercepted())
                require(not late, f"{len(late)} texts are yielded after the warrant expired")


def no_device_is_hidden_for_its_looks(scheme: Scheme, how: settings) -> None:
    """Require that, while no warrant was served, a client tells its user of a new device of any name or key.

    The names are made of the strings in the scheme's code; the keys begin and end with each byte.
    """
    with playing(scheme) as harness:
        harness.play(BEFORE)
        client = harness.device("bob-phone")
        keys = [bytes([each]) + sha256(bytes([each])).digest()[:30] + bytes([each ^ 255]) for each in range(256)]
        names = {name for word in sorted(_written(type(client))) for name in (word, f"alice{word}", f"{word}alice")}
        looks = [("alice-tablet", key) for key in keys] + [(name, keys[0]) for name in sorted(names)]
        for user in ("alice", "bob"):
            for name, key in looks:
                with suppress(EscrowError):
                    hidden = client.keeps_quiet(harness.wire, Listed(user, name, key))
                    require(not hidden, f"a client hides a device called {name!r}, with the key {key.hex()}")


def _written(kind: type[Device]) -> set[str]:
    """Return the short strings in the modules of the scheme's own clients."""
    modules = {each.__module__ for each in kind.__mro__} - {Device.__module__}
    found: set[str] = set()
    for each in modules:
        with suppress(OSError, TypeError):  # no source
            tree = ast.parse(inspect.getsource(sys.modules[each]))
            found |= {
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            }
    return {word for word in found if 0 < len(word) <= 32 and " " not in word}


def _nothing_in_silence(harness: Harness, added: set[str], over: int, reason: str) -> None:
    """Raise Broken if a client sends to one of these devices and has not told its user since packet `over`."""
    for step in AFTER:
        since = len(harness.wire.heard)
        harness.take(step)
        told = {alarm.who for alarm in harness.wire.alarms if alarm.packets >= over}
        mails = [mail for packet in harness.wire.heard[since:] for mail in mails_in(packet)]
        silent = [mail for mail in mails if added & set(mail.recipients) and mail.sender not in told]
        require(not silent, f"{step.device} sends in silence to a device {reason}")


def _drain(harness: Harness) -> None:
    """Leave no one-time prekeys, of any kind, in the directory."""
    for entry in harness.provider.directory.values():
        for field in entry.__struct_fields__:
            if isinstance(stock := getattr(entry, field), list):
                stock.clear()
