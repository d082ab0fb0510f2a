"""Plain end-to-end encryption begun with PQXDH: recording today and breaking elliptic curves later opens nothing.

  begin    PQXDH: X3DH, and an ML-KEM-768 secret to a signed KEM prekey, one-time as long as the directory has any
  send     as in plain: Double Ratchet to each device; Sender Keys in large groups
  weak     as in plain; signatures stay classical: an attacker that breaks them in time impersonates either side
           the ratchet stays classical: a stolen session does not heal against an attacker that also breaks X25519
           an access field that a scheme seals to a classical key undoes all of it

Source: Kret and Schmidt, "The PQXDH Key Agreement Protocol", 2023, sections 3.3 and 4.8. ML-KEM-768 stands in for
Kyber-1024, which libsignal began with.
"""

from __future__ import annotations

from typing import Any

import msgspec

from escrow.e2ee import device, pqxdh, provider, ratchet, x3dh
from escrow.e2ee.pqxdh import KemShared, PqBundle, SignedKem, sign_kem
from escrow.e2ee.provider import Entry, Fetch, Listed, Publish
from escrow.e2ee.ratchet import Root, Session
from escrow.e2ee.sessions import Conversing
from escrow.e2ee.x3dh import Bundle, Classical, Initial, PqInitial
from escrow.errors import Forged, Malformed
from escrow.grants import Choice, Claim, Concession, Quotation
from escrow.primitives.kem import KemPrivate, new_kem_private
from escrow.scheme import Source
from escrow.schemes.plain import CHOICES, DEVICES, IMPERSONATION, ONE_THEFT, RATCHET, Plain
from escrow.wire import Wire


class PqPublish(Publish, frozen=True):
    """X3DH's publication with the last-resort KEM prekey, and one-time KEM prekeys that add to those left."""

    kem: SignedKem
    one_time_kems: tuple[SignedKem, ...]


class PqEntry(Entry):
    """The directory's entry of a device with KEM prekeys."""

    kem: SignedKem
    one_time_kems: list[SignedKem]


class PqProvider(provider.Provider):
    """A directory of KEM prekeys too: one-time ones are handed out first, each once; the last-resort one remains."""

    directory: dict[str, PqEntry] = {}  # type: ignore[assignment]  # every entry filed here is one

    def on_publish_pq(self, sender: str, packet: PqPublish, wire: Wire) -> None:
        """File a device's keys. The base's handler does not serve: each packet type has its own method."""
        self.on_publish(sender, packet, wire)

    @staticmethod
    def filed(packet: Publish, before: Entry | None) -> PqEntry:
        """Return the directory's new entry, with KEM prekeys. Raise Malformed for a publication without them."""
        if not isinstance(packet, PqPublish):
            raise Malformed("a publication without KEM prekeys")
        classical = provider.Provider.filed(packet, before)
        left = before.one_time_kems if isinstance(before, PqEntry) else []
        fields = {name: getattr(classical, name) for name in classical.__struct_fields__}
        return PqEntry(**fields, kem=packet.kem, one_time_kems=left + list(packet.one_time_kems))

    @staticmethod
    def left(entry: Entry) -> tuple[int, ...]:
        """Return how many one-time prekeys of each kind an entry has."""
        return (*provider.Provider.left(entry), len(entry.one_time_kems) if isinstance(entry, PqEntry) else 0)

    @staticmethod
    def handed_out(entry: Entry) -> PqBundle:
        """Return the keys for one new session, with a KEM prekey: a one-time one if any is left."""
        if not isinstance(entry, PqEntry):
            raise Malformed("an entry without KEM prekeys")
        classical = provider.Provider.handed_out(entry)
        kem = entry.one_time_kems.pop(0) if entry.one_time_kems else entry.kem
        return PqBundle(classical.identity, classical.prekey, classical.signature, classical.one_time, kem)


class KemPrekey(msgspec.Struct, array_like=True, forbid_unknown_fields=True):
    """A last-resort KEM prekey pair and the day on which it was made."""

    key: KemPrivate
    day: int


