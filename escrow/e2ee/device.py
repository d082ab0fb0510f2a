"""A user's device: keys, sessions with other devices (Sesame), groups, notices, the safety number.

  send     directory -> for each device of every member, one's own others too: session, ratchet, message key
           -> the scheme's access field -> relay
  receive  relay -> session (the current one, older ones, or a new one) -> content -> screen

Several sessions a peer: the last that worked becomes current, older ones are kept a while, or two devices that write
first would lose mail for good (Marlinspike and Perrin, "The Sesame Algorithm", revision 2, 2017, section 3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from escrow import codec, crypto
from escrow.codec import Fact, Public
from escrow.crypto import Private, montgomery, new_private
from escrow.e2ee import content, ratchet, sender_keys, x3dh
from escrow.e2ee.content import Content, Distribution, Text
from escrow.e2ee.fingerprint import safety_number
from escrow.e2ee.provider import (
    Collect,
    Delivery,
    DeviceList,
    DevicesOf,
    Fetch,
    Group,
    GroupOf,
    Listed,
    Mail,
    OwnerOf,
    Publish,
)
from escrow.e2ee.ratchet import MessageKey, Plaintext, Session
from escrow.e2ee.sender_keys import OwnChain, PeerChain
from escrow.e2ee.x3dh import Bundle, IdentityKey, Initial, PqInitial
from escrow.errors import EscrowError, Forged, Refused
from escrow.principal import Principal
from escrow.wire import Wire

SESSIONS_KEPT = 5  # a peer
CHAINS_KEPT = 5  # a peer and group
GROUPS_KEPT = 40  # chains a peer, in all groups
WAITING_KEPT = 100  # group messages whose sender key did not come yet; who sent most of them loses the oldest


class Prekey(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A signed prekey pair and the day on which it was made."""

    key: Private
    day: int


