"""What the government said of the Escrowed Encryption Standard, with its sentences, and what it conceded."""

from __future__ import annotations

from escrow.grants import Choice, Claim, Concession, Exclusion, Grant, Quotation
from escrow.schemes.plain import CLASSICAL, DEVICES, ONE_THEFT

FIPS = "FIPS PUB 185, Escrowed Encryption Standard, 1994"
DENNING = "Denning, The Clipper Chip: A Technical Summary, 1993"
NULLIFIED = Quotation(
    "Government researchers recognized and accepted that the law enforcement access feature could be nullified, but"
    " only if the user was willing to invest substantial time and trouble, as the Blaze report points out.",
    "NIST, statement of 2 June 1994",
    "on the Blaze report",
)
SUPER_ENCRYPTION = Quotation(
    "other nonescrowed devices, or super encryption by a second device",
    "NIST, statement of 2 June 1994",
    "on what people would rather use",
)
UNLOCKS = Quotation(
    "an 80-bit secret key that unlocks all messages encrypted with the chip", DENNING, "on the unit key"
)
CLAIM = Claim(
    words="Both agents' components of a unit key together open what that unit enciphered, and neither alone anything;"
    " an authority gets them under a legal authorization, and listens from then on. Chips are sealed and their"
    " programming is honest.",
    section="FIPS PUB 185, explanation; Denning (1993), on release and use of the components",
    grants=(
        *DEVICES,
        Grant("agent-1 and agent-2", "everything"),
        Grant("authority", "in scope of a served warrant"),
    ),
    access="from service",
    sources=(
        Quotation(
            "Two escrow agencies are used, and the key parts from both are needed to reconstruct a key.",
            DENNING,
            "on the agencies",
        ),
        Quotation(
            "only upon fulfillment of the condition that the grantee has properly demonstrated legal authorization to"
            " conduct electronic surveillance of telecommunications which are encrypted using the specific device whose"
            " device unique key is being requested.",
            FIPS,
            "explanation",
        ),
        Quotation(
            "Upon, or prior to, completion of the electronic surveillance phase of the investigation, the ability of"
            " the requesting agency to decrypt intercepted communications shall terminate, and the requesting agency"
            " may not retain the key components.",
            "Department of Justice, release procedures, 1994",
            "section 7: a duty of the agency",
        ),
    ),
    concessions=(
        Concession("authority", "of the target of a served warrant", UNLOCKS),
        Concession("device", "missed if an end is corrupted", NULLIFIED),
        Concession("device", "missed if all ends are corrupted", SUPER_ENCRYPTION),
    ),
    model=(
        CLASSICAL,
        ONE_THEFT,
        Exclusion("programmer", "after programming all is discarded", DENNING),
        Exclusion("device", "chips resist reverse engineering, destructive or not", f"{FIPS}, section 5", stolen=True),
    ),
    choices=(
        Choice("texts are mail, whose LEAF goes one way; the standard is for telephone calls", favours=False),
        Choice("delay costs nothing, and was the defence against a rogue LEAF", favours=False),
        Choice("phones are software", favours=False),
        Choice("agents check whose unit it is, which no source asks of them", favours=True),
        Choice("days before the service of a warrant are granted, though the sources speak of a wiretap", favours=True),
        Choice("the LEAF is the best case of what was published of it", favours=True),
    ),
)