class PqDevice(device.Device):
    """A device that begins no session without a KEM's secret.

    A last-resort KEM prekey lives as long as the signed prekey of its day.
    """

    kem_prekeys: list[KemPrekey] = []
    one_time_kems: list[KemPrivate] = []

    def publication(self, fresh: int) -> PqPublish:
        """Return the keys to publish, with `fresh` new one-time KEM prekeys."""
        made = [new_kem_private() for _ in range(fresh)]
        self.one_time_kems += made
        classical = super().publication(fresh)
        fields = {name: getattr(classical, name) for name in classical.__struct_fields__}
        return PqPublish(
            **fields,
            kem=sign_kem(self.identity, self.kem_prekeys[-1].key.public),
            one_time_kems=tuple(sign_kem(self.identity, key.public) for key in made),
        )

    def renew(self, day: int) -> None:
        """Make a new signed prekey and a new last-resort KEM prekey."""
        super().renew(day)
        self.kem_prekeys.append(KemPrekey(new_kem_private(), day))

    def each_day(self, wire: Wire) -> None:
        """Rotate as in plain, and erase the KEM prekeys of erased signed prekeys."""
        super().each_day(wire)
        kept = {prekey.day for prekey in self.prekeys}
        self.kem_prekeys = [old for old in self.kem_prekeys if old.day in kept]

    def bundle(self, wire: Wire, to: Listed) -> Bundle:
        """Return a peer's bundle with a KEM prekey, from the directory."""
        return wire.ask(self.name, self.provider, Fetch(to.device), PqBundle)

    def begin(self, bundle: Bundle) -> Conversing:
        """Begin a session by PQXDH. Refuse unsigned prekeys; raise Forged for a bundle without a KEM prekey."""
        if not isinstance(bundle, PqBundle):
            raise Forged("a bundle without a KEM prekey")
        self.insist(x3dh.prekey_is_signed(bundle), "signature of the prekey")
        self.insist(pqxdh.kem_is_signed(bundle), "signature of the KEM prekey")
        initial, classical, secret = pqxdh.begin(self.identity, bundle)
        root = self.mixed(initial, classical, secret)
        return Conversing(ratchet.begin(root, initial.associated), initial, identity=bundle.identity)

    def accept(self, initial: Initial) -> Session:
        """Accept a session by PQXDH. Raise Forged if the initial message names a KEM prekey that is gone."""
        if not isinstance(initial, PqInitial):
            raise Forged("an initial message without a KEM's ciphertext")
        prekey, one_time = self.named(initial)
        held = (*self.one_time_kems, *(old.key for old in self.kem_prekeys))
        key = next((each for each in held if each.public == initial.pqpk_b), None)
        if key is None:
            raise Forged("a KEM prekey that was erased, or used before")
        classical, secret = pqxdh.answer(initial, self.identity, prekey, one_time, key)
        return ratchet.respond(self.mixed(initial, classical, secret), initial.associated, prekey)

    def mixed(self, initial: PqInitial, classical: Classical, secret: KemShared) -> Root:
        """Return SK from the secrets of X3DH and the KEM."""
        return pqxdh.mix(initial, classical, secret)

    def spend(self, initial: Initial) -> None:
        """Erase the one-time prekeys that the initial message named."""
        super().spend(initial)
        if isinstance(initial, PqInitial):
            self.one_time_kems = [key for key in self.one_time_kems if key.public != initial.pqpk_b]

    def one_time_halves(self) -> tuple[list[Any], ...]:
        """Return the lists of private halves of one-time prekeys, of both kinds."""
        return (*super().one_time_halves(), self.one_time_kems)


PQXDH = "Kret and Schmidt, The PQXDH Key Agreement Protocol, revision 3, 2024"


class PlainPq(Plain, frozen=True, kw_only=True):
    """Plain, with PQXDH in place of X3DH."""

    name = "plain-pq"
    title = "Plain end-to-end encryption, post-quantum key agreement"
    source = Source("Kret and Schmidt", "The PQXDH Key Agreement Protocol", 2023, "3.3 and 4.8")
    in_pages = True
    device = PqDevice
    provider = PqProvider

    @property
    def claim(self) -> Claim:
        """As plain; and a recorded conversation stays closed after elliptic curves are broken."""
        return Claim(
            words="As in plain; and whoever records everything today and breaks elliptic curves later reads nothing, if"
            " no prekey of the KEM was taken.",
            section="PQXDH, sections 4.7 and 4.8, on passive and active quantum adversaries",
            grants=DEVICES,
            access="none",
            sources=(
                Quotation(
                    'PQXDH is designed to prevent "harvest now, decrypt later" attacks by adversaries with access to a'
                    " quantum computer capable of computing discrete logarithms in curve.",
                    PQXDH,
                    "4.7, p. 14",
                ),
                *RATCHET,
            ),
            concessions=(
                IMPERSONATION,
                Concession(
                    "provider",
                    "from the theft on",
                    Quotation("Authentication in PQXDH is not quantum-secure.", PQXDH, "4.1, p. 12"),
                    active=True,
                ),
                Concession(
                    "device and quantum",
                    "everything",
                    Quotation(
                        "If post-quantum one-time prekeys were not used for a protocol run, then access to a quantum"
                        " computer and a compromise of the private key for PQSPKB from that protocol run would"
                        " compromise the SK that was calculated earlier.",
                        PQXDH,
                        "4.7, p. 14",
                    ),
                ),
                Concession(
                    "provider and quantum",
                    "from the theft on",
                    Quotation(
                        "PQXDH is not designed to provide protection against active quantum attackers.",
                        PQXDH,
                        "4.8, p. 15",
                    ),
                    active=True,
                ),
            ),
            model=(ONE_THEFT,),
            choices=(
                *CHOICES,
                Choice("the KEM's one-time prekeys do not run out in ten days", favours=True),
                Choice("keys of 128 bits are not broken by a quantum computer, though 4.7 asks for more", favours=True),
            ),
        )


SCHEME = PlainPq()