class Conversing(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A session with a device; `initial` goes along until the session, begun on `day`, is answered."""

    session: Session
    initial: Initial | PqInitial | None = None
    day: int = 0


class Slip(msgspec.Struct, frozen=True):
    """What a scheme may bind an access field to: the users of the conversation (sender first), day and header."""

    people: tuple[str, ...]
    day: int
    header: bytes


class Device(Principal):
    """`linked` are the identity keys of the user's own devices, this one included, known since they were linked.

    `patience` is after how many days a session that was never answered is begun anew; 0, as in the specifications, is
    never: where a first flight is lost, all that follows is lost once the prekey it names is erased at the other end.
    """

    user: str
    identity: IdentityKey
    linked: list[Public]
    provider: str = "provider"
    rotate_every: int = 3
    keep_prekeys: int = 2
    stock: int = 0
    patience: int = 0
    prekeys: list[Prekey] = []
    one_time: list[Private] = []
    sessions: dict[str, list[Conversing]] = {}
    contacts: dict[str, list[Listed]] = {}
    sending: dict[str, OwnChain] = {}
    receiving: list[PeerChain] = []
    waiting: list[Mail] = []

    # --- keys ---

    def publish(self, wire: Wire, fresh: int) -> None:
        """Put the identity key, the newest signed prekey and `fresh` new one-time prekeys into the directory."""
        wire.ask(self.name, self.provider, self.publication(fresh), type(None))

    def publication(self, fresh: int) -> Publish:
        """What is published: the newest signed prekey, and `fresh` one-time prekeys, which are made here."""
        made = [new_private() for _ in range(fresh)]
        self.one_time += made
        prekey = self.prekeys[-1].key.public
        signature = x3dh.sign_prekey(self.identity, prekey)
        return Publish(self.user, self.identity.public, prekey, signature, tuple(key.public for key in made))

    def each_day(self, wire: Wire) -> None:
        """In the morning: rotate the signed prekey when it is due, erase old private halves, and fill up the stock."""
        if not self.prekeys or wire.day - self.prekeys[-1].day >= self.rotate_every:
            self.renew(wire.day)
            self.publish(wire, max(0, self.stock - len(self.one_time)))
        newest = self.prekeys[-1]
        self.prekeys = [old for old in self.prekeys if old is newest or newest.day + self.keep_prekeys > wire.day]

    def renew(self, day: int) -> None:
        """Make a new signed prekey."""
        self.prekeys.append(Prekey(new_private(), day))

    # --- the key agreement, which a scheme may replace as a whole ---

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        """The keys with which to begin a session with a device: those that the directory hands out."""
        return wire.ask(self.name, self.provider, Fetch(to.device), Bundle)

    def begin(self, bundle: Bundle) -> Conversing:
        """A new session with whoever holds the bundle's keys. Refused where a prekey is not signed."""
        self.insist(x3dh.prekey_is_signed(bundle), "signature of the prekey")
        initial, root = x3dh.initiate(self.identity, bundle)
        return Conversing(ratchet.begin(root, initial.associated), initial)

    def accept(self, initial: Initial) -> Session:
        """The session that an initial message begins. Forged where it is of another key agreement than this device's,
        or names a prekey that was erased, or used before."""
        if type(initial) is not Initial:
            raise Forged("an initial message of another key agreement")
        prekey, one_time = self.named(initial)
        root = x3dh.accept(initial, self.identity, prekey, one_time)
        return ratchet.respond(root, initial.associated, prekey)

    def named(self, initial: Initial) -> tuple[Private, Private | None]:
        """The X25519 prekeys that an initial message names. Forged where one was erased, or used before."""
        prekey = next((old.key for old in self.prekeys if old.key.public == initial.spk_b), None)
        one_time = next((key for key in self.one_time if key.public == initial.opk_b), None)
        if prekey is None or (one_time is None) != (initial.opk_b == b""):
            raise Forged("a prekey that was erased, or used before")
        return prekey, one_time

    def spend(self, initial: Initial) -> None:
        """Erase the one-time prekeys of a session whose first message was opened."""
        self.one_time = [key for key in self.one_time if key.public != initial.opk_b]

    # --- sending ---

    def send(self, wire: Wire, peer: str, text: bytes) -> None:
        """Send a text to every device of another user, and to this user's own other devices."""
        people = (self.user, peer)
        self._fan_out(wire, people, Text(direct(*people), text))

    def send_to_group(self, wire: Wire, group: str, text: bytes) -> None:
        """Send a text to a group whose members the provider names."""
        found = wire.ask(self.name, self.provider, GroupOf(group), Group)
        self.insist(self.user in found.members, "only members write to a group")
        people = (self.user, *(member for member in found.members if member != self.user))
        if found.sender_keys:
            self._send_by_chain(wire, people, Text(group, text))
        else:
            self._fan_out(wire, people, Text(group, text))

    def _fan_out(self, wire: Wire, people: tuple[str, ...], said: Content) -> None:
        body = codec.encode(said)
        for listed in self._recipients(wire, people):
            self._mail(wire, listed, body, people)

    def _send_by_chain(self, wire: Wire, people: tuple[str, ...], said: Text) -> None:
        group, recipients = said.conversation, self._recipients(wire, people)
        names = [listed.device for listed in recipients]
        own = self.sending.get(group)
        if own is None or not set(own.holders) <= set(names):
            own = self.sending[group] = sender_keys.new_chain()
        for listed in recipients:
            if listed.device not in own.holders:
                told = Distribution(group, own.chain, own.signer.public)
                self._mail(wire, listed, codec.encode(told), None)
                own.holders.append(listed.device)
        body, key = sender_keys.encrypt(own, codec.encode(said))
        field = self._field(key, Slip(people, wire.day, body[: -sender_keys.SIGNATURE]))
        wire.tell(self.name, self.provider, Mail(self.name, tuple(names), group, None, body, field))

    def _mail(self, wire: Wire, to: Listed, body: bytes, people: tuple[str, ...] | None) -> None:
        """One pairwise ciphertext; without `people` it carries keys, not a text, and no access field goes along."""
        conversing = self._conversing(wire, to)
        message, key = ratchet.encrypt(conversing.session, body)
        header = message.associated + ratchet.header(message)
        field = self._field(key, Slip(people, wire.day, header)) if people else b""
        mail = Mail(self.name, (to.device,), "", conversing.initial, ratchet.pack(message), field)
        wire.tell(self.name, self.provider, mail)

    def _field(self, key: MessageKey, slip: Slip) -> bytes:
        field = self.access_field(key, slip)
        return codec.encode(field) if field is not None else b""

    def access_field(self, key: MessageKey, slip: Slip) -> Fact | None:
        """What goes beside each ciphertext for lawful access: nothing, in plain end-to-end encryption."""
        return None

    def _conversing(self, wire: Wire, to: Listed) -> Conversing:
        """The session with a device: the current one, or a new one where there is none, or where it was not answered
        for as long as this device has patience."""
        kept = self.sessions.get(to.device, [])
        if not kept or (kept[0].initial is not None and 0 < self.patience <= wire.day - kept[0].day):
            bundle = self.bundle(wire, to)
            self.insist(bundle.identity == to.identity, "the bundle is of the device listed")
            fresh = self.begin(bundle)
            fresh.day = wire.day
            kept = self.sessions[to.device] = [fresh, *kept][:SESSIONS_KEPT]
        return kept[0]

    def _recipients(self, wire: Wire, people: Iterable[str]) -> list[Listed]:
        """Every device of these users but this one, as the directory lists them today."""
        return [listed for user in people for listed in self.look_up(wire, user) if listed.device != self.name]

    # --- notices and the safety number ---

    def look_up(self, wire: Wire, user: str) -> list[Listed]:
        """The devices of a user, as the directory lists them today; what is new among them is noticed."""
        listed = list(wire.ask(self.name, self.provider, DevicesOf(user), DeviceList).devices)
        for device in listed:
            if not self._expected(user, device) and not self.keeps_quiet(wire, device):
                wire.alarm(self.name, "a new device or key is shown")
        for device in listed:
            if self._changed(device):
                self.sessions.pop(device.device, None)
        self.contacts[user] = listed
        return listed

    def _expected(self, user: str, device: Listed) -> bool:
        if user == self.user:
            return device.identity in self.linked or device in self.contacts.get(user, [])
        return user not in self.contacts or device in self.contacts[user]

    def _changed(self, device: Listed) -> bool:
        return any(old.device == device.device and old != device for old in self.contacts.get(device.user, []))

    def keeps_quiet(self, wire: Wire, device: Listed) -> bool:
        """Whether this client hides a new device from its user: never, in plain end-to-end encryption."""
        return False

    def safety_number(self, user: str) -> str:
        """The 60 digits that this device shows for its user and `user` (escrow.e2ee.fingerprint)."""
        theirs = [montgomery(listed.identity) for listed in self.contacts.get(user, [])]
        return safety_number(self.user, map(montgomery, self.linked), user, theirs)

    # --- receiving ---

    def collect(self, wire: Wire) -> None:
        """Fetch the mail that waits and show the texts in it. One bad message does not stop the rest."""
        for mail in wire.ask(self.name, self.provider, Collect(), Delivery).mails:
            self._try(wire, mail)

    def _try(self, wire: Wire, mail: Mail) -> None:
        try:
            self.receive(wire, mail)
        except EscrowError as error:
            wire.complain(self.name, error)

    def receive(self, wire: Wire, mail: Mail) -> None:
        """Open one mail and act on its content. Raises one of the errors of escrow.errors; nothing is lost then."""
        if mail.group and self._chain_of(mail) is None:
            self._keep_waiting(mail)  # its sender key was overtaken, or lost
            return
        author = self._author(wire, mail.sender)
        plaintext = self._open_group(mail) if mail.group else self.open_pairwise(mail, author)
        match content.read(plaintext):
            case Text(conversation, body):
                self.insist(self._belongs(mail, author.user, conversation), "a text is of its author's conversation")
                self.read(wire, author.user, conversation, body)
            case Distribution(group, chain, signer):
                self._learn_chain(PeerChain(mail.sender, group, chain, signer))
                waiting, self.waiting = self.waiting, []
                for overtaken in waiting:
                    self._try(wire, overtaken)

    def _belongs(self, mail: Mail, author: str, conversation: str) -> bool:
        """Whether a text says to be of its chain's group or, between two users, of these two."""
        if mail.group:
            return conversation == mail.group
        people = conversation.split("+")
        return len(people) == 1 or (author in people and self.user in people)

    def _keep_waiting(self, mail: Mail) -> None:
        self.waiting.append(mail)
        if len(self.waiting) > WAITING_KEPT:
            most, _ = Counter(each.sender for each in self.waiting).most_common(1)[0]
            self.waiting.remove(next(each for each in self.waiting if each.sender == most))

    def read(self, wire: Wire, author: str, conversation: str, body: bytes) -> None:
        """A text has come: it goes to the screen, and is not kept in the state."""
        wire.show(self.name, author, conversation, body)

    def _learn_chain(self, learnt: PeerChain) -> None:
        same = [peer for peer in self.receiving if (peer.device, peer.group) == (learnt.device, learnt.group)]
        theirs = [peer for peer in self.receiving if peer.device == learnt.device]
        for old in same[: max(0, len(same) - CHAINS_KEPT + 1)] or theirs[: max(0, len(theirs) - GROUPS_KEPT + 1)]:
            self.receiving.remove(old)
        self.receiving.append(learnt)

    def _author(self, wire: Wire, device: str) -> Listed:
        known = (listed for devices in self.contacts.values() for listed in devices if listed.device == device)
        found = next(known, None)
        if found is None:
            owner = wire.ask(self.name, self.provider, OwnerOf(device), Listed)
            found = next((each for each in self.look_up(wire, owner.user) if each.device == device), owner)
        return found

    def open_pairwise(self, mail: Mail, author: Listed) -> Plaintext:
        """Open a pairwise mail under whichever session fits, which becomes current, or under a new one."""
        kept = self.sessions.get(mail.sender, [])
        why: EscrowError = Forged("no session opens this message")
        for conversing in kept:
            if mail.initial is not None and mail.initial.ek_a != conversing.session.id:
                continue
            message = ratchet.unpack(mail.body, conversing.session.associated)
            try:
                plaintext = ratchet.decrypt(conversing.session, message)
            except (Forged, Refused) as error:
                why = error
                continue
            kept.remove(conversing)
            kept.insert(0, Conversing(conversing.session))
            return plaintext
        if mail.initial is None or any(each.session.id == mail.initial.ek_a for each in kept):
            raise why
        return self._open_first(mail.sender, mail.initial, mail.body, author)

    def _open_first(self, sender: str, initial: Initial, body: bytes, author: Listed) -> Plaintext:
        self.insist(initial.ik_a == montgomery(author.identity), "the session is from the device listed")
        self.insist(x3dh.ephemeral_is_canonical(initial), "the ephemeral key is spelled canonically")
        session = self.accept(initial)
        plaintext = ratchet.decrypt(session, ratchet.unpack(body, initial.associated))
        self.spend(initial)
        self.sessions[sender] = [Conversing(session), *self.sessions.get(sender, [])][:SESSIONS_KEPT]
        return plaintext

    def _chain_of(self, mail: Mail) -> PeerChain | None:
        chain = mail.body[: sender_keys.ID]
        found = (peer for peer in self.receiving if peer.chain.chain == chain and peer.device == mail.sender)
        return next(found, None)

    def _open_group(self, mail: Mail) -> Plaintext:
        if (peer := self._chain_of(mail)) is None:
            raise Forged("a group message under a chain that never came")
        self.insist(peer.group == mail.group, "a text is of its chain's group")  # asked before the key is spent
        self.insist(sender_keys.signature_holds(peer, mail.body), "signature of a group message")
        return sender_keys.decrypt(peer, sender_keys.unpack(mail.body))


def new_devices(kind: type[Device], user: str, names: Iterable[str], **fields: object) -> list[Device]:
    """The linked devices of a user, each with an identity key drawn as itself."""
    identities = []
    for name in (names := list(names)):
        with crypto.acting(name):
            identities.append(crypto.new_signing_key(IdentityKey))
    linked = [identity.public for identity in identities]
    return [
        kind(name=name, user=user, identity=identity, linked=linked, **fields)  # type: ignore[arg-type]
        for name, identity in zip(names, identities, strict=True)
    ]


def direct(*people: str) -> str:
    """The name of the conversation between two users, the same on both sides."""
    return "+".join(sorted(people))


def ceremony(wire: Wire, one: Device, other: Device) -> bool:
    """Two users meet and compare their safety numbers: whether they agree. Where they do not, both devices say so.

    Each device first asks the directory for the other user's devices, as for a message.
    """
    for device, peer in ((one, other.user), (other, one.user)):
        with crypto.acting(device.name):
            device.look_up(wire, peer)
    try:
        agree = one.safety_number(other.user) == other.safety_number(one.user)
    except EscrowError:  # a listed key is none, so there is no number to agree on
        agree = False
    if not agree:
        wire.alarm(one.name, "safety number")
        wire.alarm(other.name, "safety number")
    return agree
