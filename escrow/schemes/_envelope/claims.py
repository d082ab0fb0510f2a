"""What the proponents of sealed keys say, for all forms of `envelope`."""

from __future__ import annotations

from escrow.grants import Concession, Quotation

LOTUS = "Kaufman, Differential Workfactor Cryptography, Lotus, 1996"
SECTION = "the recovery of keys, as its proponents describe it"
SOURCES = (
    Quotation(
        "Members of the group are working on technology which will allow users to maintain the privacy of"
        " their keys while allowing legitimate business or law enforcement authorities to recover keys when"
        " appropriate.",
        "RSA Data Security, on key recovery, 1996",
        "press release, October",
    ),
    Quotation(
        "knowing the bulk data key and the government public key, it can regenerate the WRF and compare the"
        " result with the supplied value.",
        LOTUS,
        "on tampering",
    ),
)
WEAKENED = (
    Concession(
        "device",
        "missed if all ends are corrupted",
        Quotation(
            "The best a software implementation can do in terms of tamper resistance is to make it"
            " impossible to remove the Workfactor Reduction Field without modifying both the source of the"
            " data and the destination.",
            LOTUS,
            "on tampering",
        ),
    ),
)
