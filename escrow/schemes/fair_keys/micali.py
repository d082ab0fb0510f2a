"""What the proposers of fair cryptosystems claim, with their sentences."""

from __future__ import annotations

from escrow.grants import Choice, Claim, Exclusion, Grant, Quotation
from escrow.schemes.plain import CLASSICAL, DEVICES, EVASIONS, ONE_COURT, ONE_THEFT

PATENT = "Micali, US patent 5,315,658, 1994"


def claim(t: int, n: int, failsafe: bool) -> Claim:
    """Return the claim: any `t` of `n` trustees open what is sealed to a user. `failsafe`: keys are certified so."""
    shifted = (Choice("the centre publishes its seed B; in the failsafe patent it stays secret", favours=False),)
    return Claim(
        words=f"Any {t} of a user's {n} trustees can open what is sealed to that user, fewer learn nothing; the"
        " authority is given the key of a user whom a court names, without an end in time, and of nobody else.",
        section="Micali, on trustees and court orders",
        grants=(
            *DEVICES,
            Grant("trustee-*", "everything", t),
            Grant("authority", "of the target of a served warrant"),
        ),
        access="in scope",
        sources=(
            Quotation(
                "Each trustee can verify that the pieces of information provided include a share of the secret key"
                " without interaction with any other trustee or by sending messages to the user.",
                PATENT,
                "abstract",
            ),
            Quotation(
                "This enables the entity to reconstruct the secret key and monitor the suspect user's communications.",
                PATENT,
                "abstract; no clause on time in it, nor in claims 7 and 8",
            ),
            Quotation(
                "the first seed value alone being insufficient to reveal a secret key even if the trustees cooperate",
                "Leighton, US patent 5,647,000, 1997",
                "claim 1",
            ),
        ),
        model=(
            CLASSICAL,
            ONE_THEFT,
            Exclusion("centre", "certification is honest", "Micali, Fair Public-Key Cryptosystems, 1993"),
        ),
        choices=(
            *(shifted if failsafe else ()),
            Choice("a user has one key for ever", favours=False),
            Choice("users forget their key, so that a stolen phone opens no field", favours=True),
            *EVASIONS,
            ONE_COURT,
        ),
    )
