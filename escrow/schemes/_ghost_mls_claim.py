"""What RFC 9420 says of devices and services, beside what Levy and Robinson propose: the claim of `ghost-mls`."""

from __future__ import annotations

from escrow.grants import Choice, Concession, Grant, Quotation
from escrow.schemes._ghost_claim import CLAIM

MLS = "Barnes and others, The Messaging Layer Security (MLS) Protocol, RFC 9420, 2023"
SECURITY = (
    Quotation(
        "Post-compromise security is provided between epochs by members regularly updating their leaf key in the"
        " ratchet tree.",
        MLS,
        "16.6",
    ),
    Quotation(
        "MLS is designed to protect the confidentiality and integrity of the group data even in the face of a"
        " compromised DS.",
        MLS,
        "16.9",
    ),
)
GRANTS = (
    Grant(
        "device",
        "own",
        concedes=(
            (
                'texts of the epochs that follow a stolen one, until the device has itself committed: "Members can'
                ' achieve immediate PCS by sending their own Commit and populating the `path` field" (RFC 9420, 16.6)'
            ),
            "texts on their way in epochs that ended lately, whose unused keys are kept (ours: four days)",
            "texts of a group into which a key package leads that is still kept",
        ),
    ),
    Grant("authority", "in scope of a served warrant"),
)
CONCESSIONS = (
    *CLAIM.concessions,
    Concession(
        "2 of device",
        "of the holder's own user",
        Quotation(
            "Note that group secrets and message encryption keys are shared by the group, and thus there is a risk to"
            " forward secrecy as long as any member has not deleted these keys.",
            MLS,
            "16.6",
        ),
    ),
    Concession(
        "device and provider",
        "from the theft on",
        Quotation(
            "If a member's signature key is compromised, then an attacker can create LeafNodes and KeyPackages"
            " impersonating the member",
            MLS,
            "16.5",
        ),
        active=True,
    ),
)
CHOICES = (
    Choice("there is one credential-service for all users, and nobody looks at what it attests", favours=False),
    Choice("whoever writes renews its own leaf if it is three days old; who only reads renews nothing", favours=False),
    Choice("the authentication service serves warrants, too; the proposal does not know of one", favours=True),
    Choice("commits are told to all at once, in one order; races between commits are not played", favours=True),
    Choice("nobody joins by its own commit", favours=False),
)
PROPOSALS = {
    "members": Choice("proposals=members: nobody outside a group may propose who joins", favours=False),
    "provider": Choice(
        "proposals=provider: each group lists the provider as an external sender (RFC 9420, 12.1.8.1); clients show its"
        " proposals, and commit no leaf that is not listed",
        favours=True,
    ),
}
