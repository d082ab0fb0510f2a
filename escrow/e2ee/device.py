"""A user's device: keys, sessions with other devices (Sesame), groups, notices, the safety number.

  send     directory -> for each device of every member, one's own others too: session, ratchet, message key
           -> the scheme's access field -> relay
  receive  relay -> session (the current one, older ones, or a new one) -> content -> screen

What a device keeps is here, and what a scheme may replace. How sessions are chosen stands in escrow.e2ee.sessions,
Sender Keys of groups in escrow.e2ee.groups, the directory and its changes in escrow.e2ee.contacts, the members of
groups in escrow.e2ee.membership, keys and the key agreement in escrow.e2ee.prekeys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact
from escrow.crypto import montgomery
from escrow.e2ee import contacts, content, groups, membership, policing, ratchet, sender_keys, sessions
from escrow.e2ee.content import Content, Conversation, Distribution, InGroup, Text, direct
from escrow.e2ee.fingerprint import safety_number
from escrow.e2ee.listing.checks import CHECKS, ClientCheck
from escrow.e2ee.policing import ComputedKey, KnownMembers, Policing
from escrow.e2ee.prekeys import KeyHolder
from escrow.e2ee.prekeys import Prekey as Prekey  # schemes import it from here
from escrow.e2ee.provider import (
    Collect,
    Delivery,
    Group,
    GroupOf,
    Listed,
    Mail,
)
from escrow.e2ee.ratchet import MessageKey, Plaintext
from escrow.e2ee.sender_keys import OwnChain, PeerChain
from escrow.e2ee.sessions import Conversing
from escrow.e2ee.x3dh import IdentityKey
from escrow.errors import EscrowError, Malformed, Refused
from escrow.wire import Wire

GHOST_ONE_TIME = 50  # one-time prekeys of a silent device
_NAME = b"escrow-lab name of a device"


class FieldContext(msgspec.Struct, frozen=True):
    """The values to which a scheme may bind an access field: users of the conversation (sender first), day, header."""

    people: tuple[str, ...]
    day: int
    header: bytes


Slip = FieldContext  # its name in the first templates of `init scheme`, from which schemes import it


class Device(KeyHolder):
    """A user's device.

    Its keys are those of a KeyHolder. `quiet` are the listed devices that this client hides from its user. `committing`
    says that all clients seal texts with CTX in place of AES-GCM; no packet says so, so that no sender can choose.
    `checks` are those of its promises to its user that the lab switches off one by one (escrow.e2ee.listing.checks).
    `policing` says who looks at access fields, and `collected` on which day the mail that waited was fetched last;
    `known_members` are the lists that groups had. `unrepeatable` is empty, or says why a recipient cannot make a
    sender's field again. `conversing` names the fields in which a subclass keeps sessions of its own kind, and
    `replaces` the modules of escrow.e2ee whose sessions they replace, so that their rules stay idle.
    """

    unrepeatable: ClassVar[str] = ""
    conversing: ClassVar[tuple[str, ...]] = ()
    replaces: ClassVar[tuple[str, ...]] = ()
    checks: ClassVar[tuple[ClientCheck, ...]] = CHECKS

    sessions: dict[str, list[Conversing]] = {}
    contacts: dict[str, list[Listed]] = {}
    sending: dict[str, OwnChain] = {}
    receiving: list[PeerChain] = []
    waiting: list[Mail] = []
    known_groups: dict[str, Group] = {}
    quiet: list[Listed] = []
    committing: bool = False
    policing: Policing = "none"
    collected: int = 0
    known_members: dict[str, list[KnownMembers]] = {}

    def send(self, wire: Wire, peer: str, text: bytes) -> None:
        """Send a text to every device of another user, and to this user's own other devices."""
        people = (self.user, peer)
        self.fan_out(wire, people, Text(direct(*people), text))

    def send_to_group(self, wire: Wire, group: str, text: bytes) -> None:
        """Send a text to a group whose members the provider names."""
        found = self.look_up_group(wire, group)
        self.insist(self.user in found.members, "only members write to a group")
        people = (self.user, *(member for member in found.members if member != self.user))
        send = self.send_by_chain if found.sender_keys else self.fan_out
        send(wire, people, Text(InGroup(group), text))

    def fan_out(self, wire: Wire, people: tuple[str, ...], said: Content) -> None:
        """Send a content to every device of these users but this one, each in its own session."""
        self.mail_each(wire, self.recipients(wire, people), codec.encode(said), people)

    def mail_each(self, wire: Wire, to: Iterable[Listed], body: bytes, people: tuple[str, ...] | None) -> list[Listed]:
        """Send each of these devices one pairwise ciphertext, and return those to which one could be sent.

        A device to which nothing can be sealed is named, and stops nobody. Raise the error if it is so of all of them.
        """
        reached: list[Listed] = []
        why: EscrowError | None = None
        for listed in to:
            try:
                self.mail_to(wire, listed, body, people)
            except EscrowError as error:
                wire.complain(listed.device, error)
                why = error
            else:
                reached.append(listed)
        if why is not None and not reached:
            raise why
        return reached

    def send_by_chain(self, wire: Wire, people: tuple[str, ...], said: Text) -> None:
        """Send a text to every device of these users but this one, sealed once under this device's sender key."""
        body, key, names = groups.encrypt(self, wire, people, said)
        field = self._field(key, FieldContext(people, wire.day, body[: -sender_keys.SIGNATURE]))
        wire.tell(self.name, self.provider, Mail(self.name, tuple(names), said.conversation.group, None, body, field))

    def mail_to(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
        """Send one pairwise ciphertext. Without `people` it carries keys, not a text, and has no access field."""
        conversing = sessions.current(self, wire, to)
        message, key = ratchet.encrypt(conversing.session, body, self.committing)
        header = message.associated + ratchet.header(message)
        field = self._field(key, FieldContext(people, wire.day, header)) if people else b""
        mail = Mail(self.name, (to.device,), "", conversing.initial, ratchet.pack(message), field)
        wire.tell(self.name, self.provider, mail)

    def _field(self, key: MessageKey, context: FieldContext) -> bytes:
        if self.policing in policing.MADE_AGAIN and not self.unrepeatable:
            with crypto.drawing_from(policing.field_seed(key, context.people, context.day, context.header)):
                field = self.access_field(key, context)
        else:
            field = self.access_field(key, context)
        return codec.encode(field) if field is not None else b""

    def access_field(self, key: MessageKey, context: FieldContext) -> Fact | None:
        """Return what goes beside each ciphertext for lawful access: None, in plain end-to-end encryption."""
        return None

    def recipients(self, wire: Wire, people: Iterable[str]) -> list[Listed]:
        """Return every device of these users but this one that is listed today; of its own user's, those linked."""
        listed = [each for user in dict.fromkeys(people) for each in self.look_up(wire, user)]
        return [each for each in listed if each.device != self.name and contacts.is_vouched_for(self, each, wire.day)]

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """Return the devices of a user as the directory lists them today. What is new among them raises an alarm."""
        return contacts.look_up(self, wire, user)

    def look_up_group(self, wire: Wire, group: str) -> Group:
        """Return a group as the provider lists it now. Each new member of a group that is known raises an alarm."""
        return membership.look_up(self, wire, group)

    def noticed(self, user: str, listed: Listed) -> ClientCheck | None:
        """Return which check has this client tell its user of a listed device, or None if it is no news."""
        return contacts.news(self, user, listed)

    def change_group(self, wire: Wire, group: Group) -> None:
        """Tell the provider who is in a group from now on."""
        wire.ask(self.name, self.provider, group, type(None))

    def keeps_quiet(self, wire: Wire, device: Listed) -> bool:
        """Return whether this client hides a device from its user today: never, in plain end-to-end encryption."""
        return False

    def is_exempt(self, listed: Listed, day: int) -> bool:
        """Return whether a device is sent to though nobody vouches for it: one that is hidden."""
        return listed in self.quiet

    def in_directory(self, wire: Wire, user: str, listed: list[Listed]) -> list[Listed]:
        """Return those of a user's listed devices that this client uses: all, where there is no key directory."""
        return listed

    def safety_number(self, user: str) -> str:
        """Return the 60 digits that this device shows for its user and `user` (escrow.e2ee.fingerprint)."""
        theirs = [montgomery(listed.identity) for listed in self.in_number(user)]
        return safety_number(self.user, map(montgomery, self.linked), user, theirs)

    def in_number(self, user: str) -> list[Listed]:
        """Return the devices of another user whose keys the safety number covers: all that the directory listed."""
        return self.contacts.get(user, [])

    def collect(self, wire: Wire) -> None:
        """Fetch the mail that waits and show the texts in it. One bad message does not stop the rest."""
        for mail in wire.ask(self.name, self.provider, Collect(), Delivery).mails:
            self.receive_or_complain(wire, mail)
        self.collected = wire.day

    def receive_or_complain(self, wire: Wire, mail: Mail) -> None:
        """Open one mail and act on its content; if it cannot be opened, keep the reason on the wire."""
        try:
            self.receive(wire, mail)
        except EscrowError as error:
            wire.complain(self.name, error)

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail and act on its content. Raise one of the errors of escrow.errors; no session is lost then."""
        chain = groups.chain_of(self, mail) if mail.group else None
        if mail.group and chain is None:
            groups.keep_waiting(self, mail)  # it overtook its sender key, or that is lost
            return
        author = contacts.author_of(self, wire, mail, chain)
        found = policing.computed(self, mail) if self.policing in policing.MADE_AGAIN else None
        plaintext = self.open_group(mail) if mail.group else self.open_pairwise(mail, author)
        match content.read(plaintext):
            case Text(conversation, body):
                membership.check(self, wire, mail, author.user, conversation)
                policing.compare(self, wire, mail, author.user, conversation)
                if found is not None:
                    self.take(wire, mail, found)
                self.read(wire, author.user, conversation, body)
            case Distribution(group, told, signer):
                membership.check(self, wire, mail, author.user, InGroup(group))
                groups.learn(self, PeerChain(mail.sender, group, told, signer, identity=author.identity))
                groups.receive_waiting(self, wire)

    def take(self, wire: Wire, mail: Mail, found: ComputedKey) -> None:
        """Raise Refused unless `admit` admits the field beside a text, after an alarm that names the sender."""
        try:
            self.admit(mail, found)
        except Refused as refused:
            wire.alarm(self.name, f"{mail.sender}: the access field beside its text is not the text's")
            raise refused

    def admit(self, mail: Mail, found: ComputedKey) -> None:
        """Raise Refused, naming the sender, if a text's field is not what the sender's client should have made."""
        if (kind := policing.field_type(self.access_field)) is None:
            return
        try:
            said: Any = codec.decode(mail.field, kind)
        except Malformed as error:
            self.insist(False, f"{mail.sender} sent no access field for this message: {error}")
            return
        again = self._field(found.key, FieldContext(said.people, said.day, found.header))
        self.insist(again == mail.field, f"the access field that {mail.sender} sent is not this message's")

    def read(self, wire: Wire, author: str, conversation: Conversation, body: bytes) -> None:
        """Show a text on the screen. It is not kept in the state."""
        wire.show(self.name, author, conversation, body)

    def open_pairwise(self, mail: Mail, author: Listed) -> Plaintext:
        """Open a mail between two devices. Raise Forged or Refused if no session opens it."""
        return sessions.open_mail(self, mail, author)

    def open_group(self, mail: Mail) -> Plaintext:
        """Open a mail to a group with Sender Keys. Raise Forged or Refused if the sender's chain does not open it."""
        return groups.open_mail(self, mail)


def new_devices(kind: type[Device], user: str, names: Iterable[str], **fields: object) -> list[Device]:
    """Return the linked devices of a user, each with an identity key drawn as that device."""
    identities = []
    for name in (names := list(names)):
        with crypto.acting(name):
            identities.append(crypto.new_signing_key(IdentityKey))
    linked = [identity.public for identity in identities]
    return [
        kind(name=name, user=user, identity=identity, linked=linked, **fields)  # type: ignore[arg-type]
        for name, identity in zip(names, identities, strict=True)
    ]


# --- a silent device ---


class Ghost(Device):
    """A silent device: it keeps what it reads, and shows nothing."""

    texts: list[Text] = []

    def keeps_quiet(self, wire: Wire, device: Listed) -> bool:
        """Return True: the ghost has no user to warn, and never learnt which devices the target linked."""
        return True

    def look_up_group(self, wire: Wire, group: str) -> Group:
        """Return a group as the provider lists it: the ghost keeps no lists, and has no user to warn."""
        return wire.ask(self.name, self.provider, GroupOf(group), Group)

    def read(self, wire: Wire, author: str, conversation: Conversation, body: bytes) -> None:
        """Keep a text for the authority, and show nothing."""
        self.texts.append(Text(conversation, body))


def ghost_name(target: str, nonce: bytes) -> str:
    """Return a name as the target may give a device. Without the warrant's nonce nobody can tell that it is of one."""
    return f"{target}-tablet-{crypto.sha256(_NAME, nonce).hex()[:8]}"


def new_ghost(target: str, name: str, committing: bool = False) -> Ghost:
    """Return a silent device with its own keys, named as one of the target's; `committing` is the scheme's."""
    identity = crypto.new_signing_key(IdentityKey)
    return Ghost(
        name,
        target,
        identity,
        [identity.public],
        prekeys=[Prekey(crypto.new_private(), 0)],
        one_time=[crypto.new_private() for _ in range(GHOST_ONE_TIME)],
        committing=committing,
    )
