"""Plain end-to-end encryption: only the devices at the two ends have a key.

  begin    X3DH with signed and one-time prekeys, handed out by the provider
  send     Double Ratchet to each device; Sender Keys in large groups
  weak     a device's own state; a provider that lies about keys, until two users compare safety numbers

Source: Marlinspike and Perrin, X3DH (2016) and Sesame (2017); Perrin and Marlinspike, Double Ratchet (2016).
"""

from __future__ import annotations

from typing import ClassVar

from escrow.e2ee.device import Device
from escrow.e2ee.listing.modes import Modes, negotiating
from escrow.e2ee.policing import Policing
from escrow.grants import Choice, Claim, Concession, Exclusion, Grant, Quotation
from escrow.principal import Principal
from escrow.scheme import Finding, Scheme, Source

DEVICES = (
    Grant(
        "device",
        "own",
        concedes=(
            (
                "first flight and reply of a session without a one-time prekey, while the signed prekey is kept: "
                '"If one-time prekeys were not used for a protocol run, then a compromise of the private keys for '
                'IKB and SPKB from that protocol run would compromise the SK that was calculated earlier."'
                " (X3DH, 4.6, p. 9)"
            ),
            (
                "texts on their way, and message keys that were skipped and kept: "
                '"The attacker can compromise the intended recipient at a later time to retrieve the skipped message '
                'keys." (Double Ratchet, 6.4, p. 32)'
            ),
            "group texts under a sender's chain from the seizure to its rotation (Sender Keys)",
        ),
    ),
)


CLASSICAL = Exclusion("quantum", "nobody has a quantum computer", "no source speaks of one")
ONE_THEFT = Exclusion("device", "a phone is taken once", "Double Ratchet, 6.2, speaks of one compromise", times=2)
RATCHET = (
    Quotation(
        "The Double Ratchet algorithm is designed to provide security against an attacker who records encrypted"
        " messages and then compromises the sender or receiver at a later time.",
        "Perrin and Marlinspike, The Double Ratchet Algorithm, 2016",
        "6.1, p. 31",
    ),
    Quotation(
        "The DH ratchet is designed to recover security against a passive eavesdropper who observes encrypted messages"
        " after compromising one (or both) of the parties to a session.",
        "Perrin and Marlinspike, The Double Ratchet Algorithm, 2016",
        "6.2, p. 31",
    ),
    Quotation(
        "Whenever a group member leaves, all group participants clear their Sender Key and start over.",
        "WhatsApp Encryption Overview, 2017",
        "p. 7",
    ),
)
IMPERSONATION = Concession(
    "device and provider",
    "from the theft on",
    Quotation(
        "Compromise of a party's identity private key allows impersonation of that party to others.",
        "Marlinspike and Perrin, X3DH, 2016",
        "4.6, p. 9",
    ),
    active=True,
)
UNAUTHENTICATED = Concession(
    "provider",
    "from the theft on",
    Quotation(
        "If authentication is not performed, the parties receive no cryptographic guarantee as to who they are"
        " communicating with.",
        "Marlinspike and Perrin, X3DH, 2016",
        "4.1, p. 7",
    ),
    active=True,
)
CHOICES = (
    Choice("texts kept on a device's screen are no part of a stolen state", favours=True),
    Choice("all members of a group see every notice, and some users compare safety numbers", favours=True),
    Choice("there is no key transparency", favours=False),
)
PRE_ENCRYPTION = Choice(
    "what users encrypt by themselves first counts as missed; no source that was read excludes it", favours=False
)
UNPOLICED = Choice(
    "nobody looks at the access field that a sender leaves out or falsifies, unless `policing` says so; nor at the key"
    " that a client is built with, which may be that of an intruder",
    favours=False,
)
EVASIONS = (UNPOLICED, PRE_ENCRYPTION)
ONE_COURT = Choice(
    "one key of the court signs every warrant, so that whoever takes it orders what it likes; that warrants are signed,"
    " and how, is ours",
    favours=False,
)


class Plain(Scheme, frozen=True, kw_only=True):
    """End-to-end encryption without lawful access."""

    name = "plain"
    title = "Plain end-to-end encryption"
    source = Source(
        "Perrin and Marlinspike", "The Double Ratchet Algorithm; The X3DH Key Agreement Protocol", 2016, "all"
    )
    in_pages = True
    findings = (
        Finding(
            1,
            "ghost-insertion",
            "**Plain end-to-end encryption** can be attacked, too: an insider at the provider who adds devices "
            "reads {plain.exposed.total} of {plain.sent} texts. Users' clients raise {plain.complaints} alarms.",
            ("plain.exposed.total > 0", "plain.complaints > 0"),
        ),
    )

    @property
    def claim(self) -> Claim:
        """Only the devices read; a stolen device's state opens neither earlier texts nor, after healing, later ones."""
        return Claim(
            words="Only the devices of the conversation can read. A passive thief of one device's state opens nothing"
            " that it sent or received before, and later texts only until both sides have made new keys; identity keys"
            " are compared.",
            section="Double Ratchet, sections 6.1 and 6.2; X3DH, section 4",
            grants=DEVICES,
            access="none",
            sources=RATCHET,
            concessions=(IMPERSONATION, UNAUTHENTICATED),
            model=(CLASSICAL, ONE_THEFT),
            choices=CHOICES,
        )


class FieldScheme(Plain, frozen=True, kw_only=True):
    """Base of the schemes that put an access field beside each text; `policing` says who looks at it, if anybody.

    "recipient" raises ValueError where a recipient can neither make a sender's field again nor check it otherwise, and
    "publicly" where fields are not `provable`. `modes` says whether fields are negotiated (escrow.e2ee.listing.modes).
    """

    family = "Sealed envelope"
    options: ClassVar[tuple[str, ...]] = ("committing", "policing", "modes")
    provable: ClassVar[bool] = False
    policing: Policing = "none"
    modes: Modes = "all"

    def __post_init__(self) -> None:
        if self.policing == "publicly" and not self.provable:
            raise ValueError(
                f"{self.name} cannot be policed publicly: its fields carry no proof of who can open them; policing is"
                " one of none, relay, recipient"
            )
        why = self.device.unrepeatable or self.seedable
        if self.policing == "recipient" and why and self.device.admit is Device.admit:
            raise ValueError(f"{self.name} cannot be policed by recipients: {why}")

    def equipped(self, party: Principal) -> Principal:
        """Return a device or the provider as one that negotiates modes, where they are negotiated."""
        return party if self.modes == "all" else negotiating(party, self.modes)

    @property
    def opens_fields(self) -> bool:
        """Whether any access is promised: it is by the fields, also where it begins with the service of a warrant."""
        return self.claim.access != "none"


SCHEME = Plain()
